"""Moves what programs print from their named pipes into their logs."""

from __future__ import annotations

import fcntl
import os
import select
import time

from . import messages
from .log import Log, last_numbers
from .splice import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .loop import Loop
    from .messages import Event

# How long a pipe is left alone after a few bytes, in seconds: a moment later there is more to move at once.
PAUSE = 0.001
FEW_BYTES = 1 << 16
# Size of a pipe. A user may have 64 MiB in pipes; beyond that the system makes the user's other pipes tiny.
LARGE_PIPE, SMALL_PIPE, FEW_PIPES = 1 << 20, 1 << 17, 16
SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ
# How often a pipe is emptied at the end of its program, so that its last output comes before the news of its end.
LAST_ROUNDS = 64


def pipe_name(instance: str, invocation: int) -> str:
    """Name the pipe of an invocation, in the folder `run`."""
    return f"{instance}-{invocation}.log"


class Pipe:
    """The named pipe that one invocation prints to; the shim has its end to read."""

    def __init__(self, fd: int, path: str, instance: str, invocation: int) -> None:
        self.fd: int | None = fd
        self.path = path
        self.instance = instance
        self.invocation = invocation
        self.log: Log | None = None
        self.moved_at = 0.0


class Output:
    """The logs of all instances, and the pipes whose programs may still print."""

    def __init__(self, loop: Loop, logs_folder: str, send: Callable[[Event], None]) -> None:
        self._loop = loop
        self._folder = logs_folder
        self._send = send
        self._logs: dict[str, Log] = {}
        self._pipes: set[Pipe] = set()
        self._paused: list[Pipe] = []
        self._last_numbers = last_numbers(logs_folder)

    def configure(self, instance: str, max_bytes: int, keep: int) -> None:
        """Set the size and number of an instance's log files. Call it before the instance starts."""
        log = self._logs.get(instance)
        if log:
            log.max_bytes, log.keep = max_bytes, keep
        else:
            number = self._last_numbers.get(instance, 0)
            self._logs[instance] = Log(self._folder, instance, max_bytes, keep, number)

    def make_pipe(self, folder: str, instance: str, invocation: int) -> tuple[Pipe, int]:
        """Make the pipe of an invocation. Return it, and the descriptor for the program."""
        if instance not in self._logs:
            raise ValueError(f"{instance} has no log")
        path = os.path.join(folder, pipe_name(instance, invocation))
        size = LARGE_PIPE if len(self._pipes) < FEW_PIPES else SMALL_PIPE
        reader, writer = open_pipe(path, size)
        return Pipe(reader, path, instance, invocation), writer

    def add(self, pipe: Pipe, fd: int) -> None:
        """Move what arrives in a pipe from now on. If another invocation still prints, its file is set aside."""
        log = self._logs[pipe.instance]
        if any(other.log is log for other in self._pipes):
            limit = log.max_bytes
            if log.set_aside():
                log = Log(self._folder, log.name, limit, log.keep, log.sequence)
                self._logs[pipe.instance] = log
        pipe.log = log
        self._pipes.add(pipe)
        self._loop.watch(fd, lambda _: self._on_readable(pipe))

    def move(self, pipe: Pipe, rounds: int = 1) -> None:
        """Move what a pipe holds. At the end of the pipe no program is left that could print."""
        for _ in range(rounds):
            if pipe.fd is None or pipe.log is None:
                return
            more = self._take(pipe.log, pipe.fd, pipe.invocation)
            self._report(pipe.log)
            if more is None:
                return
            if not more:
                self.close(pipe)

    def close(self, pipe: Pipe) -> None:
        """Close and remove a pipe, and end the last line that it brought."""
        log = pipe.log
        if pipe.fd is None or log is None:
            return
        self._loop.unwatch(pipe.fd)
        discard_pipe(pipe)
        pipe.log = None
        self._pipes.discard(pipe)
        log.end_invocation(pipe.invocation)
        self._report(log)
        current = self._logs[pipe.instance]
        if log is not current and not any(other.log is log for other in self._pipes):
            log.close()
            if log.loss is not None and log.loss.bytes:
                current.add_loss(log.loss)

    def move_last(self, pipe: Pipe) -> None:
        """Move what a program has printed before its end, so that it is stored before the end is reported."""
        self.move(pipe, LAST_ROUNDS)

    @property
    def has_paused(self) -> bool:
        """Whether pipes are left alone for a moment."""
        return bool(self._paused)

    def resume(self) -> None:
        """Watch the pipes again whose moment is over."""
        if not self._paused:
            return
        latest = time.monotonic() - PAUSE
        for pipe in [pipe for pipe in self._paused if pipe.moved_at <= latest]:
            self._paused.remove(pipe)
            if pipe.fd is not None:
                self._loop.set_events(pipe.fd, select.EPOLLIN)

    @property
    def has_losses(self) -> bool:
        """Whether a log has no room."""
        return any(log.loss is not None for log in self._logs.values())

    def retry_losses(self) -> None:
        """See whether there is room again, also for logs of programs that print nothing more."""
        for log in self._logs.values():
            if log.loss is not None:
                log.retry()
                self._report(log)

    def _take(self, log: Log, fd: int, invocation: int) -> bool | None:
        try:
            return log.take(fd, invocation)
        except OSError as error:
            # The file cannot be written at all. The program must not wait for it.
            data = read(fd)
            self._send(messages.log_error(log.name, error.strerror or str(error)))
            return None if data is None else bool(data)

    def _on_readable(self, pipe: Pipe) -> None:
        self.move(pipe)
        now = time.monotonic()
        is_busy = now - pipe.moved_at < PAUSE
        if is_busy and pipe.fd is not None and pipe.log is not None and pipe.log.moved < FEW_BYTES:
            self._loop.set_events(pipe.fd, 0)
            self._paused.append(pipe)
        pipe.moved_at = now

    def _report(self, log: Log) -> None:
        loss = log.loss
        if loss is not None and loss.bytes and not loss.is_reported:
            loss.is_reported = True
            self._send(messages.log_full(log.name, loss.reason))
        if log.recovered:
            self._send(messages.log_lost(log.name, *log.recovered))
            log.recovered = None
        if log.rotated:
            self._send(messages.rotated(log.name, log.rotated))
            log.rotated = 0


def open_pipe(path: str, size: int) -> tuple[int, int]:
    """
    Make a named pipe. Return the end to read, and the end for the program, which is open for reading as well: a pipe
    that nothing empties must not end a program.
    """
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    os.mkfifo(path, 0o600)
    writer = os.open(path, os.O_RDWR)
    try:
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        os.close(writer)
        raise
    try:
        fcntl.fcntl(reader, SET_PIPE_SIZE, size)
    except OSError:
        pass
    return reader, writer


def discard_pipe(pipe: Pipe) -> None:
    """Close a pipe and remove its file."""
    if pipe.fd is not None:
        os.close(pipe.fd)
        pipe.fd = None
    try:
        os.unlink(pipe.path)
    except OSError:
        pass
