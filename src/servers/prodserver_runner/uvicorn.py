"""Changes uvicorn: it drains, and serves probes."""

from __future__ import annotations

import asyncio
import functools
import socket
import time

from uvicorn.server import Server
from uvicorn.supervisors.multiprocess import Multiprocess

from .common import LINGER, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def change(listen: list[socket.socket], probe: socket.socket | None) -> None:
    """Change uvicorn. The command line names its socket, and the probe's socket is another one."""
    start, stop, supervise = Server.startup, Server.shutdown, Multiprocess.__init__

    @functools.wraps(start)
    async def startup(self: Any, sockets: Any = None) -> None:
        await start(self, sockets=sockets)
        # Worker processes have it among their sockets.
        if probe is not None and sockets is None:
            self.servers.append(await serve_on(probe, self))

    @functools.wraps(stop)
    async def shutdown(self: Any, sockets: Any = None) -> None:
        try:
            await drain(self)
        except Exception as error:
            say(f"cannot drain uvicorn: {error!r}")
        await stop(self, sockets=sockets)

    @functools.wraps(supervise)
    def init(self: Any, *args: Any, sockets: Any, **kwargs: Any) -> None:
        supervise(self, *args, sockets=sockets if probe is None else [*sockets, probe], **kwargs)

    Server.startup, Server.shutdown, Multiprocess.__init__ = startup, shutdown, init


async def serve_on(listening: socket.socket, server: Any) -> Any:
    """Serve the application on one more socket."""

    def protocol() -> Any:
        return server.config.http_protocol_class(
            config=server.config, server_state=server.server_state, app_state=server.lifespan.state
        )

    loop = asyncio.get_running_loop()
    create: Any = loop.create_unix_server if listening.family == socket.AF_UNIX else loop.create_server
    return await create(protocol, sock=listening, ssl=server.config.ssl, backlog=server.config.backlog)


async def drain(server: Any) -> None:
    """Accept no more, and wait until the connections have ended."""
    for listening in server.servers:
        listening.close()
    # The same list is in the requests that have not been answered yet.
    server.server_state.default_headers.append((b"connection", b"close"))
    limits = [LINGER, server.config.timeout_keep_alive, server.config.timeout_graceful_shutdown]
    until = time.monotonic() + min(limit for limit in limits if limit is not None)
    # A connection that was accepted in this turn of the loop is not among the connections yet.
    await asyncio.sleep(0.1)
    for connection in list(server.server_state.connections):
        if not hasattr(connection, "cycle"):
            connection.shutdown()
    while not server.force_exit and time.monotonic() < until and server.server_state.connections:
        await asyncio.sleep(0.05)
