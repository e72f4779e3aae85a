"""A network that fails: a proxy before a server that cuts, delays, hangs, loses and resets, decided for each message.

A message is what one side says until the other one answers: a request of two megabytes fails no more often than one of fifty bytes.
"""

import asyncio
import random
from collections import Counter
from contextlib import suppress

FAULT_RATE = 0.12  # of messages
RESET_RATE = 0.1  # of connections, before anything is said
_OF_A_MESSAGE = ("cut", "cut", "delay", "delay", "hang", "lost", "lost")
FAULTS = (*dict.fromkeys(_OF_A_MESSAGE), "reset")
DELAY_S, HANG_S = 0.3, 2.0
STRIKES_AT = (0, 0, 0, 1, 4, 16)  # which chunk of the message


class _Connection:
    """One connection through the proxy, whose two directions know who spoke last."""

    def __init__(self, chance: random.Random, counts: Counter[str]) -> None:
        self._chance, self._counts = chance, counts
        self._speaker: object = None

    async def pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        fault, left = "", 0
        try:
            while data := await source.read(65_536):
                if self._speaker is not source:
                    self._speaker = source
                    struck = self._chance.random() < FAULT_RATE
                    fault, left = (self._chance.choice(_OF_A_MESSAGE), self._chance.choice(STRIKES_AT)) if struck else ("", 0)
                if fault and left == 0:
                    self._counts[fault] += 1
                    if fault == "cut":
                        target.write(data[: len(data) // 2])
                        await target.drain()
                    if fault == "hang":
                        await asyncio.sleep(HANG_S)
                    if fault != "delay":
                        return
                    await asyncio.sleep(self._chance.uniform(0, DELAY_S))
                left -= 1
                target.write(data)
                await target.drain()
        except OSError:
            self._counts["broken by the other side"] += 1
        finally:
            target.transport.abort()


async def proxied(port: int, upstream: int, chance: random.Random, counts: Counter[str]) -> asyncio.Server:
    """Serve the proxy on *port*; what it did is counted in *counts*."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if chance.random() < RESET_RATE:
                counts["reset"] += 1
                return
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", upstream)
            connection = _Connection(chance, counts)
            await asyncio.gather(connection.pump(reader, up_writer), connection.pump(up_reader, writer))
        except OSError:
            counts["server not there"] += 1
        finally:
            with suppress(RuntimeError):  # the loop is closed
                writer.transport.abort()

    return await asyncio.start_server(serve, "127.0.0.1", port)
