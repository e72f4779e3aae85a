"""The people edge: parse, make one call, print. A command is one file in `commands/` with `options` and `run`."""
