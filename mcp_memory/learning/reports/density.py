"""Clusters of points by how densely they lie, in numpy alone. All take (n, d) rows and return a cluster number per row, -1 for noise.

Distances are computed in full, so n is some thousands: the caller takes a sample of more. scikit-learn does the same and is what the
tests compare with; it is not installed with the program because it and what it brings are a third of the download, for one report.
"""

from collections.abc import Iterator

import numpy as np

from mcp_memory.views.columns import Bools, Floats, Ints

NOISE = -1
_BLOCK = 1_000  # rows whose distances are in memory at once
_TINY = 1e-12  # a distance of 0 is a density without bound


def distances(one: Floats, other: Floats) -> Floats:
    """Return the Euclidean distance of every row of *one* to every row of *other*."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def nearest(rows: Floats, others: Floats) -> tuple[Floats, Ints]:
    """Return for each row how far the nearest of *others* is, and which one that is."""
    near = [(d.min(axis=1), d.argmin(axis=1)) for _, d in _blocks(rows, others)]
    return np.concatenate([d for d, _ in near]), np.concatenate([i for _, i in near])


def dbscan(rows: Floats, reach: float, min_size: int) -> Ints:
    """Return clusters of rows that are linked by dense ones: those with *min_size* rows, themselves included, within *reach*.

    Source: M. Ester, H.-P. Kriegel, J. Sander, X. Xu, A density-based algorithm for discovering clusters, KDD 1996.
    """
    near = [found for start, d in _blocks(rows, rows) for found in _within(d <= reach)]
    dense = np.array([len(found) >= min_size for found in near])
    labels = np.full(len(rows), NOISE, np.int64)
    for number, first in enumerate(_unlabelled(labels, dense)):
        waiting = [first]
        labels[first] = number
        while waiting:
            at = waiting.pop()
            if dense[at]:
                new = near[at][labels[near[at]] == NOISE]
                labels[new] = number
                waiting += new.tolist()
    return labels


def average_linkage(rows: Floats, limit: float) -> Ints:
    """Return groups of rows: the two groups that are nearest on average are joined as long as they are nearer than *limit*."""
    apart = distances(rows, rows)
    np.fill_diagonal(apart, np.inf)
    sizes, labels = np.ones(len(rows)), np.arange(len(rows), dtype=np.int64)
    while len(rows) > 1:
        one, other = sorted(divmod(int(apart.argmin()), len(rows)))
        if not apart[one, other] < limit:
            break
        joined = (sizes[one] * apart[one] + sizes[other] * apart[other]) / (sizes[one] + sizes[other])
        apart[one], apart[:, one] = joined, joined
        apart[one, one] = np.inf
        apart[other], apart[:, other] = np.inf, np.inf
        sizes[one] += sizes[other]
        labels[labels == other] = one
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def hdbscan(rows: Floats, min_size: int) -> Ints:
    """Return the clusters of at least *min_size* rows that persist over the widest range of densities; never all rows as one.

    Source: R. Campello, D. Moulavi, J. Sander, Density-based clustering based on hierarchical density estimates, PAKDD 2013.
    """
    if len(rows) < 2 * min_size:
        return np.full(len(rows), NOISE, np.int64)
    apart = distances(rows, rows)
    np.fill_diagonal(apart, 0.0)
    core = np.partition(apart, min_size - 1, axis=1)[:, min_size - 1]
    apart = np.maximum(apart, np.maximum(core[:, None], core[None, :]))
    tree = _Condensed(_merges(_spanning_tree(apart)), len(rows), min_size)
    chosen = tree.most_stable()
    return np.array([chosen.get(cluster, NOISE) for cluster in tree.cluster_of], np.int64)


def _spanning_tree(apart: Floats) -> list[tuple[float, int, int]]:
    """Return the edges of a minimum spanning tree, the shortest first (Prim)."""
    count = len(apart)
    reach, source = apart[0].copy(), np.zeros(count, np.int64)
    reach[0] = np.inf
    left = np.ones(count, np.bool_)
    left[0] = False
    edges = []
    for _ in range(count - 1):
        at = int(reach.argmin())
        edges.append((float(reach[at]), int(source[at]), at))
        left[at] = False
        nearer = left & (apart[at] < reach)
        reach[nearer], source[nearer] = apart[at][nearer], at
        reach[at] = np.inf
    return sorted(edges)


def _merges(edges: list[tuple[float, int, int]]) -> list[tuple[int, int, float]]:
    """Return the single-linkage tree: the two nodes of each merge and its distance. Merge i is node n + i; rows are nodes 0 to n - 1."""
    top = list(range(len(edges) + 1))  # of each node: one nearer to the top of its tree
    merges = []
    for distance, one, other in edges:
        nodes = []
        for node in (one, other):
            while top[node] != node:
                top[node] = top[top[node]]
                node = top[node]
            nodes.append(node)
        merges.append((nodes[0], nodes[1], distance))
        top.append(len(top))
        top[nodes[0]] = top[nodes[1]] = len(top) - 1
    return merges


class _Condensed:
    """The merges as a tree of clusters: a part of fewer rows than a cluster has left its cluster, it did not split it."""

    def __init__(self, merges: list[tuple[int, int, float]], count: int, min_size: int) -> None:
        self.cluster_of = [0] * count  # the last cluster each row was in; 0 is that of all rows
        self._parent, self._birth, self._stability = [0], [0.0], [0.0]
        self._merges, self._count, self._min_size = merges, count, min_size
        self._sizes = [1] * count
        for one, other, _ in merges:
            self._sizes.append(self._sizes[one] + self._sizes[other])
        waiting = [(len(self._sizes) - 1, 0)]
        while waiting:
            waiting += self._split(*waiting.pop())

    def _split(self, node: int, cluster: int) -> Iterator[tuple[int, int]]:
        """Follow one merge downwards from a cluster; yield the parts that are still clusters."""
        one, other, distance = self._merges[node - self._count]
        density = 1 / max(distance, _TINY)
        large = [part for part in (one, other) if self._sizes[part] >= self._min_size]
        for part in (one, other):
            if len(large) == 2 or part not in large:
                self._stability[cluster] += (density - self._birth[cluster]) * self._sizes[part]
            if part in large:
                yield part, self._born(cluster, density) if len(large) == 2 else cluster
            else:
                for row in self._rows(part):
                    self.cluster_of[row] = cluster

    def _born(self, parent: int, density: float) -> int:
        self._parent.append(parent)
        self._birth.append(density)
        self._stability.append(0.0)
        return len(self._parent) - 1

    def _rows(self, node: int) -> Iterator[int]:
        waiting = [node]
        while waiting:
            at = waiting.pop()
            if at < self._count:
                yield at
            else:
                waiting += self._merges[at - self._count][:2]

    def most_stable(self) -> dict[int, int]:
        """Return the label of every cluster that was chosen, or lies within one that was (excess of mass)."""
        best, chosen = self._stability.copy(), set[int]()
        within = [0.0] * len(best)  # the best of what the clusters inside add up to
        for cluster in range(len(best) - 1, 0, -1):
            if within[cluster] > best[cluster]:
                best[cluster] = within[cluster]
            else:
                chosen.add(cluster)
            within[self._parent[cluster]] += best[cluster]
        labels: dict[int, int] = {}
        numbers = iter(range(len(best)))
        for cluster in range(1, len(best)):
            parent = self._parent[cluster]
            if parent in labels:
                labels[cluster] = labels[parent]
            elif cluster in chosen:
                labels[cluster] = next(numbers)
        return labels


def _blocks(rows: Floats, others: Floats) -> Iterator[tuple[int, Floats]]:
    for start in range(0, len(rows), _BLOCK):
        yield start, distances(rows[start : start + _BLOCK], others)


def _within(near: Bools) -> Iterator[Ints]:
    for row in near:
        yield np.flatnonzero(row)


def _unlabelled(labels: Ints, dense: Bools) -> Iterator[int]:
    """Yield the dense rows in order that have no label when it is their turn."""
    for row in np.flatnonzero(dense).tolist():
        if labels[row] == NOISE:
            yield row
