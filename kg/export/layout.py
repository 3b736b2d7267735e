"""Places for boxes of a drawing: linked ones near each other, none on top of another, the same every time.

A connected part is laid out by stress majorization (Gansner, Koren, North 2005: Graph drawing by stress majorization), in which a
link is the longer the more its ends have that they don't share, so that hubs get room. Boxes that overlap then push each other
apart along the shorter way. Parts are packed in rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import networkx
import numpy as np
from numpy.typing import NDArray

__all__ = ["Points", "Shape", "arrange", "shape_of"]

Points = NDArray[np.float64]

_STARTS, _STEPS, _PUSHES = 3, 120, 400
_TOUCH = 0.25
"""How much boxes, which have margins, may overlap."""
_WIDEN = 1.35
"""Texts are wider than high, so places are too."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How boxes want to lie, whatever their sizes: for each connected part its members and their places, in units of a link."""

    parts: tuple[tuple[tuple[int, ...], Points], ...]


def shape_of(number: int, links: Iterable[tuple[int, int]]) -> Shape:
    """The shape of so many boxes, of which these pairs are linked; larger parts come first."""
    graph = networkx.Graph()
    graph.add_nodes_from(range(number))
    graph.add_edges_from(pair for pair in links if pair[0] != pair[1])
    parts = sorted((tuple(sorted(part)) for part in networkx.connected_components(graph)), key=lambda part: (-len(part), part))
    return Shape(tuple((members, _stress(graph.subgraph(members), members)) for members in parts))


def arrange(shape: Shape, sizes: Sequence[tuple[float, float]], *, link: float, area: tuple[float, float]) -> Points | None:
    """Centres of boxes of these widths and heights in an area, as an array of one row a box; None where it has no room for them.

    `link` is the length of a link between two boxes with no other links; where that needs more than the area, all is pressed
    into it. The margins between boxes are part of their sizes.
    """
    boxes = np.array(sizes, dtype=float).reshape(len(sizes), 2)
    parts = [(members, _spread(places * [link * _WIDEN, link], boxes[list(members)])) for members, places in shape.parts]
    places = _packed(parts, boxes, area[0] / area[1])
    extent = (places + boxes / 2).max(0)
    if (extent > area).any():
        inner = places - boxes / 2
        most = np.maximum(inner.max(0), 1e-9)
        places = inner * np.minimum(1, (np.array(area) - boxes.max(0) * [0.5, 1]) / most) + boxes / 2
        places = _spread(np.clip(places, boxes / 2, np.array(area) - boxes / 2), boxes, area)
    return places if _is_clear(places, boxes) and ((places + boxes / 2).max(0) <= np.array(area) + 1e-6).all() else None


def _stress(graph: networkx.Graph, members: Sequence[int]) -> Points:
    """Places in units of a link: the best of a few starts."""
    if len(members) == 1:
        return np.zeros((1, 2))
    distances = _distances(graph, members)
    weights = np.where(distances > 0, 1 / np.maximum(distances, 1e-9) ** 2, 0)
    even = np.full_like(weights, 1 / len(members))
    inverse = np.linalg.inv(np.diag(weights.sum(1)) - weights + even) - even
    random = np.random.default_rng(len(members))
    found = [_majorized(random.random((len(members), 2)) * distances.max(), distances, weights, inverse) for _ in range(_STARTS)]
    places = min(found, key=lambda each: each[0])[1]
    return _turned(places - places.mean(0))


def _distances(graph: networkx.Graph, members: Sequence[int]) -> Points:
    for one, other in graph.edges:
        near, far = set(graph[one]) - {other}, set(graph[other]) - {one}
        graph.edges[one, other]["length"] = max(1.0, len(near ^ far) ** 0.5 / 1.6)
    lengths = dict(networkx.all_pairs_dijkstra_path_length(graph, weight="length"))
    return np.array([[lengths[one][other] for other in members] for one in members])


def _majorized(places: Points, distances: Points, weights: Points, inverse: Points) -> tuple[float, Points]:
    """The places after the steps, with their stress."""
    for _ in range(_STEPS):
        pull = -weights * distances / np.maximum(_gaps(places), 1e-9)
        np.fill_diagonal(pull, 0)
        np.fill_diagonal(pull, -pull.sum(1))
        places = inverse @ (pull @ places)
    return round(float((weights * (_gaps(places) - distances) ** 2).sum()), 6), places


