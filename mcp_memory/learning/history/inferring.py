"""Where an agent stands when it does not say: the context of the earlier episodes whose tasks and tools are most like its own. Pure."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mcp_memory.views.columns import Floats, Ints
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience
from mcp_memory.views.kept import Kept

WIDTH = 0.06  # of the kernel on task similarity: the nearest say where it belongs, not how many there are of a kind
MAX_KEPT = 64  # requests
UNSEEN = 0.02  # share at which a context is credited with a tool that nobody used there


@dataclass(frozen=True, slots=True)
class Near:
    """Neighbours whose contexts differ in nothing from what is said, and these contexts."""

    rows: Ints  # of the neighbours
    of: Ints  # of each the place of its context
    contexts: npt.NDArray[np.int32]  # their numbers
    score: Floats  # of each context: how near its neighbours are, in nats


class NearContexts:
    """The contexts of a request's neighbours, read off an `Experience` once: a run asks at every step."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        self._known: Kept[Hashable, Near] = Kept(experience, MAX_KEPT)

    def of(self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]]) -> Near:
        """Return the neighbours that differ from *standpoint* in nothing that both of them say, and their contexts."""
        return self._known.get((standpoint, tuple(neighbours)), lambda: self._read(standpoint, neighbours))

    def _read(self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]]) -> Near:
        x = self._x
        rows, similarity = x.rows_of(neighbours)
        fits = x.agrees(standpoint)[rows]
        rows, similarity = rows[fits], similarity[fits]
        contexts, of = np.unique(x.context[rows], return_inverse=True)
        near = np.exp((similarity - similarity.max(initial=0.0)) / WIDTH)
        return Near(rows, of.astype(np.int64), contexts, np.log(np.bincount(of, weights=near, minlength=len(contexts))))


def inferred(x: Experience, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]], tools: Collection[str]) -> Standpoint:
    """Return *standpoint* with what it leaves open filled in; what it names is kept.

    Args:
        x: All completed episodes.
        standpoint: What the agent said. An empty field is not known, and no mismatch with anything.
        neighbours: (episode id, task similarity), best first.
        tools: Keys of the tools used so far.
    """
    if standpoint.domain and standpoint.framework:
        return standpoint
    near = x.derived(NearContexts).of(standpoint, neighbours)
    if not len(near.rows):
        return standpoint
    score, known = near.score, [n for n in (x.tools.find(key) for key in dict.fromkeys(tools)) if n >= 0]
    if known:
        used = x.used(near.rows, known)
        of_context = (near.of == np.arange(len(near.contexts))[:, None]).astype(np.float64)
        shares = of_context @ used / of_context.sum(axis=1, keepdims=True)
        score = score + np.log(np.maximum(shares, UNSEEN)).sum(axis=1)
    domain, framework, tags = x.context_of(int(near.contexts[int(np.argmax(score))]))
    return replace(
        standpoint, domain=standpoint.domain or domain, framework=standpoint.framework or framework, tags=standpoint.tags or tags
    )
