"""Fixed contents of the conformance fixtures: media, resources, prompts, a rich schema."""

import base64
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

NO_ARGUMENTS = {"type": "object"}
TEMPLATE = re.compile(r"test://template/([^/]+)/data")


def text(value: str) -> dict[str, Any]:
    """Return a tool result of one text."""
    return {"content": [{"type": "text", "text": value}], "resultType": "complete"}


def _png() -> bytes:
    """Return a PNG of one red pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00")) + chunk(b"IEND", b"")


def _wav() -> bytes:
    """Return a WAV of one silent sample."""
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    return b"RIFF" + struct.pack("<I", 38) + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", 2) + b"\x00\x00"


BLOB = base64.b64encode(_png()).decode()
IMAGE = {"type": "image", "data": BLOB, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": base64.b64encode(_wav()).decode(), "mimeType": "audio/wav"}


def embedded(uri: str, value: str, mime_type: str = "text/plain") -> dict[str, Any]:
    """Return an embedded resource."""
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": value}}


RESOURCES: dict[str, dict[str, str]] = {
    "test://static-text": {"mimeType": "text/plain", "text": "This is the content of the static text resource."},
    "test://static-binary": {"mimeType": "image/png", "blob": BLOB},
    "test://watched-resource": {"mimeType": "text/plain", "text": "Watched resource content"},
}
Messages = Callable[[Mapping[str, str]], list[dict[str, Any]]]
PROMPTS: dict[str, tuple[tuple[str, ...], Messages]] = {
    "test_simple_prompt": ((), lambda given: [{"type": "text", "text": "This is a simple prompt for testing."}]),
    "test_prompt_with_arguments": (
        ("arg1", "arg2"),
        lambda given: [{"type": "text", "text": f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"}],
    ),
    "test_prompt_with_embedded_resource": (
        ("resourceUri",),
        lambda given: [
            embedded(given["resourceUri"], "Embedded resource content for testing."),
            {"type": "text", "text": "Please process the embedded resource above."},
        ],
    ),
    "test_prompt_with_image": ((), lambda given: [IMAGE, {"type": "text", "text": "Please analyze the image above."}]),
}

# What JSON Schema 2020-12 has beyond the usual; the suite checks that a listing keeps all of it.
RICH_SCHEMA: dict[str, Any] = {
    "name": "json_schema_2020_12_tool",
    "description": "Tool with JSON Schema 2020-12 features",
    "inputSchema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
}
