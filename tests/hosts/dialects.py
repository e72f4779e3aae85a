"""What agent hosts speak with a model: Anthropic's Messages, OpenAI's Responses, Gemini's generateContent, each as the host streams it.

A dialect reads a request into a conversation, a text for what the user side said and `None` for an answer with calls, and writes an answer.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Round = Sequence[tuple[str, Mapping[str, Any]]]  # (tool, its arguments), all asked for at once
Json = dict[str, Any]
LOADER = "ToolSearch"  # how Claude Code loads a tool that it keeps back: no round of the script
DONE = "Done."


@dataclass(frozen=True)
class Dialect:
    """One way to speak. `answer` makes the whole answer of a request and its calls; `ids` makes names that were not used yet."""

    conversation: Callable[[Json], Iterator[str | None]]
    offered: Callable[[Json], set[str]]
    answer: Callable[[Json, Round, Callable[[str], str]], Json]
    stream: Callable[[Json], Iterable[Json]]
    is_streamed: Callable[[str, Json], bool] = lambda path, body: bool(body.get("stream"))


def _text(content: Any) -> list[str]:
    blocks = content if isinstance(content, list) else [{"text": content}]
    return [str(block["text"]) for block in blocks if "text" in block]


def _messages(body: Json) -> Iterator[str | None]:
    for message in body.get("messages", []):
        if message["role"] == "user":
            yield from _text(message["content"])
        elif any(block["type"] == "tool_use" and block["name"] != LOADER for block in message["content"] if isinstance(block, dict)):
            yield None


def _message(body: Json, calls: Round, ids: Callable[[str], str]) -> Json:
    content = [{"type": "tool_use", "id": ids("toolu_"), "name": tool, "input": given} for tool, given in calls]
    return {
        "id": ids("msg_"),
        "type": "message",
        "role": "assistant",
        "model": body.get("model", "scripted"),
        "content": content or [{"type": "text", "text": DONE}],
        "stop_reason": "tool_use" if content else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20},
    }


def _message_stream(message: Json) -> Iterator[Json]:
    yield {"type": "message_start", "message": message | {"content": [], "stop_reason": None}}
    for index, block in enumerate(message["content"]):
        is_text = block["type"] == "text"
        empty = {"type": "text", "text": ""} if is_text else block | {"input": {}}
        delta = (
            {"type": "text_delta", "text": block["text"]}
            if is_text
            else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        )
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None}, "usage": message["usage"]}
    yield {"type": "message_stop"}


_ASKED = ("function_call", "custom_tool_call")


def _items(body: Json) -> Iterator[str | None]:
    before = ""
    for item in body.get("input", []):
        kind = item.get("type", "message")
        if kind == "message" and item.get("role") == "user":
            yield from _text(item["content"])
        elif kind in _ASKED and before not in _ASKED:
            yield None
        before = kind


def _response(body: Json, calls: Round, ids: Callable[[str], str]) -> Json:
    """A tool without a schema takes one text: what the script gives it as `input`."""
    free = {tool.get("name") for tool in body.get("tools", []) if tool.get("type") == "custom"}
    output: list[Json] = []
    for tool, given in calls:
        item: Json = {"id": ids("item_"), "call_id": ids("call_"), "name": tool, "status": "completed"}
        as_text = {"type": "custom_tool_call", "input": given.get("input", "")}
        output.append(item | (as_text if tool in free else {"type": "function_call", "arguments": json.dumps(given)}))
    said = {"type": "output_text", "text": DONE, "annotations": []}
    words = {"id": ids("msg_"), "type": "message", "role": "assistant", "status": "completed", "content": [said]}
    usage = {"input_tokens": 100, "input_tokens_details": None, "output_tokens": 20, "output_tokens_details": None, "total_tokens": 120}
    return {"id": ids("resp_"), "object": "response", "status": "completed", "output": output or [words], "usage": usage}


def _response_stream(response: Json) -> Iterator[Json]:
    yield {"type": "response.created", "response": response | {"output": [], "status": "in_progress"}}
    for index, item in enumerate(response["output"]):
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": response}


def _contents(body: Json) -> Iterator[str | None]:
    for content in body.get("contents", []):
        if content.get("role") != "model":
            yield from _text(content["parts"])
        elif any("functionCall" in part for part in content["parts"]):
            yield None


def _declared(body: Json) -> set[str]:
    return {declared["name"] for tool in body.get("tools", []) for declared in tool.get("functionDeclarations", [])}


def _candidate(body: Json, calls: Round, ids: Callable[[str], str]) -> Json:
    parts: list[Json] = [{"functionCall": {"name": tool, "args": given}} for tool, given in calls] or [{"text": DONE}]
    content = {"role": "model", "parts": parts}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], "usageMetadata": usage, "responseId": ids("resp_")}


def _names(body: Json) -> set[str]:
    return {str(tool.get("name")) for tool in body.get("tools", [])}


DIALECTS = {  # by the end of the path that a request comes on
    "/messages": Dialect(_messages, _names, _message, _message_stream),
    "/responses": Dialect(_items, _names, _response, _response_stream),
    ":generateContent": Dialect(_contents, _declared, _candidate, lambda answer: [answer], lambda path, body: False),
    ":streamGenerateContent": Dialect(_contents, _declared, _candidate, lambda answer: [answer], lambda path, body: True),
}
