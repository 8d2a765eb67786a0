"""What the page shows: who answers this request, and what else is declared."""

import multiprocessing
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import django
from django.conf import settings

SERVERS = ["gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress", "uwsgi"]

RUNS = {
    "GunicornServer": settings.WSGI_APPLICATION,
    "WaitressServer": settings.WSGI_APPLICATION,
    "UvicornServer": settings.ASGI_APPLICATION,
    "DjangoTasksWorker": "manage.py db_worker",
    "DjangoQ2Worker": "manage.py qcluster",
}
KINDS = {"CeleryBeat": "scheduler", "DjangoCommand": "task"}


def get_facts(request):
    server = get_server(request)
    return {
        "server": server,
        "server_version": get_version(server),
        "server_software": request.META.get("SERVER_SOFTWARE"),
        "interface": get_interface(request),
        "process": get_own_process(request, server),
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "server_pid": get_server_pid(server),
        "python": platform.python_version(),
        "django": django.get_version(),
        "settings": settings.SETTINGS_MODULE,
        "remote_addr": request.META.get("REMOTE_ADDR"),
        "is_secure": request.is_secure(),
    }


def get_processes():
    return [
        {
            "name": name,
            "kind": get_kind(process),
            "backend": get_class(process),
            "runs": process.get("APP") or RUNS.get(get_class(process), ""),
            "address": get_address(process),
        }
        for name, process in settings.PRODUCTION_PROCESSES.items()
    ]


def get_left_out():
    return settings.NOT_INSTALLED.items()


def get_server(request):
    # WSGI servers give their name. ASGI has no place for it, so the program
    # that was started tells: .../bin/uvicorn or .../uvicorn/__main__.py.
    software = request.META.get("SERVER_SOFTWARE", "")
    program = Path(sys.argv[0]).parts[-2:]
    for is_it in (
        lambda name: name in software.lower(),
        lambda name: name in program,
        lambda name: name in sys.modules,
    ):
        for name in SERVERS:
            if is_it(name):
                return name
    # Django's development server calls itself WSGIServer/0.2.
    return software.partition("/")[0] or "an unknown server"


def get_version(server):
    try:
        return version(server)
    except PackageNotFoundError:
        return ""


def get_interface(request):
    return "asgi" if hasattr(request, "scope") else "wsgi"


def get_server_pid(server):
    """The process that was started, which is not the one answering if it forks."""
    if server == "gunicorn":
        return os.getppid()
    parent = multiprocessing.parent_process()
    return parent.pid if parent else os.getpid()


def get_own_process(request, server):
    """The declared process that is answering, as far as it can be told."""
    mine = {
        name: get_address(process)
        for name, process in settings.PRODUCTION_PROCESSES.items()
        if process["BACKEND"].split(".")[-2] == server
    }
    for name, address in mine.items():
        if address.endswith(f":{request.META.get('SERVER_PORT')}"):
            return name
    # Another port was given on the command line.
    return next(iter(mine)) if len(mine) == 1 else None


def get_class(process):
    return process["BACKEND"].rpartition(".")[2]


def get_kind(process):
    name = get_class(process)
    return "worker" if name.endswith("Worker") else KINDS.get(name, "web")


def get_address(process):
    args = process.get("ARGS", {})
    if "port" in args:
        return f"{args.get('host', '127.0.0.1')}:{args['port']}"
    return args.get("bind", "")
