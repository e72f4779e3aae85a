"""`Redacting`: what the verbs call on everything a caller wants stored."""

import copy
import gzip
import json
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_memory.domain.requests import LogStep
from mcp_memory.errors import InvalidInput
from mcp_memory.metrics import Metrics
from mcp_memory.redaction import redact_field, redact_tree
from mcp_memory.redaction.names import kind_of
from mcp_memory.verbs.redacting import Redacting

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
MARKER = "[redacted:github-token]"
DEV_SPLIT = Path(__file__).parents[4] / "shared" / "eval" / "dev" / "episodes"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def redacting(metrics: Metrics) -> Redacting:
    return Redacting(True, metrics)


def test_strings_at_any_depth_and_keys_are_redacted_and_the_input_is_left_as_it_was(redacting: Redacting) -> None:
    raw = {"tool": "bash", "arguments": {"a": [{"b": (f"x {TOKEN}", 1, None, True)}], TOKEN: 2}, "observation": TOKEN, "error": None}
    before = copy.deepcopy(raw)
    assert redacting.fields(raw) == {
        "tool": "bash",
        "arguments": {"a": [{"b": [f"x {MARKER}", 1, None, True]}], MARKER: 2},
        "observation": MARKER,
        "error": None,
    }
    assert raw == before


def test_containers_without_secrets_come_back_as_they_are(redacting: Redacting) -> None:
    raw = {"tool": "bash", "arguments": {"command": "ls", "deep": [1, {"x": "y"}]}, "tags": ("a", "b")}
    clean = redacting.fields(raw)
    assert all(clean[name] is value for name, value in raw.items())


def test_a_request_without_secrets_comes_back_as_it_is_whoever_made_its_names(redacting: Redacting) -> None:
    for _ in range(2):
        asked = LogStep(episode_id="e", tool="bash", arguments={"".join(["work", "_folder"]): "src"}, observation="nothing here")
        assert redacting.request(asked) is asked


def test_ids_of_our_own_are_left_alone(redacting: Redacting) -> None:
    raw = {"episode_id": "01a22655-b7b5-70f3-9614-f9cbab4979ec", "checkpoint_id": TOKEN}
    assert redacting.fields(raw) == raw


@pytest.mark.parametrize("field", ["episode_id", "external_id", "follows", "parent", "parent_id", "project", "recommendation_id"])
def test_a_secret_in_an_id_of_others_becomes_the_same_digest_every_time(redacting: Redacting, field: str) -> None:
    first, again, other = (redacting.fields({field: value})[field] for value in (TOKEN, TOKEN, TOKEN.replace("16C7", "27D8")))
    assert TOKEN not in first
    assert first == again
    assert first != other
    assert redacting.fields({field: "run-2026-01-31/7"}) == {field: "run-2026-01-31/7"}


def test_used_ids_and_name_value_pairs_and_argument_lists_are_looked_into(redacting: Redacting) -> None:
    clean = redacting.fields(
        {"used_ids": [TOKEN], "arguments": {"env": [{"name": "DB_PASSWORD", "value": "qx!7"}], "argv": ["x", "--password", "qx!7"]}}
    )
    assert TOKEN not in json.dumps(clean)
    assert "qx!7" not in json.dumps(clean)


def test_a_value_whose_key_names_a_secret_goes_as_a_whole(redacting: Redacting) -> None:
    secret = {"password": "swordfish", "apiKey": "k-123-456-789", "db": {"pass": "abc"}, "passwords": ["one", "two"], "passcode": 482913}
    assert redacting.fields({"arguments": secret})["arguments"] == {
        "password": "[redacted:password]",
        "apiKey": "[redacted:secret-key]",
        "db": {"pass": "[redacted:password]"},
        "passwords": ["[redacted:password]", "[redacted:password]"],
        "passcode": "[redacted:password]",
    }


