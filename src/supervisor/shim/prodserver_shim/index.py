"""Index of a log file: when bytes arrived, where they begin, and which invocation printed them. See protocol.md."""

from __future__ import annotations

import os
import struct
import time

TYPE_CHECKING = False

# Microseconds since the epoch, offset in the log file, number of the invocation.
RECORD = struct.Struct("<QII")
LARGEST_OFFSET = 0xFFFFFFFF
# A record for each millisecond is exact enough.
INTERVAL_US = 1000


def pack_record(time_us: int, offset: int, invocation: int) -> bytes:
    """Encode a record. An offset beyond 4 GiB becomes the largest that fits."""
    return RECORD.pack(time_us, min(offset, LARGEST_OFFSET), invocation)


class Index:
    """Appends to NAME.idx."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND, 0o600)
        self._last: tuple[int, int | None] = (0, None)
        # A full disk may have left half a record, which would shift all records after it.
        os.ftruncate(self._fd, os.fstat(self._fd).st_size // RECORD.size * RECORD.size)

    def close(self) -> None:
        os.close(self._fd)

    def mark(self, offset: int, invocation: int) -> None:
        """Note that the bytes from an offset on arrive now. A full disk may prevent that; the bytes matter more."""
        now = time.time_ns() // 1000
        then, last = self._last
        if invocation == last and now - then < INTERVAL_US:
            return
        record = pack_record(now, offset, invocation)
        try:
            count = os.write(self._fd, record)
            if count < len(record):
                os.ftruncate(self._fd, os.lseek(self._fd, 0, os.SEEK_END) - count)
            self._last = (now, invocation)
        except OSError:
            pass
