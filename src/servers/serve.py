"""Runs a Python web server as `python -m MODULE` does, on sockets that are already open, and ends without losing a request.

    python serve.py MODULE ARGS...

Old and new copies of a server share the queue of one listening socket. When the old one is asked to stop it accepts
no more, answers what it has accepted, answers the next request on each kept-alive connection with
`Connection: close`, closes those that stay silent after a bounded time, and ends. Servers that do not do so by
themselves are changed here, in as few places as possible; a version of a server that has not got these places runs
as it is, with a line on stderr.

Environment, removed once read:
PRODSERVER_LISTEN_FDS  descriptors of listening sockets, separated by commas, for servers whose command line takes none.
PRODSERVER_PROBE_FD    descriptor of one more listening socket, served by the same workers and application.

PRODSERVER_SERVED, the name of the module, is set for the processes that the server spawns.
"""

import functools
import os
import runpy
import signal
import socket
import sys
import threading
import time

# Connections that say nothing for this long are closed when the server stops, in seconds.
LINGER = 5.0


def main():
    module = os.environ["PRODSERVER_SERVED"] = sys.argv[1]
    del sys.argv[0]
    # What `-m` puts there. With -P neither puts anything.
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.getcwd()
    patch(module, in_child=False)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def patch(module, in_child):
    listen = [open_socket(fd) for fd in os.environ.pop("PRODSERVER_LISTEN_FDS", "").split(",") if fd]
    fd = os.environ.pop("PRODSERVER_PROBE_FD", None)
    probe = open_socket(fd) if fd else None
    change = CHANGES.get(module)
    if change is None:
        return
    try:
        change(listen, probe)
        if not in_child:
            repeat_in_spawned_children(module)
    except (ImportError, AttributeError) as error:
        say("cannot change %s: %s" % (module, error))
        if listen:
            # It would listen somewhere else.
            sys.exit("prodserver: this version of %s cannot be given open sockets." % module)
        if probe is not None:
            relay(probe)


def say(text):
    sys.stderr.write("prodserver: %s; a reload may lose requests.\n" % text)


def open_socket(fd):
    opened = socket.socket(fileno=int(fd))
    if opened.family != socket.AF_UNIX:
        # Accepted connections inherit it. uvicorn takes every inherited socket for a Unix one and does not set it.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def relay(probe):
    """Answers probes by asking on the shared socket. Another copy may answer there, but it is better than silence."""
    fd = next(int(word[5:]) for word in sys.argv if word.startswith("--fd="))
    with socket.socket(fileno=os.dup(fd)) as shared:
        family, address = shared.family, shared.getsockname()

    def forward():
        probe.setblocking(True)
        while True:
            client, server = probe.accept()[0], socket.socket(family)
            server.connect(address)
            for ends in ((client, server), (server, client)):
                threading.Thread(target=copy, args=ends, daemon=True).start()

    def copy(source, target):
        try:
            for data in iter(lambda: source.recv(65536), b""):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    threading.Thread(target=forward, daemon=True).start()


def repeat_in_spawned_children(module):
    """A spawned child imports what the parent ran as its main module: let it be this file, which changes the server there."""
    from multiprocessing import spawn

    original = spawn.get_preparation_data

    @functools.wraps(original)
    def get_preparation_data(name):
        data = original(name)
        if data.pop("init_main_from_name", None) not in (module, module + ".__main__"):
            return original(name)
        data["init_main_from_path"] = os.path.abspath(__file__)
        return data

    spawn.get_preparation_data = get_preparation_data


# gunicorn


def change_gunicorn(listen, probe):
    from gunicorn import sock

    original = sock.close_sockets

    @functools.wraps(original)
    def close_sockets(listeners, unlink=True):
        # The path of a Unix socket belongs to whoever has bound it; the next copy serves on the same one.
        return original(listeners, unlink=False)

    sock.close_sockets = close_sockets
    if probe is not None:
        use_own_control_socket(probe.getsockname())
        # It is among the sockets that the command line names.
        probe.detach()
    change_gunicorn_threads()
    change_workers_of_uvicorn()


