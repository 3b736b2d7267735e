"""Pictures to show around: SVG by our own writer, and PNG of the same drawing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from kg.export.layout import Points, arrange, shape_of
from kg.export.lettering import FAMILY, FONT, embedded_font, shortened, visible, width_of
from kg.export.palette import fill_of, ink_of
from kg.export.view import Edge, Node, Selection, View, best_connected, read_view
from kg.settings import Settings
from kg.store import Store

__all__ = ["create_png", "create_svg", "draw"]

_INK, _SOFT, _LINE, _PAPER = "#1d2126", "#5a626b", "#a9b0b7", "#ffffff"
_MARGIN, _HEAD, _FOOT = 20.0, 46.0, 40.0
_FONTS = (20, 18, 16.5, 15, 14, 13, 12, 11, 10, 9)
"""Sizes of letters that are tried, the largest first."""
_SMALLEST = 8.5
"""Size of the smallest letters on lines; what has no room for them has no label."""
_LONGEST = 17.0
"""Width of the longest label, in sizes of its letters."""
_FULL = 0.5
"""Share of the area that boxes may take."""


@dataclass(frozen=True, slots=True)
class _Lettered:
    """A text in letters of a size."""

    text: str
    size: float

    @property
    def half(self) -> tuple[float, float]:
        """Half the width and half the height of a box around it."""
        return width_of(self.text) * self.size / 2 + self.size * 0.7, self.size * 0.85


@dataclass(frozen=True, slots=True)
class _Box:
    """A node's place: centre, half width and half height, and the letters' size."""

    node: Node
    label: str
    x: float
    y: float
    half: tuple[float, float]
    size: float


@dataclass(frozen=True, slots=True)
class _Line:
    """All facts between two boxes; `forward` and `backward` are predicates in words."""

    one: _Box
    other: _Box
    forward: tuple[str, ...]
    backward: tuple[str, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class _Scene:
    """Everything that is drawn, with the size of the letters."""

    boxes: tuple[_Box, ...]
    lines: tuple[_Line, ...]
    size: float


# -- places ---------------------------------------------------------------------------------------------------


def draw(view: View, *, width: int, height: int, most: int) -> str:
    """The view as an SVG document of this size in pixels: at most so many nodes, the best connected.

    Fewer are shown where their names would not fit in letters of nine pixels. Text is text: it can be searched and selected.
    """
    shown = best_connected(view, most)
    scene = _scene(shown, _area(shown, width, height))
    while scene is None:
        shown = best_connected(view, len(shown.nodes) * 5 // 6)
        scene = _scene(shown, _area(shown, width, height))
    return _Svg(view, shown, scene, width, height).text()


def _area(view: View, width: int, height: int) -> tuple[float, float]:
    """Width and height of what is between title and legend."""
    return max(1.0, width - 2 * _MARGIN), max(1.0, height - 2 * _MARGIN - _HEAD - _FOOT * _legend_rows(view, width))


def _scene(view: View, area: tuple[float, float]) -> _Scene | None:
    """The drawing in the largest letters that fit; None where none do."""
    if not view.nodes:
        return _Scene((), (), _FONTS[-1])
    degrees = Counter(end for edge in view.edges for end in {edge.subject, edge.object})
    pairs = _pairs(view)
    shape = shape_of(len(view.nodes), pairs)
    few = len(view.nodes) <= 40
    for size in _FONTS:
        labels = [_Lettered(shortened(node.label, _LONGEST), _size(size, degrees[node.iri])) for node in view.nodes]
        margin = size * (1.1 if few else 0.5)
        boxes = [(2 * label.half[0] + margin, 2 * label.half[1] + margin) for label in labels]
        if sum(wide * high for wide, high in boxes) > _FULL * area[0] * area[1]:
            continue
        places = arrange(shape, boxes, link=size * (11 if few else 6), area=area)
        if places is not None:
            made = tuple(_boxes(view, labels, _centred(places, boxes, area)))
            return _Scene(made, tuple(_lines(made, pairs)), size)
    return None


def _size(size: float, degree: int) -> float:
    """The letters of a node with so many facts."""
    return size * (1 + min(0.5, 0.16 * math.log2(max(1, degree))))


def _pairs(view: View) -> dict[tuple[int, int], list[Edge]]:
    numbers = {node.iri: number for number, node in enumerate(view.nodes)}
    found: dict[tuple[int, int], list[Edge]] = {}
    for edge in view.edges:
        one, other = sorted((numbers[edge.subject], numbers[edge.object]))
        found.setdefault((one, other), []).append(edge)
    return found


def _centred(places: Points, boxes: Sequence[tuple[float, float]], area: tuple[float, float]) -> Points:
    """The places drawn apart into the whole area, from the picture's corner."""
    found = places.copy()
    for axis, room in enumerate(area):
        extents = [box[axis] for box in boxes]
        found[:, axis] *= min(1.6, _stretch(places[:, axis].tolist(), extents, room))
        ends = found[:, axis] + np.array(extents) / 2
        starts = found[:, axis] - np.array(extents) / 2
        found[:, axis] += (room - ends.max() - starts.min()) / 2 + _MARGIN + (_HEAD if axis else 0)
    return found.round(1)


