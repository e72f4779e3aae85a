"""The remote embedders against a real local server that behaves, and misbehaves, like the OpenAI and Mistral APIs."""

import logging
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import numpy as np
import pytest

from mcp_memory.config import EmbeddingConfig
from mcp_memory.embedding.hash_embedder import HashEmbedder
from mcp_memory.embedding.http_embedder import EMPTY_TEXT, MAX_TEXT_BYTES, HttpEmbedder
from mcp_memory.embedding.providers import plan_provider
from mcp_memory.errors import ModelUnavailable, ProviderUnavailable
from mcp_memory.metrics import Metrics
from tests.provider_server import KEY, ProviderServer, Reply, embeddings_body, mistral_error, openai_error, provider_server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with provider_server() as server:
        yield server


class Bench:
    """An embedder on a server, with the pauses it took instead of sleeping."""

    def __init__(self, url: str, *, key: str = KEY, budget_ms: int = 60_000, clock_s: Any = time.monotonic, **settings: Any) -> None:
        config = EmbeddingConfig(**{"provider": "openai", "base_url": url, "dimension": 8, "timeout_ms": 20_000, **settings})
        self.pauses_s: list[float] = []
        self.metrics = Metrics()
        self.embedder = HttpEmbedder(
            plan_provider(config), key, query_budget_ms=budget_ms, metrics=self.metrics, sleep=self.pauses_s.append, clock_s=clock_s
        )

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.embedder.close()

    def failure(self, role: str = "document") -> str:
        with pytest.raises(ProviderUnavailable) as caught:
            self.embedder.embed(["a"], role=role)
        return caught.value.message


def test_openai_is_asked_as_its_api_wants_and_vectors_come_back_in_order_as_unit_vectors(server: ProviderServer) -> None:
    with Bench(server.url) as bench:
        vectors = bench.embedder.embed(["red apple", "green pear"])
    assert server.requests == [
        {"model": "text-embedding-3-small", "encoding_format": "base64", "dimensions": 8, "input": ["red apple", "green pear"]}
    ]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    np.testing.assert_allclose(vectors, HashEmbedder(8).embed(["red apple", "green pear"]), atol=1e-6)
    assert bench.embedder.space == "openai:text-embedding-3-small:8"


def test_mistral_is_asked_as_its_api_wants(server: ProviderServer) -> None:
    with Bench(server.url, provider="mistral", model="codestral-embed", dimension=256) as bench:
        vectors = bench.embedder.embed(["red apple"])
    assert server.requests == [{"model": "codestral-embed", "output_dimension": 256, "input": ["red apple"]}]
    np.testing.assert_allclose(vectors, HashEmbedder(256).embed(["red apple"]), atol=1e-6)


def test_a_models_own_dimension_is_not_asked_for(server: ProviderServer) -> None:
    with Bench(server.url, provider="mistral", dimension=0) as bench:
        assert bench.embedder.embed(["x"]).shape == (1, 1024)
    assert server.requests == [{"model": "mistral-embed", "input": ["x"]}]


def test_many_texts_go_in_batches_over_one_connection_and_keep_their_order(server: ProviderServer) -> None:
    texts = [f"text number {n}" for n in range(25)]
    with Bench(server.url, batch_size=10) as bench:
        vectors = bench.embedder.embed(texts)
    assert [len(request["input"]) for request in server.requests] == [10, 10, 5]
    assert len(server.connections) == 1
    np.testing.assert_allclose(vectors, HashEmbedder(8).embed(texts), atol=1e-6)


