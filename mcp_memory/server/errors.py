"""What went wrong, as one line for the caller. The only place where an error becomes MCP."""

import logging
from typing import Any

from mcp_memory.errors import McpMemoryError
from mcp_memory.rendering.on_one_line import one_line

logger = logging.getLogger(__name__)


def code_of(error: BaseException) -> str:
    """Return what an error is called, by its own code where it has one."""
    if isinstance(error, McpMemoryError):
        return error.code
    return "timeout" if isinstance(error, TimeoutError) else "internal_error"


def error_result(tool: str, error: BaseException) -> dict[str, Any]:
    """Return the `isError` result for *error*.

    Ours carry their own line. Anything else is a bug: the traceback goes to the log, and the caller reads one honest sentence.
    """
    if isinstance(error, McpMemoryError):
        line = error.line()
    elif isinstance(error, TimeoutError):
        line = f"timeout: {tool} took too long and was given up. What it had queued is still written; look before you repeat it."
    else:
        logger.error("%s failed", tool, exc_info=error)
        line = f"internal_error: {tool} failed ({type(error).__name__}). The server's log has the details; other calls go on working."
    return {"content": [{"type": "text", "text": one_line(line)}], "isError": True, "resultType": "complete"}
