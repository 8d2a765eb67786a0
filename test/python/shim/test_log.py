"""Bytes of a pipe end up in log files: in order, once, rotated at the end of a line."""

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Optional

import pytest
from prodserver_shim import log as log_module
from prodserver_shim.log import Log, last_numbers
from prodserver_shim.loss import LONGEST_LINE
from prodserver_shim.splice import find_splice, has_bytes, read

Splice = Optional[Callable[[int, int, int], int]]
Pipe = tuple[int, int]
LARGE = 1 << 30


@pytest.fixture(params=["splice", "copy"])
def pipe(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Pipe:
    """Make a pipe whose bytes are moved by splice, or copied where the system has no splice."""
    monkeypatch.setattr(log_module, "_splice", find_splice() if request.param == "splice" else None)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    request.addfinalizer(lambda: os.close(reader))
    request.addfinalizer(lambda: os.close(writer))
    return reader, writer


def make_log(folder: Path, max_bytes: int = LARGE, keep: int = 5, sequence: int = 0) -> Log:
    return Log(str(folder), "web.1", max_bytes, keep, sequence)


def drain(log: Log, reader: int, invocation: int = 1) -> None:
    """Move everything that the pipe holds."""
    for _ in range(10_000):
        if not log.take(reader, invocation):
            return
    raise AssertionError("the pipe is never empty")


def write(log: Log, pipe: Pipe, data: bytes, invocation: int = 1) -> None:
    reader, writer = pipe
    os.write(writer, data)
    drain(log, reader, invocation)


def files(folder: Path) -> list[bytes]:
    """Return the content of the log files, the full ones first."""
    names = sorted(folder.glob("web.1.*log"), key=lambda path: (path.name == "web.1.log", len(path.name), path.name))
    return [path.read_bytes() for path in names]


def records(path: Path) -> list[tuple[int, int]]:
    """Return offset and invocation of each record of an index."""
    return [(offset, invocation) for _, offset, invocation in struct.iter_unpack("<QII", path.read_bytes())]


def test_makes_no_file_before_something_is_printed(tmp_path: Path, pipe: Pipe) -> None:
    log = make_log(tmp_path)
    assert log.take(pipe[0], 1) is None
    assert list(tmp_path.iterdir()) == []


def test_tells_an_empty_pipe_from_its_end(tmp_path: Path, pipe: Pipe) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    assert (has_bytes(reader), read(reader)) == (None, None)
    os.write(writer, b"x")
    assert (has_bytes(reader), read(reader)) == (True, b"x")
    os.close(writer)
    assert (has_bytes(reader), read(reader)) == (False, b"")
    assert make_log(tmp_path).take(reader, 1) is False
    os.close(reader)


@pytest.mark.parametrize("max_bytes", range(1, 14))
@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 5, 100])
def test_rotates_at_line_ends_only(tmp_path: Path, pipe: Pipe, max_bytes: int, chunk: int) -> None:
    lines = [b"abc\n", b"\n", b"de\n", b"fghijkl\n", b"m\n"]
    data = b"".join(lines)
    log = make_log(tmp_path, max_bytes, keep=100)
    for at in range(0, len(data), chunk):
        write(log, pipe, data[at : at + chunk])
    found = files(tmp_path)
    assert b"".join(found) == data
    longest = max(map(len, lines))
    for content in found[:-1]:
        assert content.endswith(b"\n")
        assert max_bytes <= len(content) <= max_bytes + chunk + longest
    assert log.sequence == len(found) - 1


def test_rotates_a_full_file_before_the_next_line(tmp_path: Path, pipe: Pipe) -> None:
    log = make_log(tmp_path, max_bytes=6)
    for part in (b"abcd", b"efgh", b"i", b"j\nk", b"lm\n"):
        write(log, pipe, part)
    assert files(tmp_path) == [b"abcdefghij\n", b"klm\n"]
    assert log.rotated == 1


def test_prefers_an_oversized_file_to_a_broken_line(tmp_path: Path, pipe: Pipe) -> None:
    log = make_log(tmp_path, max_bytes=10)
    line = b"x" * 5000 + b"\n"
    write(log, pipe, line[:20])
    write(log, pipe, line[20:] + b"next\n")
    assert files(tmp_path) == [line + b"next\n", b""]