def test_texts_the_apis_would_refuse_are_made_acceptable(server: ProviderServer) -> None:
    with Bench(server.url) as bench:
        bench.embedder.embed(["", " \n", "é" * 20_000, "half an emoji: \ud83d"])
    empty, blank, long, half = server.texts
    assert (empty, blank) == (EMPTY_TEXT, EMPTY_TEXT)
    assert long == "é" * (MAX_TEXT_BYTES // 2)
    assert half == "half an emoji: ?"


def test_a_request_refused_as_too_large_is_sent_again_in_halves() -> None:
    with provider_server(max_inputs=3) as server, Bench(server.url) as bench:
        texts = [f"text {n}" for n in range(8)]
        np.testing.assert_allclose(bench.embedder.embed(texts), HashEmbedder(8).embed(texts), atol=1e-6)
    assert [len(request["input"]) for request in server.requests] == [8, 4, 2, 2, 4, 2, 2]


def test_a_single_text_that_is_refused_fails_alone_and_is_no_outage(server: ProviderServer) -> None:
    server.queue(mistral_error(400, "Input could not\nbe tokenised"))
    with Bench(server.url) as bench:
        assert bench.failure() == "provider openai does not answer (HTTP 400: Input could not be tokenised)"
        assert bench.embedder.embed(["b"]).shape == (1, 8)
    assert bench.pauses_s == []


def test_a_server_error_is_tried_again_with_growing_pauses(server: ProviderServer) -> None:
    server.queue(Reply(500), Reply(503), Reply(502))
    with Bench(server.url) as bench:
        assert bench.embedder.embed(["a"]).shape == (1, 8)
    assert len(server.requests) == 4
    assert all(low <= pause <= 2 * low for pause, low in zip(bench.pauses_s, (0.25, 0.5, 1.0), strict=True))
    assert bench.metrics.counters()["embedding.provider_retries"] == 3


@pytest.mark.parametrize(
    ("header", "low_s", "high_s"),
    [
        (("retry-after", "7"), 7, 7),
        (("retry-after-ms", "1500"), 1.5, 1.5),
        (("retry-after", formatdate(time.time() + 10, usegmt=True)), 0, 10),
    ],
)
def test_a_rate_limit_is_waited_out_as_long_as_the_provider_says(
    server: ProviderServer, header: tuple[str, str], low_s: float, high_s: float
) -> None:
    server.queue(openai_error(429, "Rate limit reached", header))
    with Bench(server.url) as bench:
        bench.embedder.embed(["a"])
    assert len(bench.pauses_s) == 1
    assert low_s <= bench.pauses_s[0] <= high_s


def test_a_rate_limit_of_an_hour_is_not_waited_for(server: ProviderServer) -> None:
    server.queue(openai_error(429, "You exceeded your current quota", ("retry-after", "3600")))
    with Bench(server.url) as bench:
        assert bench.failure() == "provider openai does not answer (HTTP 429: You exceeded your current quota)"
    assert bench.pauses_s == []


def test_it_gives_up_after_the_configured_retries(server: ProviderServer) -> None:
    server.queue(*[Reply(503)] * 3)
    with Bench(server.url, max_retries=2) as bench:
        assert bench.failure() == "provider openai does not answer (HTTP 503)"
    assert len(server.requests) == 3


@pytest.mark.parametrize("hang", ["before", "after"])
def test_a_silent_server_costs_the_time_out_and_is_named(server: ProviderServer, hang: str) -> None:
    server.queue(*[Reply(hang=hang)] * 2)
    with Bench(server.url, timeout_ms=60, max_retries=1) as bench:
        assert bench.failure() == "provider openai does not answer (no answer within 0.1 s)"
    assert len(server.requests) == 2


def test_a_server_that_drips_cannot_outlast_the_time_out(server: ProviderServer) -> None:
    ticks = iter(range(0, 10_000, 5))  # every look at the clock finds five seconds gone
    server.queue(*[lambda body: server.embed(body)] * 4)
    with Bench(server.url, timeout_ms=1_000, max_retries=0, clock_s=lambda: float(next(ticks))) as bench:
        assert "no answer within 1.0 s" in bench.failure()


def test_a_query_is_tried_once_more_at_most_and_never_beyond_its_budget(server: ProviderServer) -> None:
    server.queue(*[Reply(503)] * 3)
    with Bench(server.url, max_retries=9) as bench:
        bench.failure(role="query")
    assert len(server.requests) == 2
    with Bench(server.url, max_retries=9, budget_ms=100) as bench:
        bench.failure(role="query")
    assert len(server.requests) == 3
    assert bench.pauses_s == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"<html>not json"),
        Reply(body=b'{"data": 7}'),
        Reply(body=b'{"data": [{"index": 0}]}'),
        Reply(body=b'{"data": [{"index": 0, "embedding": ["a", "b"]}]}'),
        Reply(body=b'{"data": [{"index": 0, "embedding": "####"}]}'),
        Reply(body=embeddings_body([])),
        Reply(body=embeddings_body([[1] * 8, [1] * 8])),
        Reply(body=embeddings_body([[0] * 8])),
        Reply(body=embeddings_body([[float("nan")] * 8], encoding="base64")),
    ],
)
def test_an_answer_that_is_not_what_the_api_promises_is_refused(server: ProviderServer, reply: Reply) -> None:
    server.queue(reply)
    with Bench(server.url) as bench:
        assert bench.failure().startswith("provider openai does not answer (")
    assert len(server.requests) == 1


