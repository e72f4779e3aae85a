"""Keys of an episode's metadata that the memory itself reads."""

WORKING_DIR = "working_dir"  # the folder the agent worked in: files below it are told relative to it
