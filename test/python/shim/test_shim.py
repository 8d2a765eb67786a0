"""A shim as a whole: starts, reaps, adopts, and ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import RunningShim, is_alive, start_shim, wait_until

Start = Callable[[], RunningShim]
SLEEP = ("/bin/sleep", "600")


def sh(script: str) -> tuple[str, str, str]:
    return ("/bin/sh", "-c", script)


def test_reports_exits_with_their_wait_status(running: RunningShim) -> None:
    for number, (script, status) in enumerate((("exit 7", 7 << 8), ("kill -9 $$", 9), ("true", 0)), 1):
        running.spawn(*sh(script), token=f"web.1#{number}")
        reply = running.connection.receive("exited")
        assert (reply["token"], reply["status"]) == (b"web.1#%d" % number, status)


def test_stores_all_output_before_it_reports_the_exit(running: RunningShim) -> None:
    script = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; printf last"
    running.spawn(*sh(script))
    running.connection.receive("exited")
    assert running.output() == b"".join(b"line %d\n" % number for number in range(2000)) + b"last"


def test_reaps_orphans(running: RunningShim, env: dict[str, str]) -> None:
    running.spawn(*sh("(setsid sh -c 'echo $$; sleep 0.1' &) ; exit 0"), env=env)
    running.connection.receive("exited")
    orphan = int(wait_until(running.output))
    wait_until(lambda: not Path(f"/proc/{orphan}").exists())
    assert running.process.poll() is None


@pytest.mark.parametrize(
    ("fields", "what", "number"),
    [
        ({"argv": ["/nowhere"]}, b"program", 2),
        ({"cwd": "/nowhere"}, b"CWD", 2),
        ({"user": "no-such-user-here"}, b"USER", 2),
        ({"group": "no-such-group-here"}, b"GROUP", 2),
        ({"limits": {"nosuchlimit": "1"}}, b"LIMITS", 0),
        ({"limits": {"nofile": "many"}}, b"LIMITS", 22),
        ({"sockets": ["not/bound"]}, b"", 0),
        ({"nice": 0, "argv": ["/nowhere"]}, b"program", 2),
    ],
)
def test_says_which_step_of_a_start_failed(
    running: RunningShim, fields: dict[str, Any], what: bytes, number: int
) -> None:
    values = {"argv": list(SLEEP), **fields}
    running.send_spawn(*values.pop("argv"), **values)
    reply = running.connection.receive("failed")
    assert (reply["what"], reply["errno"]) == (what, number)
    assert list((running.state / "run").iterdir()) == []


def test_needs_a_log_for_a_start(running: RunningShim) -> None:
    running.connection.send("spawn", token="web.1#1", instance="web.1", invocation=1, argv=["/bin/true"], cwd="/")
    assert running.connection.receive("failed")["message"] == b"web.1 has no log"


SHOW = """
import fcntl, os, resource, signal, sys
fds = sorted(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name))
print(fds, os.getsid(0) == os.getpid(), oct(os.umask(0)), os.getpriority(os.PRIO_PROCESS, 0), os.getcwd())
print(resource.getrlimit(resource.RLIMIT_NOFILE), os.environ.get("LISTEN_PID") == str(os.getpid()))
print(os.path.realpath("/proc/self/fd/0"), [signal.getsignal(number) is signal.SIG_DFL for number in (1, 15)])
"""


@pytest.mark.parametrize("has_lock", [False, True])
def test_prepares_a_program(running: RunningShim, env: dict[str, str], tmp_path: Path, has_lock: bool) -> None:
    for name in ("a", "b"):
        running.connection.send("bind", name=name, address="127.0.0.1:0", listen=1)
        running.connection.receive("bound")
    running.spawn(
        sys.executable,
        "-c",
        SHOW,
        env={**env, "LISTEN_FDS": "2"},
        cwd="/usr",
        umask="027",
        nice=3,
        limits={"nofile": "100:200"},
        sockets=["a", "b"],
        lock=str(tmp_path / "lock") if has_lock else None,
    )
    assert running.connection.receive("exited")["status"] == 0
    descriptors = [0, 1, 2, 3, 4, *([5] if has_lock else [])]
    assert running.output().decode().splitlines() == [
        f"{descriptors} True 0o27 3 /usr",
        "(100, 200) True",
        "/dev/null [True, True]",
    ]


def test_prepares_a_plain_program_the_same_way(running: RunningShim, env: dict[str, str]) -> None:
    running.spawn(sys.executable, "-c", SHOW, env=env, umask="022")
    running.connection.receive("exited")
    assert running.output().decode().splitlines()[0].startswith("[0, 1, 2] True 0o22 ")


def test_gives_a_program_its_socket(running: RunningShim, env: dict[str, str]) -> None:
    running.connection.send("bind", name="web", address="127.0.0.1:0", listen=1)
    host, _, port = running.connection.receive("bound")["address"].decode().rpartition(":")
    script = "import socket; c = socket.socket(fileno=3).accept()[0]; c.sendall(b'hello'); c.close()"
    running.spawn(sys.executable, "-c", script, env=env, sockets=["web"])
    with socket.create_connection((host, int(port))) as client:
        assert client.recv(100) == b"hello"


def test_holds_a_lock_as_long_as_the_program_lives(running: RunningShim, env: dict[str, str], tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    pid = running.spawn(*SLEEP, env=env, lock=lock)
    running.send_spawn(*SLEEP, token="web.1#2", env=env, lock=lock)
    assert running.connection.receive("failed")["what"] == b"lock:pid %d" % pid
    running.connection.send("signal", token="web.1#1", signal=signal.SIGTERM)
    running.connection.receive("exited")
    assert running.spawn(*SLEEP, token="web.1#3", env=env, lock=lock)


def test_signals_no_invocation_that_has_ended(running: RunningShim, env: dict[str, str]) -> None:
    running.spawn(*sh("exit 0"), env=env)
    running.connection.receive("exited")
    running.connection.send("signal", token="web.1#1", signal=signal.SIGKILL)
    running.connection.send("signal", token="unknown", signal=signal.SIGKILL)
    assert running.spawn(*SLEEP, token="web.1#2", env=env)


def test_keeps_everything_for_the_next_supervisor(running: RunningShim, env: dict[str, str]) -> None:
    running.connection.send("bind", name="web", address="127.0.0.1:0", listen=1)
    address = running.connection.receive("bound")["address"]
    pid = running.spawn(*SLEEP, token="web.1#4", env=env)
    running.spawn(*sh("exit 3"), token="job.1#9", env=env)
    running.connection.receive("exited")
    running.connection.socket.close()
    again = running.connect()
    welcome = again.hello()
    assert welcome["protocol"] == 2
    assert welcome["pid"] == running.process.pid
    assert welcome["sockets"] == {"web": address}
    assert [(one["token"], one["pid"]) for one in welcome["invocations"][:1]] == [(b"web.1#4", pid)]
    assert welcome["invocations"][1]["invocation"] == 9
    ended = again.receive("exited")
    assert (ended["token"], ended["status"]) == (b"job.1#9", 3 << 8)
    again.send("forget", token="job.1#9")
    again.socket.close()
    last = running.connect()
    assert [one["token"] for one in last.hello()["invocations"]] == [b"web.1#4"]


def test_adopts_what_an_earlier_shim_started(start: Start, env: dict[str, str]) -> None:
    first = start()
    script = "echo begun; read line < go; echo done; exit 5"
    folder = first.state / "program"
    folder.mkdir()
    os.mkfifo(folder / "go")
    pid = first.spawn(*sh(script), env=env, cwd=str(folder))
    wait_until(first.output)
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    first.kill()
    second = start()
    assert second.welcome["invocations"] == []
    second.connection.send("log", instance="web.1", maxSizeBytes=1 << 20, keep=5)
    adoption = {"pid": pid, "startTicks": ticks, "instance": "web.1", "invocation": 1}
    pipe = str(second.state / "run" / "web.1-1.log")
    second.connection.send("adopt", token="web.1#1", pipe=pipe, **adoption)
    assert second.connection.receive("spawned")["pid"] == pid
    (folder / "go").write_text("now\n")
    assert "status" not in second.connection.receive("exited")
    assert second.output() == b"begun\ndone\n"
    assert list((second.state / "run").iterdir()) == []


@pytest.mark.parametrize("is_removed", [False, True])
def test_adopts_a_program_whose_pipe_has_no_file(start: Start, env: dict[str, str], is_removed: bool) -> None:
    first = start()
    pid = first.spawn(*sh("while :; do echo tick; sleep 0.01; done"), env=env)
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    first.kill()
    pipe = first.state / "run" / "web.1-1.log"
    if is_removed:
        pipe.unlink()
    second = start()
    before = len(second.output())
    second.connection.send("log", instance="web.1", maxSizeBytes=1 << 20, keep=5)
    fields = {"pid": pid, "startTicks": ticks, "instance": "web.1", "invocation": 1, "pipe": str(pipe)}
    second.connection.send("adopt", token="web.1#1", **fields)
    wait_until(lambda: len(second.output()) > before)


def test_reports_that_an_adopted_program_has_ended_already(start: Start, env: dict[str, str]) -> None:
    first = start()
    pipe = first.state / "run" / "web.1-1.log"
    pipe.touch()
    fields = {"pid": 1, "startTicks": 1, "instance": "web.1", "invocation": 1, "pipe": str(pipe)}
    first.connection.send("adopt", token="web.1#1", **fields)
    assert "status" not in first.connection.receive("exited")
    assert not pipe.exists()


def test_takes_a_socket_over_from_an_adopted_program(start: Start, env: dict[str, str]) -> None:
    first = start()
    first.connection.send("bind", name="web", address="127.0.0.1:0", listen=1)
    address = first.connection.receive("bound")["address"].decode()
    pid = first.spawn(*SLEEP, env=env, sockets=["web"])
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    first.kill()
    second = start()
    second.connection.send("bind", name="web", address=address, listen=1)
    assert second.connection.receive("not-bound")["errno"] == 98
    second.connection.send("log", instance="web.1", maxSizeBytes=1 << 20, keep=5)
    fields = {"pid": pid, "startTicks": ticks, "instance": "web.1", "invocation": 1}
    second.connection.send("adopt", token="web.1#1", pipe=str(second.state / "run" / "web.1-1.log"), **fields)
    second.connection.send("bind", name="web", address=address, listen=1)
    assert second.connection.receive("bound")["address"].decode() == address


def test_ends_when_it_is_told_to(running: RunningShim, env: dict[str, str]) -> None:
    pid = running.spawn(*SLEEP, env=env)
    running.connection.send("quit")
    assert running.process.wait(20) == 0
    assert is_alive(pid)
    assert not (running.state / "shim.sock").exists()


def test_ends_when_nothing_is_left_to_tell(running: RunningShim) -> None:
    running.spawn(*sh("exit 0"))
    running.connection.receive("exited")
    running.connection.send("forget", token="web.1#1")
    running.connection.socket.close()
    assert running.process.wait(20) == 0


def test_leaves_the_state_directory_to_the_shim_that_has_it(running: RunningShim) -> None:
    second = start_shim(running.state, None)
    assert second.wait(20) == 75
    third = start_shim(running.state, None, "--", "/bin/true")
    assert third.wait(20) == 75
    assert "another supervisor uses the state directory" in running.log()


def test_ignores_signals_that_are_not_from_the_supervisor(running: RunningShim) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        running.process.send_signal(number)
    running.spawn(*sh("exit 0"))
    running.connection.receive("exited")
    assert running.process.poll() is None


def test_passes_notifications_on(running: RunningShim, env: dict[str, str]) -> None:
    name = running.welcome["notifySocket"].decode()
    script = (
        "import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
        "s.sendto(b'READY=1', '\\0' + os.environ['NOTIFY_SOCKET'][1:])"
    )
    pid = running.spawn(sys.executable, "-c", script, env={**env, "NOTIFY_SOCKET": name})
    reply = running.connection.receive("notified")
    assert (reply["pid"], reply["session"], reply["text"]) == (pid, pid, b"READY=1")


@pytest.mark.parametrize("is_abstract", [False, True])
def test_announces_to_a_service_manager(running: RunningShim, tmp_path: Path, is_abstract: bool) -> None:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = f"@test-{os.getpid()}-{time.monotonic_ns()}" if is_abstract else str(tmp_path / "notify")
    manager.bind("\0" + name[1:] if is_abstract else name)
    manager.settimeout(20)
    running.connection.send("announce", socket="/nowhere/at/all", text="x")
    running.connection.send("announce", socket=name, text="READY=1\nSTATUS=é")
    assert manager.recv(100).decode() == "READY=1\nSTATUS=é"
    manager.close()


def test_reports_full_files(running: RunningShim, env: dict[str, str]) -> None:
    running.connection.send("log", instance="web.1", maxSizeBytes=10, keep=5)
    os.mkfifo(running.state / "go")
    script = "echo first line; read line < go; echo second line"
    fields = {"token": "web.1#1", "instance": "web.1", "invocation": 1, "cwd": str(running.state), "env": env}
    running.connection.send("spawn", argv=list(sh(script)), **fields)
    assert running.connection.receive("rotated")["sequence"] == 1
    assert (running.state / "logs" / "web.1.1.log").read_bytes() == b"first line\n"
    (running.state / "go").write_text("now\n")
    assert running.connection.receive("rotated")["sequence"] == 2


def test_gives_each_of_two_invocations_a_file(running: RunningShim, env: dict[str, str]) -> None:
    script = "echo begun $N; read line < go$N; echo done $N"
    for number in (1, 2):
        os.mkfifo(running.state / f"go{number}")
        running.spawn(*sh(script), token=f"web.1#{number}", env={**env, "N": str(number)}, cwd=str(running.state))
        wait_until(lambda: b"begun" in running.output())
    (running.state / "go1").write_text("now\n")
    running.connection.receive("exited")
    assert (running.state / "logs" / "web.1.1.log").read_bytes() == b"begun 1\ndone 1\n"
    assert running.output() == b"begun 2\n"


def test_stays_small_while_programs_come_and_go(running: RunningShim, env: dict[str, str]) -> None:
    folder = Path(f"/proc/{running.process.pid}/fd")
    count = 0
    for number in range(1, 31):
        running.spawn(*sh("echo x"), token=f"web.1#{number}", env=env, nice=0)
        running.connection.receive("exited")
        running.connection.send("forget", token=f"web.1#{number}")
        if number == 5:
            count = len(list(folder.iterdir()))
    assert len(list(folder.iterdir())) <= count


# A client that sends rubbish.


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\xff\xff\xff\xff",
        b"\x05\0\0\0d4:tye",
        b"\x02\0\0\0de",
        b"\x10\0\0\0d4:type7:unknowne",
        b"\x09\0\0\0\x05\0\0\0hello",
        b"\x04\0\0\0llll",
    ],
)
def test_closes_a_connection_that_sends_rubbish(running: RunningShim, env: dict[str, str], rubbish: bytes) -> None:
    pid = running.spawn(*SLEEP, env=env)
    running.connection.socket.close()
    client = running.connect()
    client.socket.sendall(rubbish)
    assert client.is_closed()
    assert is_alive(pid)
    assert len(running.connect().hello()["invocations"]) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "spawn"},
        {"type": "spawn", "token": 1},
        {"type": "spawn", "token": "x", "instance": "x", "invocation": "1", "argv": 7},
        {"type": "adopt", "token": "x"},
        {"type": "signal", "token": "web.1#1", "signal": "TERM"},
        {"type": "signal", "token": "web.1#1", "signal": 10**6},
        {"type": "log", "instance": "x"},
        {"type": "bind", "name": "x", "address": "nowhere", "listen": 1},
        {"type": "bind", "name": "x", "address": "127.0.0.1:99999", "listen": 1},
        {"type": "bind"},
        {"type": "close", "name": "x"},
        {"type": "announce"},
    ],
)
def test_survives_commands_that_make_no_sense(
    running: RunningShim, env: dict[str, str], fields: dict[str, object]
) -> None:
    pid = running.spawn(*SLEEP, env=env)
    kind = str(fields["type"])
    running.connection.send(kind, **{name: value for name, value in fields.items() if name != "type"})
    assert running.connection.hello()["invocations"][0]["pid"] == pid


def test_turns_a_second_supervisor_away(running: RunningShim) -> None:
    for _ in range(3):
        second = running.connect()
        second.receive("busy")
        assert second.is_closed()
    running.spawn(*sh("exit 0"))
    assert running.connection.receive("exited")["status"] == 0


def test_is_not_disturbed_by_clients_that_leave(running: RunningShim) -> None:
    for _ in range(20):
        running.connect().socket.close()
    running.spawn(*sh("exit 0"))
    assert running.connection.receive("exited")["status"] == 0


def test_sends_on_when_the_supervisor_reads_again(running: RunningShim, env: dict[str, str]) -> None:
    running.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for number in range(2000):
        running.connection.send("bind", name=f"socket-{number}", address="nowhere", listen=0)
    for number in range(2000):
        assert running.connection.receive("not-bound")["name"] == b"socket-%d" % number


# As process 1.


SUPERVISOR = """
import os, signal, socket, sys, time
sys.path.insert(0, sys.argv[1])
from prodserver_shim.wire import pack
connection = socket.socket(fileno=int(os.environ["PRODSERVER_SHIM_FD"]))
def note(number, frame):
    with open("notes", "a") as file:
        file.write("%d\\n" % number)
    if number == signal.SIGTERM:
        os._exit(9)
