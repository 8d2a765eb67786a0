"""Event loop: calls a handler when a descriptor is ready."""

from __future__ import annotations

import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Handler = Callable[[int], None]


class Loop:
    """Watches descriptors. A handler that fails is reported, and everything else goes on."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}

    def watch(self, fd: int, handler: Handler) -> None:
        """Call a handler with the events of a descriptor whenever it can be read."""
        self._handlers[fd] = handler
        self._epoll.register(fd, select.EPOLLIN)

    def set_events(self, fd: int, events: int) -> None:
        """Change what a watched descriptor is watched for."""
        self._epoll.modify(fd, events)

    def unwatch(self, fd: int) -> None:
        """Stop watching a descriptor. Call it before the descriptor is closed."""
        if self._handlers.pop(fd, None):
            self._epoll.unregister(fd)

    def turn(self, timeout: float) -> bool:
        """Wait for events and handle them. Return whether there were any; a negative timeout waits for ever."""
        found = self._epoll.poll(timeout)
        for fd, events in found:
            handler = self._handlers.get(fd)
            if handler:
                attempt(handler, events)
        return bool(found)


def attempt(action: Callable[..., None], *values: Any) -> None:
    """Do something that must not end the shim if it fails."""
    try:
        action(*values)
    except Exception:
        print_exception()


def print_exception() -> None:
    """Write the current exception to the shim's log."""
    import traceback  # noqa: PLC0415 - It takes as long to import as everything else, and is seldom needed.

    traceback.print_exc()
    sys.stderr.flush()
