"""After a failure, refuse at once for a while, so that an outage does not cost the full time-out on every call."""

import threading
import time
from collections.abc import Callable

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0


class CircuitBreaker:
    """Closed while calls succeed. A failure opens it for 5 s, each further one for twice as long, up to 5 minutes.

    When the pause is over one caller may try (others are still refused) until it reports back.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until_s = 0.0
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why it is open; empty while closed."""
        return self._reason

    def refusal(self) -> str:
        """Return why a call must not be made now, or "" when it may; then report `succeeded` or `failed`."""
        with self._lock:
            if not self._failures:
                return ""
            now_s = self._clock_s()
            if now_s < self._open_until_s:
                return self._reason
            self._open_until_s = now_s + FIRST_PAUSE_S  # the one who tries; if it never reports, another may soon
            return ""

    def succeeded(self) -> None:
        """Close."""
        with self._lock:
            self._failures, self._reason = 0, ""

    def failed(self, reason: str) -> None:
        """Open, for twice as long as after the failure before."""
        with self._lock:
            pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**self._failures)
            self._failures = min(self._failures + 1, 10)
            self._open_until_s, self._reason = self._clock_s() + pause_s, reason