def test_values_under_harmless_keys_and_placeholders_stay(redacting: Redacting) -> None:
    plain = {
        "token": "BTC",
        "max_tokens": "4096",
        "next_page_token": "CAUQAA1234567890abcdef",
        "password": "${DB_PASSWORD}",
        "secret": "my-k8s-secret",
        "api_key": "",
        "password_file": "/run/secrets/pw",
        "key": "8f14e45fceea167a5a36dedd4bea2543",
        "keys": ["a", "b"],
    }
    assert redacting.fields({"arguments": plain})["arguments"] is plain


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"),
        ("DB_PASSWORD", "password"),
        ("userPassword", "password"),
        ("api-key", "secret-key"),
        ("AWS_SECRET_ACCESS_KEY", "secret-key"),
        ("x-api-key", "secret-key"),
        ("session_token", "secret-key"),
        ("admin_secret", "secret"),
        ("authentication_token", "secret"),
        ("nextPageToken", None),
        ("eos_token", None),
        ("token_count", None),
        ("passenger", None),
        ("keyboard", None),
        ("secretary", None),
        ("tokenizer", None),
    ],
)
def test_names_are_told_apart(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_what_was_redacted_is_counted_by_rule(redacting: Redacting, metrics: Metrics) -> None:
    redacting.fields({"a": TOKEN, "b": {"c": f"{TOKEN} {TOKEN}"}, "d": "password='hunter2'"})
    assert redacting.fields({"a": "nothing here"}) == {"a": "nothing here"}
    assert redacting.fields({"a": TOKEN}) == {"a": MARKER}
    assert metrics.counters() == {"redacted": 5, "redacted.github-token": 4, "redacted.password": 1}


def test_switched_off_everything_passes(metrics: Metrics) -> None:
    off = Redacting(False, metrics)
    assert off.fields({"a": TOKEN}) == {"a": TOKEN}
    assert not metrics.counters()


def test_ill_typed_values_are_left_for_the_parser_to_refuse(redacting: Redacting) -> None:
    raw: dict[str, Any] = {"task": 5, "tags": "x", "metadata": [1.5, b"bytes"], "observation": None}
    assert redacting.fields(raw) == raw


def test_a_text_over_the_largest_limit_is_refused_not_scanned(redacting: Redacting) -> None:
    with pytest.raises(InvalidInput, match=r"`observation` has 100,001 characters"):
        redacting.fields({"observation": "x" * 100_001})


def test_nesting_without_end_is_refused(redacting: Redacting) -> None:
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(InvalidInput, match="nested deeper"):
        redacting.fields({"metadata": deep})


@pytest.mark.skipif(not DEV_SPLIT.is_dir(), reason="../shared/eval is not there")
def test_of_real_episodes_next_to_nothing_is_touched() -> None:
    texts = touched = 0

    def count(name: str, value: Any) -> None:
        nonlocal texts, touched
        if isinstance(value, dict):
            for key, item in value.items():
                count(key, item)
        elif isinstance(value, list):
            for item in value:
                count(name, item)
        elif isinstance(value, str):
            found: list[str] = []
            redact_tree(name, value[:100_000], found)
            texts, touched = texts + 1, touched + bool(found)

    for path in sorted(DEV_SPLIT.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                count("", json.loads(line))
    assert texts > 10_000
    assert touched / texts < 0.003  # each of them was looked at: passwords and keys that the agents were given or found


@pytest.mark.anyio
async def test_a_long_step_is_redacted_beside_the_event_loop_and_no_later_one_overtakes_it(
    redacting: Redacting, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    threads: dict[str, int] = {}

    def noted(name: str, value: Any, found: list[str], **how: Any) -> Any:
        if name == "observation":
            threads[value[:5]] = threading.get_ident()
        return redact_field(name, value, found, **how)

    async def log(observation: str) -> None:
        (step,) = await redacting.in_turn([LogStep(episode_id="e", tool="bash", observation=observation)])
        ended.append(step.observation)

    monkeypatch.setattr("mcp_memory.verbs.redacting.redact_field", noted)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(log, f"long {TOKEN} " + "and so on " * 2_000)
        tasks.start_soon(log, f"short {TOKEN}")
    assert [text[: 6 + len(MARKER)].split()[:2] for text in ended] == [["long", MARKER], ["short", MARKER]]
    assert threads["long "] != threading.get_ident() == threads["short"]
