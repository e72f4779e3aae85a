"""The service: what is answered before the model is ready, without it, and when a provider is out."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mcp_memory.config import EmbeddingConfig
from mcp_memory.domain.status import CacheStats, EmbeddingStatus
from mcp_memory.embedding import onnx_embedder
from mcp_memory.embedding.service import EmbeddingService, open_embedding
from mcp_memory.errors import ConfigError, ModelUnavailable, ProviderUnavailable
from mcp_memory.metrics import Metrics
from tests.provider_server import KEY, ProviderServer, Reply, provider_server

LOCAL = "local:all-minilm-l6-v2-int8:384"
REMOTE = "openai:text-embedding-3-small:48"
READY_MS = 30_000

Open = Callable[..., EmbeddingService]


@pytest.fixture
def open_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def opened(env: dict[str, str] | None = None, **settings: Any) -> EmbeddingService:
        service = open_embedding(EmbeddingConfig(**settings), None, Metrics(), env or {})
        stack.callback(service.close)
        return service

    with ExitStack() as stack:
        yield opened


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with provider_server() as server:
        yield server


@pytest.fixture
def held_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The model loads only once the event is set."""
    go, load = threading.Event(), onnx_embedder.OnnxEmbedder.__init__

    def held(*args: Any, **settings: Any) -> None:
        go.wait(READY_MS / 1000)
        load(*args, **settings)

    monkeypatch.setattr(onnx_embedder.OnnxEmbedder, "__init__", held)
    yield go
    go.set()


def remote_settings(server: ProviderServer) -> dict[str, Any]:
    return {"provider": "openai", "dimension": 48, "base_url": server.url, "env": {"OPENAI_API_KEY": KEY}, "max_retries": 0}


def test_opening_it_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from mcp_memory.embedding.service import open_embedding\n"
        "from mcp_memory.embedding.quantize import quantize_rows\n"
        "from mcp_memory.config import EmbeddingConfig\n"
        "from mcp_memory.metrics import Metrics\n"
        "assert open_embedding(EmbeddingConfig(), None, Metrics(), {}).spaces\n"
        "print(sorted({'numpy', 'onnxruntime', 'tokenizers', 'httpx2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout == "[]\n"


def test_the_local_model_answers_once_it_is_ready(open_service: Open) -> None:
    service = open_service()
    assert (service.state, service.spaces) == ("loading", (LOCAL,))
    service.start()
    assert service.wait_ready(READY_MS)
    vectors, lesser = service.embed_query("fix the parser", wait_ms=0)
    assert lesser == ()
    assert vectors[LOCAL].shape == (384,)
    np.testing.assert_array_equal(service.embed_documents(["fix the parser"], LOCAL)[0], vectors[LOCAL])
    status = service.status()
    assert (status.state, status.model_id, status.dimension, status.degraded) == ("ready", "all-minilm-l6-v2-int8", 384, ())
    assert service.cache_stats() == CacheStats(hits=1, misses=1, entries=1)
    assert service.check() == []


def test_a_query_before_the_model_is_ready_waits_no_longer_than_asked_and_says_so(open_service: Open, held_model: threading.Event) -> None:
    service = open_service()
    service.start()
    assert service.embed_query("x", wait_ms=1) == ({}, ("the local embedding model is still loading: the search was lexical only",))
    assert not service.wait_ready(1)
    assert service.status().degraded == ("the local embedding model is still loading",)
    held_model.set()
    vectors, lesser = service.embed_query("x", wait_ms=READY_MS)
    assert (set(vectors), lesser) == ({LOCAL}, ())


def test_documents_wait_for_a_model_that_is_loading(open_service: Open, held_model: threading.Event) -> None:
    service = open_service()
    held_model.set()
    assert service.embed_documents(["x"], LOCAL).shape == (1, 384)


def test_off_means_lexical_search_and_no_complaint(open_service: Open) -> None:
    service = open_service(provider="off")
    service.start()
    assert (service.state, service.spaces, service.embed_query("x", wait_ms=0)) == ("off", (), ({}, ()))
    assert service.status().state == "off"
    with pytest.raises(ModelUnavailable):
        service.embed_documents(["x"], LOCAL)


