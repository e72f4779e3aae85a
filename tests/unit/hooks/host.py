"""A session's events as a host sends them, to open hooks or into the spool."""

import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from mcp_memory.hooks import spool
from mcp_memory.hooks.events import record_of
from mcp_memory.hooks.intake import Hooks
from mcp_memory.memory import EpisodicMemory

COMMON = {"session_id": "abc/123", "cwd": "/home/ana/shop", "transcript_path": "t.jsonl", "permission_mode": "default"}


class Host:
    """Sends a session's events. *name* is what `install` wrote as `--host`; "" for hooks of an earlier version."""

    def __init__(self, memory: EpisodicMemory, folder: Path, name: str = "") -> None:
        self.memory, self.folder, self.name = memory, str(folder), name
        self.hooks = Hooks(memory, self.folder)
        self._ids = map(str, count())
        self.at_ms = 1_700_000_000_000

    def record(self, event: str, fields: Mapping[str, Any], process: str = "") -> dict[str, Any]:
        told = COMMON | dict(fields)
        return record_of(event, told, call_id=next(self._ids), project="", at_ms=self.at_ms, host=self.name, process=process)

    async def __call__(self, event: str, **fields: Any) -> str:
        text, _ = await self.hooks.handle(self.record(event, fields))
        if event in ("user-prompt-submit", "user-prompt-expansion"):
            await self.hooks.finish({**COMMON, **fields}["session_id"])
        return text

    def spooled(self, event: str, **fields: Any) -> dict[str, Any]:
        record = self.record(event, fields)
        spool.append(self.folder, record)
        return record

    def files(self, suffix: str) -> list[Path]:
        return sorted(Path(self.folder).glob(f"*{suffix}"))

    async def episodes(self) -> list[dict[str, Any]]:
        return [json.loads(line) async for line in self.memory.export_lines()]
