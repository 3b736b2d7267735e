"""Places for boxes of a drawing: linked ones near each other, none on top of another, the same every time.

A connected part is laid out by stress majorization (Gansner, Koren, North 2005: Graph drawing by stress majorization), in which a
link is the longer the more its ends have that they don't share, so that hubs get room. Boxes that overlap then push each other
apart along the shorter way. Parts are packed in rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import networkx
import numpy as np
from numpy.typing import NDArray

__all__ = ["arrange"]

Points = NDArray[np.float64]

_STARTS, _STEPS, _PUSHES = 4, 150, 400
_WIDEN = 1.35
"""Texts are wider than high, so places are too."""


def arrange(sizes: Sequence[tuple[float, float]], links: Sequence[tuple[int, int]], *, link: float, aspect: float) -> Points:
    """Centres of boxes of these widths and heights, from (0, 0) on, as an array of one row a box.

    `links` are pairs of boxes, `link` the length that a link between two boxes with no other links has between their centres,
    and `aspect` is what width by height of the whole should come near to. The margins between boxes are part of their sizes.
    """
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(sizes)))
    graph.add_edges_from(pair for pair in links if pair[0] != pair[1])
    boxes = np.array(sizes, dtype=float).reshape(len(sizes), 2)
    parts = []
    for members in sorted((sorted(part) for part in networkx.connected_components(graph)), key=lambda part: (-len(part), part)):
        places = _spread(_stress(graph.subgraph(members), members) * [link * _WIDEN, link], boxes[members])
        parts.append((members, places))
    return _packed(parts, boxes, aspect)


def _stress(graph: networkx.Graph, members: Sequence[int]) -> Points:
    """Places in units of a link: the best of a few starts."""
    if len(members) == 1:
        return np.zeros((1, 2))
    distances = _distances(graph, members)
    weights = np.where(distances > 0, 1 / np.maximum(distances, 1e-9) ** 2, 0)
    inverse = np.linalg.pinv(np.diag(weights.sum(1)) - weights)
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
        gaps = np.maximum(np.linalg.norm(places[:, None] - places[None], axis=2), 1e-9)
        pull = -weights * distances / gaps
        np.fill_diagonal(pull, 0)
        np.fill_diagonal(pull, -pull.sum(1))
        places = inverse @ pull @ places
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
    return round(float((weights * (gaps - distances) ** 2).sum()), 6), places


def _turned(places: Points) -> Points:
    """The places with their longest way level, for screens are wide."""
    values, vectors = np.linalg.eigh(np.cov(places.T) if len(places) > 1 else np.eye(2))
    axes = vectors[:, np.argsort(-values)]
    axes *= np.where(axes[np.abs(axes).argmax(0), [0, 1]] < 0, -1, 1)
    return np.asarray(places @ axes)


def _spread(places: Points, boxes: Points) -> Points:
    """Places at which no box lies on another."""
    places = places.copy()
    for turn in range(_PUSHES):
        gap = places[:, None] - places[None]
        over = (boxes[:, None] + boxes[None]) / 2 - np.abs(gap)
        both = (over > 1e-3).all(axis=2)
        np.fill_diagonal(both, False)
        if not both.any():
            return places
        level = over[..., 0] <= over[..., 1]
        order = np.sign(np.arange(len(places))[:, None] - np.arange(len(places))[None])
        sign = np.where(np.abs(gap) > 1e-6, np.sign(gap), order[..., None])
        push = np.where(np.stack([level, ~level], axis=2) & both[..., None], sign * (over / 2 + 0.01), 0)
        crowd = np.maximum(1.0, both.sum(1) ** 0.5)
        places += push.sum(1) / crowd[:, None]
        if turn % 50 == 49:
            places *= 1.06
    return _scaled_apart(places, boxes)


def _scaled_apart(places: Points, boxes: Points) -> Points:
    """Where pushing did not end: the whole drawn apart until nothing overlaps."""
    for _ in range(60):
        gap = np.abs(places[:, None] - places[None])
        both = ((boxes[:, None] + boxes[None]) / 2 - gap > 1e-3).all(axis=2)
        np.fill_diagonal(both, False)
        if not both.any():
            break
        places = places * 1.08
    return places


def _packed(parts: Sequence[tuple[Sequence[int], Points]], boxes: Points, aspect: float) -> Points:
    """All parts in rows, from the top left, at the row width that comes nearest to the aspect."""
    corners = [(members, places - (places - boxes[members] / 2).min(0)) for members, places in parts]
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
