"""What every Store promises about finding episodes: text, listings, known values, vectors."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.domain.curation import Handoff
from mcp_memory.domain.episode import Context, EpisodeState, OutcomeKind
from mcp_memory.domain.query import ChangeKind, Filter, Sort, TextQuery
from mcp_memory.errors import InvalidInput
from mcp_memory.ports import Store, VectorRow
from tests.contract.store_samples import CONTEXT, KINDS, complete, completion, episode, observation, open_store

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(request.param, tmp_path)
    yield opened
    await opened.aclose()


def words(*terms: str, **fields: Any) -> TextQuery:
    return TextQuery(terms, **fields)


def ids(store: Store, term: str, project: str = "p", limit: int = 10) -> list[str]:
    return [hit.episode_id for hit in store.search_text(words(term), project=project, limit=limit)]


def around(store: Store, term: str, weights: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)) -> list[str]:
    """Return who has *term* in the tasks of its thread's neighbours."""
    hits = store.search_text(words(term, weights=weights), project="p", limit=10)
    return [hit.episode_id for hit in hits if hit.score > 0]


async def test_text_is_found_by_stem_case_and_accent(store: Store) -> None:
    await complete(store, "a", "Parsing the résumé dates", text="ran PyTest twice")
    await complete(store, "b", "something else", text="cargo")
    for term in ("parse", "PARSED", "resume", "pytest", "dates", "parsing the"):
        assert ids(store, term) == ["a"], term


async def test_better_matches_come_first_with_higher_scores(store: Store) -> None:
    for i in range(8):
        await complete(store, f"other{i}", "deploy the service", text="kubectl")
    await complete(store, "once", "parser", text="kubectl kubectl kubectl kubectl kubectl")
    await complete(store, "twice", "parser parser", text="kubectl")
    hits = store.search_text(words("parser"), project="p", limit=5)
    assert [h.episode_id for h in hits] == ["twice", "once"]
    assert hits[0].score > hits[1].score > 0
    assert [h.seq for h in hits] == [t.seq for h in hits for t in store.traces(ids=[h.episode_id])]


async def test_a_project_is_searched_before_the_limit_is_applied(store: Store) -> None:
    for i in range(12):
        await complete(store, f"p{i}", "parser parser parser")
    await complete(store, "q", "a parser among many other words of a longer task", project="q")
    assert ids(store, "parser", "q", limit=1) == ["q"]
    assert len(ids(store, "parser", "*", limit=13)) == 13


async def test_only_completed_episodes_are_lexical_candidates(store: Store) -> None:
    await store.start_episode(episode("open", "fix the parser"))
    assert ids(store, "parser") == []
    await store.complete_episode(completion(episode("open", "fix the parser"), 0))
    assert ids(store, "parser") == ["open"]


async def test_nothing_of_a_word_is_syntax(store: Store) -> None:
    await complete(store, "a", "the parser and nothing near it")
    for term in ('"unbalanced', "nocolumn : x", "a NEAR(", "--", "", "pars*", "parser OR nothing", "\0"):
        assert ids(store, term) == [], term
    assert ids(store, "NEAR(") == ["a"]
    assert store.search_text(TextQuery(), project="p", limit=5) == []
    assert store.list_episodes(Filter(), sort=Sort.RELEVANCE, limit=5, cursor=None, text=TextQuery()).total == 0


async def test_any_or_every_word_is_asked_for_and_each_that_is_there_counts(store: Store) -> None:
    await complete(store, "both", "fix the parser", text="ran tests")
    await complete(store, "one", "fix the importer", text="ran tests")
    await complete(store, "none", "deploy", text="ran")
    hits = store.search_text(words("fix", "parser"), project="p", limit=5)
    assert [h.episode_id for h in hits] == ["both", "one"]
    assert hits[0].score > hits[1].score
    assert [h.episode_id for h in store.search_text(words("fix", "parser", every=True), project="p", limit=5)] == ["both"]
    assert [h.episode_id for h in store.search_text(words("fix", phrases=("parser the",)), project="p", limit=5)] != []
    assert store.search_text(words("fix", phrases=("parser the",), every=True), project="p", limit=5) == []
    assert [h.episode_id for h in store.search_text(words(phrases=("the parser",)), project="p", limit=5)] == ["both"]


async def test_only_the_fields_that_weigh_anything_give_a_score(store: Store) -> None:
    await complete(store, "task", "parser", text="x")
    await complete(store, "steps", "other", text="parser")
    await complete(store, "more", "another", text="y")
    hits = store.search_text(words("parser", weights=(0.0, 1.0, 0.0, 0.0)), project="p", limit=5)
    assert [h.episode_id for h in hits] == ["steps", "task"]
    assert hits[0].score > hits[1].score == 0.0


