"""Questions that only the project's interpreter can answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import deploy_check
import memory_check
import option_check
import pytest
import python_backend


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a module with these members."""

    def make(name: str, **members: Any) -> Any:
        made: Any = ModuleType(name)
        vars(made).update(members)
        monkeypatch.setitem(sys.modules, name, made)
        return made

    return make


# Options.


def make_parser() -> Any:
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=1, help="How many.")
    parser.add_argument("--old", help="[DEPRECATED] Use --new.")
    parser.add_argument("--name", required=True)
    parser.add_argument("app")
    return parser


def question(*options: list[str], parser: str = "argparse server:make_parser", **more: Any) -> Any:
    return {
        "parser": parser,
        "package": "pytest",
        "options": [[tokens[0].lstrip("-").partition("=")[0], list(tokens)] for tokens in options],
        "modules": [],
        **more,
    }


def test_checks_each_option_alone(module: Any) -> None:
    module("server", make_parser=make_parser)
    asked = question(["--workers=many"], ["--unknown=1"], ["--workers=2"], ["--old=1"], modules=["json", "no_such"])
    answer = option_check.check_options(asked)
    assert [(each["key"], each["what"]) for each in answer["refused"]] == [("workers", "value"), ("unknown", "unknown")]
    assert answer["version"] == pytest.__version__
    assert {"workers", "old", "name"} <= set(answer["names"])
    assert answer["deprecated"] == [{"key": "old", "message": "[DEPRECATED] Use --new."}]
    assert answer["missing"] == ["no_such"]


def test_asks_a_program_that_takes_all_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "uwsgi"
    program.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        "  --version) echo 2.0;;\n"
        "  --help) printf '    -m|--master   x\\n    --http  y\\n';;\n"
        "  *--nope*) echo \"uwsgi: unrecognized option '--nope'\"; exit 1;;\n"
        "  *--http*) echo 'uwsgi: option requires an argument [core/x.c 1]'; exit 1;;\nesac\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    fine = option_check.check_options(question(["--master"], parser="uwsgi"))
    assert (fine["version"], fine["refused"], fine["names"]) == ("2.0", [], ["http", "master"])
    refused = option_check.check_options(question(["--nope"], ["--http"], ["--master"], parser="uwsgi"))["refused"]
    assert [(each["key"], each["what"]) for each in refused] == [("nope", "unknown"), ("http", "value")]
    assert refused[1]["message"] == "option requires an argument"


def test_needs_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        option_check.check_options(question(["--master"], parser="uwsgi"))


