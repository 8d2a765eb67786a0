"""
Runs the shim: the parent of everything that a supervisor runs.

The shim forks and reaps programs, moves their output into log files, holds listening sockets and locks, and decides
nothing: every decision is a command of the supervisor (see protocol.md). It is a process of its own so that the
supervisor may die: instances, their exit codes and their output are kept for the next supervisor. If the shim itself
dies, the programs hold their pipes open and the next shim adopts them.

It is Python because Node cannot become a subreaper, fork with another user and limits, pass descriptors, move bytes
in one step (splice), or see who sent a notification. It uses the standard library only.

    python -I -S -B __main__.py STATE_DIR               commands arrive on descriptor 3
    python -I -S -B __main__.py STATE_DIR -- COMMAND    as process 1: COMMAND is the supervisor

It is run as a file: to run a folder, Python imports more than the shim does.
"""

# The standard library is imported before the cache of bytecode moves: in an empty folder it would be compiled anew.
import _signal  # type: ignore[import-not-found]
import _socket
import errno
import fcntl
import os
import select
import stat
import struct
import sys
import time

__all__ = ["_signal", "_socket", "errno", "fcntl", "select", "stat", "struct", "time"]

# Bytecode of the shim's own files goes to the state directory: the package may lie in a folder that is read-only.
sys.pycache_prefix, sys.dont_write_bytecode = os.path.join(sys.argv[1], "pycache"), False
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from prodserver_shim.shim import main  # noqa: E402

# From here on, the package finds its modules by its own path.
del sys.path[0]
sys.pycache_prefix, sys.dont_write_bytecode = None, True

if __name__ == "__main__":
    arguments = sys.argv[2:]
    code = main(sys.argv[1], arguments[1:] if arguments[:1] == ["--"] else [])
    sys.stderr.flush()
    # Ends at once: for the supervisor, the end of the connection is the end of the shim.
    os._exit(code)
