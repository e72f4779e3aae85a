"""Embeddings from OpenAI or Mistral over HTTP, or anything that speaks either API. The key lives in the client's header, nowhere else."""

import random
import time
from collections.abc import Callable, Iterator, Sequence

import httpx2
import numpy as np

from mcp_memory.embedding.circuit_breaker import CircuitBreaker
from mcp_memory.embedding.http_answers import MalformedAnswer, decode_embeddings, error_message, retry_after_s
from mcp_memory.embedding.providers import ProviderPlan
from mcp_memory.errors import McpMemoryError, ModelUnavailable, ProviderUnavailable
from mcp_memory.metrics import Metrics

MAX_TEXT_BYTES = 8_000  # both APIs take 8,192 tokens a text, and a token has at least one byte
EMPTY_TEXT = "(empty)"  # what is sent for a text without characters; both APIs refuse ""
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 20.0  # also the longest Retry-After that is waited for
QUERY_RETRIES = 1  # a query has the local model to fall back on; documents can wait
KEEPALIVE_S = 60.0
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_TOO_LARGE = frozenset({400, 413, 422})  # how the two APIs refuse too many texts or tokens in one request


class _Retry(Exception):
    """Worth another try. The message is the reason; `wait_s` what the provider asked for."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _TooLarge(Exception):
    """Possibly too much for one request."""


class HttpEmbedder:
    """An Embedder on a provider's `POST /embeddings`.

    Documents: every request is tried up to `max_retries` times more on 408, 409, 425, 429, 5xx, time-outs and broken
    connections, with exponential back-off and jitter or the wait the provider asks for. A query is tried once more at most, all
    within its budget. A text is cut to 8,000 bytes; roles share one vector.
    """

    def __init__(
        self,
        plan: ProviderPlan,
        api_key: str,
        *,
        query_budget_ms: int,
        metrics: Metrics | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            plan: Address, model and limits; see `providers.plan_provider`.
            api_key: Printable ASCII.
            query_budget_ms: The longest a query may take, retries included.
            sleep: Called with seconds between tries.
            clock_s: A monotonic clock.
        """
        self.space, self.dimension = plan.space, plan.dimension
        self._plan, self._query_budget_s = plan, query_budget_ms / 1000
        self._metrics, self._sleep, self._clock_s = metrics or Metrics(), sleep, clock_s
        self._mask: Callable[[str], str] = lambda text: text.replace(api_key, "***")  # a closure: no attribute holds the key
        self.breaker = CircuitBreaker(clock_s)
        self._client = httpx2.Client(
            headers={"authorization": f"Bearer {api_key}"}, limits=httpx2.Limits(max_connections=4, keepalive_expiry=KEEPALIVE_S)
        )

    def embed(self, texts: Sequence[str], *, role: str = "document") -> np.ndarray:
        """Return float32 unit vectors, shape (n, dimension), in order. Blocking; safe from any thread.

        Raises:
            ProviderUnavailable: It gave up, or an outage was met a moment ago (then at once, without a request).
            ModelUnavailable: The provider's vectors have another dimension.
        """
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        if refusal := self.breaker.refusal():
            raise ProviderUnavailable(refusal)
        deadline_s = self._clock_s() + self._query_budget_s if role == "query" else float("inf")
        retries = min(QUERY_RETRIES, self._plan.max_retries) if role == "query" else self._plan.max_retries
        chunks = requests([_sendable(text) for text in texts], self._plan.batch_size, self._plan.provider.max_request_bytes)
        return np.concatenate([self._embed_chunk(chunk, retries, deadline_s) for chunk in chunks])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _embed_chunk(self, texts: list[str], retries: int, deadline_s: float) -> np.ndarray:
        """Embed one request's texts, in halves if the provider finds them too many."""
        try:
            return self._request(texts, retries, deadline_s)
        except _TooLarge as error:
            if len(texts) == 1:
                raise ProviderUnavailable(self._sentence(str(error))) from error  # the text's fault, not an outage
        half = len(texts) // 2
        return np.concatenate([self._embed_chunk(part, retries, deadline_s) for part in (texts[:half], texts[half:])])

    def _request(self, texts: list[str], retries: int, deadline_s: float) -> np.ndarray:
        """Send one request, again where that may help, and keep the breaker informed."""
        for attempt in range(retries + 1):
            try:
                vectors = self._attempt(texts, deadline_s)
                self.breaker.succeeded()
                return vectors
            except _Retry as error:
                wait_s = _backoff_s(attempt) if error.wait_s is None else error.wait_s
                if attempt == retries or wait_s > LONGEST_BACKOFF_S or self._clock_s() + wait_s >= deadline_s:
                    raise self._outage(str(error)) from error
                self._metrics.count("embedding.provider_retries")
                self._sleep(wait_s)
            except ModelUnavailable as error:
                self.breaker.failed(error.message)
                raise
            except MalformedAnswer as error:
                raise self._outage(str(error)) from error
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, texts: list[str], deadline_s: float) -> np.ndarray:
        self._metrics.count("embedding.provider_requests")
        started_s = self._clock_s()
        timeout_s = min(self._plan.timeout_ms / 1000, deadline_s - started_s)
        body = {**self._plan.request_fields, "input": texts}
        try:
            with (
                self._metrics.timed("embedding.provider_request"),
                self._client.stream("POST", self._plan.url, json=body, timeout=max(timeout_s, 0.001)) as response,
            ):
                answer = self._read(response, started_s + timeout_s)
        except httpx2.TimeoutException as error:
            raise _Retry(f"no answer within {timeout_s:.1f} s") from error
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise _Retry(self._mask(f"{type(error).__name__}: {error}")) from error
        except httpx2.InvalidURL as error:
            raise self._outage(f"its address is not valid: {error}") from error
        if response.status_code == httpx2.codes.OK:
            return decode_embeddings(answer, len(texts), self.dimension)
        raise self._refusal(response, answer)

    def _read(self, response: httpx2.Response, until_s: float) -> bytes:
        """Return the body; a server that sends a byte now and then must not outlast the time-out."""
        parts = []
        for part in response.iter_bytes():
            parts.append(part)
            if self._clock_s() > until_s:
                raise httpx2.ReadTimeout("the answer takes too long", request=response.request)
        return b"".join(parts)

    def _refusal(self, response: httpx2.Response, body: bytes) -> Exception:
        status = response.status_code
        if status in (401, 403):  # their message quotes parts of the key
            return self._outage(f"HTTP {status}: {self._plan.provider.key_variable} is not accepted")
        message = self._mask(error_message(body))
        reason = f"HTTP {status}: {message}" if message else f"HTTP {status}"
        if status in _RETRYABLE or status >= 500:
            return _Retry(reason, retry_after_s(response.headers, time.time()))
        return _TooLarge(reason) if status in _TOO_LARGE else self._outage(reason)

    def _outage(self, reason: str) -> McpMemoryError:
        """Open the breaker and return the error to raise."""
        sentence = self._sentence(reason)
        self.breaker.failed(sentence)
        self._metrics.count("embedding.provider_failures")
        return ProviderUnavailable(sentence)

    def _sentence(self, reason: str) -> str:
        return f"provider {self._plan.provider.name} does not answer ({reason})"


def requests(texts: Sequence[str], max_texts: int, max_bytes: int) -> Iterator[list[str]]:
    """Yield consecutive runs of *texts* of at most *max_texts* and, unless a single text is larger, *max_bytes* of UTF-8."""
    chunk: list[str] = []
    size_bytes = 0
    for text in texts:
        text_bytes = len(text.encode())
        if chunk and (len(chunk) == max_texts or size_bytes + text_bytes > max_bytes):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(text)
        size_bytes += text_bytes
    if chunk:
        yield chunk


def _sendable(text: str) -> str:
    """Return *text* cut to the limit, without half characters, and never empty."""
    cut = text[:MAX_TEXT_BYTES].encode("utf-8", "replace")[:MAX_TEXT_BYTES].decode("utf-8", "ignore")
    return cut if cut.strip() else EMPTY_TEXT


def _backoff_s(attempt: int) -> float:
    """Return a wait that doubles with every attempt, between half and all of it at random so that callers spread out."""
    return float(min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**attempt) * random.uniform(0.5, 1))
