"""The texts that a shell command is fed: `cat > FILE <<EOF`, `tee FILE <<EOF`, `python - <<EOF`. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DOCUMENT = re.compile(
    r"^(?P<before>[^\n]*?)<<-?\s*(['\"]?)(?P<end>\w+)\2(?P<after>[^\n]*)\n(?P<text>.*?)(?:^[ \t]*(?P=end)[ \t]*$|\Z)", re.M | re.S
)
_INTO = re.compile(r"(?<!>)>\s*([^\s;&|<>'\"]+)|\btee\s+(?!-)([^\s;&|<>'\"]+)")


@dataclass(frozen=True, slots=True)
class Document:
    """A text within a command."""

    path: str  # of the file that it is written to, "" where a program reads it
    lines: tuple[str, ...]


def documents_in(command: str) -> Iterator[Document]:
    """Yield the texts that a command is fed, none that is only added to the end of a file.

    >>> list(documents_in("mkdir -p a && cat <<'EOF' > a/b.txt\\nx\\ny\\nEOF\\nls"))
    [Document(path='a/b.txt', lines=('x', 'y'))]
    >>> [d.path for d in documents_in("python - <<EOF\\nprint(1)\\nEOF\\ncat >> log <<EOF\\nz\\nEOF")]
    ['']
    """
    for found in _DOCUMENT.finditer(command) if "<<" in command else ():
        line = found["before"] + found["after"]
        into = _INTO.search(line)
        if into or ">>" not in line:
            path = (into[1] or into[2]) if into else ""
            yield Document(path.removeprefix("./"), tuple(found["text"].splitlines()))


def without_documents(command: str) -> str:
    """Return a command without the texts that it is fed.

    >>> without_documents("cat > a.py <<'EOF'\\nprint(1)\\nEOF\\npython3 a.py")
    "cat > a.py <<'EOF'\\npython3 a.py"
    """
    return _DOCUMENT.sub(_opening, command) if "<<" in command else command


def _opening(found: re.Match[str]) -> str:
    return found[0].partition("\n")[0]
