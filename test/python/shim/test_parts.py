"""Parts of the shim that need no other process."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prodserver_shim.identity import become, find_account, find_group, set_limits
from prodserver_shim.loop import Loop, attempt
from prodserver_shim.loss import LONGEST_LINE, Loss
from prodserver_shim.output import LARGE_PIPE, Output, open_pipe
from prodserver_shim.procfs import is_running, open_output_of, start_ticks
from prodserver_shim.splice import find_splice, read
from prodserver_shim.start import StartError, note_holder, take_lock
from prodserver_shim.supervisor_process import SupervisorProcess

from .conftest import wait_until


def test_loop_goes_on_after_a_handler_that_fails(capfd: pytest.CaptureFixture[str]) -> None:
    loop, seen = Loop(), []
    pipes = [os.pipe(), os.pipe()]

    def fail(_: int) -> None:
        seen.append("failed")
        raise RuntimeError("broken")

    loop.watch(pipes[0][0], fail)
    loop.watch(pipes[1][0], lambda _: seen.append("handled"))
    for _, writer in pipes:
        os.write(writer, b"x")
    assert loop.turn(1)
    assert sorted(seen) == ["failed", "handled"]
    assert "RuntimeError: broken" in capfd.readouterr().err
    loop.set_events(pipes[0][0], 0)
    loop.unwatch(pipes[1][0])
    loop.unwatch(pipes[1][0])
    assert not loop.turn(0)
    for fds in pipes:
        for fd in fds:
            os.close(fd)


def test_attempt_passes_values_on() -> None:
    seen: list[object] = []
    attempt(lambda *values: seen.extend(values), 1, "b")
    assert seen == [1, "b"]


def test_identifies_processes() -> None:
    ticks = start_ticks(os.getpid())
    assert ticks > 0
    assert is_running(os.getpid(), ticks)
    assert not is_running(os.getpid(), ticks + 1)
    assert start_ticks(2**22 + 1) == 0
    assert not is_running(2**22 + 1, 0)


def test_a_zombie_does_not_run(tmp_path: Path) -> None:
    # The name of the program has whatever breaks a careless reader of /proc/PID/stat.
    program = tmp_path / "a) Z 1 (b"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([str(program), "600"])
    ticks = start_ticks(child.pid)
    assert is_running(child.pid, ticks)
    child.kill()
    wait_until(lambda: not is_running(child.pid, ticks))
    child.wait()


def test_opens_a_pipe_through_the_program_that_prints_to_it(tmp_path: Path) -> None:
    path = str(tmp_path / "web.1-1.log")
    reader, writer = open_pipe(path, LARGE_PIPE)
    child = subprocess.Popen(["/bin/sh", "-c", "echo hello; exec sleep 600"], stdout=writer)
    os.close(writer)
    os.unlink(path)
    fd = open_output_of(child.pid, path)
    assert fd is not None
    assert wait_until(lambda: read(reader)) == b"hello\n"
    assert open_output_of(child.pid, "another.log") is None
    child.kill()
    child.wait()
    assert read(fd) == b""
    for each in (reader, fd):
        os.close(each)


def test_makes_a_pipe_again_that_exists(tmp_path: Path) -> None:
    path = str(tmp_path / "pipe")
    for _ in range(2):
        for fd in open_pipe(path, LARGE_PIPE):
            os.close(fd)


def test_output_leaves_a_busy_pipe_alone_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("prodserver_shim.output.time.monotonic", lambda: now[0])
    loop = Loop()
    output = Output(loop, str(tmp_path), lambda _: None)
    output.configure("web.1", 1000, 5)
    pipe, writer = output.make_pipe(str(tmp_path), "web.1", 1)
    assert pipe.fd is not None
    output.add(pipe, pipe.fd)
    for _ in range(2):
        os.write(writer, b"x\n")
        loop.turn(1)
    assert output.has_paused
    os.write(writer, b"y\n")
    assert not loop.turn(0)
    output.resume()
    assert output.has_paused
    now[0] += 1
    output.resume()
    assert not output.has_paused
    assert loop.turn(1)
    assert (tmp_path / "web.1.log").read_bytes() == b"x\nx\ny\n"
    os.close(writer)
    loop.turn(1)
    assert pipe.fd is None


def test_output_reports_a_log_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, object]] = []
    output = Output(Loop(), str(tmp_path), lambda reply: sent.append(dict(reply)))
    output.configure("web.1", 1000, 5)
    pipe, writer = output.make_pipe(str(tmp_path), "web.1", 1)
    assert pipe.fd is not None
    output.add(pipe, pipe.fd)

    def fail(*_: object) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("prodserver_shim.log.Log.take", fail)
    os.write(writer, b"lost\n")
    output.move(pipe)
    assert sent == [{"type": "log-error", "instance": "web.1", "message": "Input/output error"}]
    # The pipe was emptied, so the program need not wait.
    assert read(pipe.fd) is None
    os.close(writer)
    output.move(pipe)
    assert pipe.fd is None


def test_loss_counts_whole_lines() -> None:
    loss = Loss("No space")
    assert loss.whole_lines(b"a\nb\nc") == b"a\nb\n"
    loss.drop(b"a\nb\n")
    assert (loss.lines, loss.bytes, loss.rest) == (2, 4, b"c")
    loss.cut(LONGEST_LINE)
    assert loss.whole_lines(b"more") == b""
    assert loss.whole_lines(b"end\nnext\n") == b"next\n"
    assert (loss.lines, loss.bytes) == (3, 4 + LONGEST_LINE + len(b"moreend\n"))
    assert Loss("x").note() == b""


def test_splices_through_the_system_library_on_old_pythons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(os, "splice", raising=False)
    splice = find_splice()
    assert splice is not None
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    with pytest.raises(BlockingIOError):
        splice(reader, file, 10)
    os.write(writer, b"hello")
    assert splice(reader, file, 3) == 3
    assert (tmp_path / "file").read_bytes() == b"hel"
    for fd in (reader, writer, file):
        os.close(fd)


def test_does_without_splice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "splice", raising=False)
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert find_splice() is None


@pytest.mark.parametrize("value", ["100", "100:200", "100:", ":4000", "unlimited:unlimited"])
def test_sets_limits(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    done: list[object] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1000, 4000))
    monkeypatch.setattr(resource, "setrlimit", lambda limit, values: done.append((limit, values)))
    set_limits({"core": value})
    infinity = resource.RLIM_INFINITY
    expected = {
        "100": (100, 100),
        "100:200": (100, 200),
        "100:": (100, 4000),
        ":4000": (1000, 4000),
        "unlimited:unlimited": (infinity, infinity),
    }
    assert done == [(resource.RLIMIT_CORE, expected[value])]


def test_sets_the_limit_that_python_has_no_name_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1000, 4000))
    monkeypatch.setattr(resource, "setrlimit", lambda limit, _: done.append(limit))
    set_limits({"locks": "1"})
    assert done == [10]


def test_refuses_limits_that_make_no_sense() -> None:
    with pytest.raises(OSError, match="nofile=x"):
        set_limits({"nofile": "x"})


def test_becomes_the_current_user_without_privileges(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("setuid", "setgid", "initgroups", "fchown"):
        monkeypatch.setattr(os, name, lambda *_: pytest.fail("no privilege is needed"))
    env: dict[str, bytes] = {}
    become(str(os.getuid()), "", env)
    become("", str(os.getgid()), env)
    become("", "", env)
    assert {"HOME", "USER", "LOGNAME"} == set(env)


def test_becomes_another_user_with_its_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    monkeypatch.setattr(os, "getgid", lambda: 4711)
    for name in ("setuid", "setgid", "initgroups", "fchown"):
        monkeypatch.setattr(os, name, lambda *values, name=name: done.append((name, *values)))
    env: dict[str, bytes] = {}
    become("root", "", env)
    assert done == [("fchown", 1, 0, 0), ("initgroups", "root", 0), ("setgid", 0), ("setuid", 0)]
    assert env["USER"] == b"root"


def test_a_number_without_an_entry_has_a_group_of_the_same_number() -> None:
    account = find_account("4123456")
    assert account is not None
    assert (account.name, account.uid, account.gid, account.home) == ("4123456", 4123456, 4123456, "/")
    assert find_group("4123456") == 4123456


def test_the_own_number_without_an_entry_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4123456)
    env: dict[str, bytes] = {}
    become("4123456", "", env)
    assert env == {}


def test_refuses_names_that_no_user_and_no_group_has() -> None:
    with pytest.raises(OSError, match="there is no user no-such-user"):
        find_account("no-such-user")
    with pytest.raises(OSError, match="there is no group no-such-group"):
        find_group("no-such-group")


def test_locks_a_file_once(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    fd = take_lock(path)
    note_holder(fd, 4711)
    with pytest.raises(StartError) as caught:
        take_lock(path)
    assert caught.value.what == "lock:pid 4711"
    os.close(fd)
    os.close(take_lock(path))


def test_follows_no_link_to_a_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        take_lock(str(tmp_path / "link"))


def test_passes_a_second_early_signal_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    monkeypatch.setattr(os, "kill", lambda *values: sent.append(values))
    supervisor = SupervisorProcess(["/bin/true"], lambda _: None)
    supervisor.pass_on(signal.SIGTERM)
    supervisor.pid = 4711
    supervisor.pass_on(signal.SIGINT)
    assert sent == []
    supervisor.pass_on(signal.SIGINT)
    assert sent == [(4711, signal.SIGINT)]
    supervisor.greeted()
    assert sent == [(4711, signal.SIGINT)] * 2


def test_returns_the_exit_code_of_a_supervisor() -> None:
    supervisor = SupervisorProcess(["/bin/true"], lambda _: None)
    assert supervisor.ended(7 << 8) == 7
    assert supervisor.ended(signal.SIGTERM) == 128 + signal.SIGTERM