def test_keeps_the_last_full_files(tmp_path: Path, pipe: Pipe) -> None:
    log = make_log(tmp_path, max_bytes=2, keep=2)
    for number in range(6):
        write(log, pipe, b"%d\n" % number)
    assert files(tmp_path) == [b"4\n", b"5\n", b""]
    assert sorted(path.name for path in tmp_path.glob("*.idx")) == ["web.1.5.idx", "web.1.6.idx", "web.1.idx"]


def test_goes_on_with_the_numbers_of_an_earlier_shim(tmp_path: Path, pipe: Pipe) -> None:
    (tmp_path / "web.1.7.log.gz").touch()
    (tmp_path / "web.1.log").write_bytes(b"before\n")
    log = make_log(tmp_path, max_bytes=8, sequence=last_numbers(str(tmp_path))["web.1"])
    write(log, pipe, b"x\n")
    assert (tmp_path / "web.1.8.log").read_bytes() == b"before\nx\n"


def test_indexes_each_invocation_and_each_file(tmp_path: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10**12, 2_000_000))
    monkeypatch.setattr("prodserver_shim.index.time.time_ns", lambda: next(now))
    log = make_log(tmp_path, max_bytes=8)
    write(log, pipe, b"ab\n")
    write(log, pipe, b"cd\n", invocation=2)
    write(log, pipe, b"efgh\n", invocation=2)
    write(log, pipe, b"i\n", invocation=3)
    full, current = records(tmp_path / "web.1.1.idx"), records(tmp_path / "web.1.idx")
    assert {(0, 1), (3, 2), (6, 2)} < set(full)
    assert set(current) == {(0, 2), (0, 3), (2, 3)}


