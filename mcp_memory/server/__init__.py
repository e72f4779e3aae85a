"""The MCP edge: stdio and HTTP in, one call on `EpisodicMemory`, plain data out."""
