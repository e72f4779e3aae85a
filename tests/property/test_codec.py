"""Every record that is encoded decodes to the same record, and damaged bytes never to a wrong one without an error of ours."""

from contextlib import suppress
from typing import Any, get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain import facts
from mcp_memory.domain.episode import (
    Episode,
    EpisodeState,
    FileUse,
    Outcome,
    OutcomeKind,
    Reflection,
    Reward,
    Step,
    StepStatus,
    TaskType,
    Trace,
    Use,
)
from mcp_memory.errors import CorruptRecord
from mcp_memory.phrases import sentence
from mcp_memory.storage.codec import Codec, load_closing, load_episode, load_json, load_opening, load_step, load_trace
from mcp_memory.storage.records import ClosingRecord, closing_of, closing_record

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
BIG_TEXT = TEXT.map(lambda t: t * 60)
INTEGER = st.integers(0, 2**53)
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | TEXT
JSON: st.SearchStrategy[Any] = st.recursive(SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(TEXT, x, max_size=3), max_leaves=8)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
FACTS = (
    facts.Reported(True, ("a",)),
    facts.TestsPassed(3, 1),
    facts.TestsFailed(1, 4, 2, claimed=True),
    facts.Rejected(3, claimed=False),
    facts.Overcome("KeyError: 'a'", "make", (0, 1), 2, "edit a.py", 3),
    facts.GotOn("KeyError: 'a'", "make", (0,), 1, "build"),
    facts.Standing("KeyError: 'a'", "make", (3,), "make all"),
    facts.Unlogged(),
    facts.Repeated((1, 2)),
    facts.Reverted((4,)),
    facts.Skipped("pytest", "submit", 2, 2, 5),
    facts.OtherFile("a.py", 2, 3, 4),
    facts.Unchanged(("reproduce_bug.py",)),
    facts.Length(9, 2, 4.5),
    facts.KnownError("KeyError: 'a'", 2, 3, 1),
    facts.Record(1, 3),
    facts.BestAttempt("e1", 0.9),
)
SAID: st.SearchStrategy[Any] = st.lists(st.one_of(TEXT, st.sampled_from(FACTS)), max_size=3).map(tuple)
SHARE = st.floats(0, 1)
STEPS = st.builds(
    Step,
    tool=TEXT,
    action=TEXT,
    arguments=OBJECT,
    observation=TEXT | BIG_TEXT,
    status=st.sampled_from(StepStatus),
    error=st.none() | TEXT,
    duration_ms=st.none() | INTEGER,
    tokens=st.none() | INTEGER,
    at_ms=INTEGER,
)
OUTCOMES = st.builds(
    Outcome,
    st.sampled_from(OutcomeKind),
    summary=TEXT,
    lessons=TEXTS,
    artifacts=TEXTS,
    completed=TEXTS,
    failed=TEXTS,
    error=st.none() | TEXT,
)
TRACES = st.builds(
    Trace,
    seq=st.just(5),
    id=TEXT,
    project=TEXT,
    task=TEXT,
    task_type=TEXT,
    domain=TEXT,
    language=TEXT,
    framework=TEXT,
    tags=TEXTS,
    agent=TEXT,
    outcome=TEXT,
    reward=SHARE,
    started_at_ms=INTEGER,
    ended_at_ms=INTEGER,
    step_keys=st.lists(TEXT, max_size=40).map(tuple),
    step_failed=st.binary(max_size=40),
    errors=st.lists(st.tuples(INTEGER, TEXT), max_size=3).map(tuple),
    external_id=st.none() | TEXT,
    follows=st.none() | TEXT,
    digest=OBJECT,
)
CODECS = st.sampled_from([0, 200, 10**9]).map(Codec)


@st.composite
def completed(draw: st.DrawFn) -> Episode:
    steps = draw(st.lists(STEPS, max_size=4))
    return Episode(
        id=draw(TEXT),
        project=draw(TEXT),
        task=draw(TEXT),
        task_type=draw(st.sampled_from(TaskType)),
        started_at_ms=draw(INTEGER),
        ended_at_ms=draw(INTEGER),
        state=EpisodeState.COMPLETED,
        steps=tuple(Step(**{f: getattr(s, f) for f in Step.__slots__} | {"index": i}) for i, s in enumerate(steps)),
        step_count=len(steps),
        outcome=draw(OUTCOMES),
        reward=Reward(draw(SHARE), draw(st.dictionaries(TEXT, SHARE, max_size=3))),
        reflection=Reflection(draw(SAID), draw(SAID), draw(SAID)),
        metadata=draw(OBJECT),
        external_id=draw(st.none() | TEXT),
        key_steps=tuple(draw(st.lists(st.integers(0, 5000), max_size=3))),
        files=draw(st.none() | st.lists(st.builds(FileUse, TEXT, st.sampled_from(Use)), max_size=3).map(tuple)),
        change_seq=draw(INTEGER),
    )


def test_there_is_a_sample_of_every_fact_and_every_fact_has_a_sentence() -> None:
    assert {type(fact) for fact in FACTS} == set(get_args(facts.Fact))
    assert all(sentence(fact).endswith(".") for fact in FACTS)


@given(CODECS, STEPS)
def test_a_step_comes_back_with_the_index_it_is_kept_under(codec: Codec, step: Step) -> None:
    found = load_step(codec.step(step), 3)
    assert found == Step(**{f: getattr(step, f) for f in Step.__slots__} | {"index": 3})


@given(CODECS, completed())
def test_an_episode_comes_back_whole_and_in_its_parts(codec: Codec, episode: Episode) -> None:
    assert load_episode(codec.episode(episode)) == episode
    assert episode.outcome is not None
    assert episode.reward is not None
    parts = load_closing(codec.closing(episode), episode.outcome.kind, episode.reward.score)
    assert parts == (episode.outcome, episode.reward, episode.reflection, episode.key_steps, episode.files)
    assert load_opening(codec.opening(episode)) == (episode.context.tags, episode.metadata)


@given(completed())
def test_a_record_from_before_files_were_kept_is_read_without_them(episode: Episode) -> None:
    fields = msgspec.structs.astuple(closing_record(episode))[:-1]
    assert closing_of(msgspec.convert(fields, ClosingRecord), "success", 1.0).files is None


@given(CODECS, TRACES)
def test_a_trace_comes_back(codec: Codec, trace: Trace) -> None:
    assert load_trace(codec.trace(trace), 5) == trace


@given(CODECS, JSON)
def test_any_json_value_comes_back(codec: Codec, value: Any) -> None:
    assert load_json(codec.json(value)) == value


@given(STEPS, st.binary(min_size=1, max_size=8), st.integers(0, 10_000))
def test_damaged_bytes_are_a_corrupt_record_or_a_step(step: Step, noise: bytes, at: int) -> None:
    data = bytearray(Codec(200).step(step))
    data[at % len(data) : at % len(data) + len(noise)] = noise
    with suppress(CorruptRecord):
        assert isinstance(load_step(bytes(data), 0), Step)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_never_another_error(data: bytes) -> None:
    for load in (load_episode, load_json, load_opening, lambda d: load_step(d, 0), lambda d: load_trace(d, 0)):
        with suppress(CorruptRecord):
            load(data)


def test_compression_is_used_above_the_limit_and_only_where_it_helps() -> None:
    codec = Codec(100)
    assert len(codec.json("a" * 10_000)) < 100
    assert len(codec.json("a" * 50)) > 50
    assert codec.raw_bytes > codec.stored_bytes
