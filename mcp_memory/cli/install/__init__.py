"""Adding the server to agent hosts' configuration files without disturbing anything else in them."""
