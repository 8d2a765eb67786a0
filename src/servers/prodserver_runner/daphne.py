"""Changes daphne: it drains, and takes open sockets of any family."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time

# The server installs the reactor that Twisted must not choose by itself before.
from daphne import server
from daphne.http_protocol import WebRequest
from twisted.internet import defer, endpoints, reactor, tcp, unix

from .common import LINGER, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FD = "fd:fileno="


def change(listen: list[socket.socket], probe: socket.socket | None) -> None:
    """Change daphne. The command line names all of its sockets."""
    if probe is not None:
        # The command line names it, so daphne owns it.
        probe.detach()
    accept_any_family()
    drain_at_stop()


def accept_any_family() -> None:
    """Open sockets by their own family: daphne takes all of them for IPv4."""
    original = server.serverFromString

    def server_from_string(reactor: Any, description: str) -> Any:
        if not description.startswith(FD):
            return original(reactor, description)
        fd = int(description[len(FD) :])
        with socket.socket(fileno=os.dup(fd)) as opened:
            return endpoints.AdoptedStreamServerEndpoint(reactor, fd, opened.family)

    server.serverFromString = server_from_string


def drain_at_stop() -> None:
    """Answer what has been accepted before applications are killed."""
    listening, kill, reply = server.Server.listen_success, server.Server.kill_all_applications, WebRequest.handle_reply
    ports: list[Any] = []
    draining = threading.Event()

    def listen_success(self: Any, port: Any) -> None:
        ports.append(port)
        listening(self, port)

    def kill_all_applications(self: Any) -> Any:
        def failed(failure: Any) -> None:
            say(f"cannot drain daphne: {failure.value!r}")

        draining.set()
        drained = defer.Deferred.fromFuture(asyncio.ensure_future(drain(self, ports)))
        return drained.addErrback(failed).addCallback(lambda _: kill(self))

    def handle_reply(self: Any, message: Any) -> Any:
        if draining.is_set() and message.get("type") == "http.response.start" and hasattr(self.channel, "persistent"):
            self.channel.persistent = False
            message = {**message, "headers": [*message.get("headers", ()), (b"Connection", b"close")]}
        return reply(self, message)

    server.Server.listen_success, server.Server.kill_all_applications = listen_success, kill_all_applications
    WebRequest.handle_reply = handle_reply


async def drain(daphne: Any, ports: Iterable[Any]) -> None:
    """Accept no more, and wait until the connections have ended."""
    for port in ports:
        # A port that is closed deletes the path of its Unix socket, though the next copy serves on it.
        port.stopReading()
    for protocol in list(daphne.connections):
        if not isinstance(protocol, WebRequest) and protocol.state == protocol.STATE_OPEN:
            protocol.serverClose()
    until = time.monotonic() + LINGER
    await asyncio.sleep(0.1)
    while is_answering(daphne) or (time.monotonic() < until and has_connection(reactor.getReaders())):
        await asyncio.sleep(0.05)


def is_answering(daphne: Any) -> bool:
    """Tell whether an application still runs, or an answer is still being sent."""
    running = [
        details["application_instance"]
        for protocol, details in daphne.connections.items()
        if isinstance(protocol, WebRequest) and "application_instance" in details
    ]
    return not all(each.done() for each in running) or has_connection(reactor.getWriters())


def has_connection(ends: Iterable[Any]) -> bool:
    """Tell whether one of these is a connection of a client."""
    return any(isinstance(each, (tcp.Server, unix.Server)) for each in ends)
