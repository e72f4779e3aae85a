"""Pages for people: what the memory knows, how to steer it, whether it helps. One part of the HTTP server, on the front door alone."""
