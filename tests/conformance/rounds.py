"""The conformance fixtures that need more than one round (2026-07-28): what is asked, and a state the client must bring back unchanged."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from tests.conformance.contents import text

_KEY = secrets.token_bytes(32)
Result = dict[str, Any]


def sealed(state: str) -> str:
    """Return *state* with its signature."""
    return f"{state}.{hmac.new(_KEY, state.encode(), hashlib.sha256).hexdigest()}"


def unsealed(token: str | None) -> str:
    """Return the state of a token. Raises MCPError: it is not one of ours."""
    state, _, _ = (token or "").rpartition(".")
    if token is None or not hmac.compare_digest(sealed(state).encode(), token.encode()):
        raise MCPError(code=types.INVALID_PARAMS, message="requestState failed its integrity check")
    return state


def form(field: str, message: str, kind: str = "string") -> Result:
    """Return a request for one field."""
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}}


def sampling(prompt: str) -> Result:
    """Return a request to the client's model."""
    message = {"role": "user", "content": {"type": "text", "text": prompt}}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": 50}}


ROOTS: Result = {"method": "roots/list", "params": {}}


def asking(requests: Mapping[str, Result], state: str | None = None) -> Result:
    """Return the interim result."""
    return {"resultType": "input_required", "inputRequests": dict(requests)} | ({} if state is None else {"requestState": sealed(state)})


def content_of(answer: Any) -> Mapping[str, Any] | None:
    """Return what a form was filled with; None if it was not."""
    if isinstance(answer, types.ElicitResult) and answer.action == "accept":
        return answer.content or {}
    return None


def _elicitation(ctx: Any, params: Any) -> Result:
    content = content_of((params.input_responses or {}).get("user_name"))
    if content is None or not isinstance(content.get("name"), str):
        return asking({"user_name": form("name", "What is your name?")})
    return text(f"Hello, {content['name']}!")


def _once(key: str, request: Result) -> Callable[[Any, Any], Result]:
    def run(ctx: Any, params: Any) -> Result:
        answer = (params.input_responses or {}).get(key)
        return asking({key: request}) if answer is None else text(json.dumps(answer.model_dump(mode="json", by_alias=True)))

    return run


def _with_state(requests: Mapping[str, Result]) -> Callable[[Any, Any], Result]:
    def run(ctx: Any, params: Any) -> Result:
        if params.request_state is not None:
            unsealed(params.request_state)
        given = params.input_responses or {}
        if params.request_state is None or any(key not in given for key in requests):
            return asking(requests, "first")
        return text("state-ok")

    return run


def _multi_round(ctx: Any, params: Any) -> Result:
    state = "start" if params.request_state is None else unsealed(params.request_state)
    given = params.input_responses or {}
    if state == "one" and "step1" in given:
        return asking({"step2": form("color", "Step 2: What is your favorite color?")}, "two")
    if state == "two" and "step2" in given:
        return text("done")
    return asking({"step1": form("name", "Step 1: What is your name?")}, "one")


def _capabilities(ctx: Any, params: Any) -> Result:
    """Ask only for what this client declared."""
    if params.input_responses:
        return text("done")
    declared = ctx.session.client_capabilities
    offers = {"elicitation": form("name", "What is your name?"), "sampling": sampling("Generate a greeting"), "roots": ROOTS}
    possible = {name: request for name, request in offers.items() if declared is not None and getattr(declared, name) is not None}
    return asking(possible) if possible else text("nothing to ask with")


ROUND_TOOLS: dict[str, Callable[[Any, Any], Result]] = {
    "test_input_required_result_elicitation": _elicitation,
    "test_input_required_result_sampling": _once("capital_question", sampling("What is the capital of France?")),
    "test_input_required_result_list_roots": _once("client_roots", ROOTS),
    "test_input_required_result_request_state": _with_state({"confirm": form("ok", "Please confirm", "boolean")}),
    "test_input_required_result_multiple_inputs": _with_state(
        {"user_name": form("name", "What is your name?"), "greeting": sampling("Generate a greeting"), "client_roots": ROOTS}
    ),
    "test_input_required_result_multi_round": _multi_round,
    "test_input_required_result_tampered_state": _with_state({"confirm": form("ok", "Please confirm", "boolean")}),
    "test_input_required_result_capabilities": _capabilities,
}


def round_prompt(params: types.GetPromptRequestParams) -> Result:
    """Return the prompt that asks for its context first."""
    content = content_of((params.input_responses or {}).get("user_context"))
    if content is None:
        return asking({"user_context": form("context", "What context should the prompt use?")})
    message = {"role": "user", "content": {"type": "text", "text": f"Context: {content.get('context')}"}}
    return {"messages": [message], "resultType": "complete"}
