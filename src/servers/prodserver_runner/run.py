"""Changes the server and runs it."""

from __future__ import annotations

import functools
import os
import runpy
import sys

from .common import load, open_socket, say
from .relay import relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Servers that are changed, by the name of their module. Each has a file of that name here.
CHANGED = ("daphne", "granian", "gunicorn", "hypercorn", "uvicorn", "waitress")


def main(program: str) -> None:
    """Run the server that the command line names. `program` is the file that spawned processes run first."""
    module = os.environ["PRODSERVER_SERVED"] = sys.argv[1]
    del sys.argv[0]
    # As `-m` has it. With -P, neither puts anything there.
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.getcwd()
    if change_server(module):
        repeat_in_spawned_children(module, program)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def change_server(module: str) -> bool:
    """Change a server for the sockets that the environment names. Return whether it was changed."""
    listen = [open_socket(int(fd)) for fd in os.environ.pop("PRODSERVER_LISTEN_FDS", "").split(",") if fd]
    fd = os.environ.pop("PRODSERVER_PROBE_FD", None)
    probe = open_socket(int(fd)) if fd else None
    if module not in CHANGED:
        return False
    try:
        load(module).change(listen, probe)
    except (ImportError, AttributeError) as error:
        say(f"cannot change {module}: {error}")
        if listen:
            # It would listen somewhere else.
            sys.exit(f"prodserver: this version of {module} cannot be given open sockets.")
        if probe is not None:
            relay(probe)
        return False
    return True


def repeat_in_spawned_children(module: str, program: str) -> None:
    """Let spawned children, which import their parent's main module, change the server as well."""
    from multiprocessing import spawn  # noqa: PLC0415 - Only servers with several processes load it.

    original = spawn.get_preparation_data

    @functools.wraps(original)
    def get_preparation_data(name: str) -> Any:
        data: Any = original(name)
        if data.pop("init_main_from_name", None) not in (module, module + ".__main__"):
            return original(name)
        data["init_main_from_path"] = program
        return data

    spawn.get_preparation_data = get_preparation_data