@pytest.mark.parametrize("prefix", ["", "file:"])
def test_reads_the_worker_class_of_a_configuration(tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "gunicorn.conf.py"
    file.write_text("workers = 2\nworker_class = 'gthread'\nother, = [1]\n")
    assert option_check.configured_worker_class(prefix + str(file)) == "gthread"
    file.write_text("worker_class = make()\n")
    assert option_check.configured_worker_class(str(file)) is None
    file.write_text("x = (")
    assert option_check.configured_worker_class(str(file)) is None


def test_looks_for_a_configuration_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert option_check.configured_worker_class(None) is None
    (tmp_path / "gunicorn.conf.py").write_text("worker_class = 'sync'\n")
    assert option_check.configured_worker_class(None) == "sync"


def test_finds_the_parser_that_a_program_makes_where_it_uses_it(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse

    original = argparse.ArgumentParser.parse_args
    module("hypercorn")
    module("hypercorn.__main__", main=lambda arguments: make_parser().parse_args(arguments))
    assert "workers" in option_check.hypercorn().names()
    assert argparse.ArgumentParser.parse_args is original


def test_checks_waitress_by_its_own_rules(module: Any) -> None:
    def asbool(value: str) -> bool:
        return value == "true"

    class Adjustments:
        _params = (("host", str), ("expose_tracebacks", asbool), ("sockets", list))

        def __init__(self, **values: Any) -> None:
            if values.get("host") == "bad":
                raise ValueError("bad host\nmore")

        @staticmethod
        def parse_args(tokens: list[str]) -> Any:
            import getopt

            options, arguments = getopt.getopt(tokens, "", ["host=", "help", "call"])
            return {name[2:]: value for name, value in options}, arguments

    module("waitress")
    module("waitress.adjustments", Adjustments=Adjustments, asbool=asbool)
    answer = option_check.check_options(question(["--host=bad"], ["--nope=1"], ["--help"], parser="waitress"))
    assert [(each["key"], each["what"], each["message"]) for each in answer["refused"]] == [
        ("host", "value", "bad host"),
        ("nope", "unknown", "option --nope not recognized"),
    ]
    assert answer["names"] == ["expose-tracebacks", "host", "no-expose-tracebacks"]


@pytest.mark.parametrize(
    ("text", "is_marked", "said"),
    [
        (None, False, None),
        ("How many.", False, None),
        ("", True, "it is marked as deprecated"),
        ("Fast. This option is deprecated; use :opt:`x`.", False, "This option is deprecated; use x."),
        ("Deprecated by RFC 7230.", False, None),
    ],
)
def test_finds_what_is_said_of_deprecations(text: str | None, is_marked: bool, said: str | None) -> None:
    assert option_check.deprecation_in(text, is_marked) == said


def test_an_option_of_a_command_is_one_of_its_sub_command() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--verbose", action="store_true")
    parser.add_subparsers().add_parser("worker").add_argument("--queue")
    both = option_check.SubCommand(parser, "worker")
    both.check(["--queue=a"])
    both.check(["--verbose"])
    with pytest.raises(option_check.RefusedError) as caught:
        both.check(["--nope"])
    assert caught.value.what == "unknown"
    assert {"queue", "verbose"} <= set(both.names())


# Memory.


def test_measures_what_a_program_loads() -> None:
    def load(asked: Any) -> None:
        if asked["fails"]:
            raise RuntimeError("cannot be loaded")
        globals()["_ballast"] = bytearray(os.urandom(1)) * (asked["size"] << 20)

    devnull = os.open(os.devnull, os.O_WRONLY)
    small, large = {"fails": False, "size": 1}, {"fails": False, "size": 40}
    saved = os.dup(2)
    os.dup2(devnull, 2)
    try:
        started = memory_check.start({"a": small, "b": large, "c": small, "d": {"fails": True}}, load)
        answers = memory_check.collect(started)
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(devnull)
    assert started["a"] == started["c"]
    assert answers["d"] is None
    assert answers["b"]["alone"] - answers["a"]["alone"] > 30 << 20
    assert answers["a"]["forked"] > 0


def test_reads_memory_from_the_system(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("Name: x\nRssAnon:   12 kB\n")
    assert memory_check.unshared_bytes(str(tmp_path / "status"), "RssAnon") == 12 * 1024
    with pytest.raises(KeyError):
        memory_check.unshared_bytes(str(tmp_path / "status"), "Swap")


def test_loads_the_program_and_the_application() -> None:
    seen: list[Any] = []
    asked = {"modules": ["json"], "parser": "gunicorn wsgi", "app": ["mysite.celery", "celery"]}
    memory_check.load_all(asked, seen.append, lambda: seen.append("set up"), seen.append)
    assert seen == ["gunicorn wsgi", ["mysite.celery", "celery"]]
    memory_check.load_all(
        {"modules": [], "parser": "django x", "app": None}, seen.append, lambda: seen.append("up"), seen.append
    )
    assert seen[2:] == ["up"]


# Backends and applications.


def test_imports_objects_by_a_dotted_path(module: Any) -> None:
    module("shop", application=len, nested=SimpleNamespace(app=1))
    assert python_backend.import_object("shop.application") is len
    assert python_backend.import_object("shop:nested.app") == 1
    with pytest.raises(ImportError) as caught:
        python_backend.import_object("shop:aplication")
    assert caught.value.near == "shop:application"  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="is not a dotted path"):
        python_backend.import_object("shop")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["UMASK"], ["022"], {"ARGS": {"a": 1}, "UMASK": "022"}),
        (["ARGS", "a"], [2], {"ARGS": {"a": 2}}),
        (["ARGS", "b", "c"], [3], {"ARGS": {"a": 1, "b": {"c": 3}}}),
        (["ARGS", "a"], [], {"ARGS": {}}),
        (["NOTHING"], [], {"ARGS": {"a": 1}}),
    ],
)
def test_overrides_keys(path: list[str], value: list[Any], expected: Any) -> None:
    values: dict[str, Any] = {"ARGS": {"a": 1}}
    python_backend.override(values, path, value)
    assert values == expected


