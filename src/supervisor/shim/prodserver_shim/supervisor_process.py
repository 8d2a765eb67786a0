"""As process 1, the shim starts the supervisor, passes signals on to it, and ends with it."""

from __future__ import annotations

import os

from .lean import signal, socket
from .loop import print_exception

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Signals that end a supervisor on purpose. A supervisor that any other signal ends is started again.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PASSED_SIGNALS = (*STOP_SIGNALS, signal.SIGQUIT)
DEFAULT_SIGNALS = (*STOP_SIGNALS, signal.SIGPIPE, signal.SIGXFSZ)
CONNECTION = 3
CANNOT_START = 127


class SupervisorProcess:
    """The supervisor as a child of the shim. Its connection is its descriptor 3."""

    def __init__(self, command: list[str], control: Callable[[socket.socket], None]) -> None:
        self._command = command
        self._control = control
        self.pid: int | None = None
        # The supervisor handles signals from the time on at which it greets the shim.
        self._is_ready = False
        # Signals that came before that, and the last one that was passed on.
        self._early: list[int] = []
        self._passed: int | None = None

    def start(self) -> None:
        """Start the supervisor."""
        own, child = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            for number in DEFAULT_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            try:
                os.dup2(child.fileno(), CONNECTION)
                os.environ["PRODSERVER_SHIM_FD"] = str(CONNECTION)
                os.execv(self._command[0], self._command)
            except BaseException:
                print_exception()
            finally:
                os._exit(CANNOT_START)
        child.close()
        self._is_ready = False
        self.pid = pid
        self._control(own)

    def greeted(self) -> None:
        """Pass on the signals that came too early."""
        self._is_ready = True
        early, self._early = self._early, []
        for number in early:
            self.pass_on(number)

    def pass_on(self, number: int) -> None:
        """Send a signal on to the supervisor. A second one before the supervisor is ready does not wait."""
        if self.pid is None:
            return
        if self._is_ready or self._early:
            # Images of several servers declare SIGQUIT as the signal to stop.
            os.kill(self.pid, signal.SIGTERM if number == signal.SIGQUIT else number)
            self._passed = number
        else:
            self._early.append(number)

    def ended(self, status: int) -> int | None:
        """Return the exit code of a supervisor that has ended; None if it was killed, and another one was started."""
        self.pid = None
        if os.WIFSIGNALED(status) and self._is_ready and os.WTERMSIG(status) not in STOP_SIGNALS:
            # The next supervisor takes over what runs, and the signal that this one was sent.
            self._early = [self._passed] if self._passed else []
            self.start()
            return None
        return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
