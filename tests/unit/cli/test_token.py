"""Tokens: shown once, kept as hashes, accepted by the server until they are revoked."""

import json
from pathlib import Path

import pytest

from mcp_memory.cli.main import main
from mcp_memory.server.token_file import Holder, TokenFile, read_tokens


def made(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, str]:
    assert main(["token", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_token_for_one_project_says_so_in_its_file_and_its_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tokens"
    assert main(["token", str(path), "--name", "ci", "--project", "github.com/acme/my api"]) == 0
    token = capsys.readouterr().out.strip()
    assert TokenFile(path).tokens().holder(token) == Holder("ci", ("github.com/acme/my api",))
    assert main(["token", str(path), "--name", "owner"]) == 0
    capsys.readouterr()
    assert main(["token", str(path), "--list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(row[0], row[-1]) for row in rows[1:]] == [("ci", "api"), ("owner", "all")]
    with pytest.raises(SystemExit):
        main(["token", "--project", "shop"])


def test_a_token_for_several_projects_is_for_all_of_them_and_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tokens"
    answer = made(capsys, str(path), "--name", "ci", "--project", "my shop", "--project", "depot", "--project", "depot")
    assert TokenFile(path).tokens().holder(answer["token"]) == Holder("ci", ("my shop", "depot"))
    listed = json.loads(_out(capsys, "token", str(path), "--list", "--json"))["tokens"]
    assert [entry["projects"] for entry in listed] == [["my shop", "depot"]]
    assert "my shop, depot" in _out(capsys, "token", str(path), "--list")


def test_the_file_holds_the_hash_and_the_server_accepts_the_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tokens"
    token = made(capsys, str(path), "--name", "laptop")["token"]
    assert token not in path.read_text(encoding="utf-8")
    assert TokenFile(path).tokens().holder(token) == Holder("laptop")
    assert TokenFile(path).tokens().holder(token + "x") is None


def test_the_entry_can_stand_in_for_the_token_in_the_servers_setting(capsys: pytest.CaptureFixture[str]) -> None:
    answer = made(capsys)
    assert read_tokens(answer["entry"]).holder(answer["token"])


def test_the_entry_of_a_token_for_one_project_is_for_that_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = made(capsys, str(tmp_path / "tokens"), "--name", "ci", "--project", "shop")
    elsewhere = tmp_path / "of another server"
    elsewhere.write_text(answer["entry"] + "\n", encoding="utf-8")
    assert TokenFile(elsewhere).tokens().holder(answer["token"]) == Holder("ci", ("shop",))


def test_tokens_are_listed_and_revoked_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tokens"
    tokens = [made(capsys, str(path))["token"] for _ in range(2)]
    names = [entry["name"] for entry in json.loads(_out(capsys, "token", str(path), "--list", "--json"))["tokens"]]
    assert len(set(names)) == 2
    _out(capsys, "token", str(path), "--revoke", names[0])
    accepted = TokenFile(path).tokens()
    assert [accepted.holder(token) is not None for token in tokens] == [False, True]
    assert names[1] in _out(capsys, "token", str(path), "--list")


def test_without_json_only_the_token_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token"]) == 0
    told = capsys.readouterr()
    assert len(told.out.split()) == 1
    assert "not shown again" in told.err


def test_listing_and_revoking_need_a_file_and_a_known_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["token", "--list"])
    made(capsys, str(tmp_path / "tokens"))
    assert main(["token", str(tmp_path / "tokens"), "--revoke", "nobody"]) == 1


def _out(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(list(argv)) == 0
    return capsys.readouterr().out
