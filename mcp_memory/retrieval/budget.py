"""How many tokens an answer costs the model that reads it."""

from typing import Any

import msgspec

from mcp_memory.domain.text import token_estimate


def estimate_tokens(value: Any) -> int:
    """Return about how many tokens *value* (text, or a record shown as compact JSON) costs; rather too many than too few."""
    return token_estimate(value if isinstance(value, str) else msgspec.json.encode(value))
