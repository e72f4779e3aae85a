"""Records of the facade as what leaves the process: wire data and text, with nothing in it that hides or acts on a display."""
