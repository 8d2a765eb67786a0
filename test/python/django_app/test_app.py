"""The Django app hands over to prodserver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError

if not settings.configured:
    settings.configure(SETTINGS_MODULE="shop.settings", PRODUCTION_PROCESSES={"web": {}})

from django_prodserver import checks, handover
from django_prodserver.backends.base import BaseProcessBackend
from django_prodserver.backends.servers.uvicorn import UvicornServer, UvicornWSGIServer
from django_prodserver.backends.servers.waitress import WaitressServer
from django_prodserver.backends.workers.celery import CeleryBeat
from django_prodserver.conf import app_settings
from django_prodserver.management.commands.prodserver import Command, take_overrides
from django_prodserver.utils import asgi_app_name, wsgi_app_name


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Return what would replace this process."""
    calls: list[Any] = []
    monkeypatch.setattr(os, "execv", lambda *call: calls.append(call))
    monkeypatch.setattr(os, "execve", lambda *call: calls.append(call))
    yield calls


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a package of prodserver that the environment names."""
    chunks = tmp_path / "package" / "dist" / "chunks"
    chunks.mkdir(parents=True)
    (chunks.parent / "bin.js").touch()
    (tmp_path / "package" / "package.json").touch()
    (chunks / "modules.json").write_text('["json"]')
    probe = Path(__file__).resolve().parents[3] / "src" / "inspect" / "django_probe.py"
    (chunks / "django_probe.py").write_text(probe.read_text())
    monkeypatch.setenv("PRODSERVER_PACKAGE", str(tmp_path / "package"))
    node = tmp_path / "package" / "node_modules" / "node" / "bin" / "node"
    node.parent.mkdir(parents=True)
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    return tmp_path / "package"


@pytest.mark.parametrize(
    ("argv", "overrides", "rest"),
    [
        (["--set", "web.ARGS.workers=8", "web"], ["--set=web.ARGS.workers=8"], ["web"]),
        (["--set=web.UMASK=022"], ["--set=web.UMASK=022"], []),
        (["--set", "other", "web"], [], ["--set", "other", "web"]),
        (["--set=plain"], [], ["--set=plain"]),
        (["web", "--", "--set", "a.b=c"], [], ["web", "--", "--set", "a.b=c"]),
        (["--set"], [], ["--set", ""]),
    ],
)
def test_splits_off_overrides(argv: list[str], overrides: list[str], rest: list[str]) -> None:
    assert take_overrides(argv) == (overrides, rest)


@pytest.mark.parametrize(
    ("args", "expected"),
    [({"bind": ":80", "reload": None}, ["--bind=:80", "--reload"]), ("config.py", ["config.py"]), (None, [])],
)
def test_makes_arguments_of_a_declaration(args: Any, expected: list[str]) -> None:
    backend = BaseProcessBackend(ARGS=args)
    assert backend.prep_server_args() == expected
    with pytest.raises(NotImplementedError, match="BaseProcessBackend must define start_server"):
        backend.start_server()


def test_becomes_servers_and_workers(executed: list[Any]) -> None:
    server = UvicornServer(ARGS={"port": "80"})
    server.start_server(*server.prep_server_args())
    WaitressServer().start_server(*WaitressServer().prep_server_args())
    CeleryBeat(APP="shop").start_server("--loglevel=info")
    assert [call[1][1:] for call in executed] == [
        ["-m", "uvicorn", "shop.asgi:application", "--port=80"],
        ["-m", "waitress", "shop.wsgi:application"],
        ["-m", "celery", "-A", "shop", "beat", "--loglevel=info"],
    ]
    assert UvicornWSGIServer().prep_server_args() == ["shop.wsgi:application", "--interface=wsgi"]


def test_names_applications_as_servers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (wsgi_app_name(), asgi_app_name()) == ("shop.wsgi:application", "shop.asgi:application")
    monkeypatch.setattr(settings, "WSGI_APPLICATION", "other.web.app", raising=False)
    assert wsgi_app_name() == "other.web:app"


def test_shows_the_declared_processes() -> None:
    assert app_settings.PRODUCTION_PROCESSES == {"web": {}}


def test_hands_over_with_the_settings(
    executed: list[Any], package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "manage.py"), "prodserver", "web"])
    handover.hand_over(["run", "web"], ["--reload"])
    ((node, command, _),) = executed
    assert node == command[0] == str(package / "node_modules" / "node" / "bin" / "node")
    assert command[1:5] == [
        str(package / "dist" / "bin.js"),
        "run",
        f"--python={sys.executable}",
        f"--project={tmp_path}",
    ]
    assert command[-3:] == ["web", "--", "--reload"]
    descriptor = int(command[5].rpartition("=")[2])
    assert os.get_inheritable(descriptor)
    with os.fdopen(descriptor) as file:
        answer = json.load(file)
    assert answer["settings"]["PRODUCTION_PROCESSES"] == {"web": {}}
    assert answer["settingsModule"] == "shop.settings"
    assert answer["modules"] == {"json": True}


def test_names_the_package_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRODSERVER_PACKAGE", str(tmp_path))
    with pytest.raises(CommandError, match=f"Cannot find prodserver in {tmp_path}"):
        handover.find_package()


def test_finds_the_package_upwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = tmp_path / "node_modules" / "prodserver"
    (installed / "dist").mkdir(parents=True)
    (installed / "dist" / "bin.js").touch()
    (installed / "package.json").touch()
    (tmp_path / "backend").mkdir()
    monkeypatch.delenv("PRODSERVER_PACKAGE", raising=False)
    monkeypatch.setattr(handover, "__file__", str(tmp_path / "a" / "b" / "c" / "handover.py"))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "backend" / "manage.py")])
    assert handover.find_package() == installed


def test_needs_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="Cannot find Node"):
        handover.find_node(tmp_path)


def test_passes_on_the_time_zone_from_before_django() -> None:
    script = (
        "import os; os.environ['TZ'] = 'UTC'\n"
        "from django_prodserver.handover import inherited_environment\n"
        "print(inherited_environment().get('TZ'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(handover.__file__).parents[1])}
    environment.pop("TZ", None)
    for given, expected in (({}, "None"), ({"TZ": "Europe/Berlin"}, "Europe/Berlin")):
        env = {**environment, **given}
        assert subprocess.check_output([sys.executable, "-c", script], env=env, text=True).strip() == expected


def test_reports_problems_as_checks(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    problems = [
        {"id": "E209", "place": "web.ARGS", "message": "Wrong.", "hint": "Right", "at": "settings.py:3"},
        {"id": "W704", "place": "web", "message": "Django says this.", "hint": None},
        {"id": "W503", "place": "web", "message": "Odd.", "hint": None},
    ]
    commands: list[Any] = []

    def run(command: list[str], **_: Any) -> Any:
        commands.append(command)
        return SimpleNamespace(stdout="\n".join(map(json.dumps, problems)).encode())

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["manage.py", "check", "--deploy"])
    first, second = checks.check_processes(None)
    assert (first.id, first.msg, first.obj, first.hint) == (
        "prodserver.E209",
        "web.ARGS\nWrong.",
        "settings.py:3",
        "Right",
    )
    assert (second.id, second.level < first.level) == ("prodserver.W503", True)
    assert "--deploy" in commands[0]
    assert checks.check_processes(["shop"]) == []
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    assert checks.check_processes(None) == []


def test_warns_when_processes_cannot_be_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRODSERVER_PACKAGE", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])
    (warning,) = checks.check_processes(None)
    assert "were not checked. Cannot find prodserver" in warning.msg


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["web", "--workers=2"], (["run", "web"], ["--workers=2"])),
        (["--list"], (["list"], [])),
    ],
)
def test_runs_the_command(monkeypatch: pytest.MonkeyPatch, argv: list[str], expected: Any) -> None:
    calls: list[Any] = []

    def hand_over(arguments: list[str], extra: list[str] | tuple[str, ...] = ()) -> None:
        calls.append(([word for word in arguments if not word.startswith("--settings")], list(extra)))
        raise SystemExit(0)

    monkeypatch.setattr("django_prodserver.management.commands.prodserver.hand_over", hand_over)
    with pytest.raises(SystemExit):
        Command().run_from_argv(["manage.py", "prodserver", *argv])
    arguments, extra = calls[0]
    assert (arguments[0], extra) == (expected[0][0], expected[1])
    assert set(expected[0]) <= set(arguments)
