"""Automatic memory: an agent host's lifecycle hooks become episodes and steps, whether or not the agent thinks of logging."""
