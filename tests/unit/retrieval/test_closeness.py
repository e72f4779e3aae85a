"""When nothing in memory is close: said, instead of shown."""

import numpy as np
import pytest

from mcp_memory.domain.languages import MULTILINGUAL_SPACE
from mcp_memory.domain.query import Filter, Query
from mcp_memory.retrieval.closeness import CLOSE_COSINE, CLOSE_COVERAGE, FOREIGN_COSINE, LEAST_SPREAD, close, least_spread, names_a_task
from tests.unit.retrieval.test_retriever import SPACE, Memory, vector_of

NAN = float("nan")


def is_close(text: str, cosine: float, coverage: float) -> bool:
    return bool(close(text, np.array([cosine]), np.array([coverage]))[0])


def test_a_request_is_close_by_its_meaning_or_by_its_rare_words() -> None:
    text = "Where is the parser of the dates?"
    assert is_close(text, CLOSE_COSINE, 0.0)
    assert is_close(text, 0.0, CLOSE_COVERAGE)
    assert not is_close(text, CLOSE_COSINE - 0.01, CLOSE_COVERAGE - 0.01)


def test_the_least_spread_is_known_of_what_the_english_model_understands_only() -> None:
    assert least_spread("Where is the parser of the dates?", SPACE) == LEAST_SPREAD
    assert least_spread("Wo ist der Parser für die Daten?", SPACE) == 0.0
    assert least_spread("Where is the parser of the dates?", MULTILINGUAL_SPACE) == 0.0
    assert least_spread("Where is the parser of the dates?", "openai:some-model:1536") == 0.0
    assert least_spread("Where is the parser of the dates?", None) == 0.0


def test_of_a_long_request_a_smaller_share_of_the_words_is_enough() -> None:
    text = " ".join(f"word{n} of the" for n in range(48))
    assert is_close(text, 0.0, CLOSE_COVERAGE / 2)


def test_another_language_is_asked_for_less_because_the_model_reads_english() -> None:
    for text in (
        "Die Zahlenformatierung stürzt ab",
        "禁止在查询中使用非布尔值",
        "Trainiere ein Modell mit Daten aus Ordnern und speichere Ergebnisse danach dort",
    ):
        assert is_close(text, FOREIGN_COSINE, 0.0), text
        assert not is_close(text, FOREIGN_COSINE - 0.01, 0.0), text


def test_shared_words_of_another_language_make_no_answer_that_they_would_not_make_in_english() -> None:
    assert not is_close("Wie lang sind die Wartezeiten im Freizeitpark?", 0.2, CLOSE_COVERAGE - 0.01)
    assert is_close("Wie lang sind die Wartezeiten im Freizeitpark?", 0.2, CLOSE_COVERAGE)


TASKS = ["Only true or false should be accepted by the isnull lookup", "Release the notes of 2020", "修复数据库连接"]
KNOWN = {"isnull": 4, "lookup": 300, "2020": 3, "数据": 2, "据库": 2, "zoo": 1}


def is_named(text: str) -> bool:
    return names_a_task(text, TASKS, lambda terms: [KNOWN.get(term, 0) for term in terms], 500)


def test_a_request_in_another_language_is_about_a_task_whose_rare_word_it_has() -> None:
    assert is_named("禁止在 __isnull 查询中使用非布尔值。")
    assert is_named("Die Abfrage __isnull soll nur Wahrheitswerte annehmen")
    assert is_named("数据库连不上了,怎么办?"), "two pairs of letters in a row are a word"


def test_what_many_have_numbers_and_words_that_no_task_has_name_none() -> None:
    assert not is_named("Welcher lookup ist gemeint und wer soll ihn haben?"), "many episodes have it"
    assert not is_named("我们想看2020年上映的电影,有什么推荐?"), "a number"
    assert not is_named("0 的负无穷次幂得到 0,而文档说应该是复无穷 zoo。"), "in an episode's steps only"
    assert not is_named("数据是什么?"), "one pair of letters is met by chance"
    assert not is_named("Why does the isnull lookup take three values?"), "English is asked for more"


def test_without_a_vector_only_words_say_that_something_is_close() -> None:
    assert not is_close("anything at all", NAN, CLOSE_COVERAGE - 0.01)
    assert is_close("anything at all", NAN, CLOSE_COVERAGE)


