"""Measures of a graph's nodes, and shortest paths, by networkx; every number is the same on every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import networkx

__all__ = ["MEASURES", "measure", "shortest_path"]

MEASURES = ("degree", "betweenness", "community", "core")
"""Names of the measures, as columns of exports."""

_EXACT, _SAMPLE, _SEED = 1000, 200, 7
"""Betweenness is exact up to so many nodes, else estimated from the shortest paths of a sample of them."""


def _undirected(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> networkx.Graph:
    graph = networkx.Graph()
    graph.add_nodes_from(sorted(nodes))
    graph.add_edges_from(sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}))
    return graph


def measure(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Mapping[str, dict[str, int | float]]:
    """The measures of every node. `pairs` are the ends of facts; direction and number of facts between two nodes don't count.

    degree: neighbours. betweenness: share of shortest paths between others that lead through a node (Brandes 2001), 0 to 1;
    of more than 1000 nodes it is estimated from 200 sources. community: number of the Louvain community (Blondel and others 2008),
    1 for the largest. core: greatest k for which a node is in a k-core (Batagelj, Zaversnik 2003).
    """
    graph = _undirected(nodes, pairs)
    sample = _SAMPLE if len(graph) > _EXACT else None
    between = networkx.betweenness_centrality(graph, k=sample, seed=_SEED)
    groups = networkx.community.louvain_communities(graph, seed=_SEED) if len(graph) else []
    order = sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))
    community = {node: number for number, group in enumerate(order, 1) for node in group}
    core = networkx.core_number(graph)
    return {
        node: {
            "degree": int(graph.degree[node]),
            "betweenness": round(float(between[node]), 6),
            "community": community[node],
            "core": int(core[node]),
        }
        for node in graph
    }


def shortest_path(pairs: Iterable[tuple[str, str]], one: str, other: str) -> list[str] | None:
    """The nodes of a shortest path over facts in either direction, the first by IRI among equals; None where there is none."""
    graph = _undirected((one, other), pairs)
    if not networkx.has_path(graph, one, other):
        return None
    far = networkx.single_source_shortest_path_length(graph, other)
    path = [one]
    while path[-1] != other:
        path.append(min(node for node in graph[path[-1]] if far.get(node) == far[path[-1]] - 1))
    return path
