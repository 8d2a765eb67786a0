"""The keeper's state and its commands."""

import os
import select
import signal
import socket
import struct
import sys
import time

from log import Log, last_numbers, read
from sockets import address_of, bind, take_over
from start import is_running, note_holder, open_pipe, printed_to, start, start_ticks, take_lock
from wire import pack, unpack

VERSION = b"1"
UNKNOWN_STATUS = b""
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
REST = 0.001
FEW_BYTES = 1 << 16
# A user may have 64 MiB in pipes; with more than that the user's other pipes become tiny.
LARGE_PIPE, PIPE, FEW_LIVES = 1 << 20, 1 << 17, 16


def print_error():
    """For who looks into the log of the keeper: what was just raised."""
    import traceback  # takes as long to load as all else

    traceback.print_exc()
    sys.stderr.flush()


class Life:
    """One running program: its pid, the pipe it prints to, and the log that goes to."""

    def __init__(self, token, pid, ticks, log_name, run):
        self.token, self.pid, self.ticks = token, pid, ticks
        self.log_name, self.run = log_name, run
        self.pipe = self.log = self.pidfd = None
        self.poured = 0.0  # when something was moved last
        self.fifo = ""
        self.status = None  # set at its end, kept until the supervisor has heard of it


class Keeper:
    def __init__(self, state):
        self.state = state
        self.logs_folder = os.path.join(state, "logs")
        self.run_folder = os.path.join(state, "run")
        self.lives, self.by_pid = {}, {}
        self.pouring = set()  # lives whose pipe somebody may still print to, forgotten ones as well
        self.logs, self.sockets = {}, {}
        self.last_numbers = last_numbers(self.logs_folder)
        self.handlers = {}
        self.epoll = select.epoll()
        self.controller = None
        self.supervisor = None  # its pid, where it is our child
        self.is_heard = False  # it has come so far that it knows what to do with a signal
        self.untold = []  # signals that came before that
        self.told = None  # the last one that was passed on
        self.inbox, self.outbox = b"", b""
        self.resting = []  # lives whose pipes are left alone for a moment
        self.polled = []  # adopted lives whose end only looking tells
        self.adopted = set()  # pids of programs that another keeper started
        self.running = True

    # --- the loop -------------------------------------------------------------

    def watch(self, fd, handler, events=select.EPOLLIN):
        self.handlers[fd] = handler
        self.epoll.register(fd, events)

    def unwatch(self, fd):
        if self.handlers.pop(fd, None):
            self.epoll.unregister(fd)

    def loop(self):
        while self.running:
            timeout = REST if self.resting else 0.2 if self.polled else 1 if self.are_losing() else -1
            found = self.epoll.poll(timeout)
            for fd, events in found:
                handler = self.handlers.get(fd)
                if handler:
                    self.attempt(handler, events)
            self.end_rests()
            self.look_at_polled()
            if not found:
                for log in self.are_losing():
                    log.try_again()
                    self.tell(log)
            # Who ended is remembered until the next supervisor has heard of it.
            if not self.controller and not self.supervisor and not self.lives:
                return

    def attempt(self, handler, *values):
        """Whatever goes wrong with one thing, the others must be kept."""
        try:
            handler(*values)
        except Exception:
            print_error()

    def are_losing(self):
        return [log for log in self.logs.values() if log.lost is not None]

    def send(self, *fields):
        if self.controller:
            self.outbox += pack(*fields)
            self.flush()

    def flush(self):
        try:
            while self.outbox:
                self.outbox = self.outbox[self.controller.send(self.outbox) :]
        except BlockingIOError:
            pass
        except OSError:
            return self.lose_controller()
        more = select.EPOLLOUT if self.outbox else 0
        self.epoll.modify(self.controller.fileno(), select.EPOLLIN | more)

    # --- the supervisor -------------------------------------------------------

    def control(self, connection):
        connection.setblocking(False)
        self.controller, self.inbox, self.outbox = connection, b"", b""
        self.watch(connection.fileno(), self.on_controller)

    def accept(self, _):
        connection, _ = self.listener.accept()
        if self.controller:
            # It may have gone, and nobody has looked.
            self.on_controller(select.EPOLLIN)
        if self.controller:
            try:
                connection.send(pack("busy"))
            except OSError:  # it has left already
                pass
            connection.close()
        else:
            self.control(connection)

    def lose_controller(self):
        self.unwatch(self.controller.fileno())
        self.controller.close()
        self.controller = None

    def on_controller(self, events):
        if events & select.EPOLLOUT:
            self.flush()
        if not self.controller or not events & ~select.EPOLLOUT:
            return
        try:
            data = self.controller.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self.lose_controller()
        self.inbox += data
        while len(self.inbox) >= 4:
            (size,) = struct.unpack_from("<I", self.inbox)
            if len(self.inbox) < 4 + size:
                break
            fields = unpack(self.inbox[4 : 4 + size])
            self.inbox = self.inbox[4 + size :]
            self.attempt(getattr(self, "do_" + fields[0].decode()), *fields[1:])
            if not self.controller:
                break

    def do_hello(self):
        self.is_heard = True
        untold, self.untold = self.untold, []
        for number in untold:
            self.pass_on(number)
        self.send("welcome", VERSION, os.getpid(), self.notify_name)
        for life in self.lives.values():
            self.send("life", life.token, life.pid, life.ticks, life.log_name, life.run)
            if life.status is not None:
                self.send("exited", life.token, life.status)
        for name, (_, address) in self.sockets.items():
            self.send("socket", name, address)
        self.send("listed")

    def do_quit(self):
        # As process 1 we end with the supervisor, and as it does.
        self.running = self.supervisor is not None

    # --- programs -------------------------------------------------------------

    def do_spawn(self, token, log_name, run, *rest):
        """What a program is started with comes as counted lists, in this order."""
        rest = list(rest)
        cwd, user, group, umask, nice, lock = [rest.pop(0).decode() for _ in range(6)]

        def counted():
            size = int(rest.pop(0))
            taken, rest[:size] = rest[:size], []
            return taken

        limits, names, argv, env = counted(), counted(), counted(), counted()
        fds = []
        pid, lock_fd, pipe, writer, fifo = 0, -1, -1, -1, ""
        try:
            if lock:
                lock_fd = take_lock(lock)
            for name in names:
                fds.append(self.sockets[name.decode()][0].fileno())
            fifo = os.path.join(self.run_folder, "%s-%s.log" % (log_name.decode(), run.decode()))
            pipe, writer = open_pipe(fifo, LARGE_PIPE if len(self.lives) < FEW_LIVES else PIPE)
            pid = start(argv, env, cwd, user, group, umask, nice, limits, fds, lock_fd, writer)
            if lock:
                note_holder(lock_fd, pid)
        except (OSError, KeyError, ValueError) as error:
            # A socket may have been closed meanwhile: it was asked to stop.
            what = getattr(error, "what", "") or getattr(error, "filename", "") or ""
            number, text = getattr(error, "errno", 0) or 0, getattr(error, "strerror", "") or str(error)
            self.send("failed", token, number, text, what)
            if pipe >= 0:
                os.close(pipe)
                os.unlink(fifo)
        finally:
            for fd in (writer, lock_fd):
                if fd >= 0:
                    os.close(fd)
        if pid:
            life = Life(token.decode(), pid, start_ticks(pid), log_name.decode(), int(run))
            self.keep(life, pipe, fifo)
            self.send("spawned", token, pid, life.ticks)

    def keep(self, life, pipe, fifo):
        self.lives[life.token] = life
        self.by_pid[life.pid] = life
        life.pipe, life.fifo = pipe, fifo
        log = self.logs[life.log_name]
        others = [o for o in self.pouring if o.log is log and o is not life]
        if others:
            limit = log.max_bytes
            if log.set_aside():
                log = self.logs[life.log_name] = Log(self.logs_folder, log.name, limit, log.keep, log.sequence)
        life.log = log
        self.pouring.add(life)
        self.watch(pipe, lambda _: self.pour(life) or self.spare(life))

    def pour(self, life, rounds=1):
        """Moves what a program has printed. At the end of the pipe nobody is left who could print."""
        log = life.log
        for _ in range(rounds):
            try:
                more = log.take(life.pipe, life.run)
            except OSError as error:
                # The file cannot be written at all: the program must not wait for it.
                more = read(life.pipe)
                more = more if more is None else bool(more)
                self.send("log-error", log.name, error.errno, error.strerror)
            self.tell(log)
            if more is False:
                return self.close_pipe(life)
            if more is None:
                return

    def spare(self, life):
        """Who prints line after line is not answered one by one: a moment later there is more to move at once."""
        now = time.monotonic()
        if now - life.poured < REST and life.log is not None and life.log.moved < FEW_BYTES and life.pipe is not None:
            self.epoll.modify(life.pipe, 0)
            self.resting.append(life)
        life.poured = now

    def end_rests(self):
        if not self.resting:
            return
        latest = time.monotonic() - REST
        for life in [life for life in self.resting if life.poured <= latest]:
            self.resting.remove(life)
            if life.pipe is not None:
                self.epoll.modify(life.pipe, select.EPOLLIN)

    def tell(self, log):
        if log.lost is not None and log.lost[1] and not log.reported:
            log.reported = True
            self.send("log-full", log.name, log.why)
        if log.found_room:
            self.send("log-lost", log.name, *log.found_room)
            log.found_room = None
        if log.fresh:
            self.send("rotated", log.name, log.fresh)
            log.fresh = 0

    def close_pipe(self, life):
        if life.pipe is None:
            return
        self.unwatch(life.pipe)
        os.close(life.pipe)
        life.pipe = None
        try:
            os.unlink(life.fifo)
        except OSError:
            pass
        log, life.log = life.log, None
        self.pouring.discard(life)
        log.end_run(life.run)
        self.tell(log)
        current = self.logs.get(life.log_name)
        if log is not current and not any(other.log is log for other in self.pouring):
            log.close()
            if log.lost is not None and log.lost[1] and current:
                current.lose_as_well(*log.lost, log.why)

    def reap(self, _=None):
        os.read(self.wakeup, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.supervisor:
                self.supervisor_ended(status)
            elif pid in self.by_pid:
                self.ended(self.by_pid[pid], str(status).encode())

    def ended(self, life, status):
        del self.by_pid[life.pid]
        self.adopted.discard(life.pid)
        life.status = status
        if life.pipe is not None:
            # Its last words belong before the news of its end.
            self.pour(life, 64)
        self.send("exited", life.token, status)

    def do_forget(self, token):
        self.lives.pop(token.decode(), None)

    def do_signal(self, token, number):
        """Never to a pid that is somebody else's by now: what has been reaped is not signalled."""
        life = self.lives.get(token.decode())
        if not life or life.status is not None:
            return
        if start_ticks(life.pid) == life.ticks:
            try:
                os.kill(life.pid, int(number))
            except OSError as error:
                self.send("not-signalled", token, error.errno, error.strerror)

    def do_adopt(self, token, pid, ticks, log_name, run, fifo):
        """Takes over a program whose keeper has gone. Its exit code went to init, so only its end can be told."""
        life = Life(token.decode(), int(pid), int(ticks), log_name.decode(), int(run))
        if not is_running(life.pid, life.ticks):
            self.lives[life.token] = life
            life.status = UNKNOWN_STATUS
            try:
                os.unlink(fifo)
            except OSError:
                pass
            return self.send("exited", token, UNKNOWN_STATUS)
        try:
            pipe = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            pipe = printed_to(life.pid, fifo)
        if pipe is None:
            self.lives[life.token] = self.by_pid[life.pid] = life
        else:
            self.keep(life, pipe, fifo.decode())
        self.adopted.add(life.pid)
        try:
            life.pidfd = os.pidfd_open(life.pid)  # novm - Python 3.8 raises AttributeError.
            self.watch(life.pidfd, lambda _: self.adopted_ended(life))
        except (AttributeError, OSError):
            self.polled.append(life)
        self.send("spawned", token, life.pid, life.ticks)

    def adopted_ended(self, life):
        if life.pidfd is not None:
            self.unwatch(life.pidfd)
            os.close(life.pidfd)
            life.pidfd = None
        self.ended(life, UNKNOWN_STATUS)

    def look_at_polled(self):
        for life in [life for life in self.polled if not is_running(life.pid, life.ticks)]:
            self.polled.remove(life)
            self.ended(life, UNKNOWN_STATUS)

    # --- logs, sockets, notifications -----------------------------------------

    def do_log(self, name, max_bytes, keep):
        name = name.decode()
        if name in self.logs:
            self.logs[name].max_bytes, self.logs[name].keep = int(max_bytes), int(keep)
        else:
            last_number = self.last_numbers.get(name, 0)
            self.logs[name] = Log(self.logs_folder, name, int(max_bytes), int(keep), last_number)

    def do_bind(self, name, address, listen):
        """Binds once; whoever is given the socket shares one queue of connections."""
        name = name.decode()
        if name not in self.sockets:
            try:
                try:
                    bound = bind(address.decode())
                except OSError:
                    # Programs that another keeper started have it, and that keeper has gone.
                    bound = take_over(address.decode(), self.adopted)
                    if bound is None:
                        raise
            except (OSError, UnicodeError) as error:
                number = getattr(error, "errno", 0) or 0
                return self.send("not-bound", name, number, getattr(error, "strerror", None) or error)
            # A path may have been bound by another name that is short enough.
            given = address.decode()
            self.sockets[name] = (bound, given if given.startswith("unix:") else address_of(bound))
        if listen == b"1":
            self.sockets[name][0].listen(2048)
        self.send("bound", name, self.sockets[name][1])

    def do_close(self, name):
        held = self.sockets.pop(name.decode(), None)
        if held:
            held[0].close()
            if held[1].startswith("unix:"):
                try:
                    os.unlink(held[1][5:])
                except OSError:
                    pass

    def listen_for_notifications(self):
        """Without a file: programs that run as another user cannot reach into our folder. The name outlives us."""
        folder = os.stat(self.state)
        self.notify_name = "@prodserver-%x-%x" % (folder.st_dev, folder.st_ino)
        self.notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self.notifications.bind("\0" + self.notify_name[1:])
        except OSError:
            self.notify_name = ""
            return
        self.notifications.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.watch(self.notifications.fileno(), self.on_notification)

    def on_notification(self, _):
        data, ancillary, _, _ = self.notifications.recvmsg(4096, socket.CMSG_SPACE(12))
        for level, kind, body in ancillary:
            if kind == socket.SCM_CREDENTIALS:
                pid = struct.unpack("iII", body[:12])[0]
                try:
                    session = os.getsid(pid)
                except OSError:
                    session = 0
                self.send("notify", pid, session, data)

    def do_announce(self, path, text):
        """sd_notify on the supervisor's behalf: Node has no datagram sockets of this family."""
        name = path.decode()
        name = "\0" + name[1:] if name.startswith("@") else name
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                sender.sendto(text, name)
            except OSError:
                pass

    # --- process 1 ------------------------------------------------------------

    def start_supervisor(self, command):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            try:
                os.dup2(theirs.fileno(), 3)
                os.environ["PRODSERVER_KEEPER_FD"] = "3"
                os.execv(command[0], command)
            except BaseException:
                print_error()
            finally:
                os._exit(127)
        theirs.close()
        self.is_heard = False
        self.supervisor, self.command = pid, command
        self.control(ours)

    def pass_on(self, number):
        """Where nobody knows yet what to do with it, a signal waits; a second one means it."""
        if not self.supervisor:
            return
        if self.is_heard or self.untold:
            # Images of several servers are stopped with it.
            os.kill(self.supervisor, signal.SIGTERM if number == signal.SIGQUIT else number)
            self.told = number
        else:
            self.untold.append(number)

    def supervisor_ended(self, status):
        self.supervisor = None
        if self.controller:
            self.lose_controller()
        if os.WIFSIGNALED(status) and self.is_heard and os.WTERMSIG(status) not in STOPS:
            # What it ran goes on; the next one takes it over, and what it was told.
            self.untold = [self.told] if self.told else []
            return self.start_supervisor(self.command)
        self.running = False
        self.exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)

    exit_code = 0
