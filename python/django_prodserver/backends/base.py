"""The protocol of a backend class: constructed with a declaration's keys, then ``start_server(*prep_server_args())``.

prodserver plans the built-in backends, and subclasses that only change their arguments, without running this code for
anything but ``prep_server_args``. A class with a ``start_server`` of its own is run as it is.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class BaseProcessBackend:
    """Derive from this for anything; from one of the two below to say what it is."""

    def __init__(self, **declaration: Any) -> None:
        self.args = self._format_server_args_from_dict(declaration.get("ARGS") or {})

    def start_server(self, *args: object) -> None:
        """Run the server. Called last; it may replace the process, and need not return."""
        raise NotImplementedError(f"{type(self).__name__} must define start_server")

    def prep_server_args(self) -> list[str]:
        """The arguments of the server, as a list of strings."""
        return self.args

    def _format_server_args_from_dict(self, args: Any) -> list[str]:
        if isinstance(args, str):
            return [args]
        return [f"--{key}" if value is None else f"--{key}={value}" for key, value in args.items()]


class BaseServerBackend(BaseProcessBackend):
    """A web server."""


class BaseWorkerBackend(BaseProcessBackend):
    """A worker or a scheduler."""


def become(module: object, *args: object) -> None:
    """Replace this process by ``python -m MODULE ARGS``."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", str(module), *map(str, args)])
