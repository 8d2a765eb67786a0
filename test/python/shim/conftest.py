"""A shim in a process of its own, and a supervisor that talks to it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from prodserver_shim import shim as shim_module
from prodserver_shim.wire import pack, split, unpack

PROGRAM = Path(shim_module.__file__).with_name("__main__.py")
# Far beyond what anything here takes: a test that waits this long has failed.
DEADLINE = 20.0


def wait_until(condition: Callable[[], Any]) -> Any:
    """Return the first true value of a condition."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError("it never happens")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Connection:
    """The supervisor's side of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._inbox = b""
        self._replies: list[dict[str, Any]] = []

    def send(self, kind: str, **fields: Any) -> None:
        self.socket.sendall(pack({"type": kind, **fields}))

    def receive(self, kind: str) -> dict[str, Any]:
        """Return the next reply of a type; others before it are dropped."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            while self._replies:
                reply = self._replies.pop(0)
                if reply["type"].decode() == kind:
                    return reply
            ready, _, _ = select.select([self.socket], [], [], 0.1)
            if ready:
                data = self.socket.recv(1 << 16)
                if not data:
                    raise EOFError(f"the shim has closed the connection before it sent {kind}")
                bodies, self._inbox = split(self._inbox + data)
                self._replies += [unpack(body).fields for body in bodies]
        raise AssertionError(f"no {kind} arrives")

    def is_closed(self) -> bool:
        """Wait for the end of the connection."""
        self.socket.settimeout(DEADLINE)
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True

    def hello(self) -> dict[str, Any]:
        self.send("hello", protocol=2)
        return self.receive("welcome")


class RunningShim:
    """A shim with its state directory."""

    def __init__(self, state: Path) -> None:
        self.state = state
        for name in ("logs", "run"):
            (state / name).mkdir(exist_ok=True)
        own, child = socket.socketpair()
        self.process = start_shim(state, child)
        child.close()
        self.connection = Connection(own)
        self.welcome = self.connection.hello()

    def connect(self) -> Connection:
        connection = socket.socket(socket.AF_UNIX)
        wait_until((self.state / "shim.sock").exists)
        connection.connect(str(self.state / "shim.sock"))
        return Connection(connection)

    def spawn(self, *argv: str, token: str = "web.1#1", **fields: Any) -> int:
        """Start a program and return its pid."""
        self.send_spawn(*argv, token=token, **fields)
        return cast("int", self.connection.receive("spawned")["pid"])

    def send_spawn(self, *argv: str, token: str = "web.1#1", **fields: Any) -> None:
        instance, _, invocation = token.partition("#")
        self.connection.send("log", instance=instance, maxSizeBytes=1 << 20, keep=5)
        values = {"cwd": "/", "env": {"PATH": os.environ["PATH"]}, **fields}
        self.connection.send(
            "spawn", token=token, instance=instance, invocation=int(invocation), argv=list(argv), **values
        )

    def output(self, instance: str = "web.1") -> bytes:
        path = self.state / "logs" / f"{instance}.log"
        return path.read_bytes() if path.exists() else b""

    def log(self) -> str:
        return (self.state / "shim.log").read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.socket.close()


def start_shim(state: Path, connection: socket.socket | None, *command: str) -> subprocess.Popen[bytes]:
    def prepare() -> None:
        if connection:
            os.dup2(connection.fileno(), 3)

    with open(state / "shim.log", "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(PROGRAM), str(state), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=False,
            preexec_fn=prepare,
        )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], RunningShim]]:
    """Return a function that starts a shim in the test's folder. Everything that was started ends with the test."""
    started: list[RunningShim] = []

    def begin() -> RunningShim:
        started.append(RunningShim(tmp_path))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
    marker = f"TEST_SHIM={tmp_path}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            pass


@pytest.fixture
def running(start: Callable[[], RunningShim]) -> RunningShim:
    """Return a shim that runs."""
    return start()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of programs: it marks them for the end of the test."""
    return {"PATH": os.environ["PATH"], "TEST_SHIM": str(tmp_path)}
