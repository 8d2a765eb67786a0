"""Answers one question about a Django project: what do its settings say about production processes?

Run by prodserver with the project's own interpreter, standard library only. The question is one JSON argument,
the answer one line of JSON on descriptor 3, so whatever the settings print is only noise. Django is imported only
if the settings (or an unusual ``manage.py``) do, and ``django.setup()`` is never called.

The Django app that ships with prodserver imports this file too, and hands over the settings already in force.
Every decision is made on the other side: this file reports.
"""

from __future__ import annotations

import os
import sys

# typing is not imported: a start of the interpreter is waited for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

ANSWER_FD = 3
SETTINGS = (
    "PRODUCTION_PROCESSES",
    "PRODUCTION_PROCESS_DEFAULTS",
    "WSGI_APPLICATION",
    "ASGI_APPLICATION",
    "INSTALLED_APPS",
    "DEBUG",
    "SILENCED_SYSTEM_CHECKS",
)
# Settings that problems are found in, of which the lines are told.
LOCATED = (*SETTINGS, "ALLOWED_HOSTS", "DATABASES", "MIDDLEWARE", "STATIC_ROOT")
# Larger integers lose digits in a JavaScript number.
MAX_SAFE_INTEGER = 2**53 - 1


def plain(value: Any, around: tuple[int, ...] = ()) -> Any:
    """The value as JSON can carry it; what it cannot carry becomes {"__python__": type name, "repr": ...}.

    ``around`` is the ids of what the value is in: what holds itself would never end.
    """
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float)):
        return plain_number(value)
    return plain_compound(value, around)


def plain_compound(value: Any, around: tuple[int, ...]) -> Any:
    """Return what JSON can carry of a value that may hold others."""
    if id(value) in around or len(around) > 20:
        return odd(value)
    around = (*around, id(value))
    if isinstance(value, dict) or (hasattr(value, "items") and hasattr(value, "keys")):
        return {
            key if isinstance(key, str) else str(key): plain(item, around)
            if isinstance(key, str) or is_lazy(key)
            else odd(key, "key")
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain(item, around) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, around) for item in value), key=str)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if hasattr(type(value), "__members__") and hasattr(value, "value"):  # an enum member
        return plain(value.value, around)
    return plain_object(value)


def plain_object(value: Any) -> Any:
    """Return what JSON can carry of an object that is known by the name of its class."""
    if is_lazy(value) or type(value).__name__ in ("Decimal", "UUID"):
        return str(value)
    if type(value).__name__ == "timedelta" and hasattr(value, "total_seconds"):
        return value.total_seconds()
    return odd(value)


def plain_number(value: float) -> Any:
    """Return a number as JSON can carry it."""
    if isinstance(value, int):
        number = int(value)
        return number if abs(number) <= MAX_SAFE_INTEGER else str(number)
    return float(value) if value - value == 0 else odd(value)


def is_lazy(value: Any) -> bool:
    """Django's lazy strings: their class is made on the fly and called __proxy__."""
    return type(value).__name__ == "__proxy__"


def odd(value: Any, what: str | None = None) -> dict[str, str]:
    try:
        text = repr(value)[:200]
    except Exception as error:
        text = f"<repr raised {type(error).__name__}>"
    return {"__python__": what or type(value).__name__, "repr": text}


def describe(
    settings: Any, settings_file: str | None, modules: Iterable[str] = (), exported: dict[str, str] | None = None
) -> dict[str, Any]:
    """The answer as a dictionary, from any object that has the settings as attributes."""
    values = {}
    for name in SETTINGS:
        if hasattr(settings, name):
            values[name] = plain(getattr(settings, name))
    processes = values.get("PRODUCTION_PROCESSES")
    return {
        "settings": values,
        # JavaScript moves keys that look like integers to the front of an object.
        "order": list(processes) if isinstance(processes, dict) and "__python__" not in processes else [],
        "settingsFile": settings_file,
        "python": {
            "executable": sys.executable,
            "version": ".".join(map(str, sys.version_info[:3])),
            "prefix": sys.prefix,
        },
        "path": [os.path.abspath(entry or os.curdir) for entry in sys.path],
        "modules": {name: has_module(name) for name in modules},
        "exported": exported or {},
    }


def has_module(name: str) -> bool:
    from importlib.util import find_spec

    if name in sys.modules:  # some packages replace themselves by an object that find_spec refuses
        return True
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


class ReachedDjango(BaseException):
    """Raised where manage.py would hand over to Django. Not an Exception, so that no handler in between eats it."""


