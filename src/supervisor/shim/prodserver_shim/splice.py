"""Reads and moves what a pipe holds."""

from __future__ import annotations

import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    Splice = Callable[[int, int, int], int]

BLOCK = 1 << 16
NONBLOCK = 2  # SPLICE_F_NONBLOCK


def find_splice() -> Splice | None:
    """Return a function that moves bytes from a pipe to a file in one step, or None if the system has none."""
    if hasattr(os, "splice"):  # Python 3.10.
        return lambda pipe, file, count: os.splice(pipe, file, count, flags=NONBLOCK)  # novm
    try:
        import ctypes  # noqa: PLC0415 - Some builds of Python have none.

        call = ctypes.CDLL(None, use_errno=True).splice
    except Exception:
        return None
    call.restype = ctypes.c_ssize_t
    call.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint)

    def move(pipe: int, file: int, count: int) -> int:
        moved = int(call(pipe, None, file, None, count, NONBLOCK))
        if moved < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return moved

    return move


def read(pipe: int, most: int = BLOCK) -> bytes | None:
    """Read from a pipe: None while it is empty, and an empty string at its end."""
    try:
        return os.read(pipe, most)
    except BlockingIOError:
        return None


def has_bytes(pipe: int) -> bool | None:
    """Tell whether a pipe has bytes: None while it is empty, and False at its end."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    found = poll.poll(0)
    return bool(found[0][1] & select.POLLIN) if found else None
