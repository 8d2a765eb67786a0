"""Changes hypercorn: it drains."""

from __future__ import annotations

import functools
import signal
import time

from hypercorn.asyncio import run

from .common import LINGER, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from typing import Any


class RecordingAsyncio:
    """asyncio, as hypercorn's module sees it: keeps the servers that it starts."""

    def __init__(self, asyncio: Any) -> None:
        self.asyncio = asyncio
        self.servers: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.asyncio, name)

    async def start_server(self, *args: Any, **kwargs: Any) -> Any:
        """Start a server and keep it."""
        server = await self.asyncio.start_server(*args, **kwargs)
        self.servers.append(server)
        return server


def change(listen: list[socket.socket], probe: socket.socket | None) -> None:
    """Change hypercorn. The command line names all of its sockets."""
    original = run.worker_serve
    recording = RecordingAsyncio(run.asyncio)
    connections: set[Any] = set()

    @functools.wraps(original)
    async def worker_serve(app: Any, config: Any, *, sockets: Any = None, shutdown_trigger: Any = None) -> None:
        recording.servers.clear()
        if shutdown_trigger is None:
            shutdown_trigger = stop_signal(recording)
        else:
            # The main process tells a worker to stop by an event. It kills all workers by TERM once one has ended.
            signal.signal(signal.SIGTERM, lambda *_: None)

        async def drained() -> None:
            await shutdown_trigger()
            try:
                await drain(recording, connections, config)
            except Exception as error:
                say(f"cannot drain hypercorn: {error!r}")

        await original(app, config, sockets=sockets, shutdown_trigger=drained)

    run.TCPServer = counted(run.TCPServer, connections)
    run.asyncio, run.worker_serve = recording, worker_serve


def counted(connection: Any, connections: set[Any]) -> Any:
    """Return a class of connections that are in a set while they run."""

    class CountedConnection(connection):  # type: ignore[misc]
        async def run(self) -> None:
            connections.add(self)
            try:
                await super().run()
            finally:
                connections.discard(self)

    return CountedConnection


def stop_signal(asyncio: RecordingAsyncio) -> Callable[[], Awaitable[Any]]:
    """Return a function that waits for a signal to stop."""
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, event.set)
    wait: Callable[[], Awaitable[Any]] = event.wait
    return wait


async def drain(asyncio: RecordingAsyncio, connections: set[Any], config: Any) -> None:
    """Accept no more, and wait until the connections have ended."""
    for server in asyncio.servers:
        server.close()
    headers = config.response_headers
    config.response_headers = lambda kind: headers(kind) + ([(b"connection", b"close")] if kind == "h11" else [])
    until = time.monotonic() + min(LINGER, config.keep_alive_timeout)
    # A connection that was accepted in this turn of the loop has no task yet.
    await asyncio.sleep(0.1)
    # A connection that the client has closed waits for the end of its keep-alive time nevertheless.
    while any(not each.reader.at_eof() for each in connections) and time.monotonic() < until:
        await asyncio.sleep(0.05)
