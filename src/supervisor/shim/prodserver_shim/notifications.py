"""Messages of sd_notify: from programs to the supervisor, and from the supervisor to a service manager."""

from __future__ import annotations

import os
import struct

from . import messages
from .lean import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .loop import Loop
    from .messages import Event
    from .wire import Message

CREDENTIALS = struct.Struct("iII")
LONGEST = 4096


class Notifications:
    """
    Socket for NOTIFY_SOCKET. It has an abstract name and no file: programs that run as another user cannot enter the
    state directory. The name depends on the folder only, so it stays the same for the next shim.
    """

    def __init__(self, loop: Loop, state: str, send: Callable[[Event], None]) -> None:
        folder = os.stat(state)
        self.name = f"@prodserver-{folder.st_dev:x}-{folder.st_ino:x}"
        self._send = send
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind("\0" + self.name[1:])
        except OSError:
            # Empty: programs cannot notify.
            self.name = ""
            return
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        loop.watch(self._socket.fileno(), lambda _: self._on_message())

    def _on_message(self) -> None:
        data, ancillary, _, _ = self._socket.recvmsg(LONGEST, socket.CMSG_SPACE(CREDENTIALS.size))
        for _, kind, body in ancillary:
            if kind != socket.SCM_CREDENTIALS:
                continue
            pid = CREDENTIALS.unpack(body[: CREDENTIALS.size])[0]
            try:
                session = os.getsid(pid)
            except OSError:
                session = 0
            self._send(messages.notified(pid, session, data))


def announce(message: Message) -> None:
    """Send a message to the service manager of the supervisor: Node has no datagram sockets of this family."""
    name = message.text("socket")
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        sender.sendto(message.data("text"), "\0" + name[1:] if name.startswith("@") else name)
    except OSError:
        pass
    finally:
        sender.close()