for number in (1, 2, 15):
    signal.signal(number, note)
with open("pids", "a") as file:
    file.write("%d\\n" % os.getpid())
while not os.path.exists("greet"):
    time.sleep(0.005)
connection.sendall(pack({"type": "hello", "protocol": 2}))
with open("greeted", "w") as file:
    file.write("")
while True:
    time.sleep(60)
"""


@pytest.fixture
def first_process(tmp_path: Path) -> Callable[[str], FirstProcess]:
    return lambda script: FirstProcess(tmp_path, script)


class FirstProcess:
    """A shim that starts its supervisor, as process 1 of a container does."""

    def __init__(self, folder: Path, script: str) -> None:
        self.folder = folder
        for name in ("logs", "run"):
            (folder / name).mkdir()
        package = Path(__file__).resolve().parents[3] / "src" / "supervisor" / "shim"
        before = os.getcwd()
        os.chdir(folder)
        try:
            self.process = start_shim(folder, None, "--", sys.executable, "-c", script, str(package))
        finally:
            os.chdir(before)

    def lines(self, name: str) -> list[int]:
        path = self.folder / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []


Begin = Callable[[str], FirstProcess]


def test_ends_with_its_supervisor_and_with_its_code(first_process: Begin) -> None:
    assert first_process("raise SystemExit(3)").process.wait(20) == 3


def test_cannot_start_a_supervisor_that_does_not_exist(tmp_path: Path) -> None:
    for name in ("logs", "run"):
        (tmp_path / name).mkdir()
    assert start_shim(tmp_path, None, "--", "/nowhere").wait(20) == 127


def test_passes_signals_on_once_the_supervisor_can_handle_them(first_process: Begin) -> None:
    first = first_process(SUPERVISOR)
    wait_until(lambda: first.lines("pids"))
    first.process.send_signal(signal.SIGHUP)
    (first.folder / "greet").touch()
    wait_until(lambda: first.lines("notes") == [signal.SIGHUP])
    first.process.send_signal(signal.SIGQUIT)
    assert first.process.wait(20) == 9
    assert first.lines("notes") == [signal.SIGHUP, signal.SIGTERM]


def test_starts_a_supervisor_again_that_was_killed(first_process: Begin) -> None:
    first = first_process(SUPERVISOR)
    (first.folder / "greet").touch()
    wait_until((first.folder / "greeted").exists)
    first.process.send_signal(signal.SIGINT)
    wait_until(lambda: first.lines("notes") == [signal.SIGINT])
    (pid,) = first.lines("pids")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(first.lines("pids")) == 2)
    # The next supervisor is told what the first one was told.
    wait_until(lambda: first.lines("notes") == [signal.SIGINT, signal.SIGINT])
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(20) == 9


def test_does_not_start_a_supervisor_again_that_never_greeted(first_process: Begin) -> None:
    assert first_process("import os; os.kill(os.getpid(), 9)").process.wait(20) == 128 + 9
