"""Speaks for Python: backend classes of the project's own, and what only an import can tell.

``inspect REQUEST`` answers questions as one line of JSON on descriptor 3: which methods a backend class overrides,
what its ``prep_server_args`` returns, whether an application can be imported.

``run NAME [ARGS...]`` starts the process NAME the way the original does: the class is constructed with the keys of
the declaration, then ``start_server(*prep_server_args())`` is called.
"""

import os
import sys
from importlib import import_module


def import_object(path):
    module, _, name = path.rpartition(".")
    if not module:
        raise ImportError("%r is not a dotted path" % path)
    loaded = import_module(module)
    if not hasattr(loaded, name):
        raise ImportError("module %r has no attribute %r" % (module, name), name=path)
    return getattr(loaded, name)


def set_up():
    import django

    django.setup()


def declaration_of(name):
    from django.conf import settings

    defaults = getattr(settings, "PRODUCTION_PROCESS_DEFAULTS", None) or {}
    return {**defaults, **settings.PRODUCTION_PROCESSES[name]}


def inspect_class(name):
    declaration = declaration_of(name)
    backend_class = import_object(str(declaration["BACKEND"]))
    if not callable(backend_class):
        raise TypeError("%s is not a class" % declaration["BACKEND"])
    mro = getattr(backend_class, "__mro__", (backend_class,))
    paths = ["%s.%s" % (c.__module__, c.__qualname__) for c in mro]
    missing = [method for method in ("start_server", "prep_server_args") if not hasattr(backend_class, method)]
    if missing:
        raise TypeError("%s has no method %s" % (declaration["BACKEND"], " and no ".join(missing)))
    starter = next((p for p, c in zip(paths, mro) if "start_server" in vars(c)), None)
    result = {"mro": paths, "starter": starter}
    if starter and starter.startswith("django_prodserver.backends."):
        result["args"] = [str(arg) for arg in backend_class(**declaration).prep_server_args()]
    return result


def inspect_app(path):
    """Celery's own rule: a module, or an attribute of one, with a dot or a colon between them."""
    if ":" in path:
        module, _, name = path.partition(":")
        return {"found": hasattr(import_module(module), name)}
    try:
        import_module(path)
        return {"found": True}
    except ModuleNotFoundError as error:
        if error.name is None or not (path == error.name or path.startswith(error.name + ".")) or "." not in path:
            raise
    import_object(path)
    return {"found": True}


def attempt(function, value):
    try:
        return function(value)
    except BaseException as error:
        import traceback

        frames = traceback.extract_tb(error.__traceback__)
        own = os.path.abspath(__file__)
        shown = [f for f in frames if not f.filename.startswith("<frozen") and os.path.abspath(f.filename) != own]
        shown = [f for f in shown if not f.filename.endswith("importlib/__init__.py")]
        return {
            "error": {
                "type": type(error).__name__,
                "message": str(error),
                "module": getattr(error, "name", None) if isinstance(error, ImportError) else None,
                "import": isinstance(error, ImportError),
                "text": "".join(traceback.format_list(shown) + traceback.format_exception_only(type(error), error)),
            }
        }


def inspect(request):
    import json

    question = json.loads(request)
    sys.path[:0] = question["path"]
    answer = {"ready": attempt(lambda _: set_up() or {}, None)} if question["setup"] else {}
    answer["classes"] = {name: attempt(inspect_class, name) for name in question["classes"]}
    answer["apps"] = {path: attempt(inspect_app, path) for path in question["apps"]}
    with os.fdopen(3, "w") as out:
        out.write(json.dumps(answer) + "\n")
        out.flush()
        os._exit(0)


def run(name, extra):
    set_up()
    declaration = declaration_of(name)
    backend = import_object(str(declaration["BACKEND"]))(**declaration)
    # Backends written for the original read the command line of `manage.py prodserver NAME`.
    sys.argv = [os.path.join(os.getcwd(), "manage.py"), "prodserver", name]
    backend.start_server(*backend.prep_server_args(), *extra)


if __name__ == "__main__":
    # The folder of this file is no place to import from; the project is.
    sys.path[0] = os.getcwd()
    if sys.argv[1] == "inspect":
        inspect(sys.argv[2])
    else:
        run(sys.argv[2], sys.argv[3:])
