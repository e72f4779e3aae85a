"""What is forgotten on a page goes into a file first, its owner's only, so that it can be brought back."""

import json
import os
import re
import secrets
from pathlib import Path

import anyio.to_thread

from mcp_memory import private
from mcp_memory.pages.calls import Call, NotKept, Refused

FOLDER = "forgotten"
_NAME = re.compile(r"[\w:.-]{1,80}")


async def put(call: Call, episode_id: str) -> None:
    """Write an episode's interchange line. Raises Refused: it cannot be written, and then nothing is forgotten."""
    lines = [line async for line in call.memory.episode_lines([episode_id])]
    try:
        await anyio.to_thread.run_sync(_write, _path(call.data_dir, episode_id), "\n".join(lines))
    except OSError as error:
        raise Refused(f"the archive cannot be written: {error}", hint="Make room, or use `mcp-memory forget`.") from error


async def take_back(call: Call, episode_id: str) -> None:
    """Import what was archived, under an id of its own: the old one stays deleted in every copy of the memory.

    Raises NotKept: there is no such archive, or it was brought back already.
    """
    path = _path(call.data_dir, episode_id)
    try:
        line = json.loads(await anyio.to_thread.run_sync(path.read_text, "utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise NotKept("nothing of that id is in the archive", hint="It may have been brought back already.") from error
    line["external_id"] = f"{line['external_id'][:200]}~{secrets.token_hex(3)}"
    report = await call.memory.import_lines([json.dumps(line)])
    if report.errors:
        raise Refused(report.errors[0][1])
    await anyio.to_thread.run_sync(path.unlink)


def _path(data_dir: Path, episode_id: str) -> Path:
    if not _NAME.fullmatch(episode_id):
        raise NotKept("nothing of that id is in the archive")
    return data_dir / FOLDER / f"{episode_id.replace(':', '_')}.jsonl"


def _write(path: Path, text: str) -> None:
    private.make_folder(path.parent, ours=True)
    with os.fdopen(private.create(path), "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