def _boxes(view: View, labels: Sequence[_Lettered], places: Points) -> Iterator[_Box]:
    for node, label, (x, y) in zip(view.nodes, labels, places.tolist(), strict=True):
        yield _Box(node, label.text, x, y, label.half, label.size)


def _stretch(places: Sequence[float], extents: Sequence[float], room: float) -> float:
    """How far places can be drawn apart with boxes of the same size in this room; never less than 1."""
    low, high = 1.0, 4.0
    for _ in range(20):
        middle = (low + high) / 2
        ends = [place * middle + extent / 2 for place, extent in zip(places, extents, strict=True)]
        starts = [place * middle - extent / 2 for place, extent in zip(places, extents, strict=True)]
        low, high = (middle, high) if max(ends) - min(starts) <= room else (low, middle)
    return low


def _lines(boxes: Sequence[_Box], pairs: dict[tuple[int, int], list[Edge]]) -> Iterator[_Line]:
    for (one, other), edges in sorted(pairs.items()):
        forward = sorted({edge.label for edge in edges if edge.subject == boxes[one].node.iri})
        backward = sorted({edge.label for edge in edges if edge.subject != boxes[one].node.iri})
        yield _Line(boxes[one], boxes[other], tuple(forward), tuple(backward), tuple(edges))


# -- labels of lines ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Label:
    """The predicates of a line at a free place on it."""

    text: str
    x: float
    y: float
    half: tuple[float, float]


def _edge_labels(scene: _Scene) -> Iterator[_Label]:
    """A label for every line that has room for one: on nothing else, and on no other line's label."""
    taken = [(box.x, box.y, *box.half) for box in scene.boxes]
    size = max(_SMALLEST, scene.size * 0.72)
    for line in sorted(scene.lines, key=lambda line: -math.dist((line.one.x, line.one.y), (line.other.x, line.other.y))):
        text = " · ".join(dict.fromkeys((*line.forward, *line.backward)))
        half = (width_of(text) * size / 2 + 2, size * 0.62)
        for share in (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74):
            x, y = line.one.x + (line.other.x - line.one.x) * share, line.one.y + (line.other.y - line.one.y) * share
            if not any(abs(x - a) < half[0] + w and abs(y - b) < half[1] + h for a, b, w, h in taken):
                taken.append((x, y, *half))
                yield _Label(text, round(x, 1), round(y, 1), half)
                break


def _border(box: _Box, towards: _Box, gap: float = 0.0) -> tuple[float, float]:
    """Where the line to another box leaves this one."""
    dx, dy = towards.x - box.x, towards.y - box.y
    if not (dx or dy):
        return box.x, box.y
    share = min((box.half[0] + gap) / abs(dx) if dx else math.inf, (box.half[1] + gap) / abs(dy) if dy else math.inf)
    return round(box.x + dx * share, 1), round(box.y + dy * share, 1)


# -- legend ---------------------------------------------------------------------------------------------------

_LEGEND = 13.0


def _legend(view: View) -> list[tuple[str, int]]:
    return sorted(Counter(node.types[0] for node in view.nodes).items())


