"""Every seam of the program: what the store keeps (`store`, of the records in `stored`), what computes (`engines`), and
the log it is shared through (`sharing`).

Conventions every port keeps, checked by its contract suite:

* `get_many`-style calls return one item per key, in order, None where missing. Missing is no error below `memory.py`.
* A `Store` write is committed when its awaitable returns; a failed write changed nothing. Once accepted it happens even if the
  caller stops waiting. Reads of a `Store` are synchronous, short, safe from any thread, and see every commit made before they began.
* A completed episode is never overwritten; caches rest on that. A `Cache` may forget at any time.
* Ports speak domain objects and raise only `McpMemoryError`s.
* Vectors of different spaces (`provider:model:dimension`) never meet: the space is part of every key.
"""

from mcp_memory.ports.engines import Cache, CacheEntry, Clock, Embedder, Extraction, Judgement, Neighbours, Situation, VectorIndex
from mcp_memory.ports.sharing import Batch, LogMark, LogPage, Outgoing, RemoteState, Replica, SharedLog
from mcp_memory.ports.store import CurationStore, EpisodeStore, Feed, LearningStore, Store, TextSearch, Upkeep
from mcp_memory.ports.stored import Completion, IndexText, PatternTally, TextHit, VectorRow

__all__ = [
    "Batch",
    "Cache",
    "CacheEntry",
    "Clock",
    "Completion",
    "CurationStore",
    "Embedder",
    "EpisodeStore",
    "Extraction",
    "Feed",
    "IndexText",
    "Judgement",
    "LearningStore",
    "LogMark",
    "LogPage",
    "Neighbours",
    "Outgoing",
    "PatternTally",
    "RemoteState",
    "Replica",
    "SharedLog",
    "Situation",
    "Store",
    "TextHit",
    "TextSearch",
    "Upkeep",
    "VectorIndex",
    "VectorRow",
]
