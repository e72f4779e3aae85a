"""The remote embedding providers: addresses, models and how each names things. Settings in, a checked `ProviderPlan` out; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mcp_memory.config import EmbeddingConfig
from mcp_memory.domain.addresses import is_loopback
from mcp_memory.errors import ConfigError, ProviderUnavailable


@dataclass(frozen=True, slots=True)
class Provider:
    """What differs between the embedding APIs, which otherwise answer alike."""

    name: str
    base_url: str
    key_variable: str  # the only place the key is taken from
    default_model: str
    own_dimensions: Mapping[str, int]  # model -> dimension when none is asked for
    largest_dimensions: Mapping[str, int]  # models that can be asked for a smaller (or larger) dimension -> the largest
    dimension_field: str  # the request's name for it
    max_texts: int  # per request
    max_request_bytes: int  # of text per request; a token has at least one byte, so this bounds the tokens too
    extra: Mapping[str, str] = field(default_factory=dict)  # further fields of every request


# Limits. OpenAI's API reference: 2,048 inputs, 300,000 tokens a request, 8,192 tokens a text. Mistral, as its error messages say:
# 512 inputs ("Too many inputs in request", code 3210), 16,384 tokens a request, 8,192 a text. English has about four bytes a token;
# a request that is refused as too large all the same is sent again in halves.
PROVIDERS: Mapping[str, Provider] = {
    "openai": Provider(
        name="openai",
        base_url="https://api.openai.com/v1",
        key_variable="OPENAI_API_KEY",
        default_model="text-embedding-3-small",
        own_dimensions={"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536},
        largest_dimensions={"text-embedding-3-small": 1536, "text-embedding-3-large": 3072},
        dimension_field="dimensions",
        max_texts=2048,
        max_request_bytes=300_000,
        extra={"encoding_format": "base64"},  # a quarter of the bytes, and no float parsing under the GIL
    ),
    "mistral": Provider(
        name="mistral",
        base_url="https://api.mistral.ai/v1",
        key_variable="MISTRAL_API_KEY",
        default_model="mistral-embed",
        own_dimensions={"mistral-embed": 1024, "codestral-embed": 1536},
        largest_dimensions={"codestral-embed": 3072},
        dimension_field="output_dimension",
        max_texts=256,
        max_request_bytes=48_000,
    ),
}


@dataclass(frozen=True, slots=True)
class ProviderPlan:
    """A provider with the settings applied."""

    provider: Provider
    url: str
    model: str
    dimension: int
    request_fields: Mapping[str, str | int]  # what every request carries beside its input
    batch_size: int
    timeout_ms: int
    max_retries: int

    @property
    def space(self) -> str:
        return f"{self.provider.name}:{self.model}:{self.dimension}"


def provider_key(provider: Provider, env: Mapping[str, str]) -> str:
    """Return the provider's key from the environment.

    Raises:
        ProviderUnavailable: It is not set, or cannot be sent in a header. The message never quotes it.
    """
    key = env.get(provider.key_variable, "").strip()
    if not key:
        raise ProviderUnavailable(f"provider {provider.name} has no key ({provider.key_variable} is not set)")
    if not (key.isascii() and key.isprintable()):
        raise ProviderUnavailable(f"provider {provider.name} has no usable key ({provider.key_variable} is not printable ASCII)")
    return key


def plan_provider(config: EmbeddingConfig) -> ProviderPlan:
    """Return how to reach the configured provider.

    Raises:
        ConfigError: The model cannot have the configured dimension, the dimension of an unknown model is not given, or the
            address is no web address or is http to another machine.
    """
    provider = PROVIDERS[config.provider]
    base_url = config.base_url or provider.base_url
    if not base_url.startswith(("https://", "http://")):
        raise ConfigError("embedding.base_url must start with https:// or http://", hint="Change MCP_MEMORY_EMBEDDING__BASE_URL.")
    if base_url.startswith("http://") and not is_loopback(urlsplit(base_url).hostname or ""):
        raise ConfigError(
            "embedding.base_url would send the provider's key and every text in clear text",
            hint="Use https://, or http:// to this machine only.",
        )
    model = config.model or provider.default_model
    dimension = config.dimension or provider.own_dimensions.get(model, 0)
    if dimension < 1:
        raise ConfigError(f"the dimension of {provider.name}'s model {model!r} is not known", hint="Set MCP_MEMORY_EMBEDDING__DIMENSION.")
    fields: dict[str, str | int] = {"model": model, **provider.extra}
    own, largest = provider.own_dimensions.get(model, dimension), provider.largest_dimensions.get(model)
    if dimension != own:
        if largest is None or dimension > largest:
            allowed = f"{own} dimensions" if largest is None else f"at most {largest} dimensions"
            raise ConfigError(f"{model} has {allowed}, not {dimension}", hint="Change MCP_MEMORY_EMBEDDING__DIMENSION.")
        fields[provider.dimension_field] = dimension
    return ProviderPlan(
        provider=provider,
        url=base_url.rstrip("/") + "/embeddings",
        model=model,
        dimension=dimension,
        request_fields=fields,
        batch_size=max(1, min(config.batch_size, provider.max_texts)),
        timeout_ms=config.timeout_ms,
        max_retries=config.max_retries,
    )