def _legend_rows(view: View, width: int) -> int:
    return len({row for _, _, row in _legend_places(view, width)})


def _legend_places(view: View, width: int) -> Iterator[tuple[str, float, int]]:
    """Text, place from the left and row of each type."""
    x, row = _MARGIN, 0
    for kind, count in _legend(view):
        text = f"{visible(kind)} {count:,}"
        wide = width_of(text) * _LEGEND + 40
        if x > _MARGIN and x + wide > width - _MARGIN:
            x, row = _MARGIN, row + 1
        yield text, x, row
        x += wide


# -- SVG ------------------------------------------------------------------------------------------------------


class _Svg:
    """One document."""

    def __init__(self, view: View, shown: View, scene: _Scene, width: int, height: int) -> None:
        self.view, self.shown, self.scene, self.width, self.height = view, shown, scene, width, height
        self.texts: list[str] = []

    def text(self) -> str:
        body = [*self._head(), *self._links(), *self._nodes(), *self._footer()]
        font = embedded_font(self.texts)
        title = self._title()
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        return "\n".join(
            [
                '<?xml version="1.0" encoding="UTF-8"?>',
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="kg-letters, {FAMILY}, sans-serif">',
                f"<title>{escape(title)}</title>",
                f'<style>@font-face {{ font-family: "kg-letters"; src: url("{font}"); }}</style>',
                f'<rect width="{self.width}" height="{self.height}" fill="{_PAPER}"/>',
                *body,
                "</svg>",
                "",
            ]
        )

    def _title(self) -> str:
        nodes, edges = len(self.shown.nodes), len(self.shown.edges)
        return f"{nodes:,} {'entity' if nodes == 1 else 'entities'}, {edges:,} {'fact' if edges == 1 else 'facts'} between them"

    def _words(self, text: str, x: float, y: float, size: float, **style: str) -> str:
        """Letters that take exactly the room that was measured, whatever font they are shown in."""
        line = visible(text)
        self.texts.append(line)
        given = "".join(f" {name.replace('_', '-')}={quoteattr(value)}" for name, value in style.items())
        length = f' textLength="{width_of(line) * size:.1f}" lengthAdjust="spacingAndGlyphs"' if line else ""
        return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{length}{given}>{escape(line)}</text>'

    def _head(self) -> Iterator[str]:
        yield self._words(self._title(), _MARGIN, 30, 17, fill=_INK)
        left = len(self.view.nodes) - len(self.shown.nodes)
        if left:
            note = f"The best connected; {left:,} more left out. Choose with --about, --types, --predicates, --min-confidence."
            yield self._words(note, _MARGIN, 50, 13, fill=_SOFT)

    def _links(self) -> Iterator[str]:
        size = self.scene.size
        for line in self.scene.lines:
            yield "<g>" + "".join(self._link(line, max(5.0, size * 0.5))) + "</g>"
        for label in _edge_labels(self.scene):
            x, y = label.x - label.half[0], label.y - label.half[1]
            yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{2 * label.half[0]:.1f}" height="{2 * label.half[1]:.1f}" fill="{_PAPER}"/>'
            letters = max(_SMALLEST, size * 0.72)
            yield self._words(label.text, label.x, label.y + letters * 0.35, letters, text_anchor="middle", fill=_SOFT)

    def _link(self, line: _Line, head: float) -> Iterator[str]:
        """The line, its arrow heads, and what it says when pointed at."""
        said = "\n".join(_said(edge, line) for edge in line.edges)
        yield f"<title>{escape(_legal(said))}</title>"
        if line.one is line.other:
            x, y = line.one.x + line.one.half[0] * 0.7, line.one.y - line.one.half[1]
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{head:.1f}" fill="none" stroke="{_LINE}" stroke-width="1.3"/>'
            return
        start = _border(line.one, line.other, 2 if line.backward else 0)
        end = _border(line.other, line.one, 2 if line.forward else 0)
        wide = f"{1 + min(2.0, 0.4 * (len(line.edges) - 1)):.1f}"
        yield f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" stroke="{_LINE}" stroke-width="{wide}"/>'
        for there, tip, back in ((line.forward, end, start), (line.backward, start, end)):
            if there:
                yield f'<polygon points="{_arrow(tip, back, head)}" fill="{_SOFT}"/>'

    def _nodes(self) -> Iterator[str]:
        for box in self.scene.boxes:
            node, kind = box.node, box.node.types[0]
            place = f'x="{box.x - box.half[0]:.1f}" y="{box.y - box.half[1]:.1f}"'
            extent = f'width="{2 * box.half[0]:.1f}" height="{2 * box.half[1]:.1f}" rx="{box.half[1]:.1f}"'
            known = f"{node.label}\n{kind}" + (f" · {node.wikidata}" if node.wikidata else "")
            yield f"<g><title>{escape(_legal(known))}</title>"
            yield f'<rect {place} {extent} fill="{fill_of(kind)}" stroke="{ink_of(kind)}" stroke-width="1.2"/>'
            yield self._words(box.label, box.x, box.y + box.size * 0.35, box.size, text_anchor="middle", fill=_INK)
            yield "</g>"

    def _footer(self) -> Iterator[str]:
        rows = _legend_rows(self.shown, self.width)
        for (kind, _), (text, x, row) in zip(_legend(self.shown), _legend_places(self.shown, self.width), strict=True):
            y = self.height - _MARGIN / 2 - (rows - row - 0.5) * _FOOT * 0.8
            yield f'<circle cx="{x + 8:.1f}" cy="{y - 4.5:.1f}" r="7" fill="{fill_of(kind)}" stroke="{ink_of(kind)}" stroke-width="1.2"/>'
            yield self._words(text, x + 22, y, _LEGEND, fill=_INK)


