"""The verbs behind the front door, grouped: recording, recalling, advising, curating, exchange, reporting."""
