"""One memory on many machines: the shared logs, and what keeps a store in step with them."""
