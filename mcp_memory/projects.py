"""Which project a folder belongs to: the same answer for hooks, servers and imports.

A project is a repository: its remote, else the folder of its git directory, so that a worktree and its repository are one project and two
folders called `api` are two. Outside a repository it is the folder itself. Nothing is run, and nothing is believed that points elsewhere
without being pointed back at: a `.git` file that came with somebody's archive does not lead to another repository's memory. Imports next
to nothing: the hooks start with every step an agent makes.
"""

import os
import stat
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_NAME_CHARS = 200  # as of every name that is stored
DEFAULT_PROJECT = "default"  # of who is in none
MAX_LEVELS = 64  # of folders looked at
_MAX_FILE_BYTES = 256 * 1024  # of a file of git's
_PORT_DIGITS = 5


class Project:
    """A project: the name it is kept under, and names that earlier versions gave it, the likeliest first."""

    __slots__ = ("before", "name")

    def __init__(self, name: str, before: "Sequence[str]" = ()) -> None:
        self.name, self.before = name, tuple(dict.fromkeys(other for other in before if other and other != name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Project) and (self.name, self.before) == (other.name, other.before)

    def __hash__(self) -> int:
        return hash((self.name, self.before))

    def __repr__(self) -> str:
        return f"Project({self.name!r}, {self.before!r})"


def project_at(folder: str, home: str | None = None) -> Project | None:
    """Return the project of a folder of this machine; None for one that says nothing: no absolute path, the home directory, the root.

    Reads a few small files of git's, and none outside the repository (of a worktree: its repository's).
    """
    here = _real(folder, home := os.path.realpath(os.path.expanduser("~") if home is None else home))
    if not here:
        return None
    root = _root(here, home)
    if root is None:
        return Project(_local(here), (last_part(here),))
    git = _git_folder(root)
    main = root if git is None else _main_folder(git)
    local, names = _local(main), (last_part(main), last_part(root), last_part(here))
    remote = "" if git is None else _remote_name(_text(os.path.join(git, "config")), main)
    return Project(remote or local, (local, *names) if remote else names)


def root_of(folder: str) -> str:
    """Return the folder of the repository that *folder* is in, the folder itself outside of one; "" for one that is no project's."""
    here = _real(folder, home := os.path.realpath(os.path.expanduser("~")))
    return (_root(here, home) or here) if here else ""


def _real(folder: str, home: str) -> str:
    """Return a folder with all links followed; "" for one that says nothing about a project."""
    if not folder or "\0" in folder or not os.path.isabs(folder) or _is_remote(folder):
        return ""
    here = os.path.realpath(folder)
    return "" if here == home or os.path.dirname(here) == here else here


def _root(here: str, home: str) -> str | None:
    return next((path for path in _upwards(here, home) if _is_root(path, here)), None)


def project_named_by(folder: str) -> Project | None:
    """Return the project of a folder that is not looked at: another machine's, or gone. As `project_at` outside a repository."""
    path = folder.replace("\\", "/").rstrip("/")
    parts = [part for part in path.split("/") if part]
    if not parts or (len(parts) == 1 and parts[0].endswith(":")) or path in (os.path.expanduser("~"), "~"):
        return None
    return Project(_local(path), (parts[-1],)) if len(parts) > 1 or path != parts[0] else Project(last_part(path))  # a name alone


def project_by_remote(url: str, folder: str = "") -> Project | None:
    """Return the project of a repository's address, as a session's record may name it; None where it is no address."""
    name = _normal_remote(url, "")
    if not name:
        return None
    local = project_named_by(folder)
    return Project(name, (local.name, *local.before) if local else ())


def display_name(project: str) -> str:
    """Return what a person calls a project.

    >>> display_name("github.com/acme/api"), display_name("api@0a1b2c3d"), display_name("default")
    ('api', 'api', 'default')
    """
    head, at, tail = project.rpartition("@")
    if at and len(tail) == 8 and all(digit in "0123456789abcdef" for digit in tail):
        return head or project
    return last_part(project) or project


def last_part(path: str) -> str:
    """Return the last name in a path of any system.

    >>> last_part("C:\\\\work\\\\api\\\\")
    'api'
    """
    name = path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1][:MAX_NAME_CHARS]
    return name.encode("utf-8", "replace").decode()  # half a character of a broken name can be stored nowhere