def run_manage(path: str) -> dict[str, str]:
    """Run an unusual manage.py up to the point where it calls Django, for what it does to the environment."""
    import runpy

    from django.core import management

    def stop(*args: Any, **kwargs: Any) -> None:
        raise ReachedDjango

    original = management.execute_from_command_line, management.ManagementUtility.execute
    management.execute_from_command_line = management.ManagementUtility.execute = stop
    before = dict(os.environ)
    try:
        runpy.run_path(path, run_name="__main__")
    except ReachedDjango:
        pass
    finally:
        management.execute_from_command_line, management.ManagementUtility.execute = original
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def defer_package(module: str) -> None:
    """Do not import Celery for its application's sake, where the settings cannot tell the difference."""
    file = os.path.join(sys.path[0], module.partition(".")[0], "__init__.py")
    try:
        with open(file, "rb") as source:
            if b"celery" not in source.read() or not has_module("celery"):
                return
    except OSError:
        return
    helper("deferred_package").defer(module, sys.path[0])


def helper(name: str) -> Any:
    """A file beside this one, by its path: the folder of this file is no place to import from."""
    from importlib.util import module_from_spec, spec_from_file_location

    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec: Any = spec_from_file_location("prodserver_" + name, file)
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def load_settings(module: str) -> tuple[Any, str | None]:
    if os.environ.get("DJANGO_CONFIGURATION"):
        from configurations import importer

        importer.install()
        from django.conf import settings

        # django-configurations builds the module when the first setting is read.
        _ = settings.DEBUG
        return settings, getattr(sys.modules.get(module), "__file__", None)
    from importlib import import_module

    defer_package(module)
    loaded = import_module(module)
    # Settings managers that import Django change django.conf.settings rather than the module's attributes.
    conf = sys.modules.get("django.conf")
    return (conf.settings if conf else loaded), getattr(loaded, "__file__", None)


def failure(stage: str, error: BaseException) -> dict[str, Any]:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    own = os.path.abspath(__file__)
    shown = [f for f in frames if not f.filename.startswith("<frozen") and os.path.abspath(f.filename) != own]
    # Both of these come with the path of this file's machinery only, never of the user's.
    shown = [f for f in shown if not f.filename.endswith(("importlib/__init__.py", "runpy.py"))]
    places = [{"file": f.filename, "line": f.lineno} for f in shown]
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        # The line was never executed, so no frame has it.
        places.append({"file": error.filename, "line": error.lineno})
    return {
        "error": {
            "stage": stage,
            "settings": os.environ.get("DJANGO_SETTINGS_MODULE"),
            "type": type(error).__name__,
            "message": repr(error.code) if isinstance(error, SystemExit) else str(error),
            "module": getattr(error, "name", None) if isinstance(error, ImportError) else None,
            "notFound": isinstance(error, ModuleNotFoundError),
            "exit": isinstance(error, SystemExit),
            "frames": places,
            "text": "".join(traceback.format_list(shown) + traceback.format_exception_only(type(error), error)),
        },
    }


def answer(question: dict[str, Any]) -> dict[str, Any]:
    root, manage = question["root"], question["manage"]
    sys.path[0] = root
    sys.path[:0] = question["pythonPath"]
    sys.argv = [manage or os.path.join(root, "manage.py"), "prodserver"]
    exported = {}
    stage = "manage"
    try:
        if question["runManage"]:
            exported = run_manage(manage)
        stage = "settings"
        module = question["settings"] or os.environ.get("DJANGO_SETTINGS_MODULE")
        if not module:
            return {"error": {"stage": "unknown"}}
        os.environ["DJANGO_SETTINGS_MODULE"] = module
        settings, settings_file = load_settings(module)
        result = describe(settings, settings_file, question["modules"], exported)
        result["settingsModule"] = module
        if question["lines"]:
            result.update(helper("setting_lines").find_lines(LOCATED, settings_file, root))
        return result
    except BaseException as error:
        return failure(stage, error)


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def main() -> None:
    import faulthandler
    import gc
    import json

    gc.disable()  # a short life: collecting would take a twentieth of it
    question = json.loads(sys.argv[1])
    # Who only reads leaves nothing behind. A compiled file also counts as current for the rest of its source's second.
    sys.dont_write_bytecode = True
    os.set_inheritable(ANSWER_FD, False)
    # From here on it is the project's doing when there is no answer.
    os.write(ANSWER_FD, b"#")
    # Says where the settings hang, from a thread that needs no help from the interpreter.
    faulthandler.dump_traceback_later(question["timeoutSeconds"], exit=True, file=ANSWER_FD)
    result = answer(question)
    faulthandler.cancel_dump_traceback_later()
    write_all(ANSWER_FD, (json.dumps(result) + "\n").encode())
    # Not sys.exit: threads and exit handlers that the settings started must not keep the caller waiting.
    os._exit(0)


if __name__ == "__main__":
    main()
