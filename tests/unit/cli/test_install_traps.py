"""A clone of a stranger's repository holds links and files that its author chose: installing into it must write nowhere else."""

import os
from pathlib import Path

import pytest

from mcp_memory import plain_files as files
from mcp_memory.cli.main import main
from mcp_memory.errors import InvalidInput

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
KEYS = '{"keys": "of the person"}\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def target(home: Path) -> Path:
    """A file of the person's own that a link in the clone leads to. It is JSON: nothing but the link keeps us from editing it."""
    path = home / "authorized_keys"
    path.write_text(KEYS, encoding="utf-8")
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    path = tmp_path / "clone"
    path.mkdir()
    return path


INSTALL = ["install", "claude-code", "--hooks", "--project-dir"]


@pytest.mark.parametrize("name", [".mcp.json", ".claude/settings.json"])
def test_a_file_that_is_a_link_out_of_the_project_is_refused(
    name: str, clone: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone / name).parent.mkdir(exist_ok=True)
    (clone / name).symlink_to(target)
    assert main([*INSTALL, str(clone)]) == 1
    assert target.read_text() == KEYS
    assert "link out of the project" in capsys.readouterr().err
    assert sorted(path.name for path in clone.rglob("*") if path.is_file()) == [Path(name).name]  # neither file was written


@pytest.mark.parametrize("name", [".mcp.json", ".claude/settings.json"])
def test_nor_is_a_file_made_at_the_end_of_a_link(name: str, clone: Path, home: Path) -> None:
    (clone / name).parent.mkdir(exist_ok=True)
    for absent in (home / ".bashrc", clone / ".git" / "hooks" / "post-checkout"):
        (clone / name).symlink_to(absent)
        assert main([*INSTALL, str(clone)]) == 1
        assert not absent.exists()
        (clone / name).unlink()


@pytest.mark.parametrize("folder", [".claude", ".cursor", ".codex", ".gemini"])
def test_a_folder_that_is_a_link_out_of_the_project_is_refused(folder: str, clone: Path, home: Path) -> None:
    (clone / folder).symlink_to(home)
    host = {".claude": "claude-code"}.get(folder, folder[1:])
    hooks = [] if host == "cursor" else ["--hooks"]
    assert main(["install", host, *hooks, "--project-dir", str(clone)]) == 1
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("suffix", [".before-mcp-memory", ".part", ".before", ".tmp"])
def test_no_name_beside_the_file_can_be_a_trap(suffix: str, clone: Path, target: Path) -> None:
    (clone / ".mcp.json").write_text('{"mcpServers": {}}', encoding="utf-8")
    (clone / f".mcp.json{suffix}").symlink_to(target)
    assert main(["install", "claude-code", "--project-dir", str(clone)]) == 0
    assert target.read_text() == KEYS
    assert "memory" in (clone / ".mcp.json").read_text()
    assert sorted(path.name for path in clone.iterdir()) == [".mcp.json", f".mcp.json{suffix}"]


def test_uninstalling_writes_through_no_link_either(clone: Path, target: Path) -> None:
    main([*INSTALL, str(clone)])
    (clone / ".mcp.json").unlink()
    (clone / ".mcp.json").symlink_to(target)
    assert main(["install", "claude-code", "--project-dir", str(clone), "--uninstall"]) == 1
    assert target.read_text() == KEYS


def test_a_link_within_the_project_is_followed_and_stays(clone: Path, home: Path) -> None:
    (clone / "config").mkdir()
    (clone / "config" / "mcp.json").write_text("{}", encoding="utf-8")
    (clone / ".mcp.json").symlink_to(Path("config") / "mcp.json")
    assert main(["install", "claude-code", "--project-dir", str(clone)]) == 0
    assert (clone / ".mcp.json").is_symlink()
    assert "memory" in (clone / "config" / "mcp.json").read_text()


def test_a_project_that_is_reached_by_a_link_is_the_persons_own_choice(clone: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(clone)
    assert main(["install", "claude-code", "--project-dir", str(tmp_path / "here")]) == 0
    assert (clone / ".mcp.json").exists()


def test_a_link_put_there_after_the_look_is_not_followed(clone: Path, target: Path) -> None:
    path = files.real_path(clone / ".mcp.json", clone)
    path.symlink_to(target)
    with pytest.raises(OSError, match=r"."):
        files.read(path, clone)
    files.write(path, b"{}", clone)  # takes the link's place
    assert target.read_text() == KEYS
    assert not path.is_symlink()


def test_a_folder_swapped_for_a_link_after_the_look_is_not_followed(clone: Path, home: Path) -> None:
    path = files.real_path(clone / ".claude" / "settings.json", clone)
    (clone / ".claude").symlink_to(home)
    with pytest.raises(OSError, match=r"."):
        files.write(path, b"{}", clone)
    assert list(home.iterdir()) == []


def test_a_pipe_or_a_device_in_the_files_place_is_refused_without_waiting(clone: Path, home: Path) -> None:
    os.mkfifo(clone / ".mcp.json")
    assert main(["install", "claude-code", "--project-dir", str(clone)]) == 1
    with pytest.raises(InvalidInput):
        files.read(Path("/dev/zero"))


def test_a_file_that_is_too_large_is_refused(clone: Path, home: Path) -> None:
    with (clone / ".mcp.json").open("wb") as file:
        file.truncate(files.MAX_BYTES + 1)  # a hole: nothing is written
    assert main(["install", "claude-code", "--project-dir", str(clone)]) == 1


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_is_kept(mode: int, clone: Path, home: Path) -> None:
    file = clone / ".mcp.json"
    file.write_text("{}", encoding="utf-8")
    file.chmod(mode)
    main(["install", "claude-code", "--project-dir", str(clone)])
    assert file.stat().st_mode & 0o777 == mode
    main(["install", "claude-code", "--project-dir", str(clone), "--uninstall"])
    assert file.stat().st_mode & 0o777 == mode
    assert file.read_text() == "{}"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(clone: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = clone / ".mcp.json"
    file.write_text("{}", encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["install", "claude-code", "--project-dir", str(clone)]) == 1
    assert [path.name for path in clone.iterdir()] == [".mcp.json"]
    assert file.read_text() == "{}"
