"""Entry point of the MCPB bundle: the installed package's stdio server."""

import os
import sys

# What the person left empty comes as an empty text, or unreplaced: both mean the same memory as the command line's.
for name in ("MCP_MEMORY_DATA_DIR", "MCP_MEMORY_PROJECT"):
    if os.environ.get(name, "${").startswith("${") or not os.environ[name].strip():
        os.environ.pop(name, None)

from mcp_memory.cli.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(["stdio"]))
