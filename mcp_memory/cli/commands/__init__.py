"""One file per command: `options(parser)` says what it takes, `run(args)` does it and returns the exit status."""
