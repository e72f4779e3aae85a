"""`mcp-memory token`: made once, listed by name, revoked."""

import json
from pathlib import Path

import pytest

from mcp_memory.cli.main import main
from mcp_memory.server.token_file import TokenFile, read_tokens


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_token_is_printed_once_and_its_file_lets_it_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tokens"
    assert main(["token", str(path), "--name", "ann"]) == 0
    ann = printed(capsys).strip()
    assert main(["token", str(path), "--json"]) == 0
    made = json.loads(printed(capsys))
    assert made["name"] == "token-1"
    tokens = TokenFile(path).tokens()
    assert (tokens.holder(ann), tokens.holder(made["token"])) == ("ann", "token-1")
    assert ann not in path.read_text()


def test_tokens_are_listed_and_revoked_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tokens"
    for name in ("ann", "bob"):
        main(["token", str(path), "--name", name])
    printed(capsys)
    assert main(["token", str(path), "--revoke", "ann"]) == 0
    printed(capsys)
    assert main(["token", str(path), "--list", "--json"]) == 0
    assert [row["name"] for row in json.loads(printed(capsys))] == ["bob"]
    assert main(["token", str(path), "--revoke", "ann"]) != 0


def test_without_a_file_the_hash_is_printed_for_the_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--name", "ann", "--json"]) == 0
    made = json.loads(printed(capsys))
    assert read_tokens(made["entry"]).holder(made["token"]) == "ann"
