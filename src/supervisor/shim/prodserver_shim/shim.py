"""The shim as a whole: connects its parts and runs until nothing is left to do."""

from __future__ import annotations

import fcntl
import os
import sys

from . import messages
from .control import CONNECTION_FD, Control
from .invocations import Invocations
from .lean import signal, socket
from .loop import Loop
from .notifications import Notifications, announce
from .output import PAUSE, Output
from .sockets import Sockets, listen_in
from .supervisor_process import PASSED_SIGNALS, SupervisorProcess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

LOCK, SOCKET = "shim.lock", "shim.sock"
# Exit code if another shim has the state directory.
ALREADY_RUNNING = 75
SET_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
# How often to look at programs whose end no event reports, and at a full disk, in seconds.
LOOK_INTERVAL, RETRY_INTERVAL = 0.2, 1.0


class Shim:
    """One shim, which has the state directory."""

    def __init__(self, state: str, command: list[str]) -> None:
        self.exit_code = 0
        self._is_running = True
        self._loop = Loop()
        self._control = Control(self._loop)
        send = self._control.send
        self._output = Output(self._loop, os.path.join(state, "logs"), send)
        self._invocations = Invocations(self._loop, self._output, os.path.join(state, "run"), send)
        self._sockets = Sockets(send, self._invocations.adopted_pids)
        self._notifications = Notifications(self._loop, state, send)
        self._supervisor = SupervisorProcess(command, self._control.use) if command else None
        self.commands = self._control.commands = {
            "hello": self._hello,
            "quit": self._quit,
            "spawn": lambda message: self._invocations.spawn(message, self._sockets.fileno),
            "adopt": self._invocations.adopt,
            "signal": self._invocations.signal,
            "forget": self._invocations.forget,
            "log": self._configure_log,
            "bind": self._sockets.bind,
            "close": self._sockets.close,
            "announce": announce,
        }

    def run(self, listener: socket.socket) -> int:
        """Do what the supervisor commands, until it says to quit or nothing is left. Return the exit code."""
        self._watch_signals()
        self._control.listen(listener)
        if self._supervisor:
            self._supervisor.start()
        else:
            self._control.use(socket.socket(fileno=CONNECTION_FD))
        while self._is_running:
            happened = self._loop.turn(self._timeout())
            self._output.resume()
            self._invocations.check_polled()
            if not happened:
                self._output.retry_losses()
            # Exits are kept until the next supervisor knows of them.
            if not self._control.is_connected and not self._supervisor and not len(self._invocations):
                break
        return self.exit_code

    def _timeout(self) -> float:
        if self._output.has_paused:
            return PAUSE
        if self._invocations.has_polled:
            return LOOK_INTERVAL
        return RETRY_INTERVAL if self._output.has_losses else -1

    def _watch_signals(self) -> None:
        wakeup, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._loop.watch(wakeup, lambda _: self._reap(wakeup))
        # Only the supervisor ends what runs here. As process 1, the shim passes on what it is sent.
        for number in PASSED_SIGNALS:
            signal.signal(number, lambda number, _: self._pass_on(number))
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda *_: None)

    def _pass_on(self, number: int) -> None:
        if self._supervisor:
            self._supervisor.pass_on(number)

    def _reap(self, wakeup: int) -> None:
        os.read(wakeup, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self._supervisor and pid == self._supervisor.pid:
                self._supervisor_ended(self._supervisor, status)
            else:
                self._invocations.reaped(pid, status)

    def _supervisor_ended(self, supervisor: SupervisorProcess, status: int) -> None:
        self._control.disconnect()
        code = supervisor.ended(status)
        if code is not None:
            self._is_running, self.exit_code = False, code

    def _hello(self, _: Message) -> None:
        if self._supervisor:
            self._supervisor.greeted()
        held = [
            messages.held_invocation(one.token, one.pid, one.start_ticks, one.instance, one.number)
            for one in self._invocations
        ]
        self._control.send(messages.welcome(os.getpid(), self._notifications.name, held, self._sockets.addresses))
        for one in self._invocations:
            if one.has_ended:
                self._control.send(messages.exited(one.token, one.status))

    def _quit(self, _: Message) -> None:
        # As process 1, the shim ends with the supervisor and with its exit code.
        self._is_running = self._supervisor is not None

    def _configure_log(self, message: Message) -> None:
        self._output.configure(message.text("instance"), message.number("maxSizeBytes"), message.number("keep"))


def main(state: str, command: list[str]) -> int:
    """Run the shim of a state directory, unless it has one. Return the exit code."""
    keep_descriptors()
    lock = os.open(os.path.join(state, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if command:
            sys.stderr.write(f"prodserver: another supervisor uses the state directory {state}\n")
        return ALREADY_RUNNING
    become_subreaper()
    shim = Shim(state, command)
    path = os.path.join(state, SOCKET)
    listener = listen_in(state, SOCKET)
    inode = os.stat(path).st_ino
    code = shim.run(listener)
    try:
        # The folder may have been removed, and another shim may have begun in a new one of that name.
        if os.stat(path).st_ino == inode:
            os.unlink(path)
    except OSError:
        pass
    return code


def become_subreaper() -> None:
    """Become the parent of orphans in place of init, so that they can be found and reaped."""
    try:
        import ctypes  # noqa: PLC0415 - Some builds of Python have none.

        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except Exception:
        pass  # Orphans are found by their session and their environment.


def keep_descriptors() -> None:
    """
    Let programs inherit no descriptor that the shim was given; those that it opens are not inherited anyway. A program
    that held the supervisor's connection would keep the supervisor from noticing the end of the shim.
    """
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:
                pass  # The descriptor that read the folder.
