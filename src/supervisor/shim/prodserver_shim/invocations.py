"""The programs that run: starts, adopts, signals and ends them."""

from __future__ import annotations

import os

from . import messages
from .output import Pipe, discard_pipe
from .procfs import is_running, open_output_of, start_ticks
from .start import Start, note_holder, start, take_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .loop import Loop
    from .messages import Event
    from .output import Output
    from .wire import Message


class Invocation:
    """One period of an instance, from its start to its exit."""

    def __init__(self, token: str, pid: int, ticks: int, instance: str, number: int) -> None:
        self.token = token
        self.pid = pid
        self.start_ticks = ticks
        self.instance = instance
        self.number = number
        self.pipe: Pipe | None = None
        # Descriptor that tells the end of a program that an earlier shim started.
        self.pidfd: int | None = None
        self.has_ended = False
        # Wait status, once it has ended; None if no shim could see it.
        self.status: int | None = None


class Invocations:
    """All invocations that the supervisor has not told the shim to forget."""

    def __init__(self, loop: Loop, output: Output, run_folder: str, send: Callable[[Event], None]) -> None:
        self._loop = loop
        self._output = output
        self._folder = run_folder
        self._send = send
        self._by_token: dict[str, Invocation] = {}
        self._by_pid: dict[int, Invocation] = {}
        # Adopted ones whose end only looking tells.
        self._polled: list[Invocation] = []
        self._adopted: set[int] = set()

    def __len__(self) -> int:
        return len(self._by_token)

    def __iter__(self) -> Iterator[Invocation]:
        return iter(self._by_token.values())

    @property
    def has_polled(self) -> bool:
        """Whether the end of a program can only be found by looking."""
        return bool(self._polled)

    def adopted_pids(self) -> Iterable[int]:
        """Return the pids of programs that an earlier shim started."""
        return self._adopted

    def spawn(self, message: Message, fileno: Callable[[str], int]) -> None:
        """Start a program, and report its pid or why it could not be started."""
        token = message.text("token")
        invocation = None
        try:
            invocation = self._start(message, fileno)
        except (OSError, ValueError) as error:
            number, text = getattr(error, "errno", None) or 0, getattr(error, "strerror", None) or str(error)
            what = getattr(error, "what", None) or getattr(error, "filename", None) or ""
            self._send(messages.failed(token, number, text, what))
        if invocation:
            self._send(messages.spawned(token, invocation.pid, invocation.start_ticks))

    def _start(self, message: Message, fileno: Callable[[str], int]) -> Invocation:
        token, instance, number = message.text("token"), message.text("instance"), message.number("invocation")
        program = Start(message)
        # A socket may have been closed meanwhile, because its process was told to stop.
        fds = [fileno(name.decode()) for name in message.items("sockets")]
        lock = take_lock(message.text("lock")) if message.has("lock") else None
        try:
            pipe, writer = self._output.make_pipe(self._folder, instance, number)
            try:
                pid = start(program, fds, lock, writer)
            except BaseException:
                discard_pipe(pipe)
                raise
            finally:
                os.close(writer)
            if lock is not None:
                note_holder(lock, pid)
        finally:
            if lock is not None:
                os.close(lock)
        invocation = Invocation(token, pid, start_ticks(pid), instance, number)
        self._keep(invocation, pipe)
        return invocation

    def adopt(self, message: Message) -> None:
        """Take over a program of an earlier shim. Its exit code goes to init, so only its end can be reported."""
        path = message.text("pipe")
        invocation = Invocation(
            message.text("token"),
            message.number("pid"),
            message.number("startTicks"),
            message.text("instance"),
            message.number("invocation"),
        )
        self._by_token[invocation.token] = invocation
        if not is_running(invocation.pid, invocation.start_ticks):
            invocation.has_ended = True
            try:
                os.unlink(path)
            except OSError:
                pass
            self._send(messages.exited(invocation.token, None))
            return
        self._keep(invocation, adopted_pipe(invocation, path))
        self._adopted.add(invocation.pid)
        try:
            invocation.pidfd = os.pidfd_open(invocation.pid)  # novm - Python 3.8 raises AttributeError.
            self._loop.watch(invocation.pidfd, lambda _: self._adopted_ended(invocation))
        except (AttributeError, OSError):
            self._polled.append(invocation)
        self._send(messages.spawned(invocation.token, invocation.pid, invocation.start_ticks))

    def _keep(self, invocation: Invocation, pipe: Pipe | None) -> None:
        self._by_token[invocation.token] = invocation
        self._by_pid[invocation.pid] = invocation
        if pipe and pipe.fd is not None:
            invocation.pipe = pipe
            self._output.add(pipe, pipe.fd)

    def reaped(self, pid: int, status: int) -> None:
        """Report the exit of a child; orphans that were reaped are none of the invocations."""
        if pid in self._by_pid:
            self._ended(self._by_pid[pid], status)

    def check_polled(self) -> None:
        """Find out which of the programs have ended that only looking tells."""
        for invocation in [one for one in self._polled if not is_running(one.pid, one.start_ticks)]:
            self._polled.remove(invocation)
            self._ended(invocation, None)

    def _adopted_ended(self, invocation: Invocation) -> None:
        if invocation.pidfd is not None:
            self._loop.unwatch(invocation.pidfd)
            os.close(invocation.pidfd)
            invocation.pidfd = None
        self._ended(invocation, None)

    def _ended(self, invocation: Invocation, status: int | None) -> None:
        del self._by_pid[invocation.pid]
        self._adopted.discard(invocation.pid)
        invocation.has_ended, invocation.status = True, status
        if invocation.pipe:
            self._output.move_last(invocation.pipe)
        self._send(messages.exited(invocation.token, status))

    def forget(self, message: Message) -> None:
        """Forget an invocation: the supervisor knows of its end."""
        self._by_token.pop(message.text("token"), None)

    def signal(self, message: Message) -> None:
        """Signal a program. A pid that was reaped, and may be another process by now, is not signalled."""
        invocation = self._by_token.get(message.text("token"))
        if invocation is None or invocation.has_ended:
            return
        if start_ticks(invocation.pid) == invocation.start_ticks:
            try:
                os.kill(invocation.pid, message.number("signal"))
            except OSError:
                pass  # It has ended, or belongs to a user that the shim may not signal.


def adopted_pipe(invocation: Invocation, path: str) -> Pipe | None:
    """Open the pipe of a program that an earlier shim started."""
    fd: int | None
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        fd = open_output_of(invocation.pid, path)
    return None if fd is None else Pipe(fd, path, invocation.instance, invocation.number)
