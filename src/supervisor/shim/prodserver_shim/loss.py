"""Output that cannot be stored: whole lines are dropped and counted until there is room."""

from __future__ import annotations

# Longest unfinished line that is kept until its end arrives.
LONGEST_LINE = 1 << 20


class Loss:
    """What a log has dropped since it ran out of room, and the unfinished line that is still kept."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.lines = self.bytes = 0
        # The beginning of a line whose end has not arrived.
        self.rest = b""
        # The beginning of the current line was dropped, so its end is dropped as well.
        self.is_cut = False
        self.is_reported = False

    def drop(self, lines: bytes) -> None:
        """Count whole lines as dropped."""
        self.lines += lines.count(b"\n")
        self.bytes += len(lines)

    def cut(self, size: int) -> None:
        """Count the beginning of a line as dropped. Its end will be dropped as well."""
        self.bytes += size
        self.is_cut = True

    def end_line(self, last: bytes) -> None:
        """Count the line that the program printed last, without a newline, as dropped."""
        self.lines += 1
        self.bytes += len(last)
        self.is_cut = False

    def whole_lines(self, data: bytes) -> bytes:
        """Take the whole lines from what has arrived, and keep the beginning of the next one."""
        self.rest = b""
        if self.is_cut:
            end, newline, data = data.partition(b"\n")
            self.bytes += len(end) + len(newline)
            if not newline:
                return b""
            self.lines += 1
            self.is_cut = False
        lines, newline, rest = data.rpartition(b"\n")
        if len(rest) > LONGEST_LINE:
            self.cut(len(rest))
        else:
            self.rest = rest
        return lines + newline

    def note(self) -> bytes:
        """Return the line that the log gets in place of what was dropped."""
        text = f"[prodserver] {self.lines} lines ({self.bytes} bytes) could not be stored: {self.reason}\n"
        return text.encode() if self.bytes else b""
