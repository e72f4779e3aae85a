"""The signing keys of an authorization server: cached ones serve at once, fetching happens beside, and never often."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import jwt

from mcp_memory.errors import ProviderUnavailable

FRESH_S = 300.0  # after this, keys are fetched again beside the next token
KEPT_S = 24 * 3600.0  # keys serve on for so long while the issuer cannot be reached
TIMEOUT_S = 5.0  # of one fetch
PAUSE_S = 5.0  # from the end of one fetch to the next, whatever is asked for
WAIT_S = 6.0  # for a fetch, by a token that names a key that is not here
logger = logging.getLogger(__name__)


class IssuerKeys:
    """Keys by id. Use in one event loop."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=TIMEOUT_S)
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: anyio.Event | None = None
        self._failed = False
        self._thread: anyio.CapacityLimiter | None = None
        self._task: asyncio.Task[None] | None = None

    async def get(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key, or None where the issuer has none of that id.

        Raises:
            ProviderUnavailable: It is not here, and the issuer's keys cannot be fetched now, so nobody knows.
        """
        age = self._clock() - self._fetched_at
        if age < KEPT_S and key_id in self._keys:
            if age > FRESH_S:
                self._begin()
            return self._keys[key_id]
        self._begin()
        if self._fetching is not None:
            with anyio.move_on_after(WAIT_S):
                await self._fetching.wait()
        if self._failed or self._fetching is not None:
            raise ProviderUnavailable("the authorization server's keys cannot be fetched", hint="Try again in a few seconds.")
        return self._keys.get(key_id)

    def _begin(self) -> None:
        """Start a fetch, unless one is under way or has just ended."""
        if self._fetching is not None or self._clock() - self._tried_at < PAUSE_S:
            return
        self._fetching = anyio.Event()
        self._task = asyncio.get_running_loop().create_task(self._fetch(self._fetching))  # kept: the loop does not

    async def _fetch(self, done: anyio.Event) -> None:
        self._thread = self._thread or anyio.CapacityLimiter(1)  # of its own: a slow issuer must not take the memory's threads
        try:
            self._keys = await anyio.to_thread.run_sync(self._load, limiter=self._thread)
            self._fetched_at, self._failed = self._clock(), False
        except (jwt.PyJWTError, ValueError, OSError, AttributeError, TypeError) as error:  # no answer, or one that is no set of keys
            logger.warning("the authorization server's keys cannot be fetched: %s", error)
            self._failed = True
        finally:
            self._tried_at, self._fetching = self._clock(), None
            done.set()

    def _load(self) -> dict[str, Any]:
        found = jwt.PyJWKSet.from_dict(self._client.fetch_data()).keys
        keys = {key.key_id: key for key in reversed(found) if key.key_id and key.public_key_use in ("sig", None)}
        if not keys:
            raise ValueError("there is no signing key among them")
        return keys
