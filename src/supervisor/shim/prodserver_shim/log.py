"""Log files: the bytes of a program, in order, once, and rotated at the end of a line."""

import errno
import os
import select
import struct
import time

CHUNK = 1 << 20
BLOCK = 1 << 16
LONGEST_HELD = 1 << 20  # of a line that waits for its end while there is no room
SPLICE_NONBLOCK = 2
RECORD = 16  # bytes of the index for each chunk


class Log:
    """
    The log of one instance: NAME.log, and NAME.idx with the time, the offset and
    the run of what arrived. Full files become NAME.1.log, NAME.2.log ... There is
    no file before something is printed.
    """

    def __init__(self, folder, name, max_bytes, keep, sequence):
        self.folder, self.name = folder, name
        self.max_bytes, self.keep = max_bytes, keep
        self.file = self.index = -1
        self.size = 0
        self.run, self.run_start = None, 0  # who writes, and from where on in this file
        self.marked = (0, None)
        self.moved = 0  # how much the last time
        self.lost = None  # [lines, bytes] while nothing can be stored
        self.why = ""
        self.rest = b""  # then: the beginning of a line
        self.is_cut = False  # the beginning of the line has been lost, so its end will be
        self.reported = False
        self.found_room = None  # what was lost, once there is room again
        self.fresh = 0  # the number of the file that was rotated last, until it is told
        self.is_numbered = False  # ours has its number, and no other file could be made yet
        self.sequence = sequence  # the number of the last full file

    def path(self, suffix):
        return os.path.join(self.folder, self.name + suffix)

    def rotated(self):
        found = []
        try:
            entries = os.listdir(self.folder)
        except OSError:
            return found
        for entry in entries:
            if entry.startswith(self.name + "."):
                number = entry[len(self.name) + 1 :].split(".")[0]
                if number.isdigit():
                    found.append((int(number), entry))
        return found

    def begin(self):
        if self.file < 0 and self.lost is None:
            try:
                self.open()
            except OSError as error:
                self.begin_losing(error)

    def open(self):
        """Goes on with the file that has the name, or begins it. What was open is kept where that fails."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        file = os.open(self.path(".log"), flags, 0o600)
        try:
            index = os.open(self.path(".idx"), flags | os.O_APPEND, 0o600)
        except OSError:
            os.close(file)
            raise
        self.close()
        self.file, self.index = file, index
        # A full disk may have left half a record, which would shift all that follow.
        os.ftruncate(index, os.fstat(index).st_size // RECORD * RECORD)
        # Not O_APPEND: splice refuses such a file.
        self.size = self.run_start = os.lseek(self.file, 0, os.SEEK_END)
        self.marked = (0, None)

    def close(self):
        for fd in (self.file, self.index):
            if fd >= 0:
                os.close(fd)
        self.file = self.index = -1

    def mark(self, run):
        """Notes when what comes next arrived; once a millisecond is enough."""
        now = time.time_ns() // 1000
        then, last = self.marked
        if run == last and now - then < 1000:
            return
        if run != self.run:
            self.run, self.run_start = run, self.size
        try:
            record = struct.pack("<QII", now, min(self.size, 0xFFFFFFFF), run)
            count = os.write(self.index, record)
            if count < len(record):
                os.ftruncate(self.index, os.lseek(self.index, 0, os.SEEK_END) - count)
            self.marked = (now, run)
        except OSError:
            pass  # the bytes count, and they are stored without it

    def ends_line(self):
        return self.size == 0 or os.pread(self.file, 1, self.size - 1) == b"\n"

    # --- what is stored -------------------------------------------------------

    def take(self, pipe, run):
        """Moves what a pipe has. False at its end, None when it has nothing."""
        self.moved = 0
        if self.file < 0 and self.lost is None:
            has_bytes = look(pipe)
            if not has_bytes:
                return has_bytes
            self.begin()
        if self.lost is not None:
            return self.take_or_lose(pipe, run)
        self.mark(run)
        if self.size >= self.max_bytes:
            if self.come_to_line_end(pipe, run):
                self.rotate()
                return True
            if self.lost is not None:
                return True
        more = self.move(pipe, run, CHUNK)
        # Most writers write whole lines, so most chunks end one.
        if more and self.lost is None and self.size >= self.max_bytes and self.ends_line():
            self.rotate()
        return more

    def move(self, pipe, run, most):
        global splice
        if splice is None:
            return self.copy(pipe, run, most)
        try:
            # In one step: a keeper killed here has either moved the bytes or left them in the pipe.
            count = splice(pipe, self.file, most)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            if error.errno in (errno.EINVAL, errno.ENOSYS):
                splice = None  # not into a file of this file system
            elif error.errno != errno.EINTR:
                self.begin_losing(error)
            return True
        self.size += count
        self.moved += count
        return count > 0

    def copy(self, pipe, run, most):
        data = read(pipe, most)
        if not data:
            return data if data is None else False
        self.moved += len(data)
        self.append(data)
        return True

    def append(self, data):
        error = OSError(errno.ENOSPC, "")
        count = 0
        try:
            count = os.write(self.file, data)
        except OSError as raised:
            error = raised
        self.size += count
        if count < len(data):
            self.begin_losing(error, data[count:])

    def come_to_line_end(self, pipe, run):
        """
        What is missing of a line, of which not a byte too much may be moved: for the
        next chunk there is no way back. The longer a line, the more is tried.
        """
        if self.ends_line():
            return True
        for _ in range(min(1 << 14, max(1 << 10, (self.size - self.max_bytes) >> 4))):
            if not self.move(pipe, run, 1) or self.lost is not None:
                return False
            if self.ends_line():
                return True
        return False

    # --- what cannot be stored ------------------------------------------------

    def begin_losing(self, error, unwritten=b""):
        """The program goes on, and whole lines are lost and counted until there is room."""
        self.why = os.strerror(error.errno or 0)
        self.lost = [0, 0]
        self.rest, self.is_cut, self.reported = b"", False, False
        head = b""
        try:
            if self.file >= 0:
                head = self.take_back()
        except OSError:
            pass
        self.lose(self.whole_lines(head + unwritten))

    def take_back(self):
        """What is stored must end with a whole line: the beginning of one waits for its end."""
        start = self.size
        while start > self.run_start:
            at = max(self.run_start, start - BLOCK)
            newline = os.pread(self.file, start - at, at).rfind(b"\n")
            if newline >= 0:
                start = at + newline + 1
                break
            start = at
        length = self.size - start
        head = os.pread(self.file, length, start) if length <= LONGEST_HELD else b""
        if length > len(head):
            self.lost[1] += length
            self.is_cut = True
        self.cut_at(start)
        return head

    def cut_at(self, size):
        os.ftruncate(self.file, size)
        os.lseek(self.file, size, os.SEEK_SET)
        self.size = size

    def take_or_lose(self, pipe, run):
        data = read(pipe, BLOCK)
        if not data:
            return data if data is None else False
        self.moved = len(data)
        lines = self.whole_lines(self.rest + data)
        if lines and (self.is_cut or not self.store(lines, run)):
            self.lose(lines)
        return True

    def whole_lines(self, data):
        """The whole lines of what has arrived; the beginning of another one is kept."""
        self.rest = b""
        if self.is_cut:
            end, newline, data = data.partition(b"\n")
            self.lost[1] += len(end) + len(newline)
            if not newline:
                return b""
            self.lost[0] += 1
            self.is_cut = False
        lines, newline, rest = data.rpartition(b"\n")
        if len(rest) > LONGEST_HELD:
            self.lost[1] += len(rest)
            self.is_cut = True
        else:
            self.rest = rest
        return lines + newline

    def lose(self, lines):
        self.lost[0] += lines.count(b"\n")
        self.lost[1] += len(lines)

    def store(self, lines, run):
        """Tries to go on, with a line that says what is missing before these. False where there is no room yet."""
        note = b"[prodserver] %d lines (%d bytes) could not be stored: %s\n" % (*self.lost, self.why.encode())
        whole = (note if self.lost[1] else b"") + lines
        try:
            if self.file < 0:
                self.open()
            self.mark(run)
            if not self.ends_line() and self.size > self.run_start:
                whole = b"\n" + whole
            if os.write(self.file, whole) < len(whole):
                self.cut_at(self.size)
                return False
        except OSError:
            return False
        self.size += len(whole)
        self.found_room = tuple(self.lost) if self.lost[1] else None
        rest, self.lost, self.rest = self.rest, None, b""
        if rest:
            self.append(rest)
        return True

    def try_again(self):
        """Tells what was lost also where nothing more is printed."""
        if self.lost is not None and not self.is_cut:
            self.store(b"", self.marked[1] or 0)

    def end_run(self, run):
        """What a program printed last is a line, though no newline came."""
        if self.lost is None or not (self.rest or self.is_cut):
            return
        last, self.rest = self.rest, b""
        if self.is_cut or not self.store(last, run):
            self.lost[0] += 1
            self.lost[1] += len(last)
            self.is_cut = False

    def lose_as_well(self, lines, size, why):
        """What another file of the same instance could not store."""
        if self.lost is None:
            self.lost, self.why, self.rest, self.is_cut, self.reported = [0, 0], why, b"", False, True
        self.lost[0] += lines
        self.lost[1] += size

    # --- rotation -------------------------------------------------------------

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
        if not self.is_numbered and not self.number():
            return
        self.is_numbered = True
        self.prune()
        try:
            self.open()
        except OSError:
            return  # the full one goes on until there is room for another
        self.is_numbered = False
        self.fresh = self.sequence

    def set_aside(self):
        """
        For a life that ends while another has begun: its file gets a number, and stays
        its own to the end. False where it could not be renamed.
        """
        self.begin()
        if not self.is_numbered and not self.number():
            return False
        self.max_bytes = 1 << 62
        return True

    def prune(self):
        for number, entry in self.rotated():
            if number <= self.sequence - self.keep:
                try:
                    os.unlink(os.path.join(self.folder, entry))
                except OSError:
                    pass


def last_numbers(folder):
    """Of the full files of each name."""
    numbers = {}
    for entry in os.listdir(folder):
        stem, _, kind = (entry[:-3] if entry.endswith(".gz") else entry).rpartition(".")
        name, _, number = stem.rpartition(".")
        if kind in ("log", "idx") and number.isdigit():
            numbers[name] = max(int(number), numbers.get(name, 0))
    return numbers


def find_splice():
    """Python has it from 3.10 on, the system's library before that."""
    if hasattr(os, "splice"):
        return lambda pipe, file, count: os.splice(pipe, file, count, flags=SPLICE_NONBLOCK)  # novm
    try:
        import ctypes

        call = ctypes.CDLL(None, use_errno=True).splice
    except Exception:
        return None
    call.restype = ctypes.c_ssize_t
    call.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint)

    def move(pipe, file, count):
        moved = call(pipe, None, file, None, count, SPLICE_NONBLOCK)
        if moved < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return moved

    return move


splice = find_splice()


def read(pipe, most=BLOCK):
    """None when there is nothing yet, b"" at the end."""
    try:
        return os.read(pipe, most)
    except BlockingIOError:
        return None


def look(pipe):
    """Whether a pipe has bytes: None when it has none yet, False at its end."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    found = poll.poll(0)
    return bool(found[0][1] & select.POLLIN) if found else None
