"""A real server process over the scripted memory: `python -m tests.e2e.fake_server stdio|http`. It starts in the time of the SDK alone."""

import logging
import sys

from mcp_memory.config_sources import load_config
from tests.unit.server.fake_memory import open_fake


def main(transport: str) -> int:
    """Serve until the transport's own end."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    print("stray output before serving would break the wire", file=sys.stderr)
    if transport == "stdio":
        from mcp_memory.server.stdio import serve as serve_stdio

        return serve_stdio(load_config(), open_fake)  # type: ignore[arg-type]
    from mcp_memory.server.http import serve

    return serve(load_config(), open_fake)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
