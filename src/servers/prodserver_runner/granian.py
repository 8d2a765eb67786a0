"""Changes granian: it takes open sockets, serves probes and drains."""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import threading
import time

from granian import _signals
from granian._granian import SocketHolder, WorkerSignal
from granian.server import mp

from .common import LINGER, copy_of, open_socket, say, wait_while

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROBE = "PRODSERVER_PROBE_FD"
PROBE_BACKLOG = 128


def change(listen: list[socket.socket], probe: socket.socket | None) -> None:
    """Change how granian works on a socket that it is given; otherwise it stays as it is."""
    if not listen and probe is None:
        return
    if probe is not None:
        # For the workers, which may be spawned.
        os.environ[PROBE] = str(probe.fileno())
    stop = Stop()
    take_sockets(listen, probe)
    stop.replace_signals()
    stop.close_connections()
    mp.WSGIWorker = with_probe(mp.WSGIWorker, probe, stop)
    mp.ASGIWorker = with_probe(mp.ASGIWorker, probe, stop)


def take_sockets(listen: list[socket.socket], probe: socket.socket | None) -> None:
    """Let the main process use the open socket, and pass it on to its workers."""
    process_init = mp.WorkerProcess.__init__

    def init_shared_socket(self: Any) -> None:
        if len(listen) != 1:
            sys.exit("prodserver: granian listens on one address.")
        self._ssp = None
        self._sfd = listen[0].fileno()
        self._shd = holder(listen[0], self.backlog)
        self._sso = listen[0]

    @functools.wraps(process_init)
    def init(self: Any, parent: Any, idx: Any, target: Any, args: Any) -> None:
        # A spawned child inherits the sockets that are among its arguments.
        at = next(i for i, arg in enumerate(args) if isinstance(arg, tuple) and len(arg) == 2 and arg[1] in listen)
        inherited = (args[at][0], [args[at][1], probe])
        process_init(self, parent, idx, target, (*args[:at], inherited, *args[at + 1 :]))

    mp.MPServer._init_shared_socket = init_shared_socket
    mp.WorkerProcess.__init__ = init


def holder(listening: socket.socket, backlog: int) -> Any:
    """Wrap a socket as granian's compiled code takes it."""
    return SocketHolder(listening.fileno(), listening.family == socket.AF_UNIX, backlog)


def with_probe(worker: Any, probe: socket.socket | None, stop: Stop) -> Any:
    """Return what makes a worker that serves the probe's socket as well."""

    def create(worker_id: Any, sock: Any, *args: Any, **kwargs: Any) -> Workers:
        holders = [sock[1]]
        workers = [worker(worker_id, sock, *args, **kwargs)]
        fd = os.environ.pop(PROBE, None)
        if fd:
            holders.append(holder(probe or open_socket(int(fd)), PROBE_BACKLOG))
            workers.append(worker(worker_id, (None, holders[-1]), *args, **kwargs))
        stop.served += [copy_of(each.get_fd()) for each in holders]
        return Workers(list(zip(workers, holders)), stop)

    return create


class Workers:
    """Two workers that are used as one."""

    def __init__(self, workers: list[tuple[Any, Any]], stop: Stop) -> None:
        self.workers = workers
        self.stop = stop

    def __getattr__(self, name: str) -> Any:
        events = self.stop.events

        def serve(scheduler: Any, loop: Any, event: Any) -> None:
            for worker, sock in self.workers:
                kind = name.replace("_uds", "") + ("_uds" if sock.is_uds() else "")
                # Each worker consumes its event.
                events.append(WorkerSignal() if events else event)
                getattr(worker, kind)(scheduler, loop, events[-1])

        return serve


class Stop:
    """The end of a worker: it drains before its events are set."""

    def __init__(self) -> None:
        self.draining = threading.Event()
        self.served: list[socket.socket] = []
        self.events: list[Any] = []

    def replace_signals(self) -> None:
        """Begin to drain when a signal to stop arrives."""

        def set_sync_signals() -> Any:
            event = WorkerSignal()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self.begin)
            return event

        def set_loop_signals(loop: Any) -> Any:
            event = WorkerSignal()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.begin)
            return event

        _signals.set_sync_signals, _signals.set_loop_signals = set_sync_signals, set_loop_signals

    def close_connections(self) -> None:
        """Answer with `Connection: close` while draining."""
        mp._wsgi_call_wrap = closing_wsgi(mp._wsgi_call_wrap, self.draining)
        mp._asgi_call_wrap = closing_asgi(mp._asgi_call_wrap, self.draining)

    def begin(self, *_: object) -> None:
        """Begin to drain, once."""
        if not self.draining.is_set():
            self.draining.set()
            threading.Thread(target=self.drain, daemon=True).start()

    def drain(self) -> None:
        """Accept no more, wait until the connections have ended, and end."""
        try:
            names = [listening.getsockname() for listening in self.served]
            for listening in self.served:
                accept_no_more(listening)
            wait_while(lambda: has_connections(names), time.monotonic() + LINGER)
        except Exception as error:
            say(f"cannot drain granian: {error!r}")
        for event in reversed(self.events):
            event.set()


def closing_wsgi(wrap: Any, draining: threading.Event) -> Any:
    """Add the header to the answers of a WSGI application."""

    def wrap_closing(callback: Any, *args: Any, **kwargs: Any) -> Any:
        def application(environ: Any, start_response: Any) -> Any:
            def start(status: Any, headers: Any, *rest: Any) -> Any:
                return start_response(status, [*headers, ("Connection", "close")], *rest)

            return callback(environ, start if draining.is_set() else start_response)

        return wrap(application, *args, **kwargs)

    return wrap_closing


def closing_asgi(wrap: Any, draining: threading.Event) -> Any:
    """Add the header to the answers of an ASGI application."""

    def wrap_closing(callback: Any, *args: Any, **kwargs: Any) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            def sending(message: Any) -> Any:
                if draining.is_set() and message["type"] == "http.response.start":
                    message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
                return send(message)

            await callback(scope, receive, sending if scope["type"] == "http" else send)

        return wrap(application, *args, **kwargs)

    return wrap_closing


def accept_no_more(listening: socket.socket) -> None:
    """
    Put a socket to which nothing connects in the place of every descriptor of a listening socket: compiled code accepts
    on it, and stops accepting only when it closes its connections as well.
    """
    silent = socket.socket(socket.AF_UNIX)
    silent.bind("")
    silent.listen()
    silent.setblocking(False)
    inode = os.fstat(listening.fileno()).st_ino
    for fd in open_descriptors():
        if inode_of(fd) == inode:
            os.dup2(silent.fileno(), fd, inheritable=False)


def has_connections(names: list[Any]) -> bool:
    """Tell whether this process has a connection to one of these addresses."""
    for fd in open_descriptors():
        try:
            with socket.socket(fileno=os.dup(fd)) as candidate:
                mine = candidate.getsockname()
                candidate.getpeername()
        except OSError:
            continue
        # The address of a connection is not that of a socket that listens on all addresses.
        if any(mine == name or (isinstance(mine, tuple) and mine[1] == name[1]) for name in names):
            return True
    return False


def open_descriptors() -> list[int]:
    """Return the numbers of all open descriptors."""
    return [int(name) for name in os.listdir("/dev/fd")]


def inode_of(fd: int) -> int | None:
    """Return the inode of an open file; None if it is closed."""
    try:
        return os.fstat(fd).st_ino
    except OSError:
        return None
