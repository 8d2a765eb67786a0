"""Each change of a server, against a stub of the places that it changes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prodserver_runner.common import load


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


@pytest.fixture
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


# gunicorn


class Worker:
    def __init__(self, *args: Any) -> None:
        self.args = args


class ThreadWorker:
    alive, nr_conns, max_keepalived = True, 1, 10

    def __init__(self) -> None:
        self.ended: list[int] = []
        self.unregistered: list[Any] = []
        self.sockets = ["a", "b"]
        self.poller = SimpleNamespace(unregister=self.unregistered.append)

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.ended.append(sig)

    def murder_keepalived(self) -> None:
        pass


def stub_gunicorn(stub: Any, version: tuple[int, ...] = (23,), **config: Any) -> Any:
    stub("gunicorn", version_info=version)
    stub("gunicorn.config", **config)
    closed: list[Any] = []
    sock = stub("gunicorn.sock", close_sockets=lambda listeners, unlink=True: closed.append((listeners, unlink)))
    sock.closed = closed
    stub("gunicorn.workers")
    worker: Any = type("Worker", (Worker,), {})
    stub("gunicorn.workers.base", Worker=worker)
    threads: Any = type("ThreadWorker", (ThreadWorker,), {})
    return SimpleNamespace(sock=sock, Worker=worker, ThreadWorker=threads, gthread=stub("gunicorn.workers.gthread"))


def test_gunicorn_keeps_the_path_of_its_socket(stub: Any) -> None:
    fake = stub_gunicorn(stub, version=(27,))
    load("gunicorn").change([], None)
    fake.sock.close_sockets(["web"], unlink=True)
    assert fake.sock.closed == [(["web"], False)]


def test_gunicorn_has_a_control_socket_of_its_own(stub: Any, tmp_path: Path) -> None:
    control = SimpleNamespace(default="shared")
    stub_gunicorn(stub, version=(27,), ControlSocket=control)
    probe = socket.socket(socket.AF_UNIX)
    probe.bind(str(tmp_path / "web.1-1.probe"))
    fd = probe.fileno()
    load("gunicorn").change([], probe)
    assert control.default == str(tmp_path / "web.1-1.ctl")
    # gunicorn has the descriptor now.
    assert probe.fileno() == -1
    os.close(fd)


def test_gunicorn_of_newer_versions_does_not_load_threads(stub: Any) -> None:
    stub_gunicorn(stub, version=(27, 0))
    load("gunicorn").change([], None)  # The stub has no ThreadWorker.


def test_gunicorn_with_threads_drains(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = stub_gunicorn(stub)
    fake.gthread.ThreadWorker = fake.ThreadWorker
    load("gunicorn").change([], None)
    worker = fake.ThreadWorker()
    worker.handle_exit(signal.SIGTERM, None)
    worker.handle_exit(signal.SIGTERM, None)
    assert (worker.ended, worker.max_keepalived, worker.unregistered) == ([], 0, ["a", "b"])
    worker.murder_keepalived()
    assert worker.ended == []
    worker.nr_conns = 0
    worker.murder_keepalived()
    assert worker.ended == [signal.SIGTERM]


def test_gunicorn_with_threads_ends_with_connections_that_stay_silent(stub: Any) -> None:
    fake = stub_gunicorn(stub)
    fake.gthread.ThreadWorker = fake.ThreadWorker
    load("gunicorn").change([], None)
    worker = fake.ThreadWorker()
    worker.handle_exit(signal.SIGTERM, None)
    worker.drains_until = time.monotonic() - 1
    worker.murder_keepalived()
    assert worker.ended == [signal.SIGTERM]


def test_gunicorn_changes_uvicorn_once_a_worker_has_imported_it(stub: Any) -> None:
    fake = stub_gunicorn(stub, version=(27,))
    load("gunicorn").change([], None)
    fake.Worker("first")
    uvicorn = stub_uvicorn(stub)
    assert fake.Worker("second").args == ("second",)
    assert uvicorn.Server.shutdown.__wrapped__
    before = uvicorn.Server.shutdown
    fake.Worker("third")
    assert uvicorn.Server.shutdown is before


# uvicorn


def stub_uvicorn(stub: Any) -> Any:
    class Server:
        force_exit = False

        def __init__(self) -> None:
            self.log: list[str] = []
            self.servers: list[Any] = []
            self.config = SimpleNamespace(
                timeout_keep_alive=5,
                timeout_graceful_shutdown=None,
                ssl=None,
                backlog=10,
                http_protocol_class=lambda **_: asyncio.Protocol(),
            )
            self.lifespan = SimpleNamespace(state={})
            self.server_state = SimpleNamespace(default_headers=[], connections=set())

        async def startup(self, sockets: Any = None) -> None:
            self.log.append("started")

        async def shutdown(self, sockets: Any = None) -> None:
            self.log.append("shut down")

    class Multiprocess:
        def __init__(self, config: Any, sockets: Any) -> None:
            self.sockets = sockets

    stub("uvicorn")
    stub("uvicorn.server", Server=Server)
    stub("uvicorn.supervisors")
    stub("uvicorn.supervisors.multiprocess", Multiprocess=Multiprocess)
    return SimpleNamespace(Server=Server, Multiprocess=Multiprocess)


def test_uvicorn_serves_the_probe_in_its_own_process(stub: Any, listening: socket.socket) -> None:
    fake = stub_uvicorn(stub)
    load("uvicorn").change([], listening)
    server = fake.Server()

    async def main() -> None:
        await server.startup()
        _, writer = await asyncio.open_connection(*listening.getsockname())
        writer.close()
        server.servers[0].close()

    asyncio.run(main())
    assert server.log == ["started"]


def test_uvicorn_gives_the_probe_to_its_workers(stub: Any, listening: socket.socket) -> None:
    fake = stub_uvicorn(stub)
    load("uvicorn").change([], listening)
    assert fake.Multiprocess("config", sockets=["web"]).sockets == ["web", listening]
    server = fake.Server()
    asyncio.run(server.startup(sockets=["web"]))
    assert server.servers == []


def test_uvicorn_drains(stub: Any) -> None:
    fake = stub_uvicorn(stub)
    load("uvicorn").change([], None)
    server = fake.Server()
    closed: list[str] = []
    server.servers = [SimpleNamespace(close=lambda: closed.append("listener"))]
    idle = SimpleNamespace(shutdown=lambda: closed.append("idle"))
    busy = SimpleNamespace(cycle=None, shutdown=lambda: closed.append("busy"))
    server.server_state.connections = [idle, busy]

    async def main() -> None:
        stopping = asyncio.ensure_future(server.shutdown())
        while "idle" not in closed:
            await asyncio.sleep(0.001)
        assert server.log == []
        server.server_state.connections.clear()
        await stopping

    asyncio.run(main())
    assert closed == ["listener", "idle"]
    assert server.server_state.default_headers == [(b"connection", b"close")]
    assert server.log == ["shut down"]


def test_uvicorn_ends_when_it_cannot_drain(stub: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake = stub_uvicorn(stub)
    load("uvicorn").change([], None)
    server = fake.Server()
    del server.server_state
    asyncio.run(server.shutdown())
    assert server.log == ["shut down"]
    assert "cannot drain uvicorn" in capsys.readouterr().err


# hypercorn


def stub_hypercorn(stub: Any, served: list[Any]) -> Any:
    class TCPServer:
        def __init__(self, reader: Any) -> None:
            self.reader = reader

        async def run(self) -> None:
            while not self.reader.at_eof():
                await asyncio.sleep(0.001)

    async def worker_serve(app: Any, config: Any, *, sockets: Any, shutdown_trigger: Any) -> None:
        server = await run.asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        served.append(server)
        await shutdown_trigger()

    stub("hypercorn")
    stub("hypercorn.asyncio")
    run = stub("hypercorn.asyncio.run", worker_serve=worker_serve, TCPServer=TCPServer, asyncio=asyncio)
    return run


def test_hypercorn_drains_when_its_main_process_says_so(stub: Any, signals: None) -> None:
    served: list[Any] = []
    run = stub_hypercorn(stub, served)
    load("hypercorn").change([], None)
    config = SimpleNamespace(keep_alive_timeout=5, response_headers=lambda kind: [(b"server", b"h")])
    is_over = [False]
    ended = SimpleNamespace(at_eof=lambda: is_over[0])

    async def main() -> None:
        asked = asyncio.Event()
        task = asyncio.ensure_future(run.worker_serve("app", config, sockets=None, shutdown_trigger=asked.wait))
        connection = asyncio.ensure_future(run.TCPServer(ended).run())
        while not served:
            await asyncio.sleep(0.001)
        asked.set()
        while served[0].is_serving():
            await asyncio.sleep(0.001)
        assert not task.done()
        is_over[0] = True
        await asyncio.gather(task, connection)

    asyncio.run(main())
    assert config.response_headers("h11") == [(b"server", b"h"), (b"connection", b"close")]
    assert config.response_headers("h2") == [(b"server", b"h")]


def test_hypercorn_in_one_process_drains_at_a_signal(stub: Any, signals: None) -> None:
    served: list[Any] = []
    run = stub_hypercorn(stub, served)
    load("hypercorn").change([], None)
    config = SimpleNamespace(keep_alive_timeout=0, response_headers=lambda kind: [])

    async def main() -> None:
        task = asyncio.ensure_future(run.worker_serve("app", config))
        while not served:
            await asyncio.sleep(0.001)
        os.kill(os.getpid(), signal.SIGTERM)
        await task

    asyncio.run(main())
    assert not served[0].is_serving()


# daphne


class Deferred:
    """As much of one as is needed: calls back in the loop when the future is done."""

    def __init__(self, future: Any) -> None:
        self.future = future

    @classmethod
    def fromFuture(cls, future: Any) -> Any:  # noqa: N802 - Twisted's name.
        return cls(future)

    def addErrback(self, failed: Any) -> Any:  # noqa: N802
        self.failed = failed
        return self

    def addCallback(self, done: Any) -> Any:  # noqa: N802
        async def wait() -> Any:
            try:
                await self.future
            except Exception as error:
                self.failed(SimpleNamespace(value=error))
            return done(None)

        return wait()


def stub_daphne(stub: Any) -> Any:
    class Server:
        def __init__(self) -> None:
            self.connections: dict[Any, Any] = {}
            self.log: list[str] = []

        def listen_success(self, port: Any) -> None:
            self.log.append("listens")

        def kill_all_applications(self) -> None:
            self.log.append("killed")

    class WebRequest:
        def __init__(self, channel: Any = None) -> None:
            self.channel = channel
            self.replies: list[Any] = []

        def handle_reply(self, message: Any) -> None:
            self.replies.append(message)

    stub("daphne")
    server = stub("daphne.server", Server=Server, serverFromString=lambda _, description: ("original", description))
    stub("daphne.http_protocol", WebRequest=WebRequest)
    stub("twisted")
    stub("twisted.internet")
    endpoint = lambda reactor, fd, family: (fd, family)  # noqa: E731
    stub("twisted.internet.endpoints", AdoptedStreamServerEndpoint=endpoint)
    stub("twisted.internet.defer", Deferred=Deferred)
    reactor = stub("twisted.internet.reactor", getReaders=list, getWriters=list)
    for name in ("tcp", "unix"):
        stub(f"twisted.internet.{name}", Server=type("Connection", (), {}))
    return SimpleNamespace(server=server, Server=Server, WebRequest=WebRequest, reactor=reactor)


class WebSocket:
    STATE_OPEN = state = "open"

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def serverClose(self) -> None:  # noqa: N802
        self.log.append("closed")


def test_daphne_takes_open_sockets_by_their_family(stub: Any, listening: socket.socket) -> None:
    fake = stub_daphne(stub)
    load("daphne").change([], None)
    opened = fake.server.serverFromString(None, f"fd:fileno={listening.fileno()}")
    assert opened == (listening.fileno(), socket.AF_INET)
    assert fake.server.serverFromString(None, "tcp:80") == ("original", "tcp:80")


def test_daphne_owns_the_socket_of_the_probe(stub: Any) -> None:
    stub_daphne(stub)
    probe = socket.socket()
    fd = probe.fileno()
    load("daphne").change([], probe)
    assert probe.fileno() == -1
    os.close(fd)


def test_daphne_drains_before_it_kills_applications(stub: Any) -> None:
    fake = stub_daphne(stub)
    load("daphne").change([], None)
    daphne, log = fake.Server(), []
    daphne.listen_success(SimpleNamespace(stopReading=lambda: log.append("stopped")))
    done = [False]
    daphne.connections = {
        fake.WebRequest(): {"application_instance": SimpleNamespace(done=lambda: done[0])},
        WebSocket(log): {},
    }
    request = fake.WebRequest(SimpleNamespace(persistent=True))

    async def main() -> None:
        task = asyncio.ensure_future(daphne.kill_all_applications())
        while len(log) < 2:
            await asyncio.sleep(0.001)
        request.handle_reply({"type": "http.response.start", "headers": [(b"a", b"b")]})
        request.handle_reply({"type": "http.response.body"})
        assert daphne.log == ["listens"]
        done[0] = True
        await task

    asyncio.run(main())
    assert log == ["stopped", "closed"]
    assert daphne.log == ["listens", "killed"]
    assert request.channel.persistent is False
    assert request.replies[0]["headers"] == [(b"a", b"b"), (b"Connection", b"close")]


def test_daphne_kills_applications_when_it_cannot_drain(stub: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake = stub_daphne(stub)
    load("daphne").change([], None)
    daphne = fake.Server()
    daphne.connections = None

    async def main() -> None:
        await daphne.kill_all_applications()

    asyncio.run(main())
    assert daphne.log == ["killed"]
    assert "cannot drain daphne" in capsys.readouterr().err


# granian


def stub_granian(stub: Any) -> Any:
    class WorkerSignal:
        def __init__(self) -> None:
            self.is_set = threading.Event()

        def set(self) -> None:
            self.is_set.set()

    class SocketHolder:
        def __init__(self, fd: int, is_uds: bool, backlog: int) -> None:
            self.fd, self._is_uds = fd, is_uds

        def get_fd(self) -> int:
            return self.fd

        def is_uds(self) -> bool:
            return self._is_uds

    class WorkerProcess:
        def __init__(self, parent: Any, idx: Any, target: Any, args: Any) -> None:
            self.args = args

    served: list[Any] = []

    class WSGIWorker:
        def __init__(self, worker_id: int, sock: Any) -> None:
            self.sock = sock[1]

        def serve_mt(self, scheduler: Any, loop: Any, event: Any) -> None:
            served.append(("tcp", self.sock.fd, event))

        def serve_mt_uds(self, scheduler: Any, loop: Any, event: Any) -> None:
            served.append(("unix", self.sock.fd, event))

    stub("granian")
    signals = stub("granian._signals", set_sync_signals=None, set_loop_signals=None)
    stub("granian._granian", SocketHolder=SocketHolder, WorkerSignal=WorkerSignal)
    stub("granian.server")
    mp = stub(
        "granian.server.mp",
        _wsgi_call_wrap=lambda callback, *_: callback,
        _asgi_call_wrap=lambda callback, *_: callback,
        WorkerProcess=WorkerProcess,
        MPServer=type("MPServer", (), {"backlog": 10}),
        WSGIWorker=WSGIWorker,
        ASGIWorker=WSGIWorker,
    )
    return SimpleNamespace(mp=mp, signals=signals, served=served, SocketHolder=SocketHolder, WorkerSignal=WorkerSignal)


def test_granian_without_sockets_stays_as_it_is(stub: Any) -> None:
    fake = stub_granian(stub)
    before = fake.mp.WSGIWorker
    load("granian").change([], None)
    assert fake.mp.WSGIWorker is before


def test_granian_takes_one_open_socket(stub: Any, listening: socket.socket) -> None:
    fake = stub_granian(stub)
    load("granian").change([listening], None)
    server = fake.mp.MPServer()
    server._init_shared_socket()
    assert (server._sfd, server._sso, server._shd.is_uds()) == (listening.fileno(), listening, False)


def test_granian_refuses_two_sockets(stub: Any, listening: socket.socket) -> None:
    fake = stub_granian(stub)
    load("granian").change([listening, listening], None)
    with pytest.raises(SystemExit):
        fake.mp.MPServer()._init_shared_socket()


def test_granian_passes_both_sockets_to_its_workers(stub: Any, listening: socket.socket) -> None:
    fake = stub_granian(stub)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        load("granian").change([listening], probe)
        process = fake.mp.WorkerProcess(None, 1, None, ("a", ("shared", listening), "b"))
        assert process.args == ("a", ("shared", [listening, probe]), "b")


def test_granian_serves_the_probe_and_drains(
    stub: Any, listening: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = stub_granian(stub)
    probe = socket.socket(socket.AF_UNIX)
    probe.bind(str(tmp_path / "probe"))
    probe.listen()
    granian = load("granian")
    granian.change([listening], probe)
    event = fake.signals.set_sync_signals()
    own = os.dup(listening.fileno())
    workers = fake.mp.WSGIWorker(1, (None, fake.SocketHolder(own, False, 10)))
    workers.serve_mt("scheduler", None, event)
    kinds = [kind for kind, _, _ in fake.served]
    assert kinds == ["tcp", "unix"]
    assert fake.served[0][2] is event
    client = socket.create_connection(listening.getsockname())
    accepted, _ = listening.accept()
    closing = fake.mp._wsgi_call_wrap(lambda environ, start: start("200", []))
    before = closing({}, lambda status, headers: headers)
    signal.getsignal(signal.SIGTERM)(signal.SIGTERM, None)  # type: ignore[misc, operator]
    assert before == []
    assert closing({}, lambda status, headers: headers) == [("Connection", "close")]
    wait_for(lambda: not accepts(listening))
    assert not event.is_set.is_set()
    accepted.close()
    assert event.is_set.wait(20)
    assert fake.served[1][2].is_set.wait(20)
    for each in (client, probe):
        each.close()
    os.close(own)


def accepts(listening: socket.socket) -> bool:
    with socket.socket(fileno=os.dup(listening.fileno())) as opened:
        return opened.family == socket.AF_INET


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_granian_closes_connections_of_asgi_while_draining(stub: Any, listening: socket.socket) -> None:
    stub_granian(stub)
    granian = load("granian")
    draining = threading.Event()
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "headers": []})
        await send({"type": "http.response.body"})

    async def send(message: Any) -> None:
        sent.append(message)

    closing = granian.closing_asgi(lambda callback: callback, draining)(application)
    for kind in ("http", "websocket"):
        asyncio.run(closing({"type": kind}, None, send))
    draining.set()
    asyncio.run(closing({"type": "http"}, None, send))
    starts = [message["headers"] for message in sent if message["type"] == "http.response.start"]
    assert starts == [[], [], [(b"connection", b"close")]]


def test_granian_ends_when_it_cannot_drain(stub: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake = stub_granian(stub)
    stop = load("granian").Stop()
    stop.events.append(fake.WorkerSignal())
    stop.served.append(None)
    stop.drain()
    assert stop.events[0].is_set.is_set()
    assert "cannot drain granian" in capsys.readouterr().err


# waitress


def stub_waitress(stub: Any) -> Any:
    class BaseWSGIServer:
        def __init__(self) -> None:
            self.accepting = True
            self.active_channels: dict[int, Any] = {}
            self.map = {0: self}
            self.pulled = 0
            self.adj = SimpleNamespace(asyncore_use_poll=True, asyncore_loop_timeout=1)
            self.task_dispatcher = SimpleNamespace(shutdown=lambda: setattr(self, "is_shut_down", True))

        def pull_trigger(self) -> None:
            self.pulled += 1

    class HTTPChannel:
        def __init__(self) -> None:
            self.requests = [SimpleNamespace(headers={})]
            self.served = 0

        def service(self) -> None:
            self.served += 1

    turns: list[Any] = []
    waitress = stub("waitress", create_server=lambda *args, **kwargs: kwargs)
    adjustments = stub("waitress.adjustments", Adjustments=type("Adjustments", (), {"check_sockets": "original"}))
    channel = stub("waitress.channel", HTTPChannel=HTTPChannel)
    stub("waitress.server", BaseWSGIServer=BaseWSGIServer, MultiSocketServer=type("MultiSocketServer", (), {}))
    wasyncore = stub("waitress.wasyncore", loop=lambda **_: turns.pop(0)())
    return SimpleNamespace(
        waitress=waitress,
        Adjustments=adjustments.Adjustments,
        HTTPChannel=channel.HTTPChannel,
        BaseWSGIServer=BaseWSGIServer,
        wasyncore=wasyncore,
        turns=turns,
    )


def test_waitress_takes_open_sockets(stub: Any) -> None:
    fake = stub_waitress(stub)
    sockets: Any = ["web", "probe"]
    load("waitress").change([sockets[0]], sockets[1])
    assert fake.waitress.create_server("app") == {"sockets": ["web", "probe"]}
    fake.Adjustments.check_sockets(["unix", "tcp"])


def test_waitress_without_sockets_listens_as_it_is_told(stub: Any) -> None:
    fake = stub_waitress(stub)
    load("waitress").change([], None)
    assert fake.waitress.create_server("app") == {}
    assert fake.Adjustments.check_sockets == "original"


def test_waitress_drains_at_a_signal(stub: Any, signals: None) -> None:
    fake = stub_waitress(stub)
    load("waitress").change([], None)
    server, channel = fake.BaseWSGIServer(), fake.HTTPChannel()
    channel.service()
    assert channel.requests[0].headers == {}
    fake.turns += [
        lambda: server.active_channels.update({1: channel}),
        lambda: os.kill(os.getpid(), signal.SIGTERM),
        channel.service,
        server.active_channels.clear,
    ]
    server.run()
    assert (server.accepting, server.pulled, server.is_shut_down) == (False, 1, True)
    assert channel.requests[0].headers == {"CONNECTION": "close"}
    assert channel.served == 2


def test_waitress_closes_connections_that_stay_silent(
    stub: Any, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = stub_waitress(stub)
    waitress = load("waitress")
    monkeypatch.setattr(waitress, "LINGER", -1.0)
    busy = SimpleNamespace(will_close=False, requests=["one"], request=None)
    silent = SimpleNamespace(will_close=False, requests=[], request=None)
    server = fake.BaseWSGIServer()
    server.active_channels = {1: busy, 2: silent}
    waitress.drain([server], lambda _: server.active_channels.clear())
    assert (busy.will_close, silent.will_close) == (False, True)
    assert server.accepting is False


def test_waitress_ends_at_a_second_interrupt(stub: Any, signals: None) -> None:
    fake = stub_waitress(stub)
    load("waitress").change([], None)
    server = fake.BaseWSGIServer()
    server.active_channels = {1: SimpleNamespace(will_close=False, requests=["one"], request=None)}
    fake.turns += [lambda: os.kill(os.getpid(), signal.SIGINT), lambda: os.kill(os.getpid(), signal.SIGINT)]
    server.run()
    assert server.is_shut_down