def _said(edge: Edge, line: _Line) -> str:
    forward = edge.subject == line.one.node.iri
    subject, value = (line.one, line.other) if forward else (line.other, line.one)
    period = f" ({edge.start or ''} – {edge.end or ''})" if edge.start or edge.end else ""
    return f"{subject.node.label} – {edge.label} – {value.node.label}{period}: {edge.sentence}"


def _arrow(tip: tuple[float, float], back: tuple[float, float], length: float) -> str:
    """The corners of an arrow head."""
    far = math.dist(tip, back) or 1.0
    x, y = (tip[0] - back[0]) / far, (tip[1] - back[1]) / far
    base = tip[0] - x * length, tip[1] - y * length
    corners = (tip, (base[0] - y * length * 0.4, base[1] + x * length * 0.4), (base[0] + y * length * 0.4, base[1] - x * length * 0.4))
    return " ".join(f"{one:.1f},{other:.1f}" for one, other in corners)


def _legal(text: str) -> str:
    """The text without what XML forbids."""
    return "".join(letter if letter.isprintable() or letter in "\n " else "\ufffd" for letter in text)


# -- exporters ------------------------------------------------------------------------------------------------


class _Picture:
    """An exporter of pictures; `raster` makes PNG of the SVG."""

    def __init__(self, settings: Settings, name: str, media_type: str, *, raster: bool) -> None:
        self.name, self.media_type, self.suffix, self.raster = name, media_type, f".{name}", raster
        self.settings = settings

    def __call__(self, store: Store, selection: Selection, stream: BinaryIO) -> None:
        width, height = self.settings.picture_width, self.settings.picture_height
        svg = draw(read_view(store, selection), width=width, height=height, most=self.settings.picture_nodes)
        stream.write(_rasterised(svg) if self.raster else svg.encode("utf-8", "replace"))


def _rasterised(svg: str) -> bytes:
    """PNG of an SVG document, with no font but our own, so that it is the same everywhere."""
    import resvg_py

    made = resvg_py.svg_to_bytes(
        svg_string=svg, font_files=[str(FONT)], skip_system_fonts=True, font_family=FAMILY, sans_serif_family=FAMILY
    )
    return bytes(made)


def create_svg(settings: Settings) -> _Picture:
    """The exporter of SVG."""
    return _Picture(settings, "svg", "image/svg+xml", raster=False)


def create_png(settings: Settings) -> _Picture:
    """The exporter of PNG."""
    return _Picture(settings, "png", "image/png", raster=True)