def test_writes_one_record_per_millisecond(tmp_path: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodserver_shim.index.time.time_ns", lambda: 5_000_000)
    log = make_log(tmp_path)
    for _ in range(5):
        write(log, pipe, b"x\n")
    assert records(tmp_path / "web.1.idx") == [(0, 1)]


def test_removes_half_a_record(tmp_path: Path, pipe: Pipe) -> None:
    (tmp_path / "web.1.idx").write_bytes(b"\0" * 21)
    write(make_log(tmp_path), pipe, b"x\n")
    assert (tmp_path / "web.1.idx").stat().st_size % 16 == 0
    assert len(records(tmp_path / "web.1.idx")) == 2


def test_survives_a_full_disk_for_the_index(tmp_path: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    log = make_log(tmp_path)
    write(log, pipe, b"a\n")

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "")

    os.write(pipe[1], b"b\n")
    with monkeypatch.context() as patch:
        # The log without splice needs os.write for its bytes as well.
        if log_module._splice is not None:
            patch.setattr(os, "write", fail)
        drain(log, pipe[0], invocation=2)
    assert files(tmp_path) == [b"a\nb\n"]
    assert log.loss is None


def test_sets_a_file_aside_for_an_invocation_that_still_prints(tmp_path: Path, pipe: Pipe) -> None:
    old = make_log(tmp_path, max_bytes=4)
    write(old, pipe, b"one ")
    assert old.set_aside()
    new = make_log(tmp_path, max_bytes=4, sequence=old.sequence)
    write(new, pipe, b"two\n", invocation=2)
    write(old, pipe, b"old\nolder\n")
    assert old.sequence == 1
    assert (tmp_path / "web.1.1.log").read_bytes() == b"one old\nolder\n"


def test_goes_on_with_a_full_file_if_no_other_can_be_made(
    tmp_path: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = make_log(tmp_path, max_bytes=2)
    write(log, pipe, b"a")
    with monkeypatch.context() as patch:
        patch.setattr(Log, "_open", lambda self: (_ for _ in ()).throw(OSError(errno.EMFILE, "")))
        write(log, pipe, b"b\nc\n")
    assert (tmp_path / "web.1.1.log").read_bytes() == b"ab\nc\n"
    write(log, pipe, b"d\n")
    assert log.sequence == 2
    assert files(tmp_path) == [b"ab\nc\n", b"d\n", b""]


class FullDisk:
    """Makes every write fail from some moment on, as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def fill(self) -> None:
        def fail(*_: object) -> int:
            raise OSError(errno.ENOSPC, "")

        self._patch.setattr(log_module, "_splice", fail)
        self._patch.setattr(os, "write", fail)

    def empty(self) -> None:
        self._patch.undo()
        self._patch.setattr(log_module, "_splice", find_splice())


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    return FullDisk(monkeypatch)


@pytest.fixture
def spliced() -> Pipe:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    return reader, writer


def write_only(fd: int, data: bytes) -> None:
    """Write to a pipe while os.write is replaced."""
    with open(f"/proc/self/fd/{fd}", "wb", buffering=0) as file:
        file.write(data)


def feed(log: Log, pipe: Pipe, data: bytes) -> None:
    write_only(pipe[1], data)
    drain(log, pipe[0])


def test_drops_whole_lines_while_the_disk_is_full(tmp_path: Path, spliced: Pipe, disk: FullDisk) -> None:
    log = make_log(tmp_path)
    feed(log, spliced, b"stored\nbegun ")
    disk.fill()
    feed(log, spliced, b"line\nlost\nunfi")
    assert log.loss is not None
    assert (log.loss.lines, log.loss.bytes) == (2, len(b"begun line\nlost\n"))
    # The unfinished line was taken back from the file.
    assert files(tmp_path) == [b"stored\n"]
    disk.empty()
    feed(log, spliced, b"nished\nafter\n")
    note = b"[prodserver] 2 lines (16 bytes) could not be stored: No space left on device\n"
    assert files(tmp_path) == [b"stored\n" + note + b"unfinished\nafter\n"]
    assert log.recovered == (2, 16)
    assert log.loss is None


def test_stores_a_line_that_waited_for_room(tmp_path: Path, spliced: Pipe, disk: FullDisk) -> None:
    log = make_log(tmp_path)
    feed(log, spliced, b"begun ")
    disk.fill()
    feed(log, spliced, b"still ")
    disk.empty()
    feed(log, spliced, b"going\n")
    assert files(tmp_path) == [b"begun still going\n"]
    assert log.recovered is None


def test_reports_a_loss_of_a_silent_program(tmp_path: Path, spliced: Pipe, disk: FullDisk) -> None:
    log = make_log(tmp_path)
    feed(log, spliced, b"a\n")
    disk.fill()
    feed(log, spliced, b"lost\n")
    log.retry()
    assert log.recovered is None
    disk.empty()
    log.retry()
    assert log.recovered == (1, 5)
    assert files(tmp_path)[0].endswith(b"could not be stored: No space left on device\n")


def test_drops_a_line_that_is_too_long_to_keep(tmp_path: Path, spliced: Pipe, disk: FullDisk) -> None:
    log = make_log(tmp_path)
    feed(log, spliced, b"a\n")
    disk.fill()
    sent = 0
    while sent <= LONGEST_LINE:
        feed(log, spliced, b"x" * 60_000)
        sent += 60_000
    disk.empty()
    feed(log, spliced, b"end\nnext\n")
    assert log.recovered == (1, sent + 4)
    assert files(tmp_path)[0].endswith(b"\nnext\n")


def test_ends_the_last_line_of_a_program(tmp_path: Path, spliced: Pipe, disk: FullDisk) -> None:
    log = make_log(tmp_path)
    feed(log, spliced, b"a\n")
    disk.fill()
    feed(log, spliced, b"last")
    log.end_invocation(1)
    assert log.loss is not None
    assert (log.loss.lines, log.loss.bytes) == (1, 4)
    disk.empty()
    log.retry()
    feed(log, spliced, b"b\n")
    assert b"1 lines (4 bytes)" in files(tmp_path)[0]


def test_takes_over_the_loss_of_an_earlier_file(tmp_path: Path, spliced: Pipe, disk: FullDisk) -> None:
    old, new = make_log(tmp_path), make_log(tmp_path)
    feed(old, spliced, b"a\n")
    disk.fill()
    feed(old, spliced, b"lost\n")
    assert old.loss is not None
    new.add_loss(old.loss)
    disk.empty()
    new.retry()
    assert new.recovered == (1, 5)


def test_keeps_no_descriptors(tmp_path: Path, pipe: Pipe) -> None:
    before = len(os.listdir("/proc/self/fd"))
    log = make_log(tmp_path, max_bytes=2)
    for _ in range(20):
        write(log, pipe, b"abc\n")
    log.close()
    assert len(os.listdir("/proc/self/fd")) == before
