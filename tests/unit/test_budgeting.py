"""What of an answer fits its budget."""

from dataclasses import replace

from mcp_memory.domain.answers import RecalledEpisode, RecalledFile, RecalledPattern
from mcp_memory.verbs.budgeting import ENVELOPE_TOKENS, Row, estimate_tokens, fit

FILES = [RecalledFile(f"src/{name}.py", 2, 1, 1) for name in "abcde"]
PATTERNS = [RecalledPattern(f"pat_{i}", "tool_sequence", "open then edit", 3, 2, 1, 0.5, 0.4, {}) for i in range(3)]


def episode(number: int, lessons: tuple[str, ...] = ("run the tests",)) -> RecalledEpisode:
    steps = ("#1 bash:pytest → ok",) * 2
    return RecalledEpisode(f"ep{number}", None, "mend the login page " * 8, "success", 1.0, "", lessons, steps, 0.5, 0.9, {}, 0.8)


EPISODES = [episode(i) for i in range(5)]
ROWS: list[Row] = [*EPISODES, *FILES, *PATTERNS]
ALL = ENVELOPE_TOKENS + sum(map(estimate_tokens, ROWS))


def test_everything_is_kept_when_there_is_room() -> None:
    fitted = fit(EPISODES, FILES, PATTERNS, ALL)
    assert (fitted.episodes, fitted.files, fitted.patterns) == (tuple(EPISODES), tuple(FILES), tuple(PATTERNS))
    assert fitted.tokens == ALL


def test_no_budget_is_exceeded_and_each_kind_keeps_its_best() -> None:
    least = ENVELOPE_TOKENS + estimate_tokens(EPISODES[0])
    for budget in range(least, ALL, 7):
        fitted = fit(EPISODES, FILES, PATTERNS, budget)
        assert fitted.tokens <= budget
        assert fitted.episodes == tuple(EPISODES[: len(fitted.episodes)])
        assert fitted.files == tuple(FILES[: len(fitted.files)])
        assert fitted.patterns == tuple(PATTERNS[: len(fitted.patterns)])


def test_the_files_come_before_the_second_episode() -> None:
    budget = ENVELOPE_TOKENS + estimate_tokens(EPISODES[0]) + sum(map(estimate_tokens, FILES))
    fitted = fit(EPISODES, FILES, PATTERNS, budget)
    assert (len(fitted.episodes), fitted.files) == (1, tuple(FILES))


def test_whatever_kind_was_cut_the_answer_says_that_something_was() -> None:
    rows: list[Row] = [EPISODES[0], *FILES]
    whole = ENVELOPE_TOKENS + sum(map(estimate_tokens, rows))
    assert not fit(EPISODES[:1], FILES, [], whole).truncated
    assert fit(EPISODES[:1], FILES, [], whole - 1).truncated
    assert fit(EPISODES[:2], FILES, [], whole).truncated
    assert fit(EPISODES[:1], FILES, PATTERNS, whole).truncated


def test_the_first_episode_is_shown_small_rather_than_not_at_all() -> None:
    fitted = fit([episode(0, ("a long lesson " * 40,))], FILES, PATTERNS, ENVELOPE_TOKENS)
    assert fitted.episodes[0].episode_id == "ep0"
    assert fitted.episodes[0].key_steps == fitted.episodes[0].lessons == ()
    assert fitted.files == fitted.patterns == ()


def test_what_an_episode_tells_fits_before_what_others_have_at_length() -> None:
    long = [replace(episode(i, ("a long lesson " * 10,)), points=()) for i in range(3)]
    tells = replace(episode(3), points=("did `make shards`", "unlike it, 2 attempts that did not succeed called cancel"))
    for budget in range(600, 1_200, 50):
        fitted = fit([*long, tells, episode(4)], FILES, PATTERNS, budget)
        assert [row.points[:1] for row in fitted.episodes[:4] if row.points] == [("did `make shards`",)]
        assert [row.episode_id for row in fitted.episodes] == [f"ep{n}" for n in range(len(fitted.episodes))]
        assert fitted.tokens <= budget
