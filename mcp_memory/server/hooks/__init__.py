"""Automatic memory: an agent host's lifecycle hooks become episodes and steps, whether or not the agent thinks of logging.

`wire`, `spool` and `events` are also what the hook's own process imports, so they are light: no library, not even `typing`.
"""