def _gaps(places: Points) -> Points:
    x, y = places[:, 0], places[:, 1]
    return np.hypot(x[:, None] - x[None], y[:, None] - y[None])


def _turned(places: Points) -> Points:
    """The places with their longest way level, for screens are wide."""
    values, vectors = np.linalg.eigh(np.cov(places.T) if len(places) > 1 else np.eye(2))
    axes = vectors[:, np.argsort(-values)]
    axes *= np.where(axes[np.abs(axes).argmax(0), [0, 1]] < 0, -1, 1)
    return np.asarray(places @ axes)


def _spread(places: Points, boxes: Points, area: tuple[float, float] | None = None) -> Points:
    """Places at which no box lies on another, as far as pushing gets; with an area none leaves it."""
    places = places.copy()
    one, other = np.triu_indices(len(places), 1)
    room = (boxes[one] + boxes[other]) / 2
    for turn in range(_PUSHES):
        near = np.flatnonzero(np.abs(places[one, 0] - places[other, 0]) < room[:, 0] - _TOUCH)
        near = near[np.abs(places[one[near], 1] - places[other[near], 1]) < room[near, 1] - _TOUCH]
        if not len(near):
            break
        first, second = one[near], other[near]
        gap = places[first] - places[second]
        over = room[near] - np.abs(gap)
        axis = (over[:, 0] > over[:, 1]).astype(int) if turn % 10 != 9 else (over[:, 0] <= over[:, 1]).astype(int)
        rows = np.arange(len(near))
        push = (over[rows, axis] / 2 + 0.05) * np.where(gap[rows, axis] < 0, -1.0, 1.0)
        moves = np.zeros_like(places)
        np.add.at(moves, (first, axis), push)
        np.add.at(moves, (second, axis), -push)
        crowd = np.maximum(1.0, np.bincount(np.concatenate([first, second]), minlength=len(places)) ** 0.5)
        places += moves / crowd[:, None]
        if area is not None:
            places = np.clip(places, boxes / 2, np.array(area) - boxes / 2)
    return places


def _is_clear(places: Points, boxes: Points) -> bool:
    """Whether no box lies on another."""
    over = (boxes[:, None] + boxes[None]) / 2 - np.abs(places[:, None] - places[None])
    both = (over > 2 * _TOUCH).all(axis=2)
    return int(both.sum()) == len(places)


def _packed(parts: Sequence[tuple[Sequence[int], Points]], boxes: Points, aspect: float) -> Points:
    """All parts in rows, from the top left, at the row width that comes nearest to the aspect."""
    corners = [(list(members), places - (places - boxes[list(members)] / 2).min(0)) for members, places in parts]
    extents = np.array([(places + boxes[members] / 2).max(0) for members, places in corners]).reshape(len(corners), 2)
    if not len(extents):
        return np.zeros((0, 2))
    least, most = extents[:, 0].max(), extents[:, 0].sum()
    rows = [_rows(extents, width) for width in np.linspace(least, max(least, most), 40)]
    origins, _ = min(rows, key=lambda row: max(row[1][0] / aspect, row[1][1]))
    found = np.zeros_like(boxes)
    for (members, places), origin in zip(corners, origins, strict=True):
        found[members] = places + origin
    return found


def _rows(extents: Points, width: float) -> tuple[Points, tuple[float, float]]:
    """Left upper corners of rectangles set in rows of this width, and the size of the whole; each row is centred on its height."""
    order = np.argsort(-extents[:, 1], kind="stable")
    origins, x, y, height, widest = np.zeros_like(extents), 0.0, 0.0, 0.0, 0.0
    for each in order:
        if x and x + extents[each, 0] > width + 1e-6:
            x, y, height = 0.0, y + height, 0.0
        height = max(height, float(extents[each, 1]))
        origins[each] = x, y + (height - extents[each, 1]) / 2
        x += float(extents[each, 0])
        widest = max(widest, x)
    return origins, (widest, y + height)
