"""Reading what an embeddings API answers: vectors, error messages, how long to wait. Pure functions of bytes and headers."""

import base64
import email.utils
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from mcp_memory.errors import ModelUnavailable

MAX_MESSAGE_CHARS = 200


class MalformedAnswer(ValueError):
    """The answer is not what the API promises; the message says how."""


def decode_embeddings(body: bytes, count: int, dimension: int) -> np.ndarray:
    """Return the unit vectors of an answer, float32, shape (count, dimension), in the order of the request.

    Reads both encodings: lists of numbers, and base64 of little-endian float32.

    Raises:
        MalformedAnswer: Not JSON, not one vector per text, or a vector that is not finite or all zero.
        ModelUnavailable: The model's dimension is another one.
    """
    try:
        items = json.loads(body)["data"]
        by_index = {int(item.get("index", place)): item["embedding"] for place, item in enumerate(items)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedAnswer("the answer is not an embeddings object") from error
    if len(items) != count or by_index.keys() != set(range(count)):
        raise MalformedAnswer(f"{len(items)} vectors came back for {count} texts")
    vectors = np.empty((count, dimension), np.float32)
    for index, embedding in by_index.items():
        vector = _vector(embedding)
        if vector.shape != (dimension,):
            raise ModelUnavailable(
                f"the provider's model answers with {vector.size} dimensions, not {dimension}",
                hint="Set MCP_MEMORY_EMBEDDING__DIMENSION to the model's own dimension.",
            )
        vectors[index] = vector
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or not norms.all():
        raise MalformedAnswer("a vector is not finite or is all zero")
    vectors /= norms
    return vectors


def _vector(embedding: Any) -> np.ndarray:
    try:
        if isinstance(embedding, str):
            return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4")
        return np.array(embedding, np.float32)
    except (ValueError, TypeError) as error:
        raise MalformedAnswer("a vector is not a list of numbers") from error


def error_message(body: bytes) -> str:
    """Return the provider's own words from an error body, on one line of at most 200 characters; "" when there are none.

    OpenAI: {"error": {"message": ...}}. Mistral: {"message": ...} or {"detail": [...]}.
    """
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    inner = document.get("error")
    found = (inner.get("message") if isinstance(inner, dict) else inner) or document.get("message") or document.get("detail") or ""
    text = found if isinstance(found, str) else json.dumps(found)
    return " ".join(text.split())[:MAX_MESSAGE_CHARS]


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Return the wait the provider asks for, in seconds; None when it asks for none.

    Args:
        headers: `retry-after-ms`, or `retry-after` as seconds or an HTTP date (RFC 9110, 10.2.3).
        now_s: Seconds since the epoch.
    """
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"]))
    except KeyError:
        return None
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(headers["retry-after"]).timestamp() - now_s)
    except (ValueError, KeyError):
        return None
