"""What is read from a project's settings, and where each value is written."""

from __future__ import annotations

import ast
import datetime
import decimal
import enum
import os
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import deferred_package
import django_probe
import pytest
import setting_lines

PROBE = Path(django_probe.__file__)


class Kind(enum.Enum):
    WEB = "web"


class Lazy:
    def __str__(self) -> str:
        return "lazy"


Lazy.__name__ = "__proxy__"


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        ("text", "text"),
        (7, 7),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (1.5, 1.5),
        (float("nan"), {"__python__": "float", "repr": "nan"}),
        (float("inf"), {"__python__": "float", "repr": "inf"}),
        ([1, (2, "b")], [1, [2, "b"]]),
        ({"b", "a"}, ["a", "b"]),
        ({"a": {1: 2}}, {"a": {"1": {"__python__": "key", "repr": "1"}}}),
        (Path("/srv"), "/srv"),
        (Kind.WEB, "web"),
        (Lazy(), "lazy"),
        ({Lazy(): 1}, {"lazy": 1}),
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (datetime.timedelta(minutes=2), 120.0),
        (Broken(), {"__python__": "Broken", "repr": "<repr raised RuntimeError>"}),
    ],
)
def test_carries_values_as_json(value: Any, expected: Any) -> None:
    assert django_probe.plain(value) == expected


def test_ends_at_values_that_hold_themselves() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert django_probe.plain(loop) == [{"__python__": "list", "repr": "[[...]]"}]
    deep: Any = 1
    for _ in range(30):
        deep = [deep]
    assert "__python__" in str(django_probe.plain(deep))


def test_describes_settings() -> None:
    settings = SimpleNamespace(PRODUCTION_PROCESSES={"web": {}, "1": {}}, DEBUG=False, OTHER=1)
    found = django_probe.describe(settings, "/srv/settings.py", ["json", "no.such.module"])
    assert found["settings"] == {"PRODUCTION_PROCESSES": {"web": {}, "1": {}}, "DEBUG": False}
    assert found["order"] == ["web", "1"]
    assert found["modules"] == {"json": True, "no.such.module": False}
    assert found["python"]["version"] == sys.version.split()[0]


