"""Which files an episode worked on, read off its steps without a model. Pure.

A file counts as read when a step's arguments name it, or when the first line of an answer does (`[File: /repo/a.py (20 lines)]`); as
changed when the tool's name or its arguments say that it writes, when a patch or a diff names it, or when it is among the artifacts.
What a listing or a search prints is passed over: on the development episodes it told nothing that the calls did not.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mcp_memory.domain.commands import command_in, program_of
from mcp_memory.domain.edit_arguments import CODE_TEXTS, FILES
from mcp_memory.domain.episode import Episode, FileUse, Step, Use
from mcp_memory.domain.identifiers import is_full
from mcp_memory.domain.metadata_keys import WORKING_DIR

MAX_FILES = 8  # kept of an episode
READS, CHANGE = 3.0, 2.0  # looks that count, and how many of them a change is worth
_HEAD_CHARS, _MAX_PATH_CHARS, _COMMAND_CHARS = 400, 300, 500
_EXTENSIONS_TEXT = """
py pyi pyx ipynb js mjs cjs ts mts jsx tsx vue svelte html htm css scss less json jsonc jsonl yaml yml toml ini cfg conf env properties
md mdx rst adoc txt csv tsv sql sh bash zsh fish ps1 bat c h cc cpp cxx hpp hh m mm cs fs java kt kts scala groovy go rs rb php swift lua
pl pm r jl ex exs erl hs ml clj dart zig nim sol proto thrift graphql tf hcl xml xsd gradle cmake mk lock tex bib po log
"""
_BARE_NAMES_TEXT = "makefile dockerfile containerfile justfile rakefile gemfile procfile jenkinsfile license readme"
_CREATING_TEXT, _CHANGING_TEXT = "create write touch new", "edit multi replace insert patch append update rename move delete remove"
_CHANGING_PROGRAMS_TEXT, _CREATING_PROGRAMS_TEXT = "sed -i,mv,cp,rm,patch,git apply", "cat >,tee >,tee,touch"
_BARE_NAMES = frozenset(_BARE_NAMES_TEXT.split())
_EXTENSIONS, _PATH_ARGUMENTS = frozenset(_EXTENSIONS_TEXT.split()), frozenset([*FILES, "old_path", "new_path"])
_CONTENT_ARGUMENTS = frozenset(CODE_TEXTS)
_CREATING, _CHANGING = frozenset(_CREATING_TEXT.split()), frozenset(_CHANGING_TEXT.split())
_CREATING_PROGRAMS, _CHANGING_PROGRAMS = frozenset(_CREATING_PROGRAMS_TEXT.split(",")), frozenset(_CHANGING_PROGRAMS_TEXT.split(","))
_BETWEEN = re.compile(r"""[\s"'`<>|;:,()\[\]{}=*?]+""")
_ABSOLUTE = re.compile(r"(?<![\w.:/])/(?:[\w@+.-]+/)*[\w@+.-]*\.[A-Za-z]\w{0,9}\b")
_PATCHED = re.compile(r"^(?:diff --git a/(\S+) b/|\*\*\* (?:Update|Add|Delete) File: (\S+))", re.M)
_FILE = re.compile(r".*\w\.\w{1,10}|(?:.*[\\/])?\.\w+(?:\.\w+)?")  # what a path argument that is a folder does not look like
_REDIRECTED = re.compile(r">\s*([^\s;&|<>'\"]+)")
# The first line of an answer, as `3 matches for "a" in /repo:`.
_SEARCHED = re.compile(r"[^\n]{0,200} (?:in|under) (/[^\s:\"'`]*[^\s:\"'`./])/?[:.]?[ ]*(?:\n|$)")
_CHANGED_FOLDER = re.compile(r"\s*cd ['\"]?(/[^\s;&|'\"]*[^\s;&|'\"/])")
_WORD = re.compile(r"[A-Z]?[a-z]+")


@dataclass(frozen=True, slots=True)
class Touch:
    """What one step did to some files."""

    paths: tuple[tuple[str, str], ...]  # as the step named it, and in full where its answer shows that
    patched: tuple[str, ...]  # relative to the working folder, as patches name them
    use: Use  # MADE: it writes them whether they were there or not
    folder: str = ""  # that its command changes to
    is_search: bool = False  # whose names are patterns: there need be no such file