async def test_an_unspaced_word_is_found_by_any_two_letters_in_a_row_and_by_any_one(store: Store) -> None:
    await complete(store, "a", "修正する 日期解析器")
    for part in ("日期", "期解", "析器", "日", "析", "器"):
        assert ids(store, part) == ["a"], part
    assert ids(store, "器日") == []


async def test_the_tasks_of_thread_neighbours_surround_an_episode(store: Store) -> None:
    await complete(store, "a", "order a zeppelin")
    await complete(store, "b", "pay the bill", follows="a")
    await complete(store, "c", "write a review", follows="b")
    assert set(ids(store, "zeppelin")) == {"a", "b"}
    assert set(around(store, "review")) == {"b"}
    assert set(around(store, "bill")) == {"a", "c"}
    assert around(store, "zeppelin", (1.0, 0.0, 0.0, 0.0)) == ["a"]


async def test_surroundings_do_not_depend_on_the_order_of_import_or_completion(store: Store) -> None:
    await store.start_episode(episode("a", "order a zeppelin"))
    await store.start_episode(episode("b", "pay the bill", follows="a"))
    await store.complete_episode(completion(episode("b", "pay the bill"), 0))
    assert ids(store, "zeppelin") == []
    await store.complete_episode(completion(episode("a", "order a zeppelin"), 0))
    assert set(ids(store, "zeppelin")) == {"a", "b"}
    thread = [completion(episode(f"i{n}", f"turn{n}", external_id=f"t/{n}", follows=f"t/{n - 1}" if n else None), 0) for n in range(4)]
    await store.import_episodes(thread[2:])
    await store.import_episodes(thread[:2])
    assert set(around(store, "turn2")) == {"i1", "i3"}


async def test_a_new_task_replaces_the_old_one_in_every_index(store: Store) -> None:
    await complete(store, "a", "order a zeppelin")
    await complete(store, "b", "pay the bill", follows="a")
    await store.put_vectors("s", [VectorRow(0, "a", 0, 0.5, b"\1\2")])
    await store.update_episode("a", task="order a submarine")
    assert ids(store, "zeppelin") == []
    assert set(ids(store, "submarine")) == {"a", "b"}
    assert set(ids(store, "pytest")) == {"a", "b"}
    assert "a" in store.missing_vectors("s", 10)


async def test_deleting_removes_a_task_from_its_neighbours_too(store: Store) -> None:
    await complete(store, "a", "order a zeppelin")
    await complete(store, "b", "pay the bill", follows="a")
    await store.delete_episodes(["a"], "private", 1)
    assert ids(store, "zeppelin") == []
    assert ids(store, "bill") == ["b"]


async def test_term_counts_are_document_frequencies_of_stems(store: Store) -> None:
    await complete(store, "a", "parsing parsers", text="pytest-cov")
    await complete(store, "b", "the parser", text="x")
    assert store.term_counts(["parsers", "PYTEST", "pytest-cov", "cov pytest", "absent", "", "--", 'x" OR "pytest', "\0"]) == [
        2,
        1,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
    ]


