"""
The C modules behind `signal` and `socket`. The public modules import enum, selectors and collections, which would stay
in the memory of the shim and delay its start.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    import socket
else:
    import _signal as signal
    import _socket as socket

__all__ = ["accept", "signal", "socket"]


def accept(listener: "socket.socket") -> "socket.socket":
    """Accept a connection. The method of that name is in the public module only."""
    fd = listener._accept()[0]  # type: ignore[attr-defined]
    return socket.socket(fileno=fd)