@pytest.mark.anyio
async def test_an_episode_that_is_not_embedded_yet_is_no_answer_to_an_unrelated_request() -> None:
    memory = Memory()
    for n in range(8):
        await memory.remember(f"e{n}", f"repair module{n} gears")
    await memory.remember("late", "repair the oven of the kitchen", embed=False)
    text = "bake a chocolate birthday cake in the kitchen of my mother"
    with memory.views.read() as v:
        unrelated = memory.retriever.rank(v, Query(text, Filter("p")), {SPACE: vector_of(text)[None]})
        asked = memory.retriever.rank(v, Query("repair an oven", Filter("p")), {SPACE: vector_of("repair an oven")[None]})
    assert (unrelated.silent, unrelated.matches) == (True, ())
    assert asked.matches[0].episode_id == "late"


@pytest.mark.anyio
async def test_an_unrelated_request_gets_no_episode_unless_a_filter_asks_for_it() -> None:
    memory = Memory()
    for n in range(8):
        await memory.remember(f"e{n}", f"repair module{n} gears", framework="django")
    text = "bake a chocolate birthday cake"
    query = Query(text, Filter("p"))
    with memory.views.read() as v:
        asked = memory.retriever.rank(v, query, {SPACE: vector_of(text)[None]})
        strict = memory.retriever.rank(v, Query(text, Filter("p", framework="django"), strict=True), {SPACE: vector_of(text)[None]})
        known = memory.retriever.rank(v, Query("repair module3", Filter("p")), {SPACE: vector_of("repair module3")[None]})
    assert (asked.silent, asked.matches) == (True, ())
    assert strict.matches
    assert not strict.silent
    assert known.matches[0].episode_id == "e3"


@pytest.mark.anyio
async def test_silence_is_kept_in_other_languages_until_a_task_is_named() -> None:
    memory = Memory()
    for n in range(8):
        await memory.remember(f"e{n}", f"repair module{n} gears")
    with memory.views.read() as v:
        answers = [
            memory.retriever.rank(v, Query(text, Filter("p")), {SPACE: vector_of(text)[None]})
            for text in (
                "Wie koche ich eine gute Suppe für sechs?",
                "六人分のおいしいスープの作り方は?",
                "module3 を直してください",
            )
        ]
    assert [answer.silent for answer in answers] == [True, True, False]
    assert answers[-1].matches[0].episode_id == "e3"


@pytest.mark.anyio
async def test_another_project_that_has_something_close_is_named() -> None:
    memory = Memory()
    await memory.remember("here", "repair the gears", project="p")
    await memory.remember("there", "bake a chocolate cake", project="kitchen")
    text = "bake a chocolate birthday cake"
    with memory.views.read() as v:
        found = memory.retriever.elsewhere(v, Query(text, Filter("p")), {SPACE: vector_of(text)[None]})
        nothing = memory.retriever.elsewhere(v, Query("sing", Filter("p")), {SPACE: vector_of("sing")[None]})
    assert found is not None
    assert found[0] == "there"
    assert nothing is None


@pytest.mark.anyio
async def test_what_is_closest_in_the_very_project_is_not_told_as_another_projects() -> None:
    memory = Memory()
    await memory.remember("here", "bake a chocolate birthday cake", project="p")
    await memory.remember("there", "bake a chocolate cake", project="kitchen")
    text = "bake a chocolate birthday cake"
    with memory.views.read() as v:
        assert memory.retriever.elsewhere(v, Query(text, Filter("p")), {SPACE: vector_of(text)[None]}) is None


@pytest.mark.parametrize(
    ("loans", "is_named"),
    [([("driver",), ("packet", "pocket")], True), ([("driver",)], False), ([("driver",), ("violin",)], False), ([], False)],
)
def test_a_task_is_named_by_two_loanwords_and_by_no_fewer(loans: list[tuple[str, ...]], is_named: bool) -> None:
    tasks = ["The driver of the scanner loses a packet"]
    assert names_a_task("スキャナのドライバーがパケットを落とす", tasks, lambda terms: [1] * len(terms), 100, loans) is is_named
