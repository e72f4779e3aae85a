"""Arguments shown as an example."""

from dataclasses import replace
from typing import Any

import pytest

from mcp_memory.domain.episode import Episode, Step
from mcp_memory.learning.telling.examples import arguments_of, calls_own, text_of_run

LONG = "word " * 200


def episode(**arguments: object) -> Episode:
    return Episode("e", "p", "t", steps=(Step("edit", arguments=arguments),), step_count=1)


def shown(run: str = "", **arguments: Any) -> dict[str, Any]:
    found = arguments_of(episode(**arguments), 0, 100, run)
    assert found is not None
    return found


def test_what_says_nothing_of_a_case_is_shown_as_it_was() -> None:
    arguments: dict[str, Any] = {"cabin": "economy", "line": 3, "flags": ["-v"], "path": "a.py", "deep": {"ok": True, "none": None}}
    assert shown(**arguments) == arguments


def test_long_texts_and_lists_are_cut_at_every_depth() -> None:
    found = shown(text=LONG, path="a.py", deep={"list": [LONG] * 50})
    assert found["text"] == LONG[:99] + "…"
    assert found["deep"] == {"list": [LONG[:99] + "…"] * 10}


def test_without_arguments_there_is_no_example() -> None:
    assert arguments_of(episode(), 0, 100, "") is None
    assert arguments_of(None, 0, 100, "") is None
    assert arguments_of(episode(a=1), 1, 100, "") is None


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("user_id", "mohamed_silva_9265", "<user_id>"),
        ("user_id", "'mohamed_silva_9265'", "<user_id>"),
        ("contact", "ana@example.org", "<email>"),
        ("date", "2024-05-16", "<date>"),
        ("summary", "Customer wants to cancel the booking of his aunt", "<summary>"),
        ("name", "Michael Smith", "<name>"),
        ("reservation_id", "4WQ150", "<reservation_id>"),
        ("amount", 4821, "<amount>"),
        ("passengers", [{"first_name": "Mia", "dob": "1990-01-01"}], [{"first_name": "<first_name>", "dob": "<date>"}]),
    ],
)
def test_a_value_of_another_case_is_a_placeholder_by_its_kind(name: str, value: Any, instead: Any) -> None:
    assert shown(**{name: value}) == {name: instead}


def test_a_value_of_this_run_is_shown() -> None:
    assert shown(text_of_run(Episode("now", "p", "Cancel 4WQ150 for mia_li_3668")), id="4WQ150", user="mia_li_3668") == {
        "id": "4WQ150",
        "user": "mia_li_3668",
    }
    assert shown("it costs 4821", amount=4821, other=482) == {"amount": 4821, "other": "<other>"}


def test_a_part_of_a_value_is_not_the_value() -> None:
    assert shown("order 123456", order_id="1234") == {"order_id": "<order_id>"}


def test_commands_and_code_stay_and_foreign_ids_in_them_are_replaced() -> None:
    assert shown(command="pytest -q tests/test_cart.py") == {"command": "pytest -q tests/test_cart.py"}
    assert shown(command="git show 1a2b3c4d && mail ana@example.org") == {"command": "git show <id> && mail <email>"}
    assert shown("see 1a2b3c4d", command="git show 1a2b3c4d") == {"command": "git show 1a2b3c4d"}
    edit = {"path": "src/cart.py", "old": "total = 0", "new": "total = Decimal(0)"}
    assert shown(**edit) == edit


@pytest.mark.parametrize(
    ("command", "shown_as"),
    [
        ("kubectl logs cart", "kubectl logs <name>"),
        ("kubectl -n shop logs cart --tail 50 | grep cart", "kubectl -n shop logs <name> --tail 50 | grep <name>"),
        ("kubectl describe pod cart-6b7f8c9d5", "kubectl describe pod <name>"),
        ("docker restart ledger", "docker restart <name>"),
        ("ssh web1 uptime", "ssh <name> uptime"),
        ("kubectl get pods", "kubectl get pods"),
        ("git checkout main", "git checkout main"),
        ("npm run build", "npm run build"),
        ("kubectl logs payments", "kubectl logs payments"),
    ],
)
def test_a_name_of_another_case_is_a_placeholder_in_a_short_command(command: str, shown_as: str) -> None:
    looked = Step("bash", arguments={"command": "docker ps"}, observation="NAMES\nledger")
    other = Episode(
        "e", "p", "The cart service does not come up", steps=(looked, Step("bash", arguments={"command": command})), step_count=2
    )
    assert arguments_of(other, 1, 100, "The payments service does not come up", alike=False) == {"command": shown_as}


def test_a_script_that_another_run_had_written_is_its_own_until_this_one_has_it() -> None:
    written = Step("write", arguments={"path": "walker.py", "content": "a = 1\n" * 9})
    ran, listed = (Step("bash", arguments={"command": command}) for command in ("python3 walker.py 1", "ls mazes"))
    other = replace(episode(), steps=(written, ran, listed))
    assert [calls_own(other, i, "Find the longest path") for i in (1, 2)] == [True, False]
    assert not calls_own(other, 1, "Find the longest path\n{'path': 'walker.py'}")
