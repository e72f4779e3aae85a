"""What every Embedder promises: the fake, the local model, the remote ones, each also behind the cache."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Literal

import numpy as np
import pytest

from mcp_memory.config import EmbeddingConfig
from mcp_memory.embedding.cached_embedder import CachedEmbedder
from mcp_memory.embedding.hash_embedder import HashEmbedder
from mcp_memory.embedding.http_embedder import HttpEmbedder
from mcp_memory.embedding.model_files import find_model
from mcp_memory.embedding.onnx_embedder import OnnxEmbedder
from mcp_memory.embedding.providers import plan_provider
from mcp_memory.ports import Embedder
from tests.provider_server import KEY, provider_server

ODD_TEXTS = ["", " \n\t", "🦀🎉", "修复解析器中的日期错误", "a" * 20_000, "half \ud83d emoji", 'MATCH "x" NEAR(y) -- \0', "word " * 4_000]


@pytest.fixture(scope="module")
def local() -> OnnxEmbedder:
    return OnnxEmbedder(find_model())


@pytest.fixture(params=["hash", "local", "openai", "mistral", "cached hash", "cached local", "cached openai"])
def embedder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedder]:
    def remote(provider: Literal["openai", "mistral"]) -> Embedder:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        server = stack.enter_context(provider_server())
        config = EmbeddingConfig(
            provider=provider, model="codestral-embed" if provider == "mistral" else "", dimension=48, base_url=server.url
        )
        http = HttpEmbedder(plan_provider(config), KEY, query_budget_ms=30_000)
        stack.callback(http.close)
        return http

    makers: dict[str, Callable[[], Embedder]] = {
        "hash": HashEmbedder,
        "local": lambda: request.getfixturevalue("local"),
        "openai": lambda: remote("openai"),
        "mistral": lambda: remote("mistral"),
    }
    with ExitStack() as stack:
        inner = makers[request.param.removeprefix("cached ")]()
        yield CachedEmbedder(inner, None) if request.param.startswith("cached ") else inner


def test_the_space_names_provider_model_and_dimension(embedder: Embedder) -> None:
    provider, model, dimension = embedder.space.split(":")
    assert provider
    assert model
    assert int(dimension) == embedder.dimension


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    vectors = embedder.embed([])
    assert vectors.shape == (0, embedder.dimension)
    assert vectors.dtype == np.float32


def test_every_text_gets_a_unit_vector_in_float32(embedder: Embedder) -> None:
    vectors = embedder.embed(["fix the parser", "bake a cake", *ODD_TEXTS])
    assert vectors.shape == (2 + len(ODD_TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_a_text_has_one_vector_whatever_it_is_embedded_with(embedder: Embedder) -> None:
    texts = ["fix the parser", "a much longer text " * 9, "bake a cake", "x"]
    together = embedder.embed(texts)
    alone = np.concatenate([embedder.embed([text]) for text in reversed(texts)])[::-1]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_both_roles_share_a_vector(embedder: Embedder) -> None:
    np.testing.assert_array_equal(embedder.embed(["fix the parser"], role="query"), embedder.embed(["fix the parser"], role="document"))


def test_the_same_text_twice_gives_the_same_vector_twice(embedder: Embedder) -> None:
    first, other, again = embedder.embed(["same", "other", "same"])
    np.testing.assert_array_equal(first, again)
    assert first @ other < 0.99


def test_texts_that_share_words_are_more_alike_than_texts_that_do_not(embedder: Embedder) -> None:
    task, like, unlike = embedder.embed(["fix the date parser", "the date parser is broken", "seven purple umbrellas"])
    assert task @ like > task @ unlike
