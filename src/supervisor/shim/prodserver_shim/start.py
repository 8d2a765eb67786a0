"""How a program is started: in a session of its own, as who it is to run, with what it inherits."""

import errno
import fcntl
import os
import signal

OUR_UMASK = 0o077
INHERITED_UMASK = os.umask(OUR_UMASK)
# As process 1 it is the folder that the supervisor is started in again.
OUR_FOLDER = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
# Python ignores the first two, and we others.
DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def start_ticks(pid):
    """When a process began, in clock ticks since boot: with the pid, who it is."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError):
        return 0


def is_running(pid, ticks):
    """Whether it is this very process; one that ended and was not reaped is none."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[19]) == ticks and fields[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False


def printed_to(pid, fifo):
    """A named pipe whose file was removed, by what the program has open: nobody else could empty it."""
    for number in (1, 2):
        link = "/proc/%d/fd/%d" % (pid, number)
        try:
            if os.path.basename(os.readlink(link)).split(" ")[0] == os.path.basename(fifo.decode()):
                return os.open(link, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            pass
    return None


def take_lock(path):
    """The program inherits the lock, so it lasts as long as the program, whoever started it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(fd, 200).decode("utf-8", "replace")
        os.close(fd)
        error.what = "lock:" + holder
        raise error
    return fd


def note_holder(fd, pid):
    """For whoever finds it locked."""
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"pid %d" % pid, 0)
    except OSError:
        pass  # a full disk: the lock itself holds


def open_pipe(path, size):
    """
    A named pipe: the end to read, and the end for the program. The program's is open
    for reading as well, so that a pipe which nobody empties never ends a program.
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
        fcntl.fcntl(reader, 1031, size)  # F_SETPIPE_SZ
    except OSError:
        pass
    return reader, writer


def start(argv, env, cwd, user, group, umask, nice, limits, fds, lock_fd, output):
    """Starts a program in a session of its own; its pid. What fails before it runs is raised here."""
    if not (user or group or nice or limits or fds or lock_fd >= 0):
        pid = spawn(argv, env, cwd, umask, output)
        if pid:
            return pid
    return fork_exec(argv, env, cwd, user, group, umask, nice, limits, fds, lock_fd, output)


def spawn(argv, env, cwd, umask, output):
    """
    The same for what needs nothing but a folder and its output, in a third of the
    time: nothing of us is copied for it. None where the system cannot.
    """
    null = os.open(os.devnull, os.O_RDONLY)
    what = "CWD"
    try:
        if min(null, output) < 3:
            return None
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
        variables = dict(pair.split(b"=", 1) for pair in env)
        os.chdir(cwd)
        os.umask(int(umask, 8) if umask else INHERITED_UMASK)
        what = "program"
        return os.posix_spawn(argv[0], argv, variables, file_actions=actions, setsid=True, setsigdef=DEFAULT_SIGNALS)
    except (AttributeError, NotImplementedError):
        return None
    except OSError as error:
        error.what = what
        raise
    finally:
        os.umask(OUR_UMASK)
        os.fchdir(OUR_FOLDER)
        os.close(null)


def fork_exec(argv, env, cwd, user, group, umask, nice, limits, fds, lock_fd, output):
    failure_r, failure_w = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(failure_r)
        os.close(failure_w)
        raise
    if pid:
        os.close(failure_w)
        message = b""
        while True:
            part = os.read(failure_r, 4096)
            if not part:
                break
            message += part
        os.close(failure_r)
        if not message:
            return pid
        os.waitpid(pid, 0)
        number, what, text = message.decode().split("\0", 2)
        error = OSError(int(number), text)
        error.what = what
        raise error
    what = "start"
    try:
        os.setsid()
        # Above all that the program is given.
        failure_w = fcntl.fcntl(failure_w, fcntl.F_DUPFD_CLOEXEC, len(fds) + 5)
        arrange(fds, lock_fd, output)
        what = "LIMITS"
        if limits:
            set_limits(limits)
        what = "NICE"
        if nice:
            os.setpriority(os.PRIO_PROCESS, 0, int(nice))
        variables = dict(pair.split(b"=", 1) for pair in env)
        what = "USER" if user else "GROUP"
        become(user, group, variables)
        what = "CWD"
        os.chdir(cwd)
        what = "UMASK"
        os.umask(int(umask, 8) if umask else INHERITED_UMASK)
        if b"LISTEN_FDS" in variables:
            variables[b"LISTEN_PID"] = str(os.getpid()).encode()
        for number in DEFAULT_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        what = "program"
        os.execve(argv[0], argv, variables)
    except BaseException as error:  # whatever it is, the parent must hear of it, and this copy of it must end
        number = getattr(error, "errno", None) or 0
        text = getattr(error, "strerror", None) or str(error)
        os.write(failure_w, ("%d\0%s\0%s" % (number, what, text)).encode())
    finally:
        os._exit(127)


def arrange(fds, lock_fd, output):
    """0 is /dev/null, 1 and 2 the log, 3 and up the sockets, then the lock; nothing else is inherited."""
    wanted = [os.open(os.devnull, os.O_RDONLY), output, output] + fds + ([lock_fd] if lock_fd >= 0 else [])
    # Out of the way first: a number that is needed may be in use.
    sources = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, len(wanted) + 1) for fd in wanted]
    for number, source in enumerate(sources):
        os.dup2(source, number)


# Linux has this limit, and the module `resource` has no name for it.
RLIMIT_LOCKS = 10


def set_limits(limits):
    """Sets limits in their canonical form (core/limits.ts): NAME=BOTH, NAME=SOFT:HARD, NAME=SOFT: or NAME=:HARD."""
    import resource

    def number(text, default):
        if text == "":
            return default
        return resource.RLIM_INFINITY if text == "unlimited" else int(text)

    for text in limits:
        name, _, value = text.decode().partition("=")
        limit = RLIMIT_LOCKS if name == "locks" else getattr(resource, "RLIMIT_" + name.upper())
        soft, colon, hard = value.partition(":")
        try:
            now = resource.getrlimit(limit)
            resource.setrlimit(limit, (number(soft, now[0]), number(hard if colon else soft, now[1])))
        except (ValueError, OverflowError, OSError) as error:
            raise OSError(getattr(error, "errno", None) or errno.EINVAL, "%s=%s: %s" % (name, value, error))


def become(user, group, variables):
    if not user and not group:
        return
    account = find_account(user) if user else None
    if not account and not group:
        return
    gid = find_group(group) if group else account[2]
    is_other = account and account[1] != os.getuid()
    if is_other:
        # What opens /dev/stdout opens the pipe by its file.
        os.fchown(1, account[1], gid)
        os.initgroups(account[0], gid)
    if gid != os.getgid():
        os.setgid(gid)
    if is_other:
        os.setuid(account[1])
    if account:
        for name, value in (("HOME", account[3]), ("USER", account[0]), ("LOGNAME", account[0])):
            variables[name.encode()] = value.encode()


def find_account(user):
    """
    Returns the name, uid, gid and home of a user, as `run` does (run/accounts.ts). A number without an entry has a
    group of the same number, and no home; None if it is the number that this process already runs as.
    """
    import pwd

    try:
        entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
        return entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir
    except KeyError:
        if not user.isdigit():
            raise OSError(errno.ENOENT, "there is no user " + user)
    return None if int(user) == os.getuid() else (user, int(user), int(user), "/")


def find_group(group):
    """Returns the number of a group. Any number is a group."""
    import grp

    try:
        return int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise OSError(errno.ENOENT, "there is no group " + group)
