"""Which project a folder belongs to."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.projects import display_name, project_at, project_by_remote, project_named_by

pytestmark = pytest.mark.anyio
GIT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "PATH": os.environ["PATH"]}


def git(folder: Path, *words: str) -> None:
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *author, *words], cwd=folder, env=GIT, check=True, capture_output=True)


def repository(folder: Path, remote: str = "") -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    if remote:
        git(folder, "remote", "add", "origin", remote)
    return folder


def name_at(folder: Path) -> str:
    found = project_at(str(folder), home="/home/nobody")
    assert found is not None
    return found.name


def test_two_clients_folders_of_one_name_are_two_projects(tmp_path: Path) -> None:
    first, second = repository(tmp_path / "a" / "api"), repository(tmp_path / "b" / "api")
    assert name_at(first) != name_at(second)
    assert display_name(name_at(first)) == display_name(name_at(second)) == "api"
    first_plain, second_plain = tmp_path / "c" / "web", tmp_path / "d" / "web"
    first_plain.mkdir(parents=True)
    second_plain.mkdir(parents=True)
    assert name_at(first_plain) != name_at(second_plain)


@pytest.mark.parametrize("relative", ["false", "true"])
@pytest.mark.parametrize("remote", ["", "git@github.com:acme/api.git"])
def test_a_worktree_a_folder_in_it_and_a_link_to_it_are_the_repository(tmp_path: Path, remote: str, relative: str) -> None:
    main = repository(tmp_path / "api", remote)
    git(main, "-c", f"worktree.useRelativePaths={relative}", "worktree", "add", "-q", str(tmp_path / "fix-login"))
    inner = tmp_path / "fix-login" / "src"
    inner.mkdir()
    (tmp_path / "link").symlink_to(main)
    assert {name_at(folder) for folder in (main, tmp_path / "fix-login", inner, tmp_path / "link")} == {name_at(main)}
    found = project_at(str(inner), home="/home/nobody")
    assert found is not None
    assert {"api", "fix-login", "src"} <= set(found.before)  # what earlier versions called it


@pytest.mark.parametrize(
    "url",
    [
        "git@github.com:Acme/API.git",
        "https://ana:ghp_secret@github.com/acme/api",
        "ssh://git@github.com:22/acme/api.git/",
        "https://github.com/acme/api.git?x=1",
    ],
)
def test_every_way_to_write_a_remote_is_one_project_and_no_password_is_kept(tmp_path: Path, url: str) -> None:
    assert name_at(repository(tmp_path / "clone", url)) == "github.com/acme/api"


def test_a_remote_that_is_a_folder_is_one_project_for_all_its_clones(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    names = {name_at(repository(tmp_path / folder, str(tmp_path / "origin.git"))) for folder in ("one", "two")}
    assert {display_name(name) for name in names} == {"origin"}
    assert len(names) == 1


def test_a_repository_that_gets_a_remote_knows_its_earlier_name(tmp_path: Path) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    plain = name_at(folder)
    git(folder, "init", "-q")
    assert name_at(folder) == plain
    git(folder, "remote", "add", "upstream", "git@github.com:acme/api.git")
    found = project_at(str(folder), home="/home/nobody")
    assert found is not None
    assert (found.name, found.before) == ("github.com/acme/api", (plain, "api"))


def test_a_git_file_that_is_not_pointed_back_at_leads_nowhere(tmp_path: Path) -> None:
    victim = repository(tmp_path / "victim", "git@github.com:acme/secret.git")
    git(victim, "worktree", "add", "-q", str(tmp_path / "real"))
    for told in (tmp_path / "victim" / ".git", tmp_path / "victim" / ".git" / "worktrees" / "real", "//server/share/.git"):
        archive = tmp_path / "archive"
        archive.mkdir(exist_ok=True)
        (archive / ".git").write_text(f"gitdir: {told}\n")
        assert display_name(name_at(archive)) == "archive", told
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / ".git").symlink_to(victim / ".git")
    assert display_name(name_at(linked)) == "linked"


def test_a_submodule_is_a_project_of_its_own(tmp_path: Path) -> None:
    part, whole = repository(tmp_path / "part"), repository(tmp_path / "whole", "git@github.com:acme/whole.git")
    git(whole, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(part), "lib")
    assert name_at(whole) == "github.com/acme/whole"
    assert name_at(whole / "lib") == name_at(part)  # its remote is the folder it was cloned from


def test_the_home_directory_and_the_root_are_nobodys_project(tmp_path: Path) -> None:
    home = repository(tmp_path / "ana")
    (home / "notes").mkdir()
    for folder in (str(home), "/", "", "relative/folder", "//server/share"):
        assert project_at(folder, home=str(home)) is None, folder
    notes = project_at(str(home / "notes"), home=str(home))
    assert notes is not None
    assert display_name(notes.name) == "notes"  # a repository of dotfiles is not that of everything below it


def test_a_pipe_for_a_settings_file_is_not_waited_for_and_a_huge_one_not_read(tmp_path: Path) -> None:
    folder = repository(tmp_path / "api")
    (folder / ".git" / "config").unlink()
    os.mkfifo(folder / ".git" / "config")
    assert display_name(name_at(folder)) == "api"
    (folder / ".git" / "config").unlink()
    (folder / ".git" / "config").write_text("#" * 300_000 + '\n[remote "origin"]\n\turl = git@github.com:acme/late.git\n')
    assert display_name(name_at(folder)) == "api"


def test_a_folder_of_another_machine_is_named_by_its_path() -> None:
    windows, unix = project_named_by("C:\\work\\api\\"), project_named_by("/home/ben/api")
    assert windows is not None
    assert unix is not None
    assert windows.name != unix.name
    assert windows.before == unix.before == ("api",)
    assert project_named_by("C:\\") is None
    assert project_named_by("") is None


def test_a_record_that_names_the_remote_is_the_repositorys() -> None:
    found = project_by_remote("https://github.com/acme/api.git", "/gone/fix-login")
    assert found is not None
    assert found.name == "github.com/acme/api"
    assert "fix-login" in found.before
    assert project_by_remote("", "/gone/api") is None


async def test_memories_under_a_folders_name_are_found_by_the_first_who_has_a_right_to_it(memory: EpisodicMemory, tmp_path: Path) -> None:
    """Two clients' `api`: what an earlier version recorded in one of them goes to that one, and is said."""
    mine, theirs = repository(tmp_path / "a" / "api", "git@github.com:acme/api.git"), repository(tmp_path / "b" / "api")
    await memory.start_episode("Fix the rounding", project="api", metadata={"working_dir": str(mine)})
    for folder, kept in ((theirs, name_at(theirs)), (mine, "api"), (mine, "api"), (theirs, name_at(theirs))):
        found = project_at(str(folder), home="/home/nobody")
        assert found is not None
        assert await memory.project_named(found) == kept
    assert (await memory.memory_status()).kept_as == {"github.com/acme/api": "api"}


