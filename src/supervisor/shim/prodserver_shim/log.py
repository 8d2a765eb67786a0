"""Log files: the bytes of a program, in order and once, rotated at the end of a line. protocol.md has their format."""

from __future__ import annotations

import errno
import os

from .index import Index
from .loss import LONGEST_LINE, Loss
from .splice import BLOCK, find_splice, has_bytes, read

TYPE_CHECKING = False

# Most bytes that are moved in one step.
CHUNK = 1 << 20
# Fewest and most single bytes that are tried, in one go, to reach the end of a line in a full file.
FEW_STEPS, MANY_STEPS = 1 << 10, 1 << 14

_splice = find_splice()


class Log:
    """
    The log of one instance: NAME.log with its index NAME.idx. Full files become NAME.1.log, NAME.2.log and so on. No
    file is made before something is printed.

    Methods that move bytes return True if there may be more, None if the pipe is empty, and False at its end.
    """

    def __init__(self, folder: str, name: str, max_bytes: int, keep: int, sequence: int) -> None:
        self.name = name
        self.max_bytes, self.keep = max_bytes, keep
        # The number of the last full file.
        self.sequence = sequence
        self.size = 0
        # How many bytes the last step has moved.
        self.moved = 0
        # Set while nothing can be stored.
        self.loss: Loss | None = None
        # Lines and bytes that were dropped, once there is room again, until that is reported.
        self.recovered: tuple[int, int] | None = None
        # The number of the file that was completed last, until that is reported.
        self.rotated = 0
        self._folder = folder
        self._file = -1
        self._index: Index | None = None
        # The invocation that prints, and where its output begins in this file.
        self._invocation: int | None = None
        self._invocation_start = 0
        # The file has its number, and no other file could be made yet.
        self._is_numbered = False

    def take(self, pipe: int, invocation: int) -> bool | None:
        """Move what a pipe holds into the log."""
        self.moved = 0
        if self._file < 0 and self.loss is None:
            found = has_bytes(pipe)
            if not found:
                return found
            self._begin()
        if self.loss is not None:
            return self._take_or_drop(pipe, invocation, self.loss)
        self._mark(invocation)
        if self.size >= self.max_bytes:
            if self._complete_line(pipe) and self._rotate():
                return True
            if self.loss is not None:
                return True
        more = self._move(pipe, CHUNK)
        # Most programs write whole lines, so most chunks end with one.
        if more and self.loss is None and self.size >= self.max_bytes and self._ends_line():
            self._rotate()
        return more

    def end_invocation(self, invocation: int) -> None:
        """End the last line of a program, though it printed no newline."""
        loss = self.loss
        if loss is None or not (loss.rest or loss.is_cut):
            return
        last, loss.rest = loss.rest, b""
        if loss.is_cut or not self._store(last, invocation, loss):
            loss.end_line(last)

    def retry(self) -> None:
        """Report what was dropped even if nothing more is printed."""
        if self.loss is not None and not self.loss.is_cut:
            self._store(b"", self._invocation or 0, self.loss)

    def add_loss(self, other: Loss) -> None:
        """Take over what an earlier file of the same instance could not store."""
        if self.loss is None:
            self.loss = Loss(other.reason)
            self.loss.is_reported = True
        self.loss.lines += other.lines
        self.loss.bytes += other.bytes

    def set_aside(self) -> bool:
        """
        Give the file a number because another invocation has begun. The old invocation keeps the file to its end.
        Return False if the file could not be renamed.
        """
        self._begin()
        if not self._is_numbered and not self._number():
            return False
        self.max_bytes = 1 << 62
        return True

    def close(self) -> None:
        """Close the files."""
        if self._file >= 0:
            os.close(self._file)
        if self._index is not None:
            self._index.close()
        self._file, self._index = -1, None

    def _path(self, suffix: str) -> str:
        return os.path.join(self._folder, self.name + suffix)

    def _begin(self) -> None:
        if self._file < 0 and self.loss is None:
            try:
                self._open()
            except OSError as error:
                self._begin_loss(error)

    def _open(self) -> None:
        """Open the current file, or make it. If that fails, the files that are open stay open."""
        # Not O_APPEND: splice refuses such a file.
        file = os.open(self._path(".log"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            index = Index(self._path(".idx"))
        except OSError:
            os.close(file)
            raise
        self.close()
        self._file, self._index = file, index
        self.size = self._invocation_start = os.lseek(file, 0, os.SEEK_END)

    def _mark(self, invocation: int) -> None:
        if invocation != self._invocation:
            self._invocation, self._invocation_start = invocation, self.size
        if self._index is not None:
            self._index.mark(self.size, invocation)

    def _ends_line(self) -> bool:
        return self.size == 0 or os.pread(self._file, 1, self.size - 1) == b"\n"

    def _move(self, pipe: int, most: int) -> bool | None:
        global _splice
        if _splice is None:
            return self._copy(pipe, most)
        try:
            # In one step: a shim that is killed here has either moved the bytes or left them in the pipe.
            count = _splice(pipe, self._file, most)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            if error.errno in (errno.EINVAL, errno.ENOSYS):
                _splice = None  # This file system does not support it.
            elif error.errno != errno.EINTR:
                self._begin_loss(error)
            return True
        self.size += count
        self.moved += count
        return count > 0

    def _copy(self, pipe: int, most: int) -> bool | None:
        data = read(pipe, most)
        if not data:
            return None if data is None else False
        self.moved += len(data)
        self._append(data)
        return True

    def _append(self, data: bytes) -> None:
        error = OSError(errno.ENOSPC, "")
        count = 0
        try:
            count = os.write(self._file, data)
        except OSError as raised:
            error = raised
        self.size += count
        if count < len(data):
            self._begin_loss(error, data[count:])

    def _complete_line(self, pipe: int) -> bool:
        """
        Move the rest of the current line, byte by byte: bytes of the next line cannot be moved back. Return whether
        the line is complete. The longer the line, the more bytes are tried.
        """
        if self._ends_line():
            return True
        for _ in range(min(MANY_STEPS, max(FEW_STEPS, (self.size - self.max_bytes) >> 4))):
            if not self._move(pipe, 1) or self.loss is not None:
                return False
            if self._ends_line():
                return True
        return False

    def _begin_loss(self, error: OSError, unwritten: bytes = b"") -> None:
        """Let the program go on, and drop whole lines until there is room."""
        self.loss = loss = Loss(os.strerror(error.errno or 0))
        head = b""
        try:
            if self._file >= 0:
                head = self._take_back(loss)
        except OSError:
            pass
        loss.drop(loss.whole_lines(head + unwritten))

    def _take_back(self, loss: Loss) -> bytes:
        """Remove the unfinished line from the end of the file, where its end could not follow. Return the line."""
        start = self.size
        while start > self._invocation_start:
            at = max(self._invocation_start, start - BLOCK)
            newline = os.pread(self._file, start - at, at).rfind(b"\n")
            if newline >= 0:
                start = at + newline + 1
                break
            start = at
        length = self.size - start
        head = os.pread(self._file, length, start) if length <= LONGEST_LINE else b""
        if length > len(head):
            loss.cut(length)
        self._truncate(start)
        return head

    def _truncate(self, size: int) -> None:
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self.size = size

    def _take_or_drop(self, pipe: int, invocation: int, loss: Loss) -> bool | None:
        data = read(pipe)
        if not data:
            return None if data is None else False
        self.moved = len(data)
        lines = loss.whole_lines(loss.rest + data)
        if lines and (loss.is_cut or not self._store(lines, invocation, loss)):
            loss.drop(lines)
        return True

    def _store(self, lines: bytes, invocation: int, loss: Loss) -> bool:
        """Try to go on, with a line that says what is missing. Return False if there is no room yet."""
        whole = loss.note() + lines
        try:
            if self._file < 0:
                self._open()
            self._mark(invocation)
            if not self._ends_line() and self.size > self._invocation_start:
                whole = b"\n" + whole
            if os.write(self._file, whole) < len(whole):
                self._truncate(self.size)
                return False
        except OSError:
            return False
        self.size += len(whole)
        self.recovered = (loss.lines, loss.bytes) if loss.bytes else None
        self.loss = None
        if loss.rest:
            self._append(loss.rest)
        return True

    def _number(self) -> bool:
        """Rename the file to the next number. Programs that write to it go on. Return False if that fails."""
        self.sequence += 1
        try:
            for suffix in (".idx", ".log"):
                os.rename(self._path(suffix), self._path(f".{self.sequence}{suffix}"))
        except OSError:
            return False
        return True

    def _rotate(self) -> bool:
        """Begin another file. If that fails, the full file goes on until there is room. Return whether it is done."""
        if not self._is_numbered and not self._number():
            return False
        self._is_numbered = True
        self._prune()
        try:
            self._open()
        except OSError:
            return False
        self._is_numbered = False
        self.rotated = self.sequence
        return True

    def _prune(self) -> None:
        for number, entry in self._rotated_files():
            if number <= self.sequence - self.keep:
                try:
                    os.unlink(os.path.join(self._folder, entry))
                except OSError:
                    pass

    def _rotated_files(self) -> list[tuple[int, str]]:
        try:
            entries = os.listdir(self._folder)
        except OSError:
            return []
        prefix = self.name + "."
        found = [(entry[len(prefix) :].split(".")[0], entry) for entry in entries if entry.startswith(prefix)]
        return [(int(number), entry) for number, entry in found if number.isdigit()]


def last_numbers(folder: str) -> dict[str, int]:
    """Return the number of the last full file of each log."""
    numbers: dict[str, int] = {}
    for entry in os.listdir(folder):
        stem, _, kind = (entry[:-3] if entry.endswith(".gz") else entry).rpartition(".")
        name, _, number = stem.rpartition(".")
        if kind in ("log", "idx") and number.isdigit():
            numbers[name] = max(int(number), numbers.get(name, 0))
    return numbers
