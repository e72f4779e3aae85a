"""Filled memories, each filled once and copied for every set of questions, so that no set sees what another left behind."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.quality.session import ROOT, fill

FILLED = "filled.json"  # written last: a folder with it is complete
PROGRAM = ROOT / "mcp_memory"
CACHE = "cache"  # of a memory's folder: embeddings by the hash of model and text


def filled(kept: Path, name: str, lines: list[Any]) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a memory that holds *lines*, and the report of its import.

    A folder is used again only for the same lines and the same program, by their digests; where only the rest of the program changed,
    texts embedded before are not embedded again. Raises RuntimeError: lines were refused.
    """
    folder = kept / f"{name}-{_digest(PROGRAM, json.dumps(lines, sort_keys=True))}"
    if (folder / FILLED).exists():
        return folder, json.loads((folder / FILLED).read_text()) | {"seconds": 0.0}
    embedding = _digest(PROGRAM / "embedding")
    shutil.rmtree(folder, ignore_errors=True)
    if (embedded := _embedded(kept, name, embedding)) is not None:
        shutil.copytree(embedded, folder / CACHE)
    report = fill(folder, lines)
    if report["problems"]:
        raise RuntimeError(f"{name}: {len(report['problems'])} lines were not imported: {report['problems'][0]}")
    (folder / FILLED).write_text(json.dumps(report | {"name": name, "embedding": embedding}))
    return folder, report


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """Yield a copy of a memory that no process has open; it is gone afterwards."""
    with TemporaryDirectory() as scratch:
        yield Path(shutil.copytree(folder, Path(scratch) / "memory"))


def _embedded(kept: Path, name: str, embedding: str) -> Path | None:
    """Return the embeddings of the last memory of this name, else of "repeat", that the same embedding code made; None for none."""
    caches = {}
    for file in sorted(kept.glob(f"*/{FILLED}"), key=lambda file: file.stat().st_mtime):
        report = json.loads(file.read_text())
        if report.get("embedding") == embedding and (file.parent / CACHE).exists():
            caches[report["name"]] = file.parent / CACHE
    return caches.get(name) or caches.get("repeat")


def _digest(code: Path, more: str = "") -> str:
    digest = hashlib.sha256(more.encode())
    for file in sorted(code.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
