"""Changes waitress: it takes open sockets, serves probes and drains."""

from __future__ import annotations

import functools
import signal
import threading
import time

import waitress
from waitress import adjustments, channel, server, wasyncore

from .common import LINGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any


def change(listen: list[socket.socket], probe: socket.socket | None) -> None:
    """Change waitress. Its command line cannot name open sockets."""
    if listen:
        # It refuses Unix sockets beside others, though it can serve them.
        adjustments.Adjustments.check_sockets = staticmethod(lambda sockets: None)
        sockets = listen if probe is None else [*listen, probe]
        waitress.create_server = functools.partial(waitress.create_server, sockets=sockets)
    draining = threading.Event()
    close_connections(draining)
    run = running(draining)
    server.BaseWSGIServer.run = run
    server.MultiSocketServer.run = run


def close_connections(draining: threading.Event) -> None:
    """Answer with `Connection: close` while draining."""
    service = channel.HTTPChannel.service

    def service_and_close(self: Any) -> None:
        if draining.is_set():
            # Waitress then answers and closes as if the client had asked for it.
            self.requests[0].headers["CONNECTION"] = "close"
        service(self)

    channel.HTTPChannel.service = service_and_close


def running(draining: threading.Event) -> Callable[[Any], None]:
    """Return a method that serves until a signal arrives, and then drains."""

    def run(self: Any) -> None:
        sockets = getattr(self, "map", None) or self._map
        servers = [each for each in list(sockets.values()) if isinstance(each, server.BaseWSGIServer)]

        def stop(*_: object) -> None:
            # A second INT ends it at once.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            draining.set()
            servers[0].pull_trigger()

        def turn(timeout: float) -> None:
            wasyncore.loop(timeout=timeout, map=sockets, use_poll=self.adj.asyncore_use_poll, count=1)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        try:
            while not draining.is_set():
                turn(self.adj.asyncore_loop_timeout)
            drain(servers, turn)
        except (SystemExit, KeyboardInterrupt):
            pass
        self.task_dispatcher.shutdown()

    return run


def drain(servers: list[Any], turn: Callable[[float], None]) -> None:
    """Accept no more, and serve until the connections have ended."""
    for each in servers:
        each.accepting = False
    until = time.monotonic() + LINGER
    while True:
        channels = [each for listening in servers for each in listening.active_channels.values()]
        if not channels:
            return
        if time.monotonic() > until:
            for each in channels:
                each.will_close = each.will_close or not (each.requests or each.request)
        turn(0.1)
