"""Log files: the bytes of a program, in order, once, and rotated at the end of a line."""

import errno
import os
import struct
import time

CHUNK = 1 << 20
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SPLICE_NONBLOCK = 2
can_splice = hasattr(os, "splice")  # Python 3.10


class Log:
    """
    The log of one instance: NAME.log, and NAME.idx with the time, the offset and
    the run of what arrived. Full files become NAME.1.log, NAME.2.log ...
    """

    def __init__(self, folder, name, max_bytes, keep):
        self.folder, self.name = folder, name
        self.max_bytes, self.keep = max_bytes, keep
        self.sequence = max([0] + [n for n, _ in self.rotated()])
        self.open()

    def path(self, suffix):
        return os.path.join(self.folder, self.name + suffix)

    def rotated(self):
        found = []
        for entry in os.listdir(self.folder):
            if entry.startswith(self.name + "."):
                number = entry[len(self.name) + 1 :].split(".")[0]
                if number.isdigit():
                    found.append((int(number), entry))
        return found

    def open(self):
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self.file = os.open(self.path(".log"), flags, 0o600)
        self.index = os.open(self.path(".idx"), flags | os.O_APPEND, 0o600)
        # Not O_APPEND: splice refuses such a file.
        self.size = os.lseek(self.file, 0, os.SEEK_END)
        self.marked = (0, None)
        self.lost = None  # [lines, bytes] while there is no room
        self.rest = b""  # then: the beginning of a line
        self.reported = False
        self.found_room = None  # what was lost, once there is room again
        self.fresh = 0  # the number of the file that was rotated last, until it is told

    def close(self):
        os.close(self.file)
        os.close(self.index)

    def mark(self, run):
        """Notes when what comes next arrived; once a millisecond is enough."""
        now = time.time_ns() // 1000
        then, last = self.marked
        if run == last and now - then < 1000:
            return
        try:
            os.write(self.index, struct.pack("<QII", now, min(self.size, 0xFFFFFFFF), run))
            self.marked = (now, run)
        except OSError:
            pass  # the bytes count, and they are stored without it

    def ends_line(self):
        return self.size == 0 or os.pread(self.file, 1, self.size - 1) == b"\n"

    def take(self, pipe, run):
        """Moves what a pipe has. False at its end, None when it has nothing."""
        if self.lost is not None:
            return self.take_or_lose(pipe, run)
        if self.size > self.max_bytes + 4 * CHUNK:
            return self.take_and_split(pipe, run)
        self.mark(run)
        try:
            count = move(pipe, self.file)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            if error.errno not in NO_SPACE:
                raise
            self.begin_losing()
            return True
        if count == 0:
            return False
        self.size += count
        # Most writers write whole lines, so most chunks end one.
        if self.size >= self.max_bytes and self.ends_line():
            self.rotate()
        return True

    def take_and_split(self, pipe, run):
        """A full file and no chunk that ends a line: look for one inside."""
        data = read(pipe)
        if not data:
            return data if data is None else False
        head, newline, tail = data.rpartition(b"\n")
        if not newline:
            self.append(data, run)
        else:
            self.append(head + newline, run)
            self.rotate()
            if tail:
                self.append(tail, run)
        return True

    def append(self, data, run):
        self.mark(run)
        try:
            count = os.write(self.file, data)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            count = 0
        self.size += count
        if count < len(data):
            self.begin_losing()
            self.lost[0] += data[count:].count(b"\n")
            self.lost[1] += len(data) - count

    def begin_losing(self):
        """No room: what is there must end with a whole line."""
        start = max(0, self.size - (1 << 16))
        tail = os.pread(self.file, self.size - start, start)
        cut = len(tail) - 1 - tail.rfind(b"\n") if b"\n" in tail else 0
        self.size -= cut
        os.ftruncate(self.file, self.size)
        os.lseek(self.file, self.size, os.SEEK_SET)
        self.lost = [0, cut]
        self.rest = b""
        self.reported = False

    def take_or_lose(self, pipe, run):
        """Without room the program goes on, and what is lost is counted."""
        data = read(pipe)
        if not data:
            return data if data is None else False
        lines, newline, self.rest = (self.rest + data).rpartition(b"\n")
        lines += newline
        if len(self.rest) > 1 << 20:
            self.lost[1] += len(self.rest)
            self.rest = b""
        if not lines:
            return True
        note = b"[prodserver] %d lines (%d bytes) could not be stored: no space left\n"
        whole = (b"" if self.ends_line() else b"\n") + note % tuple(self.lost) + lines
        self.mark(run)
        try:
            count = os.write(self.file, whole)
        except OSError:
            count = 0
        if count < len(whole):
            os.ftruncate(self.file, self.size)
            os.lseek(self.file, self.size, os.SEEK_SET)
            self.lost[0] += lines.count(b"\n")
            self.lost[1] += len(lines)
            return True
        self.size += count
        self.found_room = tuple(self.lost)
        rest, self.lost, self.rest = self.rest, None, b""
        if rest:
            self.append(rest, run)
        return True

    def number(self):
        """Gives the file the next number. Who writes to it goes on; false where it could not be renamed."""
        self.sequence += 1
        try:
            for suffix in (".idx", ".log"):
                os.rename(self.path(suffix), self.path(".%d%s" % (self.sequence, suffix)))
        except OSError:
            return False
        return True

    def rotate(self):
        if self.number():
            self.close()
            self.prune()
            self.open()
            self.fresh = self.sequence

    def set_aside(self):
        """For a life that ends while another has begun: its file gets a number, and stays its own to the end."""
        self.number()
        self.max_bytes = 1 << 62

    def prune(self):
        for number, entry in self.rotated():
            if number <= self.sequence - self.keep:
                try:
                    os.unlink(os.path.join(self.folder, entry))
                except OSError:
                    pass


def move(pipe, file):
    """Moves bytes from a pipe to a file; their number, 0 at the end of the pipe."""
    global can_splice
    if can_splice:
        try:
            # In one step: a keeper killed here has either moved the bytes or left them in the pipe.
            return os.splice(pipe, file, CHUNK, flags=SPLICE_NONBLOCK)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS):
                raise
            can_splice = False  # not into a file of this file system
    data = os.read(pipe, CHUNK)
    at = os.lseek(file, 0, os.SEEK_CUR)
    count = os.write(file, data) if data else 0
    if count < len(data):
        os.ftruncate(file, at)
        os.lseek(file, at, os.SEEK_SET)
        raise OSError(errno.ENOSPC, "short write")
    return count


def read(pipe):
    """None when there is nothing yet, b"" at the end."""
    try:
        return os.read(pipe, 1 << 16)
    except BlockingIOError:
        return None
