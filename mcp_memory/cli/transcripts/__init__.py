"""Other tools' transcripts to interchange episodes: one converter per format, none of which guesses an outcome in silence."""
