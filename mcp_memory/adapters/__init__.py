"""The memory in agent frameworks: one module a framework, each behind an extra of its name; nothing else imports a framework."""
