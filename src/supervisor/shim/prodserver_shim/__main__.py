"""
The keeper: parent of everything that a supervisor runs.

It forks and reaps, moves what the programs print into their log files, holds
listening sockets and locks, and decides nothing: every decision comes as a
command from the supervisor. It is a process of its own so that the supervisor
may die: instances, their exits and their output are kept until the next one
comes. Where the keeper itself dies, the programs hold their pipes open and a
new keeper adopts them.

Python, because Node can do none of this: become a subreaper, fork with another
user and limits, pass descriptors, move bytes without a moment in which they are
nowhere (splice), tell who sent a notification. Standard library only, any
Python that Django runs on.

    python -I -S -B keeper STATE_DIR              commands on descriptor 3
    python -I -S -B keeper STATE_DIR -- COMMAND   as process 1: the supervisor
                                                  is COMMAND, and its end ours
"""

import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import time

# What is compiled of our own files goes to the state directory, as we may lie where we cannot write. All else was
# imported before: in a folder that is empty at first, the library of the system would be compiled anew.
sys.pycache_prefix, sys.dont_write_bytecode = os.path.join(sys.argv[1], "pycache"), False
from keeper import Keeper
from sockets import listen_in

sys.pycache_prefix, sys.dont_write_bytecode = None, True

ALREADY_KEPT = 75  # the exit code when another keeper has the state directory


def become_subreaper():
    """Programs that detach themselves become our children rather than init's, so that they can be found and reaped."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    except Exception:  # not on this system: they are found by their session and their environment
        pass


def keep_descriptors():
    """
    What we were given is not for the programs; what we open never is. One that held
    the supervisor's connection would keep it from learning of our end.
    """
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:  # the one that read the folder
                pass


def wake_on_signals(keeper):
    keeper.wakeup, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    keeper.watch(keeper.wakeup, keeper.reap)

    # Only the supervisor ends what we keep. As process 1 we are who is told to.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda number, _: keeper.pass_on(number))
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda *_: None)


def main(state, command):
    keep_descriptors()
    lock = os.open(os.path.join(state, "keeper.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if command:
            sys.stderr.write("prodserver: another one uses the state directory %s\n" % state)
        return ALREADY_KEPT
    keeper = Keeper(state)
    become_subreaper()
    wake_on_signals(keeper)
    door = os.path.join(state, "keeper.sock")
    keeper.listener = listen_in(state, "keeper.sock")
    ours = os.stat(door).st_ino
    keeper.listener.listen(8)
    keeper.watch(keeper.listener.fileno(), keeper.accept)
    keeper.listen_for_notifications()
    if command:
        keeper.start_supervisor(command)
    else:
        keeper.control(socket.socket(fileno=3))
    keeper.loop()
    try:
        # Somebody may have removed the folder, and begun anew in another one of that name.
        if os.stat(door).st_ino == ours:
            os.unlink(door)
    except OSError:
        pass
    return keeper.exit_code


if __name__ == "__main__":
    words = sys.argv[2:]
    code = main(sys.argv[1], words[1:] if words[:1] == ["--"] else [])
    sys.stderr.flush()
    # At once: where the connection ends, the supervisor takes us to have gone.
    os._exit(code)