def test_vectors_of_another_dimension_are_refused_and_the_setting_is_named(server: ProviderServer) -> None:
    server.queue(Reply(body=embeddings_body([[1] * 9])))
    with Bench(server.url) as bench:
        with pytest.raises(ModelUnavailable, match="9 dimensions, not 8") as caught:
            bench.embedder.embed(["a"])
        assert "MCP_MEMORY_EMBEDDING__DIMENSION" in caught.value.hint


def test_a_refused_connection_is_an_outage_and_the_next_call_does_not_wait_for_it() -> None:
    with provider_server() as server:
        url = server.url  # free again after the block: nobody listens
    with Bench(url, max_retries=1) as bench:
        assert "ConnectError" in bench.failure()
        requests = bench.metrics.counters()["embedding.provider_requests"]
        assert "ConnectError" in bench.failure()
        assert bench.metrics.counters()["embedding.provider_requests"] == requests


def test_after_the_pause_one_call_tries_again_and_success_closes_the_breaker(server: ProviderServer) -> None:
    now_s = [0.0]
    server.queue(Reply(503))
    with Bench(server.url, max_retries=0, clock_s=lambda: now_s[0]) as bench:
        bench.failure()
        now_s[0] = 4.9
        bench.failure()
        assert len(server.requests) == 1
        now_s[0] = 5.0
        assert bench.embedder.embed(["a"]).shape == (1, 8)
        assert bench.embedder.breaker.reason == ""


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_by_its_variable_only(server: ProviderServer, status: int) -> None:
    server.queue(openai_error(status, f"Incorrect API key provided: {KEY}"))
    with Bench(server.url) as bench:
        assert bench.failure() == f"provider openai does not answer (HTTP {status}: OPENAI_API_KEY is not accepted)"
    assert len(server.requests) == 1


def test_an_unknown_model_is_not_tried_again(server: ProviderServer) -> None:
    server.queue(openai_error(404, "The model `x` does not exist"))
    with Bench(server.url) as bench:
        assert bench.failure() == "provider openai does not answer (HTTP 404: The model `x` does not exist)"
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed_with_the_key(server: ProviderServer) -> None:
    server.queue(Reply(307, headers=(("location", server.url + "/elsewhere"),)))
    with Bench(server.url) as bench:
        assert "HTTP 307" in bench.failure()
    assert len(server.requests) == 1


def test_the_key_is_in_no_log_no_repr_and_no_error(server: ProviderServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.queue(openai_error(401, f"bad key {KEY}"), openai_error(500, f"cannot use {KEY}"), openai_error(400, f"odd {KEY}"))
    spoken: list[str] = []
    for _ in range(3):
        with Bench(server.url, max_retries=0) as bench:
            with pytest.raises(ProviderUnavailable) as caught:
                bench.embedder.embed(["a"])
            error: BaseException | None = caught.value
            while error is not None:
                spoken += [str(error), repr(error)]
                error = error.__cause__ or error.__context__
            spoken += [repr(bench.embedder), repr(vars(bench.embedder)), repr(bench.embedder._client.headers)]
    spoken += [record.getMessage() for record in caplog.records]
    assert len(caplog.records) > 0
    assert [text for text in spoken if KEY in text] == []
