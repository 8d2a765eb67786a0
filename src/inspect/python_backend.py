"""Speaks for Python: backend classes of the project's own, and what only an import can tell.

``inspect`` answers the questions on its standard input as one line of JSON on descriptor 3: which methods a backend
class overrides, what its ``prep_server_args`` returns, whether an application can be imported, what a program makes of
its options.

``run NAME [ARGS...]`` starts the process NAME the way the original does: the class is constructed with the keys of
the declaration, then ``start_server(*prep_server_args())`` is called.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

# typing is not imported: a start of the interpreter is waited for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


def import_object(path: str) -> Any:
    separator = ":" if ":" in path else "."
    module, _, name = path.rpartition(separator)
    if not module:
        raise ImportError(f"{path!r} is not a dotted path")
    found: Any = import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            error: Any = ImportError(f"module {module!r} has no attribute {name!r}", name=path)
            error.near = nearest(part, found, module + separator)
            raise error
        found = getattr(found, part)
    return found


def nearest(name: str, module: Any, prefix: str) -> str | None:
    from difflib import get_close_matches

    matches = get_close_matches(name, [known for known in vars(module) if not known.startswith("_")], 1)
    return prefix + matches[0] if matches else None


def set_up() -> None:
    import django

    django.setup()


def inspect_setup(_: None) -> dict[str, Any]:
    set_up()
    return {}


def declaration_of(name: str, overrides: Iterable[list[Any]] = ()) -> dict[str, Any]:
    from django.conf import settings

    defaults = getattr(settings, "PRODUCTION_PROCESS_DEFAULTS", None) or {}
    declaration = {**defaults, **settings.PRODUCTION_PROCESSES[name]}
    for path, *value in overrides:
        override(declaration, path, value)
    return declaration


def override(values: dict[str, Any], path: list[str], value: list[Any]) -> None:
    """Give a key, or a key within one, another value; without one it goes."""
    key, *inner = path
    if inner:
        values[key] = dict(values[key]) if isinstance(values.get(key), dict) else {}
        override(values[key], inner, value)
    elif value:
        values[key] = value[0]
    else:
        values.pop(key, None)


class NotABackendError(Exception):
    """What BACKEND names does not have the protocol."""


def inspect_class(item: tuple[str, list[Any]]) -> dict[str, Any]:
    declaration = declaration_of(*item)
    backend_class = import_object(str(declaration["BACKEND"]))
    if not callable(backend_class):
        raise NotABackendError("it is not a class")
    mro = getattr(backend_class, "__mro__", (backend_class,))
    paths = [f"{c.__module__}.{c.__qualname__}" for c in mro]
    missing = [method for method in ("start_server", "prep_server_args") if not hasattr(backend_class, method)]
    starter = next((p for p, c in zip(paths, mro) if "start_server" in vars(c)), None)
    if starter and starter.startswith("django_prodserver.backends.base."):
        # It is there only to say that it must be defined.
        missing.insert(0, "start_server")
    if missing:
        raise NotABackendError("it has no method {}".format(" and no ".join(missing)))
    result = {"mro": paths, "starter": starter}
    if starter and starter.startswith("django_prodserver.backends."):
        result["args"] = [str(arg) for arg in backend_class(**declaration).prep_server_args()]
    return result


def inspect_app(item: tuple[str, Any]) -> dict[str, Any]:
    path, kind = item
    if kind == "celery":
        return inspect_celery(path)
    module, _, name = path.partition(":")
    if not all(part.isidentifier() for part in name.split(".")):  # gunicorn also takes a call
        import_module(module)
        return {}
    found = import_object(path)
    return {} if callable(found) else {"type": type(found).__name__}


def is_command(question: dict[str, Any]) -> bool:
    parser: str = question["parser"]
    return parser.startswith("django ")


def inspect_options(question: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = beside("option_check").check_options(question)
    return answer


def start_measuring(questions: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Goes on aside, while other questions are answered."""
    memory = beside("memory_check")
    parser_of = beside("option_check").parser_of
    started = memory.start(questions, lambda asked: memory.load_all(asked, inspect_app, set_up, parser_of))
    return lambda: memory.collect(started)