def _local(folder: str) -> str:
    """Return a folder's name with what tells it from others of that name."""
    return f"{last_part(folder)[: MAX_NAME_CHARS - 9]}@{zlib.crc32(os.path.normcase(folder).encode('utf-8', 'surrogatepass')):08x}"


def _upwards(folder: str, home: str) -> "Iterator[str]":
    """Yield the folder and those above it, up to the home directory or the root, which are nobody's project."""
    for _ in range(MAX_LEVELS):
        above = os.path.dirname(folder)
        if folder == home or above == folder:
            return
        yield folder
        folder = above


def _is_root(path: str, start: str) -> bool:
    """Return whether a folder has a `.git` that is as much the user's as the folder they work in: /tmp/.git may be anybody's."""
    try:
        found = os.lstat(os.path.join(path, ".git"))
        mine = {os.lstat(start).st_uid, found.st_uid if not hasattr(os, "geteuid") else os.geteuid()}
    except OSError:
        return False
    return found.st_uid in mine


def _git_folder(root: str) -> str | None:
    """Return the git directory of a root: of a worktree that of its repository; None where what `.git` says is not borne out."""
    entry = os.path.join(root, ".git")
    try:
        kind = os.lstat(entry).st_mode
    except OSError:
        return None
    if stat.S_ISDIR(kind):
        return entry if os.path.isfile(os.path.join(entry, "HEAD")) else None
    if not stat.S_ISREG(kind):
        return None
    label, _, told = _text(entry).partition(":")
    told = told.strip()
    if label.strip() != "gitdir" or not told or _is_remote(told):
        return None
    named = os.path.realpath(os.path.join(root, told))
    above = os.path.dirname(named)
    if os.path.basename(above) == "worktrees":
        back = _text(os.path.join(named, "gitdir")).strip()
        points_back = bool(back) and os.path.realpath(os.path.join(named, back)) == os.path.realpath(entry)
        return os.path.dirname(above) if points_back else None
    modules = (os.path.join(path, ".git", "modules") + os.sep for path in _upwards(os.path.dirname(root), ""))
    return named if any(named.startswith(folder) for folder in modules) else None


def _main_folder(git: str) -> str:
    """Return the folder a repository is known by: the one its git directory is in; a bare one, or a submodule's, itself."""
    return os.path.dirname(git) if os.path.basename(git) == ".git" else git


def _remote_name(config: str, main: str) -> str:
    """Return the normal form of the address in a repository's settings: of `origin`, else of the first remote; "" where there is none."""
    urls: dict[str, str] = {}
    section = ""
    for line in config.splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text[1:].partition("]")[0].strip()
        elif section.startswith("remote ") and text.partition("=")[0].strip().lower() == "url":
            urls.setdefault(section[len("remote ") :].strip().strip('"'), text.partition("=")[2].strip().strip('"'))
    url = urls.get("origin") or next(iter(urls.values()), "")
    return _normal_remote(url, main) if url else ""


def _normal_remote(url: str, main: str) -> str:
    """Return HOST/PATH in lower case, without user, password, port and `.git`; of a folder its name as of every folder."""
    scheme, has_scheme, rest = url.partition("://")
    host, colon, path = url.partition(":")
    if has_scheme and scheme.lower() != "file":
        host, _, path = rest.partition("/")
    elif has_scheme or not colon or "/" in host or "\\" in host or len(host) == 1:  # a path, of Windows perhaps
        path = rest if has_scheme else url
        if not main or not path or _is_remote(path):
            return ""
        return _local(_without_git(os.path.realpath(os.path.join(main, path))))
    host = host.rpartition("@")[2]
    name, port, digits = host.rpartition(":")
    host = name if port and digits.isdecimal() and len(digits) <= _PORT_DIGITS else host
    path = _without_git(path.partition("?")[0].strip("/"))
    return f"{host}/{path}".lower()[:MAX_NAME_CHARS] if host and path else ""


def _without_git(path: str) -> str:
    path = path.rstrip("/")
    return path.removesuffix(".git").rstrip("/") or path


def _is_remote(path: str) -> bool:
    """Return whether looking at a path would ask another machine."""
    return path.replace("\\", "/").startswith("//")


def _text(path: str) -> str:
    """Return the beginning of a regular file; "" where there is none. A pipe of that name is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError):
        return ""
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return ""
        return os.read(fd, _MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(fd)
