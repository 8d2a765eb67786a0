"""Parts that the changes of several servers share."""

from __future__ import annotations

import os
import socket
import sys
import time
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Connections that say nothing for this long are closed when the server stops, in seconds.
LINGER = 5.0


class Loader(SourceFileLoader):
    """Loads a file without leaving bytecode beside it: the package may lie in a folder that is not the user's own."""

    def set_data(self, *_: Any, **__: Any) -> None:
        """Write nothing."""


def load(module: str) -> Any:
    """Import the file that changes a server."""
    name = f"{__package__}.{module}"
    if name not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), module + ".py")
        loader = Loader(name, path)
        spec = spec_from_loader(name, loader)
        if spec is None:
            raise ImportError(path)
        sys.modules[name] = module_from_spec(spec)
        try:
            loader.exec_module(sys.modules[name])
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def say(text: str) -> None:
    """Tell the user that a server could not be changed."""
    sys.stderr.write(f"prodserver: {text}; a reload may lose requests.\n")


def open_socket(fd: int) -> socket.socket:
    """Use an open descriptor as a listening socket."""
    opened = socket.socket(fileno=fd)
    if opened.family != socket.AF_UNIX:
        # Accepted connections inherit it. uvicorn takes every inherited socket for a Unix one and does not set it.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def copy_of(fd: int) -> socket.socket:
    """Return a socket with a descriptor of its own, which can be closed without closing the other one."""
    return open_socket(os.dup(fd))


def wait_while(condition: Callable[[], bool], until: float) -> None:
    """Wait in a thread until a condition is false, or until a time of the monotonic clock."""
    # A connection that was accepted in this moment may not be counted yet.
    time.sleep(0.1)
    while time.monotonic() < until and condition():
        time.sleep(0.05)
