"""Facts about processes that the shim did not start itself."""

from __future__ import annotations

import os

TYPE_CHECKING = False

_STATE, _START_TICKS = 0, 19


def _stat_of(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat after the name of the program, which may contain anything."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


def start_ticks(pid: int) -> int:
    """Return when a process began, in clock ticks since boot. Pid and start together identify a process."""
    try:
        return int(_stat_of(pid)[_START_TICKS])
    except (OSError, IndexError):
        return 0


def is_running(pid: int, ticks: int) -> bool:
    """Tell whether this very process runs; one that ended and was not reaped does not."""
    try:
        fields = _stat_of(pid)
        return int(fields[_START_TICKS]) == ticks and fields[_STATE] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False


def open_output_of(pid: int, pipe: str) -> int | None:
    """Open a named pipe whose file was removed, through the program that prints to it: nothing else can empty it."""
    for number in (1, 2):
        link = f"/proc/{pid}/fd/{number}"
        try:
            # The link of a removed file ends in " (deleted)".
            if os.path.basename(os.readlink(link)).split(" ")[0] == os.path.basename(pipe):
                return os.open(link, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            pass
    return None
