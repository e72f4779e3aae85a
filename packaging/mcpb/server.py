"""Entry point of the MCPB bundle: the installed package's stdio server."""

import sys

from mcp_memory.cli.main import main

sys.exit(main(["stdio"]))