def use_own_control_socket(beside):
    """All gunicorns of a user have one control socket, and the first that stops deletes it."""
    from gunicorn import config

    # Before 25.1 there is none. Whoever names one gets that.
    if hasattr(config, "ControlSocket") and isinstance(beside, str) and os.access(os.path.dirname(beside), os.W_OK):
        config.ControlSocket.default = os.path.splitext(beside)[0] + ".ctl"


def change_gunicorn_threads():
    from gunicorn import version_info

    # Since then the threaded worker does so itself, and it should not be loaded where another one is used.
    if version_info >= (27,):
        return
    from gunicorn.workers.gthread import ThreadWorker

    end, tidy = ThreadWorker.handle_exit, ThreadWorker.murder_keepalived

    @functools.wraps(end)
    def handle_exit(self, sig, frame):
        if hasattr(self, "drains_until"):
            return
        self.drains_until = time.monotonic() + LINGER
        # When so many are kept alive it answers with `Connection: close`.
        self.max_keepalived = 0
        if hasattr(self, "set_accept_enabled"):
            self.worker_connections = 0
        else:
            for listening in self.sockets:
                self.poller.unregister(listening)

    @functools.wraps(tidy)
    def murder_keepalived(self, *args, **kwargs):
        tidy(self, *args, **kwargs)
        until = getattr(self, "drains_until", None)
        if until is not None and self.alive and (self.nr_conns <= 0 or time.monotonic() > until):
            end(self, signal.SIGTERM, None)

    ThreadWorker.handle_exit, ThreadWorker.murder_keepalived = handle_exit, murder_keepalived


def change_workers_of_uvicorn():
    from gunicorn.workers.base import Worker

    original = Worker.__init__

    @functools.wraps(original)
    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        # By now whatever runs in it has been imported.
        if "uvicorn.server" in sys.modules:
            Worker.__init__ = original
            change_uvicorn([], None)

    Worker.__init__ = init


# uvicorn


def change_uvicorn(listen, probe):
    import asyncio

    from uvicorn.server import Server
    from uvicorn.supervisors.multiprocess import Multiprocess

    start, stop, supervise = Server.startup, Server.shutdown, Multiprocess.__init__

    @functools.wraps(start)
    async def startup(self, sockets=None):
        await start(self, sockets=sockets)
        # Worker processes have it among their sockets.
        if probe is not None and sockets is None:
            self.servers.append(await serve_on(probe, self))

    def serve_on(sock, server):
        def protocol():
            return server.config.http_protocol_class(
                config=server.config, server_state=server.server_state, app_state=server.lifespan.state
            )

        loop = asyncio.get_running_loop()
        create = loop.create_unix_server if sock.family == socket.AF_UNIX else loop.create_server
        return create(protocol, sock=sock, ssl=server.config.ssl, backlog=server.config.backlog)

    @functools.wraps(stop)
    async def shutdown(self, sockets=None):
        try:
            await drain(self)
        except Exception as error:
            say("cannot drain uvicorn: %r" % error)
        await stop(self, sockets=sockets)

    async def drain(server):
        for listening in server.servers:
            listening.close()
        # The same list is in the requests that have not been answered yet.
        server.server_state.default_headers.append((b"connection", b"close"))
        limits = [LINGER, server.config.timeout_keep_alive, server.config.timeout_graceful_shutdown]
        until = time.monotonic() + min(limit for limit in limits if limit is not None)
        # What has been accepted in this turn of the loop is not among the connections yet.
        await asyncio.sleep(0.1)
        for connection in list(server.server_state.connections):
            if not hasattr(connection, "cycle"):
                connection.shutdown()
        while not server.force_exit and time.monotonic() < until and server.server_state.connections:
            await asyncio.sleep(0.05)

    @functools.wraps(supervise)
    def init(self, *args, sockets, **kwargs):
        supervise(self, *args, sockets=sockets if probe is None else [*sockets, probe], **kwargs)

    Server.startup, Server.shutdown, Multiprocess.__init__ = startup, shutdown, init


