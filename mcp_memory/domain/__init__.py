"""The nouns and their rules: no I/O, no numpy."""
