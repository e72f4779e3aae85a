"""The demonstration: a scripted agent with real commands, real failures and a real MCP session. Only the choice of moves is scripted."""
