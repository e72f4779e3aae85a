"""What a script has to do with that is not its own: the commands it runs, the addresses it calls, the files it reads and writes. Pure."""

import re
from collections.abc import Iterator, Sequence

_SAID = r"[rbf]{0,2}[\"']([^\"'\n]+)[\"']"  # a literal text; in braces what stands in its place when it runs
_RUNS = re.compile(
    rf"\b(?:subprocess\.\w+|os\.(?:system|popen|exec\w+)|Popen|check_(?:call|output)|spawn(?:Sync)?|exec(?:Sync)?)\(\s*\[?\s*{_SAID}"
)
_ASKS = re.compile(
    rf"\b(?:requests|httpx2?|session|client|axios|self\.session)\.(get|post|put|patch|delete|head)\(\s*(?:url\s*=\s*)?(?:{_SAID}|([\w.]+))",
    re.I,
)
_FETCHES = re.compile(rf"\b(?:urlopen|urlretrieve|fetch|Request)\(\s*(?:{_SAID}|([\w.]+))")
_SERVES = re.compile(rf"@\w+\.(route|get|post|put|patch|delete)\(\s*{_SAID}(?:.*?methods\s*=\s*\[([^\]]*)\])?")
_OPENS = re.compile(rf"\bopen\(\s*{_SAID}\s*(?:,\s*(?:mode\s*=\s*)?[\"']([rwxab+t]+)[\"'])?")
_WRITES = re.compile(rf"\.(?:to_(?:csv|json|parquet|excel|pickle)|save(?:_\w+)?|savefig|write_(?:text|bytes|csv|parquet)|dump)\(\s*{_SAID}")
_READS = re.compile(rf"\b(?:read_(?:csv|json|parquet|excel|table|\w+_file)|loadtxt|genfromtxt|load(?:_\w+)?|ZipFile|imread)\(\s*{_SAID}")
_FILE = re.compile(r"[\w./~{}-]*(?:\w|\})\.\w{1,8}$|[\w.~{}-]*/[\w./~{}-]+$")
_VERBS = {"route": "GET"}
_OWN_TOOLS = re.compile(r"(?:echo|printf|cat|ls|bash|sh|python[\d.]*|node|env|which|sleep|kill|pkill)\b")  # which say nothing of the task
_BASE = re.compile(r"^\{[\w.]+\}(?=/)")  # in front of an address: what it stands for is said elsewhere


def script_facts(lines: Sequence[str], task: str = "") -> tuple[str, ...]:
    """Return what a script runs, calls and serves, reads and writes, in this order, each thing once.

    Nothing of a kind of which the *task* names all.

    >>> script_facts(["url = f'{API}/rates/'", "said = requests.post(url, json=a)", "with open('rates.json', 'w') as f:"])
    ('POST /rates/', 'writes rates.json')
    >>> script_facts(["subprocess.run(", "    ['./till.sh', number],", "    input='open')", "frame = pd.read_csv('data/a.csv')"])
    ('runs ./till.sh', 'reads data/a.csv')
    >>> script_facts(["@app.route('/pay', methods=['POST'])", "def pay():"])
    ('serves POST /pay',)
    """
    text = "\n".join(lines)
    read = [*_named(_OPENS, text, "r"), *(found[1] for found in _READS.finditer(text))]
    written = [*_named(_OPENS, text, "wxa"), *(found[1] for found in _WRITES.finditer(text))]
    said = {
        "runs": [found[1] for found in _RUNS.finditer(text) if not _OWN_TOOLS.match(found[1])],
        "": list(_asked(text)),
        "serves": [
            f"{found[3].strip(chr(39) + chr(34)) if found[3] else _VERBS.get(found[1], found[1].upper())} {found[2]}"
            for found in _SERVES.finditer(text)
        ],
        "reads": [path for path in read if _FILE.search(path) and path not in written],
        "writes": [path for path in written if _FILE.search(path)],
    }
    new = {verb: things for verb, things in said.items() if not all(thing.rpartition(" ")[2] in task for thing in things)}
    return tuple(f"{verb} {', '.join(dict.fromkeys(things))}".strip() for verb, things in new.items())


def reads_nothing(lines: Sequence[str]) -> bool:
    """Return whether a script reads no file, runs no command and calls no address."""
    said = "\n".join(lines)
    return not any(pattern.search(said) for pattern in (_RUNS, _ASKS, _FETCHES, _READS)) and not [*_named(_OPENS, said, "r")]


def _named(opens: re.Pattern[str], text: str, modes: str) -> Iterator[str]:
    """Yield the files that are opened in one of these *modes*, of which the first is that where none is given."""
    for found in opens.finditer(text):
        if any(mode in (found[2] or "r") for mode in modes):
            yield found[1]


def _asked(text: str) -> Iterator[str]:
    """Yield the addresses that are called, with the verb; those that stand in a variable as what was put there last before."""
    for verb, found in sorted(
        [*(("", found) for found in _FETCHES.finditer(text)), *((found[1].upper(), found) for found in _ASKS.finditer(text))],
        key=lambda one: one[1].start(),
    ):
        literal, name = (found[2], found[3]) if verb else (found[1], found[2])
        address = literal or _value(text[: found.start()], name)
        if address and "/" in address:
            yield f"{verb or 'GET'} {_BASE.sub('', address)}"


def _value(before: str, name: str) -> str:
    """Return the literal text that a variable was given last, "" where that is none."""
    given = re.findall(rf"(?<![\w.]){re.escape(name)}\s*(?::\s*\w+\s*)?=\s*{_SAID}", before)
    return given[-1] if given else ""
