"""Builds the embedders, each behind its cache. The heavy libraries are imported here, when an embedder is asked for, on purpose."""

from typing import TYPE_CHECKING

from mcp_memory.embedding.model_files import ModelFiles
from mcp_memory.embedding.providers import ProviderPlan
from mcp_memory.errors import ModelUnavailable, ProviderUnavailable
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache

if TYPE_CHECKING:
    from mcp_memory.embedding.cached_embedder import CachedEmbedder
    from mcp_memory.embedding.http_embedder import HttpEmbedder


def local(files: ModelFiles, threads: int, cache: Cache | None) -> "CachedEmbedder":
    """Return the local model's embedder. Raises ModelUnavailable: its files are not sound, or a library cannot be imported."""
    try:
        from mcp_memory.embedding.cached_embedder import CachedEmbedder
        from mcp_memory.embedding.onnx_embedder import OnnxEmbedder

        return CachedEmbedder(OnnxEmbedder(files, threads=threads), cache)
    except ImportError as error:  # a broken wheel of onnxruntime must take neither the lexical half nor the provider with it
        raise ModelUnavailable(f"a library of the local embedding model cannot be imported ({error})") from error


def multilingual(threads: int, cache: Cache | None) -> "CachedEmbedder":
    """Return the embedder of the extra `multilingual`. Raises ModelUnavailable."""
    try:
        from mcp_memory.embedding.cached_embedder import CachedEmbedder
        from mcp_memory.embedding.multilingual_embedder import MultilingualEmbedder

        return CachedEmbedder(MultilingualEmbedder(threads=threads), cache)
    except Exception as error:  # of another's package: a file that is missing, a version that is another; English goes on
        raise ModelUnavailable(f"the multilingual model cannot be loaded ({type(error).__name__}: {error})") from error


def remote(
    plan: ProviderPlan, key: str, query_budget_ms: int, metrics: Metrics, cache: Cache | None
) -> "tuple[HttpEmbedder, CachedEmbedder]":
    """Return the provider's embedder, as it is and behind its cache. Raises ProviderUnavailable."""
    from mcp_memory.embedding.cached_embedder import CachedEmbedder
    from mcp_memory.embedding.http_embedder import HttpEmbedder

    try:
        http = HttpEmbedder(plan, key, query_budget_ms=query_budget_ms, metrics=metrics)
    except Exception as error:  # of the HTTP library: a proxy it has no support for, a certificate file that is gone
        raise ProviderUnavailable(f"provider {plan.provider.name} cannot be used ({type(error).__name__}: {error})") from error
    return http, CachedEmbedder(http, cache)
