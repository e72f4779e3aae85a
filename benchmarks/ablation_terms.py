"""What ranking and learning are made of, and how each part is switched off: a setting, or another value for a name of a module."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.quality.figures import replaced
from mcp_memory.domain.episode import Episode, FileUse
from mcp_memory.learning import learner
from mcp_memory.learning.advice import adviser, chances, common_files, next_tool, outlook
from mcp_memory.learning.history import beliefs, recency, recoveries, tries
from mcp_memory.learning.reading import file_uses
from mcp_memory.retrieval import closeness, ranking, text_query
from mcp_memory.views import contexts

NEVER = 1e9


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that can be off: what it is called, the sets that it can move, and what is given another value."""

    name: str
    kinds: tuple[str, ...]
    values: tuple[tuple[Any, str, Any], ...] = ()  # module, its name, the value that switches it off
    settings: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def off(self) -> Iterator[dict[str, Any]]:
        """Switch the part off for the time of the block and give the settings that belong to it."""
        with ExitStack() as stack:
            for module, name, value in self.values:
                stack.enter_context(replaced(module, name, value))
            yield self.settings


def files_afresh(episode: Episode) -> tuple[FileUse, ...]:
    """Return an episode's files by the present constants, not those kept when it was completed."""
    return file_uses.files_of(replace(episode, files=None))


def _setting(name: str) -> Part:
    return Part(f"retrieval: {name} = 0", ("b1",), settings={f"retrieval.{name}": 0.0})


def _constant(group: str, module: Any, name: str, value: Any, *kinds: str) -> Part:
    return Part(f"{group}: {name.lower().replace('_', ' ')}", kinds, ((module, name, value),))


def _next(name: str, value: float = 0.0) -> Part:
    return _constant("next tool", next_tool, name, value, "b3")


def _recovery(name: str, value: float = 0.0) -> Part:
    return _constant("recovery", recoveries, name, value, "b4")


def _files(module: Any, name: str) -> Part:
    afresh = (common_files, "files_of", files_afresh)
    return Part(f"files: {name.lower().replace('_', ' ')}", ("b5",), ((module, name, 0.0), afresh))


NOTHING_INFERRED = tuple((module, "inferred", lambda x, said, *_: said) for module in (learner, adviser))
PARTS = (
    *map(_setting, ("value_weight", "context_weight", "recency_weight", "feedback_weight", "dense_weight")),
    *(_constant("retrieval", ranking, name, 0.0, "b1") for name in ("SUPPORT", "SOUND", "TAGS", "SAME_ERROR")),
    _constant("retrieval", ranking, "ALIKE", 0.0, "b1"),
    _constant("retrieval", ranking, "UNLIKE", 1.0, "b1", "b11"),
    _constant("retrieval", ranking, "CONTEXT_WEIGHTS", (("framework", 1.5),), "b1"),
    _constant("retrieval", closeness, "LEAST_SPREAD", 0.0, "b1", "b9"),
    Part("retrieval: sentences", ("b1",), ((text_query, "MAX_SENTENCES", 0),)),
    Part("retrieval: names in other languages", ("b11",), ((closeness, "MIN_NAME_CHARS", 99),)),
    Part("retrieval: silence", ("b9",), ((closeness, "CLOSE_COSINE", -1.0),)),
    *map(
        _next, ("SAME_ANSWER", "SAME_OFFER", "SAME_CALL", "TASK", "LAST_TOOLS", "USED_TOOLS", "PROGRESS", "LAST_FAILED", "SUCCESS", "TAGS")
    ),
    *map(_next, ("NAMED_NEXT", "NAMED_LATER", "USED_NEXT", "USED_LATER", "AGAIN_NEXT", "OWN", "LAST_TIME", "LATER")),
    Part("what worked: failures count in full", ("b3", "b10"), ((tries, "FAILED_NEXT", 1.0), (next_tool, "FAILED_NEXT", 1.0))),
    _constant("what worked", tries, "CREDIT_POWER", NEVER, "b3", "b10"),
    _constant("what worked", tries, "HOLDS_POWER", 0.0, "b3", "b10"),
    _constant("what worked", tries, "WORKED_POWER", 0.0, "b3", "b10"),
    Part("change: the short memory", ("b3", "b4", "b10"), ((recency, "MAX_SHARE", 0.0),)),
    *map(_recovery, ("TASK", "MESSAGE", "SAME_TOOL", "SAME_FAMILY", "LATE", "WORKED")),
    _recovery("RETRY_DISCOUNT", 1.0),
    _recovery("SAME_ERROR", 2.0),
    Part("recovery: the run's say", ("b4",), ((chances, "RUN_SHARE", 0.0),)),
    Part("recovery: sober chances", ("b4",), tuple((chances, n, v) for n, v in (("SOBER_POWER", 1.0), ("SOBER", 0.0), ("SOBER_RUN", 0.0)))),
    *(_files(module, name) for module, name in ((file_uses, "CHANGE"), (file_uses, "READS"))),
    *(_files(common_files, name) for name in ("LIKENESS", "MIN_SIMILARITY")),
    _constant("outlook", outlook, "TAGS", 0.0, "b6"),
    _constant("outlook", outlook, "LEVEL_PRIOR", NEVER, "b6"),
    _constant("outlook", outlook, "TASK_PRIOR", NEVER, "b6"),
    Part("outlook: doubt of outcomes", ("b6",), ((beliefs, "ERRORS", 1e-6),)),
    Part("outlook: soundness", ("b6",), ((beliefs, "SOUND", 0.0),)),
    Part("context: unknown counts half", ("b3", "b4"), ((contexts, "UNKNOWN", contexts.ELSEWHERE),)),
    Part("context: inferred", ("b3", "b4", "b6"), NOTHING_INFERRED),
)
