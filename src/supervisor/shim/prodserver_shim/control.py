"""Connection to the supervisor: takes commands and sends events. Only one supervisor is connected at a time."""

from __future__ import annotations

import select

from . import messages
from .lean import accept
from .loop import attempt, print_exception
from .wire import WireError, pack, split, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from socket import socket

    from .loop import Loop
    from .messages import Event
    from .wire import Message

READ_BYTES = 1 << 16
# The supervisor that starts the shim is connected to it by this descriptor.
CONNECTION_FD = 3


class Control:
    """The listening socket and the connection of the supervisor."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._connection: socket | None = None
        self._inbox = self._outbox = b""
        # What to do for each type of command. Set before the first connection.
        self.commands: Mapping[str, Callable[[Message], None]] = {}

    @property
    def is_connected(self) -> bool:
        """Whether a supervisor is connected."""
        return self._connection is not None

    def listen(self, listener: socket) -> None:
        """Accept supervisors."""
        listener.listen(8)
        self._loop.watch(listener.fileno(), lambda _: self._accept(listener))

    def use(self, connection: socket) -> None:
        """Take commands from a connection."""
        connection.setblocking(False)
        self._connection, self._inbox, self._outbox = connection, b"", b""
        self._loop.watch(connection.fileno(), self._on_events)

    def send(self, event: Event) -> None:
        """Send an event to the supervisor, if one is connected."""
        if self._connection:
            self._outbox += pack(event)
            self._flush(self._connection)

    def disconnect(self) -> None:
        """Close the connection."""
        if self._connection:
            self._loop.unwatch(self._connection.fileno())
            self._connection.close()
            self._connection = None

    def _accept(self, listener: socket) -> None:
        connection = accept(listener)
        if self._connection:
            # The supervisor may have gone, and the shim has not read that yet.
            self._read(self._connection)
        if not self._connection:
            self.use(connection)
            return
        try:
            connection.send(pack(messages.busy()))
        except OSError:
            pass  # The other side has left already.
        connection.close()

    def _flush(self, connection: socket) -> None:
        try:
            while self._outbox:
                self._outbox = self._outbox[connection.send(self._outbox) :]
        except BlockingIOError:
            pass
        except OSError:
            self.disconnect()
            return
        more = select.EPOLLOUT if self._outbox else 0
        self._loop.set_events(connection.fileno(), select.EPOLLIN | more)

    def _on_events(self, events: int) -> None:
        if self._connection and events & select.EPOLLOUT:
            self._flush(self._connection)
        if self._connection and events & ~select.EPOLLOUT:
            self._read(self._connection)

    def _read(self, connection: socket) -> None:
        try:
            data = connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.disconnect()
            return
        try:
            bodies, self._inbox = split(self._inbox + data)
            for body in bodies:
                if self._connection is connection:
                    self._handle(unpack(body))
        except WireError:
            # Not a supervisor, or a broken one: no later byte can be trusted.
            print_exception()
            self.disconnect()

    def _handle(self, message: Message) -> None:
        name = message.text("type")
        command = self.commands.get(name)
        if command is None:
            raise WireError(f"there is no command {name!r}")
        attempt(command, message)