def beside(name: str) -> Any:
    """A file beside this one, by its path: the folder of this file is no place to import from."""
    from importlib.util import module_from_spec, spec_from_file_location

    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec: Any = spec_from_file_location("prodserver_" + name, file)
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def inspect_celery(path: str) -> dict[str, str]:
    """Celery's own rule: a package, a module, or an attribute of one, with a dot or a colon between them."""
    try:
        import_object(path) if ":" in path else import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not path.startswith(error.name) or ":" in path or "." not in path:
            raise
        import_object(path)
    from celery import Celery
    from celery.app.utils import find_app

    try:
        found = find_app(path)
    except AttributeError:
        return {"type": "module"}
    return {} if isinstance(found, Celery) else {"type": type(found).__name__}


def attempt(function: Callable[[Any], Any], value: Any) -> Any:
    try:
        return function(value)
    except BaseException as error:
        import traceback

        frames = traceback.extract_tb(error.__traceback__)
        own = os.path.dirname(os.path.abspath(__file__))
        shown = [f for f in frames if not f.filename.startswith("<frozen")]
        shown = [f for f in shown if os.path.dirname(os.path.abspath(f.filename)) != own]
        shown = [f for f in shown if not f.filename.endswith("importlib/__init__.py")]
        return {
            "error": {
                "type": type(error).__name__,
                "message": str(error),
                "module": getattr(error, "name", None) if isinstance(error, ImportError) else None,
                "import": isinstance(error, ImportError),
                "near": getattr(error, "near", None),
                "text": "".join(traceback.format_list(shown) + traceback.format_exception_only(type(error), error)),
            }
        }


def inspect() -> None:
    import gc
    import json

    gc.disable()  # a short life: collecting would take a twentieth of it
    question = json.load(sys.stdin)
    sys.path[:0] = question["path"]
    # Who only reads leaves nothing behind.
    sys.dont_write_bytecode = True
    # What settings may look at.
    sys.argv = [os.path.join(os.getcwd(), "manage.py"), "prodserver"]
    measured = start_measuring(question["memory"]) if question["memory"] else None
    answer: dict[str, Any] = {"ready": attempt(inspect_setup, None)} if question["setup"] else {}
    answer["classes"] = {item[0]: attempt(inspect_class, item) for item in question["classes"].items()}
    answer["apps"] = {item[0]: attempt(inspect_app, item) for item in question["apps"].items()}
    # Without its apps, Django knows none of their commands.
    is_ready = "error" not in answer.get("ready", {})
    options = {name: asked for name, asked in question["options"].items() if is_ready or not is_command(asked)}
    answer["options"] = {name: attempt(inspect_options, asked) for name, asked in options.items()}
    if question["deploy"] is not None and is_ready:
        answer["deploy"] = attempt(beside("deploy_check").inspect_deployment, question["deploy"])
    if measured is not None:
        answer["memory"] = measured()
    with os.fdopen(3, "w") as out:
        out.write(json.dumps(answer) + "\n")
        out.flush()
        os._exit(0)


def run(name: str, extra: list[str]) -> None:
    import json

    overrides = json.loads(os.environ.pop("PRODSERVER_OVERRIDES", "[]"))
    set_up()
    declaration = declaration_of(name, overrides)
    backend = import_object(str(declaration["BACKEND"]))(**declaration)
    # Backends written for the original read the command line of `manage.py prodserver NAME`.
    sys.argv = [os.path.join(os.getcwd(), "manage.py"), "prodserver", name]
    backend.start_server(*backend.prep_server_args(), *extra)


if __name__ == "__main__":
    # The folder of this file is no place to import from; the project is.
    sys.path[0] = os.getcwd()
    if sys.argv[1] == "inspect":
        inspect()
    else:
        run(sys.argv[2], sys.argv[3:])