def files_of(episode: Episode) -> tuple[FileUse, ...]:
    """Return the files *episode* worked on, most worked on first, at most 8; those kept at its completion where it has them.

    Paths are relative to the working folder where the episode's metadata or its steps tell which one that is, otherwise as the steps
    gave them. Some fifteen microseconds a step.
    """
    return episode.once(_files_of) if episode.files is None else episode.files


def _files_of(episode: Episode) -> tuple[FileUse, ...]:
    return files_by(episode, touches_in(episode.steps))


def files_by(episode: Episode, by_step: Sequence[Sequence[Touch]]) -> tuple[FileUse, ...]:
    """Return the files that an episode, as yet without, worked on; *by_step* is what `touches_in` gives for its steps."""
    touches = [touch for found in by_step for touch in found]
    artifacts = _artifacts(episode)
    root = root_of(episode, touches)
    read: Counter[str] = Counter()
    changed = set(artifacts)
    seen: set[str] = set()
    made: set[str] = set()
    for touch in touches:
        for path in dict.fromkeys(full.removeprefix(root) for _, full in touch.paths):
            if touch.use is Use.MADE and path not in seen:
                made.add(path)
            if not touch.is_search:
                seen.add(path)
            if touch.use is Use.READ:
                read[path] += 1
            else:
                changed.add(path)
        changed.update(touch.patched)
    ranked = sorted(changed.union(read), key=lambda path: (-min(read[path], READS) - CHANGE * (path in changed), path))[:MAX_FILES]
    return tuple(FileUse(path, Use.MADE if path in made else Use.CHANGED if path in changed else Use.READ) for path in ranked)


def root_of(episode: Episode, touches: Sequence[Touch]) -> str:
    """Return the episode's working folder with its last slash, "" where neither its metadata nor its steps tell."""
    return _working_dir(episode) or _root(touches, _artifacts(episode))


def root_in(steps: Sequence[Step]) -> str:
    """Return the working folder that steps tell, with its last slash, or ""."""
    return _root([touch for step in steps for touch in touches_of(step)], ())


def same_file(a: str, b: str) -> bool:
    """Return whether two paths may name one file, one of them from further up.

    >>> same_file("/home/ana/shop/a.py", "shop/a.py"), same_file("a.py", "ba.py")
    (True, False)
    """
    return a == b or a.endswith("/" + b) or b.endswith("/" + a)


def touches_in(steps: Sequence[Step]) -> list[list[Touch]]:
    """Return what each step did to the files it names."""
    return [list(touches_of(step)) for step in steps]


def touches_of(step: Step) -> Iterator[Touch]:
    """Yield what the step did to the files it names, and, apart, to those that its output goes to."""
    head = step.observation[:_HEAD_CHARS]
    absolute = _ABSOLUTE.findall(head) if "/" in head and "." in head else []
    command = command_in(step.arguments) if _PATH_ARGUMENTS.isdisjoint(step.arguments) else ""
    line = command[:_COMMAND_CHARS].split("\n", 1)[0]
    targets = [path for word in _REDIRECTED.findall(line) if (path := as_path(word))]
    paths = [path for path in (paths_in(line) if command else _argument_paths(step)) if path not in targets]
    if not paths and not targets and absolute and "\n" not in head[: head.find(absolute[0])]:
        paths = absolute[:1]
    patched = [a or b for text in _patches(step) for a, b in _PATCHED.findall(text)]
    use = _use(step, command) if paths and not step.failed else Use.READ
    folder = found[1] if command and (found := _CHANGED_FOLDER.match(command)) else "" if command else _searched(step, head)
    is_search = bool(command) and program_of(command) == "find"
    yield Touch(tuple((path, _in_full(path, absolute)) for path in paths), tuple(patched), use, folder, is_search)
    if targets:
        yield Touch(tuple((path, path) for path in targets), (), Use.MADE)  # a shell makes them before the command can fail