# hypercorn


def change_hypercorn(listen, probe):
    from hypercorn.asyncio import run

    original, Connection = run.worker_serve, run.TCPServer

    @functools.wraps(original)
    async def worker_serve(app, config, *, sockets=None, shutdown_trigger=None):
        recording.servers.clear()
        if shutdown_trigger is None:
            shutdown_trigger = stop_signal()
        else:
            # The main process tells it by an event, and kills by TERM all that are left as soon as one has ended.
            signal.signal(signal.SIGTERM, lambda *_: None)

        async def drained():
            await shutdown_trigger()
            try:
                await drain(config)
            except Exception as error:
                say("cannot drain hypercorn: %r" % error)

        await original(app, config, sockets=sockets, shutdown_trigger=drained)

    def stop_signal():
        event, loop = recording.Event(), recording.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, event.set)
        return event.wait

    connections = set()

    class CountedConnection(Connection):
        async def run(self):
            connections.add(self)
            try:
                await super().run()
            finally:
                connections.discard(self)

    async def drain(config):
        for server in recording.servers:
            server.close()
        headers = config.response_headers
        config.response_headers = lambda kind: headers(kind) + ([(b"connection", b"close")] if kind == "h11" else [])
        until = time.monotonic() + min(LINGER, config.keep_alive_timeout)
        # What has been accepted in this turn of the loop has no task yet.
        await recording.sleep(0.1)
        # One that the client has closed waits for the end of its keep-alive time nevertheless.
        while any(not each.reader.at_eof() for each in connections) and time.monotonic() < until:
            await recording.sleep(0.05)

    class Recording:
        """asyncio, as that one module sees it, keeping the servers that it starts."""

        def __init__(self, asyncio):
            self.asyncio = asyncio
            self.servers = []

        def __getattr__(self, name):
            return getattr(self.asyncio, name)

        async def start_server(self, *args, **kwargs):
            server = await self.asyncio.start_server(*args, **kwargs)
            self.servers.append(server)
            return server

    recording = Recording(run.asyncio)
    run.asyncio, run.worker_serve, run.TCPServer = recording, worker_serve, CountedConnection


# daphne


def change_daphne(listen, probe):
    import asyncio

    from daphne import server
    from daphne.http_protocol import WebRequest
    from twisted.internet import defer, endpoints, reactor, tcp, unix

    if probe is not None:
        # It is among the sockets that the command line names.
        probe.detach()
    Server, from_string = server.Server, server.serverFromString
    listening, kill, reply = Server.listen_success, Server.kill_all_applications, WebRequest.handle_reply
    ports, draining = [], threading.Event()

    def server_from_string(reactor, description):
        if not description.startswith("fd:fileno="):
            return from_string(reactor, description)
        fd = int(description[len("fd:fileno=") :])
        with socket.socket(fileno=os.dup(fd)) as opened:
            # By itself it takes all of them for IPv4.
            return endpoints.AdoptedStreamServerEndpoint(reactor, fd, opened.family)

    def listen_success(self, port):
        ports.append(port)
        listening(self, port)

    def kill_all_applications(self):
        def failed(failure):
            say("cannot drain daphne: %r" % failure.value)

        drained = defer.Deferred.fromFuture(asyncio.ensure_future(drain(self)))
        return drained.addErrback(failed).addCallback(lambda _: kill(self))

    async def drain(self):
        draining.set()
        for port in ports:
            # One that is closed deletes the path of its Unix socket, though the next copy serves on it.
            port.stopReading()
        for protocol in list(self.connections):
            if not isinstance(protocol, WebRequest) and protocol.state == protocol.STATE_OPEN:
                protocol.serverClose()
        until = time.monotonic() + LINGER
        await asyncio.sleep(0.1)
        while is_answering(self) or (time.monotonic() < until and has_connection(reactor.getReaders())):
            await asyncio.sleep(0.05)

    def is_answering(self):
        running = [
            details["application_instance"]
            for protocol, details in self.connections.items()
            if isinstance(protocol, WebRequest) and "application_instance" in details
        ]
        return not all(each.done() for each in running) or has_connection(reactor.getWriters())

    def has_connection(ends):
        return any(isinstance(each, (tcp.Server, unix.Server)) for each in ends)

    def handle_reply(self, message):
        if draining.is_set() and message.get("type") == "http.response.start" and hasattr(self.channel, "persistent"):
            self.channel.persistent = False
            message = {**message, "headers": [*message.get("headers", ()), (b"Connection", b"close")]}
        return reply(self, message)

    server.serverFromString, WebRequest.handle_reply = server_from_string, handle_reply
    Server.listen_success, Server.kill_all_applications = listen_success, kill_all_applications


