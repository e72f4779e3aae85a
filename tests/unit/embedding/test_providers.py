import pytest

from mcp_memory.config import EmbeddingConfig
from mcp_memory.embedding.http_answers import error_message, retry_after_s
from mcp_memory.embedding.http_embedder import requests
from mcp_memory.embedding.providers import PROVIDERS, plan_provider, provider_key
from mcp_memory.errors import ConfigError, ProviderUnavailable


@pytest.mark.parametrize(
    ("settings", "space"),
    [
        ({"provider": "openai"}, "openai:text-embedding-3-small:1536"),
        ({"provider": "openai", "dimension": 512}, "openai:text-embedding-3-small:512"),
        ({"provider": "openai", "model": "text-embedding-3-large"}, "openai:text-embedding-3-large:3072"),
        ({"provider": "mistral"}, "mistral:mistral-embed:1024"),
        ({"provider": "mistral", "model": "codestral-embed", "dimension": 3072}, "mistral:codestral-embed:3072"),
        ({"provider": "openai", "model": "my-own", "dimension": 77}, "openai:my-own:77"),
    ],
)
def test_the_space_follows_from_the_settings(settings: dict[str, object], space: str) -> None:
    assert plan_provider(EmbeddingConfig(**settings)).space == space  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"provider": "mistral", "dimension": 512}, "mistral-embed has 1024 dimensions, not 512"),
        ({"provider": "openai", "dimension": 4096}, "at most 1536 dimensions, not 4096"),
        ({"provider": "openai", "model": "my-own"}, "dimension of openai's model 'my-own' is not known"),
        ({"provider": "openai", "base_url": "localhost:1234"}, "must start with https:// or http://"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        plan_provider(EmbeddingConfig(**settings))  # type: ignore[arg-type]


def test_an_unknown_models_dimension_is_expected_but_not_asked_for() -> None:
    plan = plan_provider(EmbeddingConfig(provider="openai", model="my-own", dimension=77, base_url="http://127.0.0.1:9/v1/"))
    assert "dimensions" not in plan.request_fields
    assert plan.url == "http://127.0.0.1:9/v1/embeddings"


def test_the_key_comes_from_the_providers_own_variable() -> None:
    assert provider_key(PROVIDERS["mistral"], {"MISTRAL_API_KEY": " abc\n", "OPENAI_API_KEY": "other"}) == "abc"


@pytest.mark.parametrize("key", ["", "  ", "ab\ncd", "schlüssel"])
def test_a_missing_or_unusable_key_is_said_without_quoting_it(key: str) -> None:
    with pytest.raises(ProviderUnavailable, match="OPENAI_API_KEY") as caught:
        provider_key(PROVIDERS["openai"], {"OPENAI_API_KEY": key})
    assert not key.strip() or key not in caught.value.line()


def test_requests_keep_within_both_bounds_and_lose_nothing() -> None:
    texts = ["aaaa", "bb", "cc", "dddddddddd", "e", "f", "g"]
    assert list(requests(texts, max_texts=2, max_bytes=6)) == [["aaaa", "bb"], ["cc"], ["dddddddddd"], ["e", "f"], ["g"]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": {"message": "Rate\\nlimit"}}', "Rate limit"),
        (b'{"error": "plain"}', "plain"),
        (b'{"message": "Too many tokens"}', "Too many tokens"),
        (b'{"detail": [{"msg": "field required"}]}', '[{"msg": "field required"}]'),
        (b'{"error": {}}', ""),
        (b"[1]", ""),
        (b"\xff<html>", ""),
        (b'{"message": "' + b"x" * 999 + b'"}', "x" * 200),
    ],
)
def test_the_providers_words_are_found_in_every_form(body: bytes, message: str) -> None:
    assert error_message(body) == message


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3),
        ({"retry-after": "-3"}, 0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 40),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:10 GMT"}, 0),
        ({"retry-after": "soon"}, None),
    ],
)
def test_the_wait_asked_for_is_read_in_every_form(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers, now_s=60) == wait_s
