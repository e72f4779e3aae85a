"""The table's keywords by the words in them: which of them a text may have at all."""

from collections.abc import Sequence, Set
from functools import cache, lru_cache
from operator import itemgetter

from mcp_memory.redaction.places import is_far
from mcp_memory.redaction.rules import START, Rule, compiled
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.vocabulary import Vocabulary

Entry = tuple[int, str, Rule, frozenset[bytes]]  # a keyword of the table: where it stands there, its rule, the whole words in it
AWS = "aws"  # asked for by a look that is no rule's
LONG = 23  # characters: the run that every rule without a telling keyword begins with
_GENERAL = frozenset({"_", "-", "-us", ".", "5", "K", "L"})  # keywords that say little: their pattern searches itself
_LEAST_RUNS = {"ngrok-token": 48, "discord-token": 24, "mailgun-key": 50, "mailchimp-key": 35, "bitcoin-key": 51}  # what they begin with
_PARTS = r"[A-Za-z0-9]+"
_HEAD_CHARS = 3
FEW_WORDS = 40  # so few known words are asked one by one what each of them asks for


class Index:
    """The table's keywords, by the cheapest question that rules them out: a whole word of the text, how one begins, a part of one."""

    def __init__(self, rules: Sequence[Rule] = TABLE) -> None:
        self.whole: dict[bytes, list[Entry]] = {}
        self.heads: dict[str, list[Entry]] = {}
        self.parts: dict[str, list[Entry]] = {}
        general = [rule for rule in rules if not _GENERAL.isdisjoint(rule.keywords)]
        self.general = tuple((rule, _LEAST_RUNS.get(rule.name, LONG)) for rule in general)  # and the shortest run of each
        keywords = ((keyword, rule) for rule in rules if rule not in general for keyword in rule.keywords)
        for number, (keyword, rule) in enumerate(keywords):
            self._add(number, keyword, rule)
        self._heads_by_start: dict[bytes, list[str]] = {}  # those of three characters or more, by the first three
        for head in self.heads:
            if len(head) >= _HEAD_CHARS:
                self._heads_by_start.setdefault(head[:_HEAD_CHARS].encode(), []).append(head)
        self._short_heads = [head for head in self.heads if len(head) < _HEAD_CHARS]
        self.unsaid = tuple(self.parts.get("", ()))  # the keywords without any word
        self.signs = tuple({keyword for _, keyword, _, _ in self.unsaid})

    def _add(self, number: int, keyword: str, rule: Rule) -> None:
        is_prefix = rule.pattern.startswith(START)
        lowered, parts = keyword.lower(), compiled(_PARTS).findall
        words = [] if rule.is_glued else parts(lowered + ("a" if is_prefix else ""))
        if is_prefix and words:  # letters may follow it
            words.pop()
        entry = (number, keyword, rule, frozenset(word.encode() for word in words))
        if words:
            self.whole.setdefault(max(words, key=len).encode(), []).append(entry)
            return
        part = _longest(keyword)
        if is_prefix and not rule.is_glued:
            self.heads.setdefault(part, []).append(entry)
        else:
            self.parts.setdefault(part, []).append(entry)

    def asked(self) -> tuple[set[bytes], list[str], list[str]]:
        """Return what is asked of the words of a text: to be one of these, to begin with one, to have one as a part."""
        whole = {word for entries in self.whole.values() for _, _, _, words in entries for word in words}
        return whole, list(self.heads), [*filter(None, self.parts), AWS]

    def hits(self, vocabulary: Vocabulary) -> list[Entry]:
        """Return the keywords that the text may have, in the table's order: of two rules for one place the first gives the name."""
        if vocabulary.hits is None:
            words, before = vocabulary.words, vocabulary.before
            if before is not None:
                found = {*self.hits(before), *self.likely(words, vocabulary.joined, vocabulary.all_words())}
                vocabulary.hits = sorted(found, key=itemgetter(0))
            elif vocabulary.are_known and len(words) <= FEW_WORDS:
                vocabulary.hits = self._of_known(words)
            else:
                vocabulary.hits = self.likely(words, vocabulary.joined, words)
        return vocabulary.hits

    def _of_known(self, words: Set[bytes]) -> list[Entry]:
        found = {entry for word in words for entry in of_word(self, word) if entry[3] <= words}
        return sorted(found.union(self.unsaid), key=itemgetter(0))

    def likely(self, words: Set[bytes], joined: str, whole: Set[bytes]) -> list[Entry]:
        """Return the keywords that a text with these *words* has, in the table's order; *whole* are all that it has."""
        found = [entry for word in self.whole.keys() & whole for entry in self.whole[word] if entry[3] <= whole]
        found += [entry for part, entries in self.parts.items() if part in joined for entry in entries]
        begun = self._heads_by_start.keys() & {word[:_HEAD_CHARS] for word in words}
        heads = [head for start in begun for head in self._heads_by_start[start]] + self._short_heads
        found += [entry for head in heads if f" {head}" in joined for entry in self.heads[head]]
        return sorted(found, key=itemgetter(0))


@lru_cache(maxsize=4096)
def of_word(index: Index, word: bytes) -> list[Entry]:
    """Return the keywords that a text with that word may have."""
    text = word.decode()
    found = list(index.whole.get(word, ()))
    found += [entry for part, entries in index.parts.items() if part and part in text for entry in entries]
    return found + [entry for head, entries in index.heads.items() if text.startswith(head) for entry in entries]


@cache
def whole_table() -> Index:
    """Return the index of the whole table."""
    return Index()


def stands(hit: Entry, sight: Sight) -> bool:
    """Tell whether a text has a keyword, and the words of it."""
    _, keyword, rule, words = hit
    if not sight.first(keyword, rule.ignore_case, far=is_far(rule, sight)):
        return False
    if words or rule.is_glued or not rule.pattern.startswith(START):
        return all(sight.has_word(word.decode(), True) for word in words)
    return sight.has_word(_longest(keyword), False)


def _longest(keyword: str) -> str:
    return max(compiled(_PARTS).findall(keyword.lower()), key=len, default="")