def test_tells_applications_from_other_objects(module: Any) -> None:
    module("shop", application=len, settings={"a": 1})
    assert python_backend.inspect_app(("shop:application", "wsgi")) == {}
    assert python_backend.inspect_app(("shop:settings", "wsgi")) == {"type": "dict"}
    assert python_backend.inspect_app(("shop:create()", "wsgi")) == {}


def test_reports_what_fails_without_its_own_frames(module: Any) -> None:
    module("shop", application=len)
    error = python_backend.attempt(python_backend.inspect_app, ("shop:aplication", "wsgi"))["error"]
    assert (error["type"], error["import"], error["near"]) == ("ImportError", True, "shop:application")
    assert "python_backend.py" not in error["text"]


def project_with(tmp_path: Path, backend: str) -> Path:
    (tmp_path / "project_settings.py").write_text(
        "PRODUCTION_PROCESSES = {'jobs': {'BACKEND': 'project_backend.Jobs', 'ARGS': {'n': 1}}}\n"
        "PRODUCTION_PROCESS_DEFAULTS = {'UMASK': '022'}\n"
    )
    (tmp_path / "project_backend.py").write_text(backend)
    return tmp_path


JOBS = """
class Jobs:
    def __init__(self, **declaration): self.declaration = declaration
    def prep_server_args(self): return ["--n=%s" % self.declaration["ARGS"]["n"], self.declaration["UMASK"]]
    def start_server(self, *args):
        import sys
        print(args, sys.argv[1:])
"""


def run_backend(folder: Path, *arguments: str, text: str = "", **env: str) -> Any:
    return subprocess.run(
        [sys.executable, python_backend.__file__, *arguments],
        cwd=folder,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project_settings", **env},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        close_fds=False,
        preexec_fn=(lambda: os.dup2(os.open(folder / "answer", os.O_CREAT | os.O_WRONLY), 3)) if text else None,
    )


def test_starts_a_backend_class_as_the_original_does(tmp_path: Path) -> None:
    folder = project_with(tmp_path, JOBS)
    overrides = json.dumps([[["ARGS", "n"], 2]])
    finished = run_backend(folder, "run", "jobs", "--extra", PRODSERVER_OVERRIDES=overrides)
    assert finished.stdout == "('--n=2', '022', '--extra') ['prodserver', 'jobs']\n"


def test_answers_questions_in_one_line(tmp_path: Path) -> None:
    folder = project_with(tmp_path, JOBS)
    asked = {
        "path": [str(folder)],
        "memory": {},
        "setup": True,
        "classes": {"jobs": []},
        "apps": {},
        "options": {},
        "deploy": None,
    }
    finished = run_backend(folder, "inspect", text=json.dumps(asked))
    assert finished.returncode == 0, finished.stderr
    answer = json.loads((folder / "answer").read_text())
    assert answer["ready"] == {}
    assert answer["classes"]["jobs"]["starter"] == "project_backend.Jobs"


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("Jobs = 3", "it is not a class"),
        ("class Jobs: pass", "it has no method start_server and no prep_server_args"),
    ],
)
def test_refuses_what_is_no_backend(tmp_path: Path, backend: str, message: str) -> None:
    folder = project_with(tmp_path, backend)
    asked = {"path": [str(folder)], "memory": {}, "setup": True, "classes": {"jobs": []}, "apps": {}, "options": {}}
    run_backend(folder, "inspect", text=json.dumps({**asked, "deploy": None}))
    error = json.loads((folder / "answer").read_text())["classes"]["jobs"]["error"]
    assert error["message"] == message


