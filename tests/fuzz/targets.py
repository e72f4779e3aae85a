"""What is fuzzed: for every edge how its input is drawn, and what must hold after it was taken."""

import contextlib
import io
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import strategies as st

from mcp_memory.bootstrap import open_memory
from mcp_memory.cli.install.formats import format_of
from mcp_memory.cli.transcripts.formats import FORMATS, convert
from mcp_memory.config import SECTIONS
from mcp_memory.config_sources import load_config
from mcp_memory.errors import McpMemoryError
from mcp_memory.hooks import client, spool
from mcp_memory.hooks.intake import Hooks
from mcp_memory.hooks.kinds import EVENTS
from mcp_memory.hooks.wire import folder_of
from mcp_memory.memory import EpisodicMemory
from tests.e2e.wire import Process
from tests.fuzz import samples
from tests.fuzz.strange import as_json, damaged, documents, lines, texts


class Target(ABC):
    """One edge. `inputs` is what Hypothesis draws; `take` raises when something does not hold. Use as a context manager."""

    inputs: st.SearchStrategy[Any]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> "Target":
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    @abstractmethod
    def take(self, drawn: Any) -> None:
        """Give one input to the edge."""


class WithMemory(Target):
    """An edge behind which a memory is open. A step is acknowledged after every input, and all of them must be there at the end."""

    def __enter__(self) -> "WithMemory":
        self._stack = contextlib.ExitStack()
        flags = {"storage.data_dir": str(self.folder / "data"), "embedding.provider": "off", "storage.synchronous": "NORMAL"}
        self.config = load_config(env={}, flags=flags)
        self.portal: BlockingPortal = self._stack.enter_context(start_blocking_portal())
        self.memory: EpisodicMemory = self._stack.enter_context(self.portal.wrap_async_context_manager(open_memory(self.config)))
        self._witness = self.call(lambda: self.memory.start_episode("the witness", recall=False)).episode_id
        self._acknowledged = 0
        return self

    def call(self, verb: Callable[[], Any]) -> Any:
        return self.portal.call(verb)

    def take(self, drawn: Any) -> None:
        self.give(drawn)
        if self._acknowledged < 9_000:
            self.call(lambda: self.memory.log_step(self._witness, "note", observation=str(self._acknowledged)))
            self._acknowledged += 1

    @abstractmethod
    def give(self, drawn: Any) -> None:
        """Give one input to the edge."""

    def __exit__(self, *exc: object) -> None:
        try:
            if exc[0] is None:
                after = max(0, self._acknowledged - 1)
                found = self.call(lambda: self.memory.get_episode(self._witness, "steps", step_from=after)).episode
                assert found.step_count == self._acknowledged, "an acknowledged step is gone"
                assert [s.observation for s in found.steps] == [str(after)][: self._acknowledged]
        finally:
            self._stack.close()


class HookEvents(WithMemory):
    """Hook commands of every event with strange JSON on stdin, then whoever opens the memory takes in what they kept."""

    inputs = st.tuples(
        st.sampled_from([*EVENTS, "pre-compact"]), st.sampled_from(["", "claude-code", "codex", "gemini", "nobody"]),
        damaged(documents(samples.HOOK_EVENTS).map(as_json)),
    )  # fmt: skip

    def give(self, drawn: tuple[str, str, bytes]) -> None:
        event, host, raw = drawn
        told = (sys.stdin, sys.stdout, sys.stderr)
        sys.stdin, sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(data)) for data in (raw, b"", b""))
        try:
            options = ["--data-dir", str(self.folder / "data"), *(["--host", host] if host else [])]
            assert client.run([event, *options]) == 0
        finally:
            sys.stdin, sys.stdout, sys.stderr = told
        hooks = Hooks(self.memory, folder_of(self.config.data_dir))
        self.call(lambda: hooks.drain(5.0))


class SpoolLines(WithMemory):
    """What an earlier version, another program or a full disk left in the spool."""

    inputs = damaged(lines(samples.SPOOL_LINES))

    def give(self, drawn: bytes) -> None:
        folder = folder_of(self.config.data_dir)
        spool.make_private(folder)
        Path(folder, spool.file_name("s", ".spool")).write_bytes(drawn)
        hooks = Hooks(self.memory, folder)
        self.call(lambda: hooks.drain(5.0))