def test_a_missing_model_is_said_in_every_answer_and_breaks_nothing(open_service: Open, tmp_path: Path) -> None:
    service = open_service(model_path=str(tmp_path))
    service.start()
    vectors, (sentence,) = service.embed_query("x", wait_ms=READY_MS)
    assert vectors == {}
    assert sentence == f"the model folder {tmp_path} has no readable manifest.json: the search was lexical only"
    assert (service.state, service.spaces) == ("failed", ())
    assert service.check() == [f"the model folder {tmp_path} has no readable manifest.json"]
    with pytest.raises(ModelUnavailable, match="no readable manifest"):
        service.embed_documents(["x"], LOCAL)


@pytest.mark.parametrize("error", [ModelUnavailable("no such file"), ImportError("no wheel"), OSError("disk")])
def test_whatever_fails_while_loading_the_state_says_so(open_service: Open, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(onnx_embedder.OnnxEmbedder, "__init__", fail)
    service = open_service()
    service.start()
    vectors, (sentence,) = service.embed_query("x", wait_ms=READY_MS)
    assert (vectors, service.state, service.spaces) == ({}, "failed", ())
    assert sentence.endswith(": the search was lexical only")


def test_a_provider_answers_beside_the_local_model(open_service: Open, server: ProviderServer) -> None:
    service = open_service(**remote_settings(server))
    service.start()
    vectors, lesser = service.embed_query("fix the parser", wait_ms=READY_MS)
    assert {space: vector.shape for space, vector in vectors.items()} == {LOCAL: (384,), REMOTE: (48,)}
    assert lesser == ()
    assert service.spaces == (LOCAL, REMOTE)
    assert service.embed_documents(["a", "b"], REMOTE).shape == (2, 48)
    assert replace(service.status(), load_ms=0.0) == EmbeddingStatus(
        provider="openai",
        in_use="openai",
        model_id="text-embedding-3-small",
        dimension=48,
        state="ready",
        fallback=LOCAL,
        spaces=(LOCAL, REMOTE),
        load_ms=0.0,
        degraded=(),
    )


def test_a_provider_outage_degrades_to_local_in_the_same_call_and_says_so(open_service: Open, server: ProviderServer) -> None:
    service = open_service(**remote_settings(server))
    service.start()
    server.queue(Reply(503))
    vectors, lesser = service.embed_query("fix the parser", wait_ms=READY_MS)
    assert set(vectors) == {LOCAL}
    assert lesser == ("provider openai does not answer (HTTP 503): semantic search used the local model",)
    assert service.embed_query("another text", wait_ms=0)[1] == lesser
    assert len(server.requests) == 1  # the second call did not wait for the outage
    assert service.status().degraded == ("provider openai does not answer (HTTP 503)",)
    with pytest.raises(ProviderUnavailable):
        service.embed_documents(["a"], REMOTE)
    assert service.embed_documents(["a"], LOCAL).shape == (1, 384)


def test_a_provider_answers_alone_where_the_local_model_is_missing(open_service: Open, server: ProviderServer, tmp_path: Path) -> None:
    service = open_service(model_path=str(tmp_path), **remote_settings(server))
    service.start()
    vectors, (sentence,) = service.embed_query("x", wait_ms=READY_MS)
    assert set(vectors) == {REMOTE}
    assert sentence.endswith("has no readable manifest.json: semantic search used the provider only")


def test_a_provider_without_a_key_has_no_space_and_the_variable_is_named(open_service: Open) -> None:
    service = open_service(provider="mistral", env={"OPENAI_API_KEY": KEY})
    service.start()
    vectors, lesser = service.embed_query("x", wait_ms=READY_MS)
    assert (set(vectors), service.spaces) == ({LOCAL}, (LOCAL,))
    assert lesser == ("provider mistral has no key (MISTRAL_API_KEY is not set): semantic search used the local model",)


def test_settings_that_cannot_work_are_refused_at_once(open_service: Open) -> None:
    with pytest.raises(ConfigError):
        open_service(provider="mistral", dimension=7)


def test_starting_twice_loads_once_and_closing_without_starting_is_fine(open_service: Open) -> None:
    service = open_service()
    service.close()
    service.start()
    thread = service._loader._thread
    service.start()
    assert service._loader._thread is thread
