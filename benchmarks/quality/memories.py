"""Filled memories, each filled once and copied for every set of questions, so that no set sees what another left behind."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.quality.door import ROOT, fill

FILLED = "filled.json"  # written last: a folder with it is complete


def filled(kept: Path, name: str, lines: list[Any]) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a memory that holds *lines*, and the report of its import.

    A folder is used again only for the same lines and the same program, by their digests. Raises RuntimeError: lines were refused.
    """
    folder = kept / f"{name}-{_digest(lines)}"
    if (folder / FILLED).exists():
        return folder, json.loads((folder / FILLED).read_text()) | {"seconds": 0.0}
    shutil.rmtree(folder, ignore_errors=True)
    report = fill(folder, lines)
    if report["problems"]:
        raise RuntimeError(f"{name}: {len(report['problems'])} lines were not imported: {report['problems'][0]}")
    (folder / FILLED).write_text(json.dumps(report))
    return folder, report


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """Yield a copy of a memory that no process has open; it is gone afterwards."""
    with TemporaryDirectory() as scratch:
        yield Path(shutil.copytree(folder, Path(scratch) / "memory"))


def _digest(lines: list[Any]) -> str:
    digest = hashlib.sha256()
    for file in sorted((ROOT / "mcp_memory").rglob("*.py")):
        digest.update(file.read_bytes())
    digest.update(json.dumps(lines, sort_keys=True).encode())
    return digest.hexdigest()[:12]
