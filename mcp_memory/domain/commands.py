"""What a shell command runs, in a word or two, so that the steps of an agent's one shell tool can be told apart. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_CHARS = 40
_ARGUMENTS = ("command", "cmd")  # where shell tools take what they run
_MAX_DEPTH = 3  # of shells that start shells
_READ_CHARS = 2_000
SPLIT = re.compile(r"""\\.|"(?:[^"\\]|\\.)*"|'[^']*'|(&&|\|\|?|;|\n)""", re.S)
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_NAME = re.compile(r"[\w.+:@/\\-]*[\w.+@-]")
_PREPARING_TEXT = "cd pushd popd export source . set unset alias sleep true"  # what comes first and is not the point
_WRAPPING_TEXT = "sudo doas env time timeout nohup command exec nice stdbuf"  # before the program
_PASSING_ON_TEXT = "head tail tee cat grep wc sort less"  # which work on the output of a program that failed as well
_SHELLS_TEXT = "bash sh zsh dash fish cmd powershell pwsh"
_WITH_VERB_TEXT = """
git gh pip pip3 pipx uv poetry conda npm npx pnpm yarn bun docker podman kubectl helm cargo go make just rake bundle rails composer
terraform openssl systemctl service brew apt apt-get dnf yum apk dotnet mvn gradle gradlew adb aws gcloud az
"""
_PREPARING, WRAPPING = frozenset(_PREPARING_TEXT.split()), frozenset(_WRAPPING_TEXT.split())
_SHELLS, _WITH_VERB = frozenset(_SHELLS_TEXT.split()), frozenset(_WITH_VERB_TEXT.split())
_PASSING_ON = frozenset(_PASSING_ON_TEXT.split())
_TWO_VERBS = {("npm", "run"), ("pnpm", "run"), ("yarn", "run"), ("bun", "run"), ("uv", "run"), ("uv", "pip"), ("poetry", "run")}
_TWO_VERBS |= {("docker", "compose"), ("bundle", "exec"), ("conda", "run")}
_CARRIERS = (
    ("ssh",),
    ("docker", "compose", "exec"),
    ("docker", "exec"),
    ("docker-compose", "exec"),
    ("podman", "exec"),
    ("kubectl", "exec"),
)
_CARRIER_VALUED_TEXT = "-p -i -l -o -F -J -L -R -D -u -w -e --user --workdir --env -n --namespace -c --container"  # options with a value
_CARRIER_VALUED = frozenset(_CARRIER_VALUED_TEXT.split())
_VALUED = frozenset(["-C", "-c", "-n", "-f", "--namespace", "--prefix", "--directory"])  # options before a verb that take a value
_PYTHON = re.compile(r"python[\d.]*|pypy3?")
_MISSING = re.compile(r"^(?:\S*/)?(?:ba|da|z|k|a)?sh: (?:line )?(?:\d+: )?([^\s:]+): (?:command )?not found", re.M)  # as shells say it
_SAYS_OK = re.compile(r"\s*(?:echo|printf|true|:)(?:\s|$)|\s*exit 0\s*$")  # what succeeds whatever came before it


def command_in(arguments: Mapping[str, Any]) -> str:
    """Return the shell command among a step's arguments; "" when there is none."""
    for name in _ARGUMENTS:
        value = arguments.get(name)
        if value is None:
            continue
        if isinstance(value, str):
            return value
        if isinstance(value, list | tuple) and value and all(isinstance(part, str) for part in value):
            return value[-1] if len(value) > 2 and value[1].startswith("-") and _base(value[0]) in _SHELLS else " ".join(value)
    return ""


def program_of(command: str, depth: int = _MAX_DEPTH) -> str:
    """Return the program a command runs, with its verb where the program alone says little; "" when that cannot be told.

    >>> [program_of(c) for c in ("cd repo && PYTHONPATH=. python3 -m pytest -q tests", "git -C repo commit -m 'a; b'", "npm run build")]
    ['python3 -m pytest', 'git commit', 'npm run build']
    >>> program_of("1:1 2:3 is the ratio")
    ''
    >>> [program_of(c) for c in ("cat > a.py <<'EOF'", "sudo apt-get install -y curl", "bash -lc 'make test'", "./run.sh | tee log", "")]
    ['cat >', 'apt-get install', 'make test', 'run.sh', '']
    """
    command = command[:_READ_CHARS]
    parts = [words for words in map(_words, simple_commands(command)) if words]
    words = next((w for w in parts if w[0] not in _PREPARING), parts[0] if parts else [])
    if not words or not _NAME.fullmatch(words[0]) or (words[0].isalpha() and words[0].istitle()):  # "Turn on the light" is no command
        return ""
    if not any(letter.isalpha() for letter in words[0]):  # `1:1` of a table that was typed, a number
        return ""
    program, rest = _base(words[0]), words[1:]
    if program in _SHELLS and depth and (inner := _inner(command, rest)):
        return program_of(inner, depth - 1) or program
    return " ".join([program, *_verb(program, rest)])[:MAX_CHARS].strip()


def simple_commands(text: str) -> Iterator[str]:
    """Yield what stands between `&&`, `||`, `|`, `;` and line ends outside quotes; comments are passed over."""
    start = 0
    for found in SPLIT.finditer(text):
        if found.group(1):
            yield text[start : found.start()]
            start = found.end()
    yield text[start:]


