"""The runner changes the server that the command line names, and runs it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prodserver_runner import common, run
from prodserver_runner.relay import relay

PROGRAM = Path(run.__file__).with_name("__main__.py")

# A server of its own, under the name of one that the runner knows.
SERVER = """
import json, os, sys
import waitress_state
names = [s.getsockname()[1] for s in waitress_state.sockets]
print(json.dumps([sys.argv[1:], sys.path[0], os.getcwd(), __name__, names, sorted(os.environ)]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a stub of waitress that prints what it is given."""
    package = tmp_path / "waitress"
    package.mkdir()
    (package / "__init__.py").write_text("def create_server(*args, **kwargs): return kwargs\n")
    (package / "__main__.py").write_text(SERVER)
    (tmp_path / "waitress_state.py").write_text("from waitress import create_server\n" + STATE)
    for name, text in STUBS.items():
        (package / f"{name}.py").write_text(text)
    return tmp_path


STATE = "sockets = getattr(create_server, 'keywords', {}).get('sockets', [])\n"
STUBS = {
    "adjustments": "class Adjustments:\n    pass\n",
    "channel": "class HTTPChannel:\n    def service(self): pass\n",
    "server": "class BaseWSGIServer:\n    pass\nclass MultiSocketServer:\n    pass\n",
    "wasyncore": "",
}


def run_server(project: Path, *options: str, env: dict[str, str] | None = None, fds: list[int] | None = None) -> Any:
    return subprocess.run(
        [sys.executable, *options, str(PROGRAM), "waitress", "--flag", "mysite.wsgi:application"],
        cwd=project,
        env={**os.environ, **(env or {})},
        pass_fds=fds or [],
        capture_output=True,
        text=True,
        check=False,
    )


def test_runs_a_module_as_python_does(project: Path) -> None:
    finished = run_server(project)
    assert finished.stderr == ""
    argv, first, folder, name, sockets, _ = eval(finished.stdout)
    assert (argv, first, folder) == (["--flag", "mysite.wsgi:application"], str(project), str(project))
    assert (name, sockets) == ("__main__", [])


def test_passes_open_sockets_on_and_hides_their_variables(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("127.0.0.1", 0)) as probe:
        variables = {"PRODSERVER_LISTEN_FDS": str(web.fileno()), "PRODSERVER_PROBE_FD": str(probe.fileno())}
        finished = run_server(project, env=variables, fds=[web.fileno(), probe.fileno()])
        *_, ports, environment = eval(finished.stdout)
        assert ports == [web.getsockname()[1], probe.getsockname()[1]]
    assert "PRODSERVER_SERVED" in environment
    assert not set(variables) & set(environment)


def test_leaves_no_bytecode_beside_itself(project: Path) -> None:
    before = sorted(PROGRAM.parent.rglob("*.pyc"))
    run_server(project)
    assert sorted(PROGRAM.parent.rglob("*.pyc")) == before


def test_reports_a_version_that_cannot_be_changed(project: Path) -> None:
    (project / "waitress" / "channel.py").write_text("")
    finished = run_server(project)
    assert finished.returncode == 0
    assert "prodserver: cannot change waitress: " in finished.stderr
    assert "a reload may lose requests." in finished.stderr


def test_does_not_run_a_server_that_would_listen_elsewhere(project: Path) -> None:
    (project / "waitress" / "channel.py").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as web:
        finished = run_server(project, env={"PRODSERVER_LISTEN_FDS": str(web.fileno())}, fds=[web.fileno()])
    assert finished.returncode == 1
    assert "this version of waitress cannot be given open sockets." in finished.stderr


def test_leaves_other_modules_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRODSERVER_LISTEN_FDS", raising=False)
    assert not run.change_server("http.server")


def test_relays_probes_of_a_server_that_cannot_be_changed(
    monkeypatch: pytest.MonkeyPatch, stub: Any, tmp_path: Path
) -> None:
    stub("uvicorn")
    probe = socket.socket(socket.AF_UNIX)
    probe.bind(str(tmp_path / "probe"))
    probe.listen()
    with socket.create_server(("127.0.0.1", 0)) as shared:
        monkeypatch.setattr(sys, "argv", ["uvicorn", f"--fd={shared.fileno()}"])
        monkeypatch.setenv("PRODSERVER_PROBE_FD", str(os.dup(probe.fileno())))
        assert not run.change_server("uvicorn")
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(tmp_path / "probe"))
        server, _ = shared.accept()
        client.sendall(b"ping")
        assert server.recv(10) == b"ping"
        server.sendall(b"pong")
        assert client.recv(10) == b"pong"
        server.close()
        assert client.recv(10) == b""
    client.close()
    probe.close()


def test_needs_a_shared_socket_for_a_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["uvicorn"])
    with pytest.raises(StopIteration):
        relay(socket.socket())


def test_spawned_children_run_the_runner_first(monkeypatch: pytest.MonkeyPatch) -> None:
    from multiprocessing import spawn

    answers = {"init_main_from_name": "uvicorn.__main__", "name": "child"}
    monkeypatch.setattr(spawn, "get_preparation_data", lambda name: dict(answers))
    run.repeat_in_spawned_children("uvicorn", "/runner/__main__.py")
    assert spawn.get_preparation_data("x") == {"name": "child", "init_main_from_path": "/runner/__main__.py"}
    answers["init_main_from_name"] = "another"
    assert spawn.get_preparation_data("x") == answers


def test_loads_each_file_once_and_again_after_a_failure(stub: Any) -> None:
    stub("uvicorn")
    with pytest.raises(ImportError):
        common.load("uvicorn")
    assert "prodserver_runner.uvicorn" not in sys.modules


def test_tcp_sockets_send_at_once() -> None:
    for family in (socket.AF_INET, socket.AF_UNIX):
        given = socket.socket(family)
        opened = common.copy_of(given.fileno())
        if family == socket.AF_INET:
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        for each in (given, opened):
            each.close()