async def test_a_listing_pages_through_everything_once_in_each_order(store: Store) -> None:
    for i in range(7):
        await complete(store, f"e{i}", at_ms=1000 + i // 2, reward=(i % 3) / 2, ended_at_ms=2000 + (i * 37) % 11)
    everything = {f"e{i}" for i in range(7)}
    for sort in Sort:
        seen: list[str] = []
        cursor = None
        while True:
            page = store.list_episodes(Filter(project="p"), sort=sort, limit=3, cursor=cursor)
            seen += page.ids
            assert page.total == 7
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(seen) == 7, sort
        assert set(seen) == everything
        whole = store.list_episodes(Filter(), sort=sort, limit=50, cursor=None).ids
        assert list(whole) == seen
    oldest = store.list_episodes(Filter(), sort=Sort.OLDEST, limit=9, cursor=None).ids
    assert oldest == tuple(f"e{i}" for i in range(7))
    newest = store.list_episodes(Filter(), sort=Sort.NEWEST, limit=9, cursor=None).ids
    assert newest == oldest[::-1]
    found = store.get_episodes(store.list_episodes(Filter(), sort=Sort.REWARD, limit=9, cursor=None).ids)
    rewards = [e.reward.score for e in found if e is not None and e.reward is not None]
    assert rewards == sorted(rewards, reverse=True)


async def test_later_pages_show_the_listing_as_it_was_at_the_first(store: Store) -> None:
    for i in range(4):
        await store.start_episode(episode(f"e{i}", at_ms=1000 + i))
    page = store.list_episodes(Filter(), sort=Sort.OLDEST, limit=2, cursor=None)
    await store.start_episode(episode("new", at_ms=5000))
    rest = store.list_episodes(Filter(), sort=Sort.OLDEST, limit=9, cursor=page.next_cursor)
    assert rest.ids == ("e2", "e3")
    assert rest.total == 4


async def test_all_projects_are_listed_in_one_order_of_time_a_page_at_a_time(store: Store) -> None:
    for number in range(9):
        await complete(store, f"e{number}", project="pqr"[number * 2 % 3], at_ms=1_000 + number // 2)  # some at the same moment
    await store.start_episode(episode("open", project="r", at_ms=1_000))
    for where, count in ((Filter(), 10), (Filter(state=EpisodeState.COMPLETED), 9), (Filter(state=EpisodeState.OPEN), 1)):
        for sort in (Sort.NEWEST, Sort.OLDEST):
            whole = store.list_episodes(where, sort=sort, limit=20, cursor=None)
            assert whole.total == len(whole.ids) == count
            found: list[str] = []
            cursor: str | None = None
            while cursor is not None or not found:
                page = store.list_episodes(where, sort=sort, limit=2, cursor=cursor)
                found, cursor = [*found, *page.ids], page.next_cursor
            assert tuple(found) == whole.ids


async def test_a_foreign_cursor_is_refused(store: Store) -> None:
    for i in range(3):
        await store.start_episode(episode(f"e{i}"))
    cursor = store.list_episodes(Filter(), sort=Sort.NEWEST, limit=1, cursor=None).next_cursor
    for bad in ("x", "🦀", "bnVsbA", "W10", "eyJhIjoxfQ"):
        with pytest.raises(InvalidInput):
            store.list_episodes(Filter(), sort=Sort.NEWEST, limit=1, cursor=bad)
    with pytest.raises(InvalidInput):
        store.list_episodes(Filter(domain="web"), sort=Sort.NEWEST, limit=1, cursor=cursor)


async def test_each_filter_restricts(store: Store) -> None:
    await complete(store, "a", context=CONTEXT, at_ms=1000)
    await complete(
        store, "b", project="q", context=Context("data", "rust", "axum", tags=("urgent",)), at_ms=2000, outcome=OutcomeKind.FAILURE
    )
    await store.start_episode(episode("c", at_ms=3000, task_type="debugging"))

    def listed(**fields: object) -> set[str]:
        return set(store.list_episodes(Filter(**fields), sort=Sort.NEWEST, limit=9, cursor=None).ids)  # type: ignore[arg-type]

    assert listed() == {"a", "b", "c"} == listed(project="*")
    assert listed(project="p") == {"a", "c"}
    assert listed(domain="web") == {"a"}
    assert listed(language="rust") == {"b"}
    assert listed(framework="django") == {"a"}
    assert listed(task_type="debugging") == {"c"}
    assert listed(outcome="failure") == {"b"}
    assert listed(state="open") == {"c"}
    assert listed(tags=("urgent",)) == {"a", "b"}
    assert listed(tags=("urgent", "parser")) == {"a"}
    assert listed(since_ms=61_001) == {"b"}, "times are those of the end"
    assert listed(until_ms=61_001) == {"a", "c"}, "of what has not ended, of the start"
    assert listed(project="p", state="completed", tags=("parser",), since_ms=61_000, until_ms=61_001) == {"a"}
    assert listed(domain="WEB", language="Python", tags=("PARSER",)) == {"a"}


async def test_a_tag_filter_follows_the_edits(store: Store) -> None:
    await complete(store, "a", context=CONTEXT)
    await store.update_episode("a", add_tags=["new"], remove_tags=["urgent"])
    tagged = [store.list_episodes(Filter(tags=(t,)), sort=Sort.NEWEST, limit=9, cursor=None).ids for t in ("new", "urgent", "parser")]
    assert tagged == [("a",), (), ("a",)]


async def test_a_text_listing_includes_open_episodes_by_their_task(store: Store) -> None:
    await complete(store, "done", "fix the parser")
    await store.start_episode(episode("open", "parser of dates"))
    await store.start_episode(episode("other", "deploy"))
    page = store.list_episodes(Filter(project="p"), sort=Sort.RELEVANCE, limit=1, cursor=None, text=words("parsers"))
    rest = store.list_episodes(Filter(project="p"), sort=Sort.RELEVANCE, limit=9, cursor=page.next_cursor, text=words("parsers"))
    assert page.total == 2
    assert {*page.ids, *rest.ids} == {"done", "open"}
    newest = store.list_episodes(Filter(state="open"), sort=Sort.NEWEST, limit=9, cursor=None, text=words("parser"))
    assert newest.ids == ("open",)
    await store.update_episode("open", task="deploy again")
    found = store.list_episodes(Filter(), sort=Sort.OLDEST, limit=9, cursor=None, text=words("deploy"))
    assert set(found.ids) == {"open", "other"}


async def test_known_values_are_listed_by_prefix(store: Store) -> None:
    for i, domain in enumerate(("web", "webgl", "data", "")):
        await store.start_episode(episode(f"e{i}", context=Context(domain), agent="A%"))
    assert store.distinct("domain", "web", 9) == ["web", "webgl"]
    assert store.distinct("domain", "", 1) == ["data"]
    assert store.distinct("agent", "A%", 9) == ["A%"]
    assert store.distinct("agent", "%", 9) == []
    with pytest.raises(InvalidInput):
        store.distinct("task", "", 9)


async def test_vectors_come_back_in_order_per_space_and_only_once(store: Store) -> None:
    await complete(store, "a")
    await complete(store, "b")
    await store.start_episode(episode("open"))
    assert store.missing_vectors("s", 10) == ["b", "a"]
    await store.put_vectors(
        "s", [VectorRow(0, "a", 0, 0.25, b"\x01\xff"), VectorRow(0, "nobody", 0, 1.0, b"x"), VectorRow(0, "open", 0, 1.0, b"x")]
    )
    await store.put_vectors("s", [VectorRow(0, "a", 0, 9.0, b"other"), VectorRow(0, "a", 1, 0.5, b"\2")])
    await store.put_vectors("t", [VectorRow(0, "b", 0, 0.5, b"\3")])
    rows, at = store.vectors("s")
    seq = store.traces(ids=["a"])[0].seq
    assert rows == [VectorRow(seq, "a", 0, 0.25, b"\x01\xff"), VectorRow(seq, "a", 1, 0.5, b"\2")]
    assert store.vectors("s", after_rowid=at) == ([], at)
    first, at = store.vectors("s", limit=1)
    assert store.vectors("s", after_rowid=at)[0] == rows[1:]
    assert first == rows[:1]
    assert store.missing_vectors("s", 10) == ["b"]
    assert store.missing_vectors("t", 10) == ["a"]
    assert [c.entity_id for c in store.changes_after(0) if c.kind == ChangeKind.VECTORS_ADDED] == ["s", "s", "t"]
    assert store.vectors("unknown") == ([], 0)
    await complete(store, "c")
    assert store.missing_vectors("s", 1) == ["c"]
    assert store.missing_vectors("s", 9) == ["c", "b"]


async def test_deleting_takes_the_vectors(store: Store) -> None:
    await complete(store, "a")
    await store.put_vectors("s", [VectorRow(0, "a", 0, 0.25, b"\1")])
    assert (await store.delete_episodes(["a"], "", 1))["vectors"] == 1
    assert store.vectors("s")[0] == []
    assert store.missing_vectors("s", 5) == []


async def test_ids_are_found_by_their_beginning(store: Store) -> None:
    await complete(store, "abcdef-1", observations=(observation("x"),))
    await store.start_episode(episode("abcdef-2"))
    await store.start_episode(episode("abcdeg"))
    await store.put_checkpoint("abcdef-3", "abcdef-2", Handoff("go on"), 1)
    pattern_id = store.patterns()[0].id
    assert store.ids_starting("abcdef", 9) == ["abcdef-1", "abcdef-2", "abcdef-3"]
    assert store.ids_starting("abcdef", 2) == ["abcdef-1", "abcdef-2"]
    assert store.ids_starting(pattern_id[:9], 9) == [pattern_id]
    assert store.ids_starting("%", 9) == []


async def test_an_added_lesson_is_read_and_found(store: Store) -> None:
    await complete(store, "a")
    await store.update_episode("a", add_lessons=["zeppelins are slow", "run the tests first"])
    (found,) = store.get_episodes(["a"])
    assert found is not None
    assert found.outcome is not None
    assert found.outcome.lessons == ("run the tests first", "zeppelins are slow")
    assert ids(store, "zeppelin") == ["a"] == ids(store, "pytest")
    await store.update_episode("a", task="order a submarine")
    assert ids(store, "zeppelin") == ["a"]


async def test_a_beginning_finds_and_counts_all_words_that_begin_so(store: Store) -> None:
    await complete(store, "noun", "write the documentation")
    await complete(store, "verb", "document the parser")
    await complete(store, "other", "doctor the parser")
    asked = TextQuery(("nowhere",), beginnings=("docum",))
    assert {h.episode_id for h in store.search_text(asked, project="p", limit=5)} == {"noun", "verb"}
    assert store.term_counts(["docum", "doc", "x"], beginnings=True) == [2, 3, 0]
    assert store.term_counts(["docum"]) == [0]
    for nothing in ("", '"', "*", "\0"):
        assert store.search_text(TextQuery(beginnings=(nothing,)), project="p", limit=5) == [], nothing
