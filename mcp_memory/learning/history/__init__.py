"""Everything that was tried, as columns: steps, failures, and what came after them."""