# granian


def change_granian(listen, probe):
    from granian import _signals
    from granian._granian import SocketHolder, WorkerSignal
    from granian.server import mp

    if not listen and probe is None:
        # What is changed is how it works on a socket that it was given.
        return
    if probe is not None:
        # For the workers, which may be spawned.
        os.environ["PRODSERVER_PROBE_FD"] = str(probe.fileno())

    wrap_wsgi, wrap_asgi, process_init = mp._wsgi_call_wrap, mp._asgi_call_wrap, mp.WorkerProcess.__init__
    draining = threading.Event()
    served, events = [], []

    def init_shared_socket(self):
        if len(listen) != 1:
            sys.exit("prodserver: granian listens on one address.")
        self._ssp = None
        self._sfd = listen[0].fileno()
        self._shd = holder(listen[0], self.backlog)
        self._sso = listen[0]

    def holder(sock, backlog):
        return SocketHolder(sock.fileno(), sock.family == socket.AF_UNIX, backlog)

    @functools.wraps(process_init)
    def init(self, parent, idx, target, args):
        # The sockets are there to be inherited by a spawned child; which they are it is told beside.
        at = next(i for i, arg in enumerate(args) if isinstance(arg, tuple) and len(arg) == 2 and arg[1] in listen)
        inherited = (args[at][0], [args[at][1], probe])
        process_init(self, parent, idx, target, (*args[:at], inherited, *args[at + 1 :]))

    def with_probe(Worker):
        def create(worker_id, sock, *args, **kwargs):
            served.append(open_socket(os.dup(sock[1].get_fd())))
            workers = [(Worker(worker_id, sock, *args, **kwargs), sock[1])]
            fd = os.environ.pop("PRODSERVER_PROBE_FD", None)
            if fd:
                extra = holder(probe or open_socket(fd), 128)
                served.append(open_socket(os.dup(extra.get_fd())))
                workers.append((Worker(worker_id, (None, extra), *args, **kwargs), extra))
            return Both(workers)

        return create

    class Both:
        def __init__(self, workers):
            self.workers = workers

        def __getattr__(self, name):
            def serve(scheduler, loop, event):
                for worker, sock in self.workers:
                    kind = name.replace("_uds", "") + ("_uds" if sock.is_uds() else "")
                    # Each takes what is inside.
                    events.append(WorkerSignal() if events else event)
                    getattr(worker, kind)(scheduler, loop, events[-1])

            return serve

    def set_sync_signals():
        event = WorkerSignal()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        return event

    def set_loop_signals(loop):
        event = WorkerSignal()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        return event

    def stop(*_):
        if not draining.is_set():
            draining.set()
            threading.Thread(target=drain, daemon=True).start()

    def drain():
        try:
            names = [listening.getsockname() for listening in served]
            for listening in served:
                accept_no_more(listening)
            until = time.monotonic() + LINGER
            time.sleep(0.1)
            while time.monotonic() < until and has_connections(names):
                time.sleep(0.05)
        except Exception as error:
            say("cannot drain granian: %r" % error)
        for event in reversed(events):
            event.set()

    def wrap_wsgi_closing(callback, *args, **kwargs):
        def application(environ, start_response):
            def start(status, headers, *rest):
                return start_response(status, [*headers, ("Connection", "close")], *rest)

            return callback(environ, start if draining.is_set() else start_response)

        return wrap_wsgi(application, *args, **kwargs)

    def wrap_asgi_closing(callback, *args, **kwargs):
        async def application(scope, receive, send):
            def sending(message):
                if draining.is_set() and message["type"] == "http.response.start":
                    message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
                return send(message)

            await callback(scope, receive, sending if scope["type"] == "http" else send)

        return wrap_asgi(application, *args, **kwargs)

    _signals.set_sync_signals, _signals.set_loop_signals = set_sync_signals, set_loop_signals
    mp._wsgi_call_wrap, mp._asgi_call_wrap = wrap_wsgi_closing, wrap_asgi_closing
    mp.MPServer._init_shared_socket = init_shared_socket
    mp.WorkerProcess.__init__ = init
    mp.WSGIWorker, mp.ASGIWorker = with_probe(mp.WSGIWorker), with_probe(mp.ASGIWorker)


