"""What the memory uses: one always-present local space, and the configured provider's beside it. Importing this module is cheap.

The local model is loaded by a thread that `start` begins, after the handshake; until it is ready, and when a provider is out, the
answers are made with what there is, and say so.
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mcp_memory.config import EmbeddingConfig
from mcp_memory.domain.languages import MULTILINGUAL_SPACE, is_foreign
from mcp_memory.domain.status import CacheStats, EmbeddingStatus
from mcp_memory.embedding.loading import Loader, State
from mcp_memory.embedding.providers import ProviderPlan, plan_provider
from mcp_memory.errors import McpMemoryError, ModelUnavailable
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache, Embedder

if TYPE_CHECKING:
    import numpy as np


def open_embedding(
    config: EmbeddingConfig, cache: Cache | None, metrics: Metrics, env: Mapping[str, str] | None = None
) -> "EmbeddingService":
    """Return the service for the settings; nothing is loaded before `start`.

    Args:
        env: Where the provider's key is taken from; `os.environ` when None.

    Raises:
        ConfigError: The provider's model, dimension or address does not fit.
    """
    plan = plan_provider(config) if config.provider in ("openai", "mistral") else None
    return EmbeddingService(config, plan, cache, metrics, os.environ if env is None else env)


class EmbeddingService:
    """Text to one vector per space. Safe from any thread; all methods but `start` may block."""

    def __init__(
        self, config: EmbeddingConfig, plan: ProviderPlan | None, cache: Cache | None, metrics: Metrics, env: Mapping[str, str]
    ) -> None:
        self._config, self._metrics = config, metrics
        self._loader = Loader(config, plan, cache, metrics, env)

    def start(self) -> None:
        """Begin to load the embedders in a thread, once. Returns at once."""
        self._loader.start()

    def close(self) -> None:
        """Wait for a loader under way, and close the provider's connections."""
        self._loader.close()

    @property
    def state(self) -> State:
        """Of the local model: off (by configuration), loading, ready or failed."""
        return self._loader.state

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces documents are embedded in: local, the provider's, the multilingual one; empty when embedding is off.

        A model that failed to load and a provider without a key have none.
        """
        has = self._loader
        local = [has.files.space] if has.files is not None and has.state in ("loading", "ready") else []
        remote = [has.plan.space] if has.plan is not None and not has.remote_error else []
        return (*local, *remote, *((MULTILINGUAL_SPACE,) if has.has_multilingual else ()))

    def wait_ready(self, timeout_ms: int) -> bool:
        """Wait until loading is over; True when the local model is ready."""
        self._loader.loaded.wait(timeout_ms / 1000)
        return self._loader.state == "ready"

    def embed_query(self, text: str, *, wait_ms: int) -> "tuple[dict[str, np.ndarray], tuple[str, ...]]":
        """Return the text's unit vector per space that answered, and the lesser states met (empty: none).

        The local vector costs one run of the model (milliseconds), nothing when the text was embedded before. Never raises for
        an outage or a missing model: what is absent is named in the second value.

        Args:
            wait_ms: The longest wait for a model that is still loading.
        """
        if self._loader.state == "off":
            return {}, ()
        started = time.perf_counter()
        vectors: dict[str, np.ndarray] = {}
        lesser: list[str] = []
        self._loader.loaded.wait(wait_ms / 1000)
        local, remote = self._loader.local, self._loader.remote
        if local is not None:
            self._try_embed(local, text, vectors, lesser)
        if self._loader.multilingual is not None and is_foreign(text):
            self._try_embed(self._loader.multilingual, text, vectors, lesser)
        elif self._loader.multilingual_error and is_foreign(text):
            lesser.append(self._loader.multilingual_error)
        if remote is not None:
            self._try_embed(remote, text, vectors, lesser)
        elif self._loader.remote_error:
            lesser.append(self._loader.remote_error)
        if local is None:
            lesser.append(self._loader.local_error or "the local embedding model is still loading")
        self._metrics.observe("embed_query", (time.perf_counter() - started) * 1000)
        return vectors, tuple(f"{reason}: {self._used(vectors)}" for reason in lesser)

    def embed_documents(self, texts: Sequence[str], space: str) -> "np.ndarray":
        """Return float32 unit vectors, shape (n, dimension), of one of `spaces`; waits for a model that is loading.

        Raises:
            ModelUnavailable: The space's model cannot be loaded, or there is no such space.
            ProviderUnavailable: The provider does not answer.
        """
        self.start()
        if space in self.spaces:
            self._loader.loaded.wait()
        embedder = next((e for e in self._loader.embedders() if e.space == space), None)
        if embedder is None:
            raise ModelUnavailable(self._loader.local_error or f"nothing embeds in the space {space}")
        return embedder.embed(texts, role="document")

    def status(self) -> EmbeddingStatus:
        """Return what is in use and in what state."""
        primary = next((space for space in reversed(self.spaces) if space != MULTILINGUAL_SPACE), "")
        provider, model_id, dimension = primary.split(":")[0], primary.partition(":")[2].rpartition(":")[0], primary.rpartition(":")[2]
        outage = self._loader.remote_error or (self._loader.http.breaker.reason if self._loader.http is not None else "")
        loading = "the local embedding model is still loading" if self._loader.state == "loading" else ""
        return EmbeddingStatus(
            provider=self._config.provider,
            in_use=provider,
            model_id=model_id,
            dimension=int(dimension or 0),
            state=self._loader.state,
            fallback=self._loader.files.space if self._loader.files is not None and self._loader.plan is not None else "",
            spaces=tuple(self.spaces),
            load_ms=round(self._loader.load_ms, 1),
            degraded=tuple(reason for reason in (self._loader.local_error, loading, self._loader.multilingual_error, outage) if reason),
        )

    def check(self) -> list[str]:
        """Return what is wrong with the local model's files, by their SHA-256; empty when sound or off. Tens of milliseconds."""
        if self._loader.files is None:
            return [self._loader.local_error] if self._loader.local_error else []
        return self._loader.files.problems()

    def cache_stats(self) -> CacheStats:
        """Return those of the caches before the models, added up."""
        both = [embedder.stats() for embedder in self._loader.embedders()]
        return CacheStats(sum(s.hits for s in both), sum(s.misses for s in both), sum(s.entries for s in both))

    def _try_embed(self, embedder: Embedder, text: str, vectors: "dict[str, np.ndarray]", lesser: list[str]) -> None:
        try:
            vectors[embedder.space] = embedder.embed([text], role="query")[0]
        except McpMemoryError as error:
            lesser.append(error.message)

    def _used(self, vectors: "Mapping[str, np.ndarray]") -> str:
        if not vectors:
            return "the search was lexical only"
        local = self._loader.files is not None and self._loader.files.space in vectors
        return "semantic search used the local model" if local else "semantic search used the provider only"
