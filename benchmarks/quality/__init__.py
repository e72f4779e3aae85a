"""How well the memory answers: a split of recorded episodes goes in by `mcp-memory import`, questions are asked over MCP stdio."""