def accept_no_more(listening):
    """Puts a socket to which nobody connects in the place of every descriptor of that listening socket.

    What accepts is compiled code that stops accepting only when it closes its connections too.
    """
    silent = socket.socket(socket.AF_UNIX)
    silent.bind("")
    silent.listen()
    silent.setblocking(False)
    inode = os.fstat(listening.fileno()).st_ino
    for fd in open_descriptors():
        if inode_of(fd) == inode:
            os.dup2(silent.fileno(), fd, inheritable=False)


def has_connections(names):
    for fd in open_descriptors():
        try:
            with socket.socket(fileno=os.dup(fd)) as candidate:
                mine = candidate.getsockname()
                candidate.getpeername()
        except OSError:
            continue
        # The address of a connection is not that of a socket that listens on all of them.
        if any(mine == name or (isinstance(mine, tuple) and mine[1] == name[1]) for name in names):
            return True
    return False


def open_descriptors():
    return [int(name) for name in os.listdir("/dev/fd")]


def inode_of(fd):
    try:
        return os.fstat(fd).st_ino
    except OSError:
        return None


# waitress


def change_waitress(listen, probe):
    import waitress
    from waitress import adjustments, channel, server, wasyncore

    create, service = waitress.create_server, channel.HTTPChannel.service
    draining = threading.Event()

    def service_and_close(self):
        if draining.is_set():
            # Its own code then says and does the same.
            self.requests[0].headers["CONNECTION"] = "close"
        service(self)

    def run(self):
        sockets = getattr(self, "map", None) or self._map
        servers = [each for each in list(sockets.values()) if isinstance(each, server.BaseWSGIServer)]

        def stop(*_):
            # A second INT ends it at once.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            draining.set()
            servers[0].pull_trigger()

        def turn(timeout):
            wasyncore.loop(timeout=timeout, map=sockets, use_poll=self.adj.asyncore_use_poll, count=1)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        try:
            while not draining.is_set():
                turn(self.adj.asyncore_loop_timeout)
            drain(servers, turn)
        except (SystemExit, KeyboardInterrupt):
            pass
        self.task_dispatcher.shutdown()

    def drain(servers, turn):
        for each in servers:
            each.accepting = False
        until = time.monotonic() + LINGER
        while True:
            channels = [each for listening in servers for each in listening.active_channels.values()]
            if not channels:
                return
            if time.monotonic() > until:
                for each in channels:
                    each.will_close = each.will_close or not (each.requests or each.request)
            turn(0.1)

    if listen:
        # It refuses Unix sockets beside others for no need of its own.
        adjustments.Adjustments.check_sockets = staticmethod(lambda sockets: None)
        sockets = listen if probe is None else [*listen, probe]
        waitress.create_server = functools.partial(create, sockets=sockets)
    channel.HTTPChannel.service = service_and_close
    server.BaseWSGIServer.run = run
    server.MultiSocketServer.run = run


CHANGES = {
    "gunicorn": change_gunicorn,
    "uvicorn": change_uvicorn,
    "hypercorn": change_hypercorn,
    "daphne": change_daphne,
    "granian": change_granian,
    "waitress": change_waitress,
}

if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":
    patch(os.environ.get("PRODSERVER_SERVED"), in_child=True)