async def test_an_import_goes_where_hooks_of_an_earlier_version_recorded(memory: EpisodicMemory, tmp_path: Path) -> None:
    folder = repository(tmp_path / "api")
    await memory.start_episode("Fix the rounding", project="api", external_id="claude-code/s1/p1")
    line = json.dumps(
        {"task": "Fix the rounding", "external_id": "claude-code/s1/p1", "project": name_at(folder), "project_before": ["api"]}
    )
    other = line.replace("s1/p1", "s2/p1")
    report = await memory.import_lines([line, other], dry_run=True)
    assert (report.added, report.skipped, dict((await memory.memory_status()).kept_as)) == (1, 1, {})
    report = await memory.import_lines([line, other])
    assert (report.added, report.skipped, dict(report.ignored)) == (1, 1, {})
    assert {row.project for row in (await memory.search_episodes(project="*")).episodes} == {"api"}


async def test_a_repository_that_gets_a_remote_keeps_its_memories(memory: EpisodicMemory, tmp_path: Path) -> None:
    folder = repository(tmp_path / "api")
    await memory.start_episode("Fix the rounding", project=name_at(folder))
    git(folder, "remote", "add", "origin", "git@github.com:acme/api.git")
    found = project_at(str(folder), home="/home/nobody")
    assert found is not None
    assert await memory.project_named(found) == found.before[0]
