"""Nearest vectors by cosine: a scan of sign bits picks candidates, int8 rows re-score them. No index to build, exact in practice.

The signs of (x - mean) are kept column-major (one row of N words per 64 dimensions), so that a scan reads memory in order; the Hamming
distance to the query's signs orders the rows roughly, and the best few hundred are scored with their int8 codes against the float32
query (recall@10 of the full product is .99 and more at 100,000 and a million rows). Small memories, and small subsets, are scored in full.

Rows live in chunks that are allocated once: appending never copies what is there. Removing marks a row dead.
"""

from collections.abc import Iterator, Sequence

import numpy as np

CHUNK_ROWS = 65_536
BLOCK_ROWS = 16_384  # rows scanned at once: their words and distances stay in the second-level cache
SCORED_ROWS = 512  # decoded at once: as floats they stay in the second-level cache
FULL_SCAN_ROWS = 4_000  # up to here the plain product is as fast as the bit scan
CANDIDATES = 400  # re-scored per search, at least; at a million rows four times as many
CANDIDATES_PER_RESULT = 2
SAMPLE_ROWS = 4_096  # whose distances set the candidate threshold
REPACK_GROWTH = 4  # the mean is computed anew when the index has grown this many times over


class _Chunk:
    """CHUNK_ROWS rows, filled from the front. Memory is touched, and so committed, only as rows arrive."""

    def __init__(self, dimension: int) -> None:
        self.keys = np.zeros(CHUNK_ROWS, np.int64)
        self.codes = np.zeros((CHUNK_ROWS, dimension), np.int8)
        self.scales = np.zeros(CHUNK_ROWS, np.float32)
        self.alive = np.zeros(CHUNK_ROWS, bool)
        self.bits = np.zeros((-(-dimension // 64), CHUNK_ROWS), np.uint64)
        self.size = 0

    def decode(self, rows: np.ndarray | slice) -> np.ndarray:
        return self.codes[rows].astype(np.float32) * self.scales[rows][:, None]

    def score(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), SCORED_ROWS):
            part = slice(start, start + SCORED_ROWS)
            # einsum, not @: a product this small loses more to waking BLAS threads than it gains
            np.einsum("ij,j->i", self.codes[rows[part]].astype(np.float32), vector, out=scores[part])
        scores *= self.scales[rows]
        return scores


class SignBitIndex:
    """Implements `ports.VectorIndex`. Not safe for concurrent use: the caller holds a lock."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._chunks: list[_Chunk] = []
        self._rows_of: dict[int, list[int]] = {}  # key -> global row numbers
        self._mean: np.ndarray | None = None  # frozen per generation of the bits
        self._packed_rows = 0  # rows present when the mean was taken
        self._alive = 0

    def __len__(self) -> int:
        return self._alive

    def __contains__(self, key: int) -> bool:
        return key in self._rows_of

    def add(self, keys: Sequence[int], codes: np.ndarray, scales: np.ndarray) -> None:
        """Append unit vectors as int8 rows (n, dimension) with their scales: vector = codes * scale. Costs some microseconds a row."""
        done = 0
        while done < len(keys):
            if not self._chunks or self._chunks[-1].size == CHUNK_ROWS:
                self._chunks.append(_Chunk(self.dimension))
            chunk = self._chunks[-1]
            count = min(CHUNK_ROWS - chunk.size, len(keys) - done)
            rows = slice(chunk.size, chunk.size + count)
            chunk.keys[rows] = keys[done : done + count]
            chunk.codes[rows], chunk.scales[rows] = codes[done : done + count], scales[done : done + count]
            chunk.alive[rows] = True
            first = (len(self._chunks) - 1) * CHUNK_ROWS + chunk.size
            for offset in range(count):
                self._rows_of.setdefault(int(keys[done + offset]), []).append(first + offset)
            chunk.size += count
            if self._mean is not None:
                self._pack(chunk, rows)
            done += count
        self._alive += len(keys)
        if self._alive > max(FULL_SCAN_ROWS, REPACK_GROWTH * self._packed_rows):
            self._repack()

    def remove(self, keys: Sequence[int]) -> None:
        """Forget all rows of the keys; unknown keys are ignored."""
        for key in keys:
            for row in self._rows_of.pop(key, ()):
                self._chunks[row // CHUNK_ROWS].alive[row % CHUNK_ROWS] = False
                self._alive -= 1

    def search(self, vector: np.ndarray, k: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return (keys, similarities) of the k best distinct keys, best first. `allowed`: the keys to restrict to, sorted."""
        if self._mean is None:
            rows = np.concatenate([np.flatnonzero(c.alive[: c.size]) + i * CHUNK_ROWS for i, c in self._enumerate()] or [np.zeros(0, int)])
            if allowed is not None:
                rows = rows[np.isin(self._keys(rows), allowed)]
        elif allowed is not None and len(allowed) <= FULL_SCAN_ROWS:
            rows = self._rows(allowed)
        else:
            rows = self._scan(vector, max(CANDIDATES, CANDIDATES_PER_RESULT * k, self._alive * CANDIDATES // 250_000), allowed)
        return _best(self._keys(rows), self._score(vector, rows), k, are_distinct=self._alive == len(self._rows_of))

    def similarities(self, vector: np.ndarray, keys: Sequence[int]) -> np.ndarray:
        """Return each key's similarity to *vector* (of its best row); NaN for a key that has no row."""
        result = np.full(len(keys), np.nan, np.float32)
        found = [self._rows_of.get(key, ()) for key in keys]
        rows = np.array([row for some in found for row in some], np.int64)
        if len(rows):
            np.fmax.at(result, np.repeat(np.arange(len(keys)), list(map(len, found))), self._score(vector, rows))
        return result

    def rows(self, keys: Sequence[int]) -> np.ndarray:
        """Return the vectors of the keys, float32 (n, dimension): each key's first row, zeros where it has none."""
        result = np.zeros((len(keys), self.dimension), np.float32)
        owners = [(i, found[0]) for i, key in enumerate(keys) if (found := self._rows_of.get(key))]
        if owners:
            places = np.array([i for i, _ in owners])
            for chunk, chosen, local in self._by_chunk(np.array([row for _, row in owners])):
                result[places[chosen]] = chunk.decode(local)
        return result

    def _enumerate(self) -> Iterator[tuple[int, _Chunk]]:
        return enumerate(self._chunks)

    def _rows(self, keys: np.ndarray) -> np.ndarray:
        return np.array([row for key in keys.tolist() for row in self._rows_of.get(key, ())], np.int64)

    def _by_chunk(self, rows: np.ndarray) -> Iterator[tuple[_Chunk, np.ndarray | slice, np.ndarray]]:
        if len(self._chunks) == 1:
            yield self._chunks[0], slice(None), rows
            return
        numbers = rows // CHUNK_ROWS
        for number in np.unique(numbers).tolist():
            chosen = np.flatnonzero(numbers == number)
            yield self._chunks[number], chosen, rows[chosen] % CHUNK_ROWS

    def _keys(self, rows: np.ndarray) -> np.ndarray:
        keys = np.zeros(len(rows), np.int64)
        for chunk, chosen, local in self._by_chunk(rows):
            keys[chosen] = chunk.keys[local]
        return keys

    def _score(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        scores, vector = np.zeros(len(rows), np.float32), np.asarray(vector, np.float32)
        for chunk, chosen, local in self._by_chunk(rows):
            scores[chosen] = chunk.score(vector, local)
        return scores

    def _repack(self) -> None:
        """Start a new generation of bits: the mean of a sample, then every row's signs."""
        sample = [c.decode(np.flatnonzero(c.alive[: c.size])[:SAMPLE_ROWS]) for c in self._chunks]
        self._mean = np.concatenate(sample).mean(axis=0)
        self._packed_rows = self._alive
        for chunk in self._chunks:
            for start in range(0, chunk.size, BLOCK_ROWS):
                self._pack(chunk, slice(start, min(start + BLOCK_ROWS, chunk.size)))

    def _pack(self, chunk: _Chunk, rows: slice) -> None:
        chunk.bits[:, rows] = self._signs(chunk.decode(rows)).T

    def _signs(self, vectors: np.ndarray) -> np.ndarray:
        """Return the sign bits of (x - mean), uint64 (n, words); dimensions beyond the last are 0."""
        packed = np.packbits(vectors > self._mean, axis=1)
        padded = np.zeros((len(vectors), -(-self.dimension // 64) * 8), np.uint8)
        padded[:, : packed.shape[1]] = packed
        words: np.ndarray = padded.view(np.uint64)
        return words

    def _scan(self, vector: np.ndarray, candidates: int, allowed: np.ndarray | None) -> np.ndarray:
        """Return the live, allowed rows of about the *candidates* smallest Hamming distances."""
        signs = self._signs(vector[None, :])[0]
        distances = np.concatenate([_hamming(c.bits[:, : c.size], signs) for c in self._chunks])
        live = np.concatenate([c.alive[: c.size] for c in self._chunks])
        if allowed is not None:
            all_keys = np.concatenate([c.keys[: c.size] for c in self._chunks])
            wanted = np.zeros(int(max(all_keys.max(), allowed[-1])) + 1, bool)
            wanted[allowed] = True
            live &= wanted[all_keys]
        distances[~live] = self.dimension + 64  # further than any live row
        count = int(live.sum())
        if count <= candidates:
            return np.flatnonzero(live)
        sample = np.sort(distances[:: max(1, len(distances) // SAMPLE_ROWS)])
        threshold = sample[min(len(sample) - 1, int(2 * candidates / len(distances) * len(sample)) + 1)]
        rows = np.flatnonzero(distances <= threshold)
        if not candidates <= len(rows) <= 8 * candidates:  # the sample was unlucky: ask for the exact threshold
            threshold = np.partition(distances, candidates)[candidates]
            rows = np.flatnonzero(distances <= threshold)
        return rows[distances[rows] <= self.dimension]


def _hamming(bits: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return the Hamming distances of *bits* (words, n) to *signs* (words,), block by block into reused buffers."""
    n = bits.shape[1]
    distances = np.zeros(n, np.uint16)
    xor, ones = np.empty(min(n, BLOCK_ROWS), np.uint64), np.empty(min(n, BLOCK_ROWS), np.uint8)
    for start in range(0, n, BLOCK_ROWS):
        block = slice(start, min(start + BLOCK_ROWS, n))
        size = block.stop - start
        for word, sign in zip(bits[:, block], signs):
            np.bitwise_xor(word, sign, out=xor[:size])
            np.bitwise_count(xor[:size], out=ones[:size])
            distances[block] += ones[:size]
    return distances


def _best(keys: np.ndarray, scores: np.ndarray, k: int, *, are_distinct: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the k best distinct keys and their best scores, best first; ties go to the larger key (the newer episode)."""
    if are_distinct and len(keys) > k:
        near = np.flatnonzero(scores >= np.partition(scores, -k)[-k])
        keys, scores = keys[near], scores[near]
    order = np.lexsort((-keys, -scores))
    if not are_distinct:
        _, first = np.unique(keys[order], return_index=True)
        order = order[np.sort(first)]
    best = order[:k]
    return keys[best], scores[best]
