"""`serve(config)`: MCP over stdin and stdout, until the client closes stdin, a signal comes, or the parent process is gone."""

import gc
import os
import sys
from collections.abc import Callable

import anyio

from mcp_memory.config import Config
from mcp_memory.hooks.part import HookPart
from mcp_memory.server.app import App, build_server
from mcp_memory.server.lifecycle import MemoryHost, Opener, ends_within, exit_in, on_signals, parent_gone
from mcp_memory.server.stdio_pipe import StdioPipe

SIGNAL_EXIT_S = 0.8
ENDING_S = 0.5  # after the end of input and the last answer
CLOSE_DEADLINE_S = 6.0  # after the end of input and the last answer


def serve(config: Config, opener: Opener | None = None, *, parent: int | None = None) -> int:
    """Serve one client over stdio; return the exit status.

    At the end of input, calls in flight are finished and answered first. SIGINT and SIGTERM end the process within a second, and so does
    the end of the process that started this one: *parent*, where that was looked up before all this was loaded.
    """
    in_fd, out_fd = _claim_standard_streams()
    anyio.run(_serve, config, opener, in_fd, out_fd, os.getppid() if parent is None else parent)
    return 0


async def _serve(config: Config, opener: Opener | None, in_fd: int, out_fd: int, parent: int) -> None:
    host = MemoryHost(config, opener)
    app = build_server(host, "core" if config.server.tools == "auto" else config.server.tools)
    pipe = StdioPipe(in_fd, out_fd, on_end=app.updates.listen.close, on_first_answer=host.begin)
    gc.freeze()  # some 200,000 objects of imports: no collection has to look at them again

    def stop_now() -> None:
        exit_in(SIGNAL_EXIT_S)
        pipe.stop()

    async with anyio.create_task_group() as memory_group:
        memory_group.start_soon(host.keep_open)
        with on_signals(stop_now):
            await _run(app, host, pipe, stop_now, parent)
            with ends_within(CLOSE_DEADLINE_S):
                await host.aclose()


async def _run(app: App, host: MemoryHost, pipe: StdioPipe, stop: Callable[[], None], parent: int) -> None:
    """Serve until the input ends or the parent process is gone."""

    async def stop_when_orphaned() -> None:
        await parent_gone(parent)
        stop()

    async def end_after_input() -> None:
        await pipe.over.wait()
        await anyio.sleep(ENDING_S)  # the SDK ends by itself, unless the client never said a word
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(end_after_input)
        group.start_soon(stop_when_orphaned)
        group.start_soon(app.updates.run)
        group.start_soon(HookPart(host, app.audit_log).run)
        await app.server.run(pipe.reader, pipe.writer, app.server.create_initialization_options())
        group.cancel_scope.cancel()


def _claim_standard_streams() -> tuple[int, int]:
    """Return private descriptors of stdin and stdout, and point 0 at nothing and 1 at stderr.

    From here on a stray `print`, also of a child process, cannot get between the protocol's lines.
    """
    sys.stdout.flush()
    private_in, private_out = os.dup(0), os.dup(1)
    if private_out <= 2 or private_in <= 2:
        raise OSError("a standard stream is closed; stdio cannot be served")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return private_in, private_out
