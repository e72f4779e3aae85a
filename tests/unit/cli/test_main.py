"""The command table: dispatch, exit statuses, and how errors are told."""

from collections.abc import Callable

import pytest

from mcp_memory.cli import main as cli
from mcp_memory.errors import ConfigError, NotFound


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in cli.COMMANDS)


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mcp-memory ")


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fly"]) == 2
    assert "'fly'" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["config", "--fly"])
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], (None, [])),
        (["--tools", "full"], ("full", ["--tools"])),
        (["--data-dir", "d"], (None, ["--data-dir", "d"])),
        (["--data-dir", "d", "recall", "x"], ("recall", ["--data-dir", "d", "x"])),
        (["--data-dir=d", "recall", "x"], ("recall", ["--data-dir=d", "x"])),
        (["recall", "--json", "x"], ("recall", ["--json", "x"])),
    ],
)
def test_common_options_may_stand_before_the_command(argv: list[str], expected: tuple[str | None, list[str]]) -> None:
    assert cli.split(argv) == expected


@pytest.mark.parametrize("wrap", [lambda e: e, lambda e: ExceptionGroup("g", [ExceptionGroup("h", [e])])])
def test_our_errors_become_one_line_a_hint_and_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrap: Callable[[Exception], Exception]
) -> None:
    def fail(argv: list[str]) -> int:
        raise wrap(NotFound("no episode x", hint="Look again."))

    monkeypatch.setattr(cli, "_run", fail)
    assert cli.main([]) == 1
    assert capsys.readouterr().err == "not_found: no episode x\nLook again.\n"


def test_a_wrong_setting_is_reported_not_raised(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCP_MEMORY_STORAGE__SYNCHRONUS", "FULL")
    assert cli.main(["config"]) == 1
    assert capsys.readouterr().err.startswith(f"{ConfigError.code}: ")


def test_an_error_that_is_not_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(argv: list[str]) -> int:
        raise ExceptionGroup("g", [ZeroDivisionError()])

    monkeypatch.setattr(cli, "_run", fail)
    with pytest.raises(ExceptionGroup):
        cli.main([])


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_describes_itself_and_takes_the_common_options(name: str) -> None:
    help_text = cli.parser_of(name).format_help()
    assert all(option in help_text for option in ("--data-dir", "--project", "--config"))
