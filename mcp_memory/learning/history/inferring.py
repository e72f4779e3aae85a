"""Where an agent stands when it does not say: the context of the earlier episodes whose tasks and tools are most like its own. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience

WIDTH = 0.06  # of the kernel on task similarity: the nearest say where it belongs, not how many there are of a kind
UNSEEN = 0.02  # share at which a context is credited with a tool that nobody used there


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
    rows, similarity = x.rows_of(neighbours)
    fits = x.agrees(standpoint)[rows]
    rows, similarity = rows[fits], similarity[fits]
    if not len(rows):
        return standpoint
    contexts, of = np.unique(x.context[rows], return_inverse=True)
    near = np.bincount(of, weights=np.exp((similarity - similarity.max()) / WIDTH), minlength=len(contexts))
    score = np.log(near)
    known = [n for n in (x.tools.find(key) for key in dict.fromkeys(tools)) if n >= 0]
    if known:
        used = x.used(rows, known)
        of_context = (of == np.arange(len(contexts))[:, None]).astype(np.float64)
        shares = of_context @ used / of_context.sum(axis=1, keepdims=True)
        score = score + np.log(np.maximum(shares, UNSEEN)).sum(axis=1)
    domain, framework, tags = x.context_of(int(contexts[int(np.argmax(score))]))
    return replace(
        standpoint, domain=standpoint.domain or domain, framework=standpoint.framework or framework, tags=standpoint.tags or tags
    )
