"""Changes gunicorn: sockets keep their path, and threads and ASGI workers drain."""

from __future__ import annotations

import functools
import os
import signal
import sys
import time

from gunicorn import config, sock, version_info
from gunicorn.workers.base import Worker

from .common import LINGER, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any


def change(listen: list[socket.socket], probe: socket.socket | None) -> None:
    """Change gunicorn. The command line names all of its sockets."""
    keep_socket_paths()
    if probe is not None:
        use_own_control_socket(probe.getsockname())
        # The command line names it, so gunicorn owns it.
        probe.detach()
    # Since 27, the threaded worker drains by itself. It must not be loaded if another one is used.
    if version_info < (27,):
        drain_threads()
    drain_workers_of_uvicorn()


def keep_socket_paths() -> None:
    """Leave the path of a Unix socket to the shim: the next copy serves on the same one."""
    original = sock.close_sockets

    @functools.wraps(original)
    def close_sockets(listeners: Any, unlink: bool = True) -> Any:
        return original(listeners, unlink=False)

    sock.close_sockets = close_sockets


def use_own_control_socket(beside: Any) -> None:
    """Give this gunicorn a control socket of its own: all of a user share one, and the first that stops deletes it."""
    # Before 25.1 there is none. A path that the user names stays.
    if hasattr(config, "ControlSocket") and isinstance(beside, str) and os.access(os.path.dirname(beside), os.W_OK):
        config.ControlSocket.default = os.path.splitext(beside)[0] + ".ctl"


def drain_threads() -> None:
    """Let the threaded worker answer what it has accepted, and then end."""
    from gunicorn.workers.gthread import ThreadWorker  # noqa: PLC0415 - Newer versions must not load it.

    end, tidy = ThreadWorker.handle_exit, ThreadWorker.murder_keepalived

    @functools.wraps(end)
    def handle_exit(self: Any, sig: int, frame: Any) -> None:
        if hasattr(self, "drains_until"):
            return
        self.drains_until = time.monotonic() + LINGER
        # With so many kept-alive connections, it answers with `Connection: close`.
        self.max_keepalived = 0
        if hasattr(self, "set_accept_enabled"):
            self.worker_connections = 0
        else:
            for listening in self.sockets:
                self.poller.unregister(listening)

    @functools.wraps(tidy)
    def murder_keepalived(self: Any, *args: Any, **kwargs: Any) -> None:
        tidy(self, *args, **kwargs)
        until = getattr(self, "drains_until", None)
        if until is not None and self.alive and (self.nr_conns <= 0 or time.monotonic() > until):
            end(self, signal.SIGTERM, None)

    ThreadWorker.handle_exit, ThreadWorker.murder_keepalived = handle_exit, murder_keepalived


def drain_workers_of_uvicorn() -> None:
    """Change uvicorn once a worker has imported it."""
    original = Worker.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if "uvicorn.server" in sys.modules:
            Worker.__init__ = original
            load("uvicorn").change([], None)

    Worker.__init__ = init