def ask(project: Path, **question: Any) -> Any:
    import json

    read, write = os.pipe()
    asked = {
        "root": str(project),
        "manage": None,
        "pythonPath": [],
        "runManage": False,
        "settings": "mysite.settings",
        "modules": [],
        "lines": True,
        "timeoutSeconds": 20,
        **question,
    }
    subprocess.run(
        [sys.executable, str(PROBE), json.dumps(asked)],
        cwd=project,
        preexec_fn=lambda: os.dup2(write, 3),
        close_fds=False,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as file:
        text = file.read()
    assert text[0] == "#"
    return json.loads(text[1:])


Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a function that writes the settings' package."""

    def write(settings: str, **files: str) -> Path:
        package = tmp_path / "mysite"
        package.mkdir()
        for name, text in {"__init__": "", "settings": settings, **files}.items():
            (package / f"{name}.py").write_text(text)
        return tmp_path

    return write


def test_answers_with_the_settings_and_their_lines(project: Project) -> None:
    root = project("print('noise')\nDEBUG = False\nPRODUCTION_PROCESSES = {\n    'web': {'BACKEND': 'gunicorn'},\n}\n")
    answer = ask(root)
    assert answer["settings"]["PRODUCTION_PROCESSES"] == {"web": {"BACKEND": "gunicorn"}}
    assert answer["settingsModule"] == "mysite.settings"
    file = str(root / "mysite" / "settings.py")
    assert [["PRODUCTION_PROCESSES", "web", "BACKEND"], f"{file}:4"] in answer["lines"]
    assert answer["literals"] == [["PRODUCTION_PROCESSES", "web", "BACKEND"]]
    assert not (root / "mysite" / "__pycache__").exists()


@pytest.mark.parametrize(
    ("settings", "kind", "line"),
    [
        ("import nothing_here\n", "ModuleNotFoundError", 1),
        ("\nx =\n", "SyntaxError", 2),
        ("raise SystemExit(3)", "SystemExit", 1),
    ],
)
def test_reports_settings_that_fail(project: Project, settings: str, kind: str, line: int) -> None:
    root = project(settings)
    error = ask(root)["error"]
    assert (error["stage"], error["type"], error["settings"]) == ("settings", kind, "mysite.settings")
    assert error["frames"][-1] == {"file": str(root / "mysite" / "settings.py"), "line": line}
    assert "django_probe" not in error["text"]


def test_says_when_no_settings_are_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    assert ask(project(""), settings=None) == {"error": {"stage": "unknown"}}


def test_runs_manage_up_to_django(project: Project) -> None:
    root = project("import os\nDEBUG = os.environ['FROM_MANAGE'] == '1'\n")
    manage = root / "manage.py"
    manage.write_text(
        "import os, sys\nos.environ['FROM_MANAGE'] = '1'\nos.environ['DJANGO_SETTINGS_MODULE'] = 'mysite.settings'\n"
        "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n"
    )
    answer = ask(root, manage=str(manage), runManage=True, settings=None)
    assert answer["settings"]["DEBUG"] is True
    assert answer["exported"]["FROM_MANAGE"] == "1"


# Lines of settings.


def lines_of(source: str) -> dict[tuple[str, ...], tuple[int, bool]]:
    """Return the line of each path of keys, and whether its value is a literal text."""
    found: dict[tuple[str, ...], str] = {}
    literals: dict[tuple[str, ...], bool] = {}
    for node in ast.walk(ast.parse(source)):
        for path, value, line in setting_lines.assigned(node):
            setting_lines.note(found, literals, "f", path, value, line)
    return {path: (int(place.rpartition(":")[2]), literals[path]) for path, place in found.items()}


def test_finds_the_lines_of_keys() -> None:
    source = """P = {
  "web": dict(
    BACKEND="gunicorn",
    ARGS={"bind": 1},
  ),
}
P["web"]["UMASK"] = "022"
Q: int = 3
R: int
"""
    assert lines_of(source) == {
        ("P",): (1, False),
        ("P", "web"): (2, False),
        ("P", "web", "BACKEND"): (3, True),
        ("P", "web", "ARGS"): (4, False),
        ("P", "web", "ARGS", "bind"): (4, False),
        ("P", "web", "UMASK"): (7, True),
        ("Q",): (8, False),
    }


def test_ignores_what_cannot_be_read_from_the_text() -> None:
    source = "P[name] = 1\nP[1:2] = 3\nf().x = 1\nP = {**more, name: 1}\nP = dict(**more)\n"
    assert set(lines_of(source)) == {("P",)}


def test_passes_over_files_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "settings.py"
    for content in (b"x = (", b"\0"):
        broken.write_bytes(content)
        assert setting_lines.find_lines(["x"], str(broken), str(tmp_path)) == {"lines": [], "literals": []}
    assert setting_lines.find_lines(["x"], None, str(tmp_path))["lines"] == []


# The package of the settings, without Celery.


CELERY = """
import os
from celery import Celery
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
app = Celery("mysite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {"a": {"task": "b", "schedule": 1}}
@app.task(bind=True)
def debug(self):
    print(self)
"""
PACKAGE = "from .celery import app as celery_app\n__all__ = ('celery_app',)\n"


@pytest.mark.parametrize(
    ("package", "application", "is_deferred"),
    [
        (PACKAGE, CELERY, True),
        ("from mysite.celery import app\n", CELERY, True),
        ("try:\n    from .celery import app\nexcept ImportError:\n    app = None\n", CELERY, True),
        (PACKAGE + "import os\n", CELERY, False),
        (PACKAGE, CELERY + "open('x')\n", False),
        (PACKAGE, CELERY + "for x in []:\n    pass\n", False),
        (PACKAGE, CELERY + "import requests\n", False),
        (PACKAGE, "from . import settings\n", False),
        (PACKAGE, "x = (", False),
        ("", CELERY, False),
        ("from .celery import app\nfrom .other import x\n", CELERY, False),
    ],
)
def test_defers_only_a_package_that_makes_an_application(
    project: Project, monkeypatch: pytest.MonkeyPatch, package: str, application: str, is_deferred: bool
) -> None:
    root = project("", __init__=package, celery=application)
    monkeypatch.delitem(sys.modules, "mysite", raising=False)
    deferred_package.defer("mysite.settings", str(root))
    assert ("mysite" in sys.modules) == is_deferred
    sys.modules.pop("mysite", None)


def test_runs_a_deferred_package_when_it_is_used(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project("", __init__=PACKAGE, celery=CELERY)
    for name in ("mysite", "mysite.celery"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    deferred_package.defer("mysite.settings", str(root))
    (root / "mysite" / "__init__.py").write_text("celery_app = 'made'\n")
    package: Any = sys.modules["mysite"]
    with pytest.raises(AttributeError):
        _ = package.__wrapped__
    assert package.celery_app == "made"
    assert type(package).__name__ == "module"