class Interchange(WithMemory):
    """Lines of the interchange form."""

    inputs = damaged(lines(samples.EPISODES))

    def give(self, drawn: bytes) -> None:
        taken = drawn.split(b"\n")
        report = self.call(lambda: self.memory.import_lines(taken))
        assert report.added + report.skipped + len(report.errors) <= len(taken)


class Transcripts(Target):
    """Files of every format that `import` reads."""

    inputs = st.sampled_from(FORMATS).flatmap(lambda name: st.tuples(st.just(name), damaged(samples.transcripts(name))))

    def take(self, drawn: tuple[str, bytes]) -> None:
        name, data = drawn
        path = self.folder / f"session{samples.suffix(name)}"
        path.write_bytes(data)
        with contextlib.suppress(McpMemoryError):
            for _, found in convert(name, path):
                assert found is not None


class Frames(Target):
    """JSON-RPC frames at a stdio server: it answers the next good request."""

    inputs = st.lists(damaged(documents(samples.FRAMES).map(as_json)), min_size=1, max_size=8)

    def __enter__(self) -> "Frames":
        self._server = Process(self.folder, "-m", "mcp_memory", "stdio").__enter__()
        self._server.shake_hands()
        self._next = 1_000_000
        return self

    def take(self, drawn: list[bytes]) -> None:
        for frame in drawn:
            self._server.write(frame.replace(b"\n", b" ") + b"\n")
        self._next += 1
        self._server.send("ping", {}, self._next)
        assert self._server.answer(self._next)["result"] is not None

    def __exit__(self, *exc: object) -> None:
        self._server.__exit__()


def _in_environment(text: str) -> str:
    """Return text as an environment can hold it: without null bytes and half surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


class Environment(Target):
    """Variables of ours and of others, of any value."""

    _keys = tuple(f"{section.upper()}__{name}" for section in SECTIONS for name in ("PORT", "DATA_DIR", "PROVIDER", "X"))
    _short = ("PORT", "TOKEN", "DATA_DIR", "PROJECT", "CONFIG", "")
    _names = st.one_of(st.sampled_from([*_keys, *_short]), texts).map(lambda name: f"MCP_MEMORY_{name}")
    inputs = st.dictionaries(
        _names, st.one_of(texts, st.sampled_from(["tcp://10.0.0.1:80", "1", "true", "off", "NaN", "1e400"])), max_size=6
    )

    def take(self, drawn: dict[str, str]) -> None:
        held = {_in_environment(name): _in_environment(value) for name, value in drawn.items()}
        with contextlib.suppress(McpMemoryError):
            load_config(env=held)


class Configuration(Target):
    """Settings files."""

    inputs = damaged(st.sampled_from(samples.SETTINGS))

    def take(self, drawn: bytes) -> None:
        path = self.folder / "settings.toml"
        path.write_bytes(drawn)
        with contextlib.suppress(McpMemoryError):
            load_config(env={}, file=str(path))


class HostConfigurations(Target):
    """Configuration files of agent hosts, into which `install` puts an entry and takes it out again."""

    inputs = st.tuples(st.sampled_from(["json", "toml", "yaml"]), damaged(st.sampled_from(samples.HOST_CONFIGURATIONS)))

    def take(self, drawn: tuple[str, bytes]) -> None:
        kind, data = drawn
        form = format_of(Path(f"settings.{kind}"))
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return
        with contextlib.suppress(McpMemoryError):
            put = form.put(text, "mcpServers", "memory", {"command": "uvx", "args": ["x"]})
            form.value(put)
            form.value(form.take_out(put, "mcpServers", "memory"))


TARGETS: dict[str, type[Target]] = {
    "hook-events": HookEvents,
    "spool-lines": SpoolLines,
    "transcripts": Transcripts,
    "interchange": Interchange,
    "frames": Frames,
    "environment": Environment,
    "configuration": Configuration,
    "host-configurations": HostConfigurations,
}
