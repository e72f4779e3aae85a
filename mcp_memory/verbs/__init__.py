"""The verbs behind the facade, grouped: recording, recalling, advising, curating, importing, exporting, reporting."""
