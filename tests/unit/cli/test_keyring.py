"""A token of a shared log in the platform's keyring: kept there and nowhere else, read where the log is opened, and said what is amiss."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from mcp_memory import bootstrap, keyring_tokens
from mcp_memory.cli.main import main
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.errors import ConfigError, RemoteRefused
from mcp_memory.remote_config import RemoteConfig
from mcp_memory.replication.hrana_log import HranaLog
from mcp_memory.replication.later_log import LaterLog
from mcp_memory.testing import InMemoryLog

URL = "http://127.0.0.1:9/memory"  # nobody listens there
TOKEN = "a token of the keyring"


class InMemory(KeyringBackend):
    """A keyring in a dict."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def ring() -> Iterator[InMemory]:
    before, made = keyring.get_keyring(), InMemory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def no_ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


def added(monkeypatch: pytest.MonkeyPatch, folder: Path, token: str = TOKEN, *more: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{token}\n"))
    return main(["remote", "add", URL, "--keyring", "--data-dir", str(folder), *more])


def config_of(folder: Path) -> Config:
    return load_config(env={}, flags={"storage.data_dir": str(folder), "embedding.provider": "off"})


def test_a_token_is_in_the_keyring_and_in_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ring: InMemory) -> None:
    added(monkeypatch, tmp_path)
    assert ring.kept == {(keyring_tokens.SERVICE, URL): TOKEN}
    assert [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()] == []
    (remote,) = config_of(tmp_path).remotes
    assert (remote.keyring, remote.token) == (True, ""), "settings are read by every hook: no keyring is asked for them"
    assert main(["remote", "remove", URL, "--data-dir", str(tmp_path)]) == 0
    assert ring.kept == {}


def test_a_log_is_opened_with_the_token_of_the_keyring_at_its_first_use(monkeypatch: pytest.MonkeyPatch, ring: InMemory) -> None:
    seen: list[RemoteConfig] = []

    def opened(remote: RemoteConfig) -> InMemoryLog:
        seen.append(remote)
        return InMemoryLog()

    monkeypatch.setattr(bootstrap, "_log_of", opened)
    log = bootstrap._open_log(RemoteConfig(URL, keyring=True))
    assert seen == []
    ring.set_password(keyring_tokens.SERVICE, URL, TOKEN)
    log.ensure()
    assert [remote.token for remote in seen] == [TOKEN]
    assert log.newest_batch() == (0, "")
    log.close()


def test_a_keyring_that_cannot_be_read_refuses_the_log_and_is_asked_again(no_ring: None) -> None:
    log = bootstrap._open_log(RemoteConfig(URL, keyring=True))
    for _ in range(2):
        with pytest.raises(RemoteRefused, match="keyring cannot be read") as refused:
            log.ensure()
        assert "--token-env" in refused.value.hint
    log.close()
    with pytest.raises(ConfigError, match="cannot keep a token"):
        keyring_tokens.store(URL, TOKEN)


def test_without_the_extra_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp_memory.keyring_tokens", None)
    monkeypatch.delattr("mcp_memory.keyring_tokens", raising=False)
    assert added(monkeypatch, tmp_path) == 1
    assert "pip install 'mcp-episodic-memory[keyring]'" in capsys.readouterr().err
    assert not (tmp_path / "remotes.toml").exists(), "nothing is noted that could not be used"


def test_a_log_without_a_keyring_is_opened_at_once() -> None:
    log = bootstrap._open_log(RemoteConfig("http://127.0.0.1:9"))
    assert isinstance(log, HranaLog)
    log.close()
    assert isinstance(bootstrap._open_log(RemoteConfig(URL, keyring=True)), LaterLog)


@pytest.mark.parametrize("more", [("--token-env", "MEMORY_TOKEN")])
def test_two_places_for_one_token_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ring: InMemory, more: tuple[str, ...]
) -> None:
    assert added(monkeypatch, tmp_path, TOKEN, *more) == 1
    assert ring.kept == {}
