"""Listening sockets: the shim binds them, and programs inherit them."""

from __future__ import annotations

import errno
import os
import stat

from . import messages
from .lean import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .messages import Event
    from .wire import Message

BACKLOG = 2048
UNIX = "unix:"
LONGEST_PATH = 107
LARGEST_PORT = 65535
PIDFD_OPEN, PIDFD_GETFD = 434, 438


class Sockets:
    """The sockets that the shim holds, by name. All programs that are given one share its queue of connections."""

    def __init__(self, send: Callable[[Event], None], adopted: Callable[[], Iterable[int]]) -> None:
        self._send = send
        # Pids of programs that an earlier shim started.
        self._adopted = adopted
        self._sockets: dict[str, socket.socket] = {}
        self.addresses: dict[str, str] = {}

    def fileno(self, name: str) -> int:
        """Return the descriptor of a socket. It may have been closed meanwhile."""
        if name not in self._sockets:
            raise ValueError(f"there is no socket {name}")
        return self._sockets[name].fileno()

    def bind(self, message: Message) -> None:
        """Bind an address once, and report the address that was bound."""
        name, address = message.text("name"), message.text("address")
        if name not in self._sockets:
            try:
                held = self._obtain(address)
            except (OSError, ValueError) as error:
                number, text = getattr(error, "errno", 0) or 0, getattr(error, "strerror", None) or str(error)
                self._send(messages.not_bound(name, number, text))
                return
            self._sockets[name] = held
            # A long path was bound by another name.
            self.addresses[name] = address if address.startswith(UNIX) else address_of(held)
        if message.number("listen"):
            self._sockets[name].listen(BACKLOG)
        self._send(messages.bound(name, self.addresses[name]))

    def _obtain(self, address: str) -> socket.socket:
        try:
            return bind_address(address)
        except OSError:
            # After an earlier shim has ended, only its programs have the socket.
            held = take_over(address, self._adopted())
            if held is None:
                raise
            return held

    def close(self, message: Message) -> None:
        """Close a socket, and remove its file."""
        name = message.text("name")
        held = self._sockets.pop(name, None)
        if held is None:
            return
        held.close()
        address = self.addresses.pop(name)
        if address.startswith(UNIX):
            try:
                os.unlink(address[len(UNIX) :])
            except OSError:
                pass


def bind_address(address: str) -> socket.socket:
    """Bind `HOST:PORT`, `[HOST]:PORT` or `unix:PATH`."""
    if address.startswith(UNIX):
        path = address[len(UNIX) :]
        remove_dead_socket(path)
        return bind_path(path)
    host, _, port = address.rpartition(":")
    if int(port) > LARGEST_PORT:  # getaddrinfo takes only the last bits of the number.
        raise OSError(errno.EINVAL, f"{port} is no port")
    family, kind, protocol, _, target = resolve(host, int(port))
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit this. uvicorn takes every inherited socket for a Unix socket and does not set
        # it; then the end of a response waits for the client's next packet.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound.bind(target)
    except OSError:
        bound.close()
        raise
    return bound


def resolve(host: str, port: int) -> tuple[int, int, int, str, Any]:
    """Return what socket.socket and its bind need for a host and a port."""
    found = socket.getaddrinfo(host.strip("[]") or None, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
    return found[0]


def take_over(address: str, pids: Iterable[int]) -> socket.socket | None:
    """
    Take the socket of an address from a program that has it, with the connections that wait in it. Return None if no
    program has it, or the system does not allow it.
    """
    wanted = name_of(address)
    for pid in pids:
        pidfd = system_call(PIDFD_OPEN, pid, 0)
        if pidfd < 0:
            continue
        try:
            found = find_listening(pid, pidfd, wanted)
            if found is not None:
                return found
        except OSError:
            pass
        finally:
            os.close(pidfd)
    return None


def find_listening(pid: int, pidfd: int, wanted: object) -> socket.socket | None:
    """Copy a program's listening socket that has a name."""
    folder = f"/proc/{pid}/fd"
    for entry in os.listdir(folder):
        try:
            is_socket = os.readlink(os.path.join(folder, entry)).startswith("socket:")
        except OSError:
            continue  # The program closed it meanwhile.
        if not is_socket:
            continue
        fd = system_call(PIDFD_GETFD, pidfd, int(entry), 0)
        if fd < 0:
            return None
        held = socket.socket(fileno=fd)
        os.set_inheritable(fd, False)
        if held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and held.getsockname() == wanted:
            return held
        held.close()
    return None


def name_of(address: str) -> object:
    """Return what getsockname returns for an address."""
    if address.startswith(UNIX):
        return address[len(UNIX) :]
    host, _, port = address.rpartition(":")
    return resolve(host, int(port))[4]


def system_call(number: int, *values: int) -> int:
    """Call the system; Python 3.8 has no function for these calls. Return -1 if that is not possible."""
    try:
        import ctypes  # noqa: PLC0415 - Some builds of Python have none.

        return int(ctypes.CDLL(None).syscall(number, *values))
    except Exception:
        return -1


def remove_dead_socket(path: str) -> None:
    """Remove the file of a socket on which no process listens any more."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except OSError:
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(path)
    except ConnectionRefusedError:
        os.unlink(path)
    except OSError:
        pass
    finally:
        probe.close()


def address_of(bound: socket.socket) -> str:
    """Write the address of a socket as HOST:PORT."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if bound.family == socket.AF_INET6 else f"{host}:{port}"


def bind_path(path: str) -> socket.socket:
    """Bind a Unix socket to a path of any length."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if len(os.fsencode(path)) <= LONGEST_PATH:
            bound.bind(path)
            return bound
        # The path through a descriptor of the folder is short.
        directory = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            bound.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
        finally:
            os.close(directory)
    except OSError:
        bound.close()
        raise
    return bound


def listen_in(folder: str, name: str) -> socket.socket:
    """Listen on a Unix socket in a folder, in place of an older one."""
    path = os.path.join(folder, name)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    return bind_path(path)
