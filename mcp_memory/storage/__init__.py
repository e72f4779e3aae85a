"""Where episodes are kept: the durable tier (SQLite) and the hot tier (LMDB) in front of it."""
