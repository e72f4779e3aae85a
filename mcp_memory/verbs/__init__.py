"""The verbs behind the facade, grouped: recording, recalling, advising, curating, exchange, reporting."""