def _searched(step: Step, head: str) -> str:
    """Return the folder that a search says it looked in, of one that was given none: the working folder; "" for no search."""
    found = _SEARCHED.match(head)
    given = any("/" in str(value) for value in step.arguments.values())
    return "" if found is None or given or as_path(found[1]) else found[1]


def _artifacts(episode: Episode) -> list[str]:
    return [path for a in (episode.outcome.artifacts if episode.outcome else ()) if " " not in a and (path := as_path(a))]


def _use(step: Step, command: str) -> Use:
    if command:
        program = program_of(command)
        return Use.MADE if program in _CREATING_PROGRAMS else Use.CHANGED if program in _CHANGING_PROGRAMS else Use.READ
    words = words_of(command_in(step.arguments) or step.key)  # an editor of several commands says what it does in an argument
    if not words.isdisjoint(_CREATING):
        return Use.MADE
    writes = not words.isdisjoint(_CHANGING) or not _CONTENT_ARGUMENTS.isdisjoint(step.arguments)
    return Use.CHANGED if writes else Use.READ


@lru_cache(1024)
def words_of(key: str) -> frozenset[str]:
    """Return the words of a step's key, in lower case."""
    return frozenset(word.lower() for word in _WORD.findall(key))


def _argument_paths(step: Step) -> Iterator[str]:
    for name, value in step.arguments.items():
        if not isinstance(value, str) or name in _CONTENT_ARGUMENTS or len(value) > _MAX_PATH_CHARS or "\n" in value:
            continue
        if name not in _PATH_ARGUMENTS:
            yield from paths_in(value)
        elif _FILE.fullmatch(value.strip("'\"")) or value.rpartition("/")[2].lower() in _BARE_NAMES:
            yield _plain(value.strip("'\""))


def paths_in(text: str) -> Iterator[str]:
    """Yield what looks like a file's path: a word that ends with a usual extension.

    >>> list(paths_in("sed -n 1,20p ./src/a.py | grep 'self.foo' > out.txt; curl https://x.org/b.json"))
    ['src/a.py', 'out.txt']
    """
    for word in _BETWEEN.split(text) if "." in text else ():
        if path := as_path(word):
            yield path


def as_path(word: str) -> str:
    """Return the path that *word* is, "" when it ends with no usual extension.

    >>> as_path("./src/a.py"), as_path("self.name"), as_path("//x.org/a.py")
    ('src/a.py', '', '')
    """
    stem, _, extension = word.rpartition(".")
    if not stem or extension.lower() not in _EXTENSIONS or word.startswith("//") or len(word) > _MAX_PATH_CHARS:
        return ""
    return _plain(word)


def _plain(path: str) -> str:
    return path.replace("\\", "/").removeprefix("./")


def _patches(step: Step) -> Iterator[str]:
    if "diff --git" in step.observation:
        yield step.observation
    yield from (value for value in step.arguments.values() if isinstance(value, str) and "*** " in value)


def _in_full(path: str, absolute: Sequence[str]) -> str:
    return path if is_full(path) else next((full for full in absolute if full.endswith("/" + path)), path)


def _working_dir(episode: Episode) -> str:
    """Return the working folder that the episode's metadata names, with its last slash, or ""."""
    told = episode.metadata.get(WORKING_DIR)
    return f"{_plain(told).rstrip('/')}/" if isinstance(told, str) and told else ""


def _root(touches: Sequence[Touch], artifacts: Sequence[str]) -> str:
    """Return the working folder with its last slash, or "": what stands before a relative path in the full one, or where a command
    changes to, whichever most full paths begin with.

    A bare name tells nothing (it may be that of a file somewhere below), except of a file that is made.
    """
    full = {whole for touch in touches for _, whole in touch.paths if is_full(whole)}
    named = {given for touch in touches for given, _ in touch.paths if ("/" in given or touch.use is Use.MADE) and not is_full(given)}
    relative = named.union(artifacts, *(touch.patched for touch in touches))
    roots = {whole[: -len(path)] for whole in full for path in relative if whole.endswith("/" + path)}
    roots.update(f"{touch.folder}/" for touch in touches if touch.folder)
    return max(sorted(roots), key=lambda root: sum(whole.startswith(root) for whole in full), default="")
