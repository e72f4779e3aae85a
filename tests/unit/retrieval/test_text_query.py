"""Any text becomes a query that asks for the right words, and a safe FTS5 expression."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence

import pytest

from mcp_memory.domain.query import TextQuery
from mcp_memory.retrieval import text_query
from mcp_memory.retrieval.text_query import affordable, listing_query, read_query, request_parts
from mcp_memory.storage.text_expression import expression

HOSTILE = [
    '"unbalanced',
    "a AND b OR NOT c NEAR(d, 2)",
    "task:secret {steps notes}: x",
    "* ^start - + ( ) : , '",
    "col1 : foo*",
    'say "hello ""world"""',
    "back\\slash; DROP TABLE episode_text; --",
    "null\x00byte and \x1b escape",
    "a" * 10_000,
    "word " * 10_000,
    "naïve café ŒUVRE İstanbul ß",
    "🎉🔥 deploy 🚀",
    "修正する 日期 解析 한국어",
]


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5 (a, tokenize = 'porter unicode61 remove_diacritics 2')")
    connection.executemany("INSERT INTO t VALUES (?)", [("fix the date parser",), ("修正する 日期解析器",), ("a secret NEAR word",)])
    yield connection
    connection.close()


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_a_valid_expression(table: sqlite3.Connection, text: str) -> None:
    if (query := listing_query(text)) is not None:
        table.execute("SELECT rowid FROM t WHERE t MATCH ?", (expression(query),)).fetchall()


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "?!… ---", "🎉🔥", '""', "\x00"])
def test_text_without_a_word_asks_for_nothing(text: str) -> None:
    assert listing_query(text) is None


def test_stop_words_are_dropped_unless_there_is_nothing_else() -> None:
    assert read_query("How do I fix the parser").terms == ("fix", "parser")
    assert read_query("to be or not to be").terms == ("to", "be", "or", "not")


def test_a_term_is_asked_for_once() -> None:
    assert read_query("Parser parser PARSER").terms == ("parser",)


def test_compound_names_are_asked_for_as_phrases_too() -> None:
    query = read_query("set FILE_UPLOAD_PERMISSIONS in conf/global_settings.py")
    assert "file upload permissions" in query.phrases
    assert "conf global settings py" in query.phrases
    assert {"file", "upload", "permissions", "conf"} <= set(query.terms)


def test_encoded_data_is_not_a_word() -> None:
    assert read_query("x" * 65 + " fine").terms == ("fine",)


def test_an_unspaced_word_asks_for_its_pairs_of_letters_and_a_single_letter_for_what_begins_with_it() -> None:
    assert read_query("日期解析 parser").terms == ("日期", "期解", "解析", "parser")
    assert expression(read_query("日期解析")) == '"日期" OR "期解" OR "解析"'
    assert expression(read_query("期")) == '"期"*'


def counting(frequency: dict[str, int]) -> Callable[[Sequence[str]], Sequence[int]]:
    return lambda terms: [frequency.get(t, 0) for t in terms]


def test_a_cheap_query_is_left_as_it_is_and_counts_nothing() -> None:
    def refuse(terms: Sequence[str]) -> Sequence[int]:
        raise AssertionError("counted")

    query = read_query("fix the date parser")
    assert affordable(query, refuse, 1_000, at_least_one=False) is query


def test_the_rarest_terms_are_kept_within_the_bound_on_work() -> None:
    words = [f"w{i}" for i in range(40)]
    frequency = {w: 10 * (i + 1) ** 2 for i, w in enumerate(words)}
    kept = affordable(TextQuery(tuple(reversed(words)), ()), counting(frequency), 100_000, at_least_one=False).terms
    matched = sum(frequency[t] for t in kept)
    assert text_query.MAX_WORK < matched * (len(kept) + text_query.EPISODE_WORK) <= text_query.RARE_WORK, "all are rare"
    assert set(kept) == set(words[: len(kept)])
    assert list(kept) == [w for w in reversed(words) if w in kept]


def test_common_words_are_asked_for_within_less_work_than_rare_ones() -> None:
    rare, common = [f"rare{i}" for i in range(10)], [f"common{i}" for i in range(5)]
    frequency = dict.fromkeys(rare, 1_200) | dict.fromkeys(common, 1_300)
    kept = affordable(TextQuery((*common, *rare), ()), counting(frequency), 10_000, at_least_one=False).terms
    assert kept == tuple(rare), "fewer than one in eight episodes has each"
    cheap = affordable(TextQuery(tuple(common), ()), counting(frequency), 10_000, at_least_one=False).terms
    assert cheap == tuple(common), "with nothing before them"


def test_who_bounds_the_work_asks_for_the_rarest_words_alone_however_large_the_memory_is() -> None:
    words = ("fix", "parser", "dates", "weeks")
    query = TextQuery(words)

    def kept(episodes: int) -> tuple[str, ...]:
        frequency = {word: int(episodes * share) for word, share in zip(words, (0.4, 0.2, 0.1, 0.0), strict=True)} | {"weeks": 3}
        return affordable(query, counting(frequency), episodes, at_least_one=True, max_work=20_000).terms

    assert kept(1_000) == words
    assert kept(10_000) == ("dates", "weeks")
    assert kept(1_000_000) == ("weeks",)


@pytest.mark.parametrize(("at_least_one", "kept"), [(True, 1), (False, 0)])
def test_words_that_are_everywhere_are_asked_for_only_where_nothing_else_searches(at_least_one: bool, kept: int) -> None:
    query = TextQuery(tuple("abcdefgh"), ())
    assert len(affordable(query, counting(dict.fromkeys("abcdefgh", 90_000)), 100_000, at_least_one=at_least_one).terms) == kept


def test_a_word_that_half_of_the_episodes_have_is_asked_for_only_where_no_rarer_one_is() -> None:
    query = TextQuery(("everywhere", "half", "rare"), ("everywhere half",))
    frequency = {"everywhere": 3_000, "half": 1_500, "rare": 1_499}
    assert affordable(query, counting(frequency), 3_000, at_least_one=False) == TextQuery(("rare",), ("everywhere half",))
    assert affordable(query, counting(frequency | {"rare": 0}), 3_000, at_least_one=False).terms == ("everywhere", "half")


def test_unknown_terms_and_their_phrases_are_dropped_from_an_expensive_query() -> None:
    words = tuple(f"w{i}" for i in range(30))
    query = TextQuery(("nowhere", *words), ("nowhere w1", "w1 w2"))
    kept = affordable(query, counting(dict.fromkeys(words, 1)), 100_000, at_least_one=False)
    assert "nowhere" not in kept.terms
    assert kept.phrases == ("w1 w2",)


def test_sentences_of_a_short_request_and_of_nothing_else() -> None:
    request = "Find me a hotel in Oslo. Also tell me about the weather! Thanks."
    assert request_parts(request) == ("Find me a hotel in Oslo.", "Also tell me about the weather!")
    assert request_parts("Only one thing is asked here") == ()
    assert request_parts("\n".join(f"this is line number {i}" for i in range(20))) == ()