# Deployments.


DEPLOY = """
import json, sys
from django.conf import settings
settings.configure(
    DEBUG=False, ALLOWED_HOSTS=["a"], SECRET_KEY="x" * 60, STATIC_ROOT=sys.argv[2], STATIC_URL="/s/",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.staticfiles"],
    DATABASES={name: {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
               for name, path in (("default", ":memory:"), ("gone", "/no/such/file"))},
    TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["a"]}},
)
import django
django.setup()
sys.path.insert(0, sys.argv[1])
import deploy_check
print(json.dumps(deploy_check.inspect_deployment({"celery": {"w": "no.such"}, "libraries": ["tasks", "rq"]})))
"""


def test_looks_at_a_deployment(tmp_path: Path) -> None:
    static = tmp_path / "static"
    static.mkdir()
    command = [sys.executable, "-c", DEPLOY, str(Path(deploy_check.__file__).parent), str(static)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No module named 'celery'" in finished.stderr:
        command[2] = DEPLOY.replace('"celery": {"w": "no.such"}', '"celery": {}')
        finished = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(finished.stdout)
    databases = {each["alias"]: each for each in answer["databases"]}
    assert databases["gone"]["error"] == "there is no file /no/such/file"
    assert databases["default"]["error"] is None
    assert "contenttypes.0001_initial" in databases["default"]["unapplied"]
    assert answer["static"] == {"root": str(static), "isEmpty": True}
    assert answer["libraries"]["tasks"]["queues"] == {"a": "TASKS has"}
    assert "No module named" in answer["libraries"]["rq"]["error"]
    assert all(check["id"] not in ("security.W018", "security.W020") for check in answer["checks"])


def test_looks_at_celery(module: Any) -> None:
    class Connection:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def ensure_connection(self, **_: Any) -> None:
            raise ConnectionError("refused\nmore")

    conf = SimpleNamespace(
        beat_schedule={"nightly": {}},
        task_queues=[SimpleNamespace(name="a")],
        task_default_queue="celery",
        task_routes={"x": "a", "y": {"queue": "b"}, "z": {"queue": SimpleNamespace(name="c")}, "n": 3},
    )
    app = SimpleNamespace(conf=conf, connection_for_write=Connection)
    for name in ("celery", "celery.app"):
        module(name)
    module("celery.app.utils", find_app=lambda path: app)
    assert deploy_check.look_at_celery("mysite") == {
        "error": "refused",
        "scheduled": ["nightly"],
        "routed": {"x": "a", "y": "b", "z": "c"},
        "queues": ["a"],
    }


def test_looks_at_the_brokers_of_libraries(module: Any) -> None:
    pinged: list[Any] = []

    class Client:
        connection_pool = SimpleNamespace(connection_kwargs={})

        def ping(self) -> None:
            pinged.append(self.connection_pool.connection_kwargs)

    tasks = {
        "app.send": SimpleNamespace(name="app.send", queue="mail"),
        "b": SimpleNamespace(name="builtin:x", queue="y"),
    }
    module("procrastinate")
    module("procrastinate.contrib")
    module("procrastinate.contrib.django", app=SimpleNamespace(tasks=tasks))
    assert deploy_check.look_at_library("procrastinate")["queues"] == {"mail": "app.send goes to"}
    deploy_check.ping(Client())
    assert pinged == [{"socket_connect_timeout": deploy_check.PATIENCE_SECONDS}]
    assert deploy_check.look_at_library("huey")["error"]
    assert deploy_check.first_line(ValueError()) == "ValueError"
