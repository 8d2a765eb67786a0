"""Starts a program: in a session of its own, as its user, with what it inherits."""

from __future__ import annotations

import fcntl
import os

from .identity import become, set_limits
from .lean import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

OWN_UMASK = 0o077
INHERITED_UMASK = os.umask(OWN_UMASK)
# As process 1, the supervisor is started in this folder again.
OWN_FOLDER = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
# Python ignores the first two, and the shim the others.
DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LONGEST_HOLDER = 200


class StartError(OSError):
    """A program could not be started; `what` names the step that failed."""

    def __init__(self, number: int, text: str, what: str) -> None:
        super().__init__(number, text)
        self.what = what


class Start:
    """What to start, and how: the fields of the message `spawn`."""

    def __init__(self, message: Message) -> None:
        self.argv = message.items("argv")
        self.env = message.table("env")
        self.cwd = message.text("cwd")
        self.user = message.text("user", "")
        self.group = message.text("group", "")
        self.umask = message.text("umask", "")
        self.nice = message.number("nice") if message.has("nice") else None
        self.limits = {name: value.decode() for name, value in message.table("limits").items()}
        self.umask_number = int(self.umask, 8) if self.umask else INHERITED_UMASK

    @property
    def is_plain(self) -> bool:
        """Whether the program needs nothing but a folder and its output."""
        return not (self.user or self.group or self.limits) and self.nice is None


def start(program: Start, fds: list[int], lock: int | None, output: int) -> int:
    """Start a program and return its pid. Raise StartError if anything before its first instruction fails."""
    if program.is_plain and not fds and lock is None:
        pid = spawn(program, output)
        if pid:
            return pid
    return fork(program, fds, lock, output)


def spawn(program: Start, output: int) -> int | None:
    """
    Start a program that needs nothing but a folder and its output, in a third of the time: no memory of the shim is
    copied for it. Return None if the system cannot do that.
    """
    null = os.open(os.devnull, os.O_RDONLY)
    what = "CWD"
    try:
        if min(null, output) < 3:
            return None
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
        os.chdir(program.cwd)
        os.umask(program.umask_number)
        what = "program"
        return os.posix_spawn(
            program.argv[0],
            program.argv,
            program.env,
            file_actions=actions,
            setsid=True,
            setsigdef=DEFAULT_SIGNALS,
        )
    except (AttributeError, NotImplementedError):
        return None
    except OSError as error:
        raise StartError(error.errno or 0, error.strerror or str(error), what) from error
    finally:
        os.umask(OWN_UMASK)
        os.fchdir(OWN_FOLDER)
        os.close(null)


def fork(program: Start, fds: list[int], lock: int | None, output: int) -> int:
    """Start a program in a copy of the shim that prepares everything for it."""
    failure, failure_writer = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(failure)
        os.close(failure_writer)
        raise
    if pid == 0:
        run_child(program, fds, lock, output, failure_writer)
    os.close(failure_writer)
    with os.fdopen(failure, "rb") as file:
        message = file.read()
    if not message:
        return pid
    os.waitpid(pid, 0)
    number, what, text = message.decode().split("\0", 2)
    raise StartError(int(number), text, what)


def run_child(program: Start, fds: list[int], lock: int | None, output: int, failure: int) -> None:
    """Become the program. If a step fails, tell the parent which one, and end."""
    step = Step()
    try:
        os.setsid()
        # Above all descriptors that the program is given.
        failure = fcntl.fcntl(failure, fcntl.F_DUPFD_CLOEXEC, len(fds) + 5)
        arrange([os.open(os.devnull, os.O_RDONLY), output, output, *fds, *([] if lock is None else [lock])])
        prepare(program, step)
        for number in DEFAULT_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        step.name = "program"
        os.execve(program.argv[0], program.argv, program.env)
    except BaseException as error:
        # Whatever it is, the parent must learn of it, and this copy of the parent must end.
        text = getattr(error, "strerror", None) or str(error)
        os.write(failure, f"{getattr(error, 'errno', None) or 0}\0{step.name}\0{text}".encode())
    finally:
        os._exit(127)


class Step:
    """Name of the current step of a start, for the message of a failure."""

    name = "start"


def prepare(program: Start, step: Step) -> None:
    """Give the current process the limits, priority, user, folder and umask of a program."""
    step.name = "LIMITS"
    set_limits(program.limits)
    step.name = "NICE"
    if program.nice is not None:
        os.setpriority(os.PRIO_PROCESS, 0, program.nice)
    step.name = "USER" if program.user else "GROUP"
    become(program.user, program.group, program.env)
    step.name = "CWD"
    os.chdir(program.cwd)
    step.name = "UMASK"
    os.umask(program.umask_number)
    if "LISTEN_FDS" in program.env:
        program.env["LISTEN_PID"] = b"%d" % os.getpid()


def arrange(wanted: list[int]) -> None:
    """Make these the descriptors 0, 1, 2 and up. The program inherits no other ones."""
    # They are moved out of the way first: a number that is needed may be in use.
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, len(wanted) + 1) for fd in wanted]
    for number, source in enumerate(sources):
        os.dup2(source, number)


def take_lock(path: str) -> int:
    """Lock a file. The program inherits the lock, so it lasts as long as the program, whatever happens to the shim."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(fd, LONGEST_HOLDER).decode("utf-8", "replace")
        os.close(fd)
        raise StartError(error.errno or 0, error.strerror or "", "lock:" + holder) from error
    return fd


def note_holder(fd: int, pid: int) -> None:
    """Write into a locked file which process has it."""
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"pid %d" % pid, 0)
    except OSError:
        pass  # The disk is full; the lock itself holds.
