"""What a file was before we changed it, kept in this program's own folder: `--uninstall` gives it back, byte for byte where it can.

Not beside the file: a clone of a stranger's repository could hold that name already, and nobody wants it in their commits.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mcp_memory import plain_files as files
from mcp_memory.user_data import user_data_dir

_MODE = 0o600  # the hosts' files may hold keys


@dataclass(slots=True)
class Record:
    """One file before our first change; `before` is None when there was none."""

    path: Path
    before: bytes | None
    written: str = ""  # the hash of what we wrote last
    made: list[Path] = field(default_factory=list)  # folders made for it

    @property
    def copy(self) -> Path:
        """Where the old content is kept."""
        return _stem(self.path).with_suffix(".before")

    def is_untouched(self, content: bytes) -> bool:
        """Return whether the file is still as we wrote it."""
        return self.written == hashlib.sha256(content).hexdigest()

    def save(self, content: bytes) -> None:
        """Keep the record on disk; *content* is what is being written to the file. Raises OSError."""
        self.written = hashlib.sha256(content).hexdigest()
        stem = _stem(self.path)
        if not stem.parent.exists():
            files.make_folders(stem.parent)
            stem.parent.chmod(0o700)
        if self.before is not None:
            files.write(self.copy, self.before, mode=_MODE)
        told = {"path": str(self.path), "existed": self.before is not None, "written": self.written, "made": list(map(str, self.made))}
        files.write(stem.with_suffix(".json"), json.dumps(told).encode(), mode=_MODE)

    def drop(self) -> None:
        """Remove the record."""
        for suffix in (".json", ".before"):
            with suppress(FileNotFoundError):
                _stem(self.path).with_suffix(suffix).unlink()


def load(path: Path) -> Record | None:
    """Return what is known of a file, or None."""
    told, before = files.read(_stem(path).with_suffix(".json")), files.read(_stem(path).with_suffix(".before"))
    if told is None:
        return None
    try:
        known = json.loads(told)
        return Record(path, before if known["existed"] else None, str(known["written"]), [Path(name) for name in known["made"]])
    except (ValueError, KeyError, TypeError):  # not ours, or cut short: the entry is taken out without it
        return None


def _stem(path: Path) -> Path:
    return Path(user_data_dir()) / "install" / hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:24]
