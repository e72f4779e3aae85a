"""The short texts of a record are looked at together: what is found is what is found in each of them."""

import random
import re

import pytest

from mcp_memory.redaction import look_for, redact, redact_record, together, tree
from mcp_memory.redaction.table import TABLE

TOKEN = f"ghp_{'a1B2' * 9}"


def cut_up(rng: random.Random) -> list[str]:
    """Return rules' examples, keywords and quotes side by side, cut into fields wherever it may be."""
    found = [re.sub(r"\{\w(\d+)\}", lambda size: ("16C7e42F29" * 10)[: int(size[1])], rule.found) for rule in TABLE]
    between = ["\\n", " ", "\n", "key=", "password: ", "'", '"', '\\"', "by ", "\x1b[0m", "ordinary words ", "a1b2c3d4 " * 30]
    pieces = found * 2 + [piece for rule in TABLE for piece in (*rule.keywords, rule.spared)] + between * 20
    text = "".join(rng.choices(pieces, k=rng.randint(1, 8)))
    cuts = sorted(rng.randrange(len(text) + 1) for _ in range(3))
    return [text[i:j] for i, j in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def test_fields_looked_at_together_lose_what_each_of_them_would(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    records = [dict(zip(("action", "tool", "observation", "arguments"), cut_up(rng), strict=True)) for _ in range(1_500)]
    together = [redact_record(record, [], ours=(), ids=("tool",)) for record in records]
    assert sum(look_for(record.items()) is not redact for record in records) > 300
    monkeypatch.setattr(tree, "look_for", lambda fields: redact)
    assert [redact_record(record, [], ours=(), ids=("tool",)) for record in records] == together
    assert sum(clean != record for clean, record in zip(together, records, strict=True)) > 300


@pytest.mark.parametrize(
    "text",
    [
        "CREATE USER bob IDENTIFIED BY hunter22!",  # the end of the text is the end of the statement
        '{\\"api_key\\": \\"2wEzgCwCMnP8V5kJ',  # a quote that nothing closes
        f"password = 'x{'a1 b2! ' * 40}",
        f"--token {TOKEN}",
    ],
)
def test_what_only_the_end_of_a_text_makes_a_secret_is_found_before_another_text(text: str) -> None:
    assert redact(text)[1]
    assert redact_record({"action": text, "observation": "ordinary words"}, [], ours=(), ids=()) == {
        "action": redact(text)[0],
        "observation": "ordinary words",
    }


def test_what_begins_in_one_field_and_goes_on_in_another_is_no_secret() -> None:
    record = {"action": "the password:", "observation": "hunter2! is what it printed", "arguments": {"x": "eyJhbGciOi"}}
    assert redact_record(record, [], ours=(), ids=()) == record


def test_a_secret_deep_in_arguments_or_among_ids_is_found() -> None:
    deep = {"a": [{"b": [{"c": ["nothing here", f"x {TOKEN}"]}]}]}
    found: list[str] = []
    clean = redact_record({"arguments": deep, "episode_id": TOKEN, "observation": "nothing here"}, found, ours=(), ids=("episode_id",))
    assert TOKEN not in str(clean)
    assert found == ["github-token"] * 2


def test_the_texts_of_a_small_record_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def recorded(text: str) -> tuple[str, tuple[str, ...]]:
        looked.append(text)
        return redact(text)

    monkeypatch.setattr(together, "redact", recorded)
    record = {"action": "read the test first", "observation": "1 passed, 2 failed", "arguments": {"command": "python -m pytest", "n": 60}}
    assert redact_record(record, [], ours=(), ids=()) == record
    assert len([text for text in looked if " " in text]) == 1


def test_a_clean_text_that_came_before_is_still_masked_under_a_name_that_says_what_it_is() -> None:
    for _ in range(2):
        assert redact_record({"arguments": {"title": "sword-fish"}}, [], ours=(), ids=()) == {"arguments": {"title": "sword-fish"}}
        assert redact_record({"arguments": {"password": "sword-fish"}}, [], ours=(), ids=()) == {
            "arguments": {"password": "[redacted:password]"}
        }
        pair = {"name": "DB_PASSWORD", "value": "sword-fish"}
        assert redact_record({"env": pair}, [], ours=(), ids=()) == {"env": pair | {"value": "[redacted:password]"}}
        command = {"argv": ["login", "--password", "sword-fish"]}
        assert redact_record(command, [], ours=(), ids=()) == {"argv": ["login", "--password", "[redacted:password]"]}


def test_of_texts_that_come_again_only_clean_ones_are_remembered_and_not_without_end() -> None:
    remembered = together.Remembered()
    for number in range(20_000):
        remembered.add(f"line {number}")
    remembered.add("x" * 1_000)
    assert 0 < len(remembered.texts) < 5_000
    assert max(map(len, remembered.texts)) < 100
    for record in ({"action": TOKEN}, {"action": f"export X={TOKEN}", "tool": "bash-of-mine"}, {"arguments": {TOKEN: "nothing here"}}):
        redact_record(record, [], ours=(), ids=())
        assert not [text for text in together._clean.texts | together._silent.texts if TOKEN in text]


def test_a_record_whose_keys_and_texts_came_before_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    record = {"tool": "read_file", "arguments": {"file_path": "src/orders/total.py", "deep": [{"of_it": "the same as ever"}]}}
    assert redact_record(record, [], ours=(), ids=()) == record
    monkeypatch.setattr(together, "redact", lambda text: pytest.fail(text))
    assert redact_record(record, [], ours=(), ids=()) == record