def hides_exit(command: str) -> bool:
    """Return whether a command ends well however its work went: the last of several parts only says something.

    >>> [hides_exit(c) for c in ("make || echo failed", "make; true", "make || true ", "make && echo done", "echo done", "make; ls")]
    [True, True, True, False, False, False]
    """
    command = command[-_READ_CHARS:].strip()
    ends = [found for found in SPLIT.finditer(command) if found.group(1)]
    return bool(ends) and ends[-1].group(1) in ("||", ";", "\n") and _SAYS_OK.match(command[ends[-1].end() :]) is not None


def stopped_short(command: str, output: str) -> bool:
    """Return whether a shell did not find a program after which a chain only goes on where it worked: what follows it never ran.

    >>> said = "/bin/sh: 1: pkill: not found"
    >>> [stopped_short(c, said) for c in ("pkill a && run b & sleep 3 && test b", "pkill a || true && run b", "pkill a; run b")]
    [True, False, False]
    """
    missing = {found[1] for found in _MISSING.finditer(output)} if "not found" in output else set()
    command, start = command[:_READ_CHARS], 0
    for found in SPLIT.finditer(command) if missing else ():
        if found.group(1):
            words = _words(command[start : found.start()])
            if found.group(1) == "&&" and words and words[0] in missing:
                return True
            start = found.end()
    return False


def is_preparing(program: str) -> bool:
    """Return whether a program only sets the scene for what comes after it, as `cd` does."""
    return program in _PREPARING


def _words(part: str) -> list[str]:
    """Return the words of a simple command from the program on, which may run on another machine or in a container."""
    words = part.split()
    if not words or words[0].startswith("#"):
        return []
    while words and (ASSIGNMENT.match(words[0]) or words[0] in WRAPPING or (carried := carrier_words(words))):
        if words[0] not in WRAPPING and not ASSIGNMENT.match(words[0]):
            words = words[carried:]
            words[0], words[-1] = words[0].lstrip("'\""), words[-1].rstrip("'\"")
            continue
        before = words.pop(0)
        while words and before in WRAPPING and (words[0].startswith("-") or words[0].rstrip("smhd").isdigit()):
            words.pop(0)
    return words


def carrier_words(words: Sequence[str]) -> int:
    """Return how many words of a command say on which machine or in which container the rest of it runs; 0 where none do.

    >>> [carrier_words(c.split()) for c in ("ssh -p 22 web1 df -h", "docker exec -it web ls /", "kubectl exec web -- env", "ssh web1")]
    [4, 4, 4, 0]
    >>> [carrier_words(c.split()) for c in ("docker compose exec web make", "docker run web", "kubectl exec web", "ls")]
    [4, 0, 0, 0]
    """
    begin = next((len(first) for first in _CARRIERS if tuple(words[: len(first)]) == first), 0)
    if not begin:
        return 0
    if "--" in words:
        at = words.index("--") + 1
        return at if at < len(words) else 0
    at = begin
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _CARRIER_VALUED else 1
    return at + 1 if at + 1 < len(words) and words[0] != "kubectl" else 0


def _verb(program: str, rest: Sequence[str]) -> list[str]:
    if _PYTHON.fullmatch(program):
        at = next((i for i, word in enumerate(rest) if word in ("-m", "-c") or not word.startswith("-")), len(rest))
        return list(rest[at : at + 2]) if rest[at : at + 1] == ["-m"] else []
    if program in ("cat", "tee") and any(word.startswith(">") for word in rest):
        return [">"]
    if program == "sed" and any(word.startswith("-i") for word in rest):
        return ["-i"]
    if program not in _WITH_VERB:
        return []
    verbs = [w for i, w in enumerate(rest) if not w.startswith("-") and (i == 0 or rest[i - 1] not in _VALUED) and _NAME.fullmatch(w)]
    return verbs[: 2 if verbs and (program, verbs[0]) in _TWO_VERBS else 1]


def _inner(command: str, rest: Sequence[str]) -> str:
    """Return what a shell is told to run by `-c`, in quotes; "" when it runs a file."""
    if not any(word.startswith("-") and word.endswith("c") for word in rest):
        return ""
    quoted = re.search(r"""\s-\w*c\s+(?:"((?:[^"\\]|\\.)*)"|'([^']*)')""", command, re.S)
    return (quoted.group(1) or quoted.group(2) or "") if quoted else ""


def _base(word: str) -> str:
    return word.rsplit("/", 1)[-1].rsplit("\\", 1)[-1].removesuffix(".exe")


def is_piped(command: str) -> bool:
    """Return whether a command's output goes through a program that ends well whatever it gets, so that its own exit status is lost.

    >>> [is_piped(c) for c in ("make 2>&1 | tail -3", "cd a && make | tee log", "grep 'a| head' f", "make || head f")]
    [True, True, False, False]
    """
    command = command[:_READ_CHARS]
    signs = [found for found in SPLIT.finditer(command) if found.group(1) == "|"]
    return any(_base((_words(command[found.end() :]) or [""])[0]) in _PASSING_ON for found in signs)


def without_passing_on(command: str) -> str:
    """Return a command without the pipe to a program that only passes on what it prints.

    >>> without_passing_on("make -j4 2>&1 | tail -3"), without_passing_on("make | sh")
    ('make -j4 2>&1', 'make | sh')
    """
    signs = [found for found in SPLIT.finditer(command[:_READ_CHARS]) if found.group(1) == "|"]
    cut = next((found for found in signs if _base((_words(command[found.end() :]) or [""])[0]) in _PASSING_ON), None)
    return command[: cut.start()].rstrip() if cut else command
