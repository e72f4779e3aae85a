"""What a request for files says: its words, the files it names, and which files it hardly ever means. Pure."""

import re
from functools import lru_cache
from math import log

from mcp_memory.domain.identifiers import number, words_in

NAMED, MODULE, BASENAME = 40.0, 15.0, 8.0  # in BM25's unit: the request names the file, the module, the last part of its path
ASIDE = 0.3  # of a test or a scratch file: where a request leads to last
_ASIDE = re.compile(
    r"(?:^|/)(?:tests?|testing|__tests__|specs?|fixtures|examples?|docs?|build|dist|node_modules|site-packages)/"
    r"|(?:^|/)test_[^/]*$|[._-](?:test|spec|tests)\.\w+$|(?:^|/)tests?\.\w+$|\.(?:log|out|txt|md|rst|csv|lock)$"
    r"|^(?:[^/]*[\d_.-])?(?:repro(?:duc\w*)?|replicat\w*|simulat\w*|bug|tmp|scratch|debug|demo|try)(?:[\d_.-][^/]*)?$",
    re.I,
)


def query_words(request: str) -> dict[int, float]:
    """Return the numbers of the request's words, and how much each is asked for."""
    counts: dict[int, int] = {}
    for word in words_in(request):
        n = number(word)
        counts[n] = counts.get(n, 0) + 1
    return {n: 1 + log(count) for n, count in counts.items()}


def named(path: str, request: str, names: frozenset[str]) -> float:
    """Return what it counts that the request names the file: in full, as a module, or by the last part."""
    if "/" in path and path in request:
        return NAMED
    if "/" in path and _as_module(path) in request:
        return MODULE
    return BASENAME if path.rpartition("/")[2] in names else 0.0


@lru_cache(maxsize=10_000)
def _as_module(path: str) -> str:
    return path.rpartition(".")[0].removesuffix("/__init__").replace("/", ".")


def aside(path: str) -> float:
    """Return what a file counts by its path: less where it is a test, a text or made to try something out."""
    return ASIDE if _ASIDE.search(path) else 1.0
