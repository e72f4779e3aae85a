"""Automatic memory: an agent host's lifecycle hooks become episodes and steps, whether or not the agent thinks of logging.

Two processes meet here. The hook's own (`client`, `place`, `spooling`) starts with every step an agent makes, so it and what both share
(`wire`, `spool`, `events`) are light: no library, not even `typing`. The server's (`part`, `keeper`, `door`, `turns`, `ledger`) has the
memory open. Which of a server's parts this is, `part` says; who has the memory, the caller.
"""
