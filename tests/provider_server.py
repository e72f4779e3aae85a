"""A local HTTP server that answers like the OpenAI and Mistral embeddings APIs, errors included. Behaviours are queued per request."""

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from mcp_memory.embedding.hash_embedder import HashEmbedder

KEY = "sk-test-0123456789-do-not-log-me"
OWN_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "mistral-embed": 1024, "codestral-embed": 1536}


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request is answered with. `hang` sends nothing (or only the head) until the server stops."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    hang: str = ""  # "", "before" or "after" the head


Behaviour = Callable[[dict[str, Any]], Reply]


def _always(reply: Reply) -> Behaviour:
    return lambda _: reply


@dataclass
class ProviderServer:
    """Requests received, and behaviours for the requests to come (the API's own when none is queued)."""

    url: str
    max_inputs: int
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    queued: deque[Behaviour] = field(default_factory=deque)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        """Every text received, in order."""
        return [text for request in self.requests for text in request["input"]]

    def queue(self, *behaviours: Behaviour | Reply) -> None:
        for behaviour in behaviours:
            self.queued.append(_always(behaviour) if isinstance(behaviour, Reply) else behaviour)

    def answer(self, body: dict[str, Any], authorization: str) -> Reply:
        if authorization != f"Bearer {KEY}":
            return openai_error(
                401, f"Incorrect API key provided: {authorization.removeprefix('Bearer ')}. You can find your API key online."
            )
        if self.queued:
            return self.queued.popleft()(body)
        return self.embed(body)

    def embed(self, body: dict[str, Any]) -> Reply:
        texts = body["input"]
        if not all(texts):
            return openai_error(400, "'$.input' is invalid. Input cannot be an empty string.")
        if len(texts) > self.max_inputs:
            return openai_error(400, "Too many inputs in one request.")
        dimension = body.get("dimensions") or body.get("output_dimension") or OWN_DIMENSIONS[body["model"]]
        vectors = HashEmbedder(dimension).embed(texts) * 3  # not normalised, on purpose
        return Reply(body=embeddings_body(list(vectors), encoding=body.get("encoding_format", "float")))


def embeddings_body(vectors: Sequence[Any], encoding: str = "float") -> bytes:
    """Return a success body, last text first: the order is in `index` only."""
    data = []
    for index, vector in enumerate(vectors):
        numbers = np.asarray(vector, "<f4")
        embedding = base64.b64encode(numbers.tobytes()).decode() if encoding == "base64" else numbers.tolist()
        data.append({"object": "embedding", "index": index, "embedding": embedding})
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    return json.dumps({"object": "list", "data": data[::-1], "model": "m", "usage": usage}).encode()


def openai_error(status: int, message: str, *headers: tuple[str, str]) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Reply(status, json.dumps({"error": error}).encode(), headers)


def mistral_error(status: int, message: str) -> Reply:
    body = {"object": "error", "message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Reply(status, json.dumps(body).encode())


@contextmanager
def provider_server(max_inputs: int = 2048) -> Iterator[ProviderServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keep-alive

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.requests.append(body)
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            state.connections.add(self.client_address[1])
            reply = state.answer(body, self.headers.get("authorization", "")) if self.path == "/v1/embeddings" else Reply(404)
            if reply.hang == "before":
                state.stopping.wait()
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body) + (reply.hang == "after")))
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()
            if reply.hang == "after":
                state.stopping.wait()
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that gave up has closed the connection

    server = Server(("127.0.0.1", 0), Handler)
    state = ProviderServer(f"http://127.0.0.1:{server.server_address[1]}/v1", max_inputs)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="provider-server")
    thread.start()
    try:
        yield state
    finally:
        state.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
