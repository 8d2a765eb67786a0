"""What only the running project can tell before a deployment: its database, its broker, what Django's own checks say.

Called after ``django.setup()``. It reports; what is a problem is decided on the other side.
"""

from __future__ import annotations

import os

# typing is not imported: a start of the interpreter is waited for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Reach = Callable[[], object]

# Longer than a connection takes that will be made.
PATIENCE_SECONDS = 5


def inspect_deployment(question: dict[str, Any]) -> dict[str, Any]:
    """
    ``question`` has ``celery``, import paths of applications by the process that they are of, and ``libraries``, names
    of others.
    """
    from django.conf import settings

    return {
        "debug": bool(settings.DEBUG),
        "allowedHosts": list(settings.ALLOWED_HOSTS),
        "checks": run_checks(),
        "databases": [look_at_database(alias) for alias in settings.DATABASES],
        "static": look_at_static(settings),
        "celery": {name: look_at_celery(path) for name, path in question["celery"].items()},
        "libraries": {name: look_at_library(name) for name in question["libraries"]},
    }


def run_checks() -> list[dict[str, Any]]:
    from django.core.checks import run_checks

    # Told with more sense as problems of ours.
    ours = {"security.W018", "security.W020"}
    return [
        {"id": message.id, "isError": message.level >= 40, "message": message.msg, "hint": message.hint}
        for message in run_checks(include_deployment_checks=True)
        if message.id not in ours and not message.is_silenced()
    ]


def look_at_database(alias: str) -> dict[str, Any]:
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    connection = connections[alias]
    found: dict[str, Any] = {"alias": alias, "vendor": connection.vendor, "error": None, "unapplied": []}
    name = str(connection.settings_dict.get("NAME") or "")
    if connection.vendor == "sqlite" and not os.path.exists(name) and ":memory:" not in name:
        # To connect would make it.
        return {**found, "error": f"there is no file {name}"}
    if connection.vendor in ("postgresql", "mysql"):
        connection.settings_dict["OPTIONS"] = {
            "connect_timeout": PATIENCE_SECONDS,
            **connection.settings_dict.get("OPTIONS", {}),
        }
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        found["unapplied"] = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
    except Exception as error:
        found["error"] = first_line(error)
    finally:
        connection.close()
    return found


def look_at_static(settings: Any) -> dict[str, Any] | None:
    if "django.contrib.staticfiles" not in settings.INSTALLED_APPS:
        return None
    root = settings.STATIC_ROOT
    try:
        return {"root": str(root) if root else None, "isEmpty": not root or not any(os.scandir(root))}
    except OSError:
        return {"root": str(root), "isEmpty": True}


def look_at_celery(path: str) -> dict[str, Any]:
    from celery.app.utils import find_app

    found: dict[str, Any] = {"error": None, "scheduled": [], "routed": {}, "queues": []}
    try:
        app = find_app(path)
        conf = app.conf
        found["scheduled"] = [str(name) for name in conf.beat_schedule or {}]
        found["queues"] = [queue.name for queue in conf.task_queues or ()] or [conf.task_default_queue]
        routes = conf.task_routes if isinstance(conf.task_routes, dict) else {}
        for task, route in routes.items():
            queue = route if isinstance(route, str) else route.get("queue") if isinstance(route, dict) else None
            if queue is not None:
                found["routed"][str(task)] = getattr(queue, "name", None) or str(queue)
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=PATIENCE_SECONDS)
    except Exception as error:
        found["error"] = first_line(error)
    return found


def look_at_library(name: str) -> dict[str, Any]:
    """
    Why its broker cannot be reached; its queues, each with a task that goes to it or the setting that has it; and the
    periodic tasks that workers start by themselves, without asking each other.
    """
    found: dict[str, Any] = {"error": None, "queues": {}, "periodic": []}
    try:
        reach = LIBRARIES[name](found)
        if reach is not None:
            reach()
    except Exception as error:
        found["error"] = first_line(error)
    return found


GOES_TO = " goes to"


def look_at_rq(found: dict[str, Any]) -> Reach:
    from django.conf import settings
    from django_rq import get_connection

    found["queues"].update((name, "RQ_QUEUES has") for name in settings.RQ_QUEUES)

    def reach() -> None:
        for name in settings.RQ_QUEUES:
            ping(get_connection(name))

    return reach


def look_at_dramatiq(found: dict[str, Any]) -> Reach:
    import dramatiq
    from django.conf import settings
    from django.utils.module_loading import autodiscover_modules

    autodiscover_modules(*getattr(settings, "DRAMATIQ_AUTODISCOVER_MODULES", ["tasks"]))
    broker = dramatiq.get_broker()
    found["queues"].update(
        (actor.queue_name, name + GOES_TO) for name, actor in sorted(broker.actors.items(), reverse=True)
    )
    # That of Redis has a client, that of RabbitMQ makes its connection when it is looked at.
    return lambda: ping(broker.client) if hasattr(broker, "client") else getattr(broker, "connection", None)


def look_at_huey(found: dict[str, Any]) -> Reach | None:
    from django.utils.module_loading import autodiscover_modules
    from huey.contrib.djhuey import HUEY

    autodiscover_modules("tasks")
    found["periodic"] = sorted(type(task).__name__ for task in HUEY._registry.periodic_tasks)

    connection = getattr(HUEY.storage, "conn", None)
    return (lambda: ping(connection)) if hasattr(connection, "connection_pool") else None


def look_at_procrastinate(found: dict[str, Any]) -> None:
    from procrastinate.contrib.django import app

    tasks = {task.name: task.queue for task in app.tasks.values() if not task.name.startswith("builtin:")}
    found["queues"].update((queue, name + GOES_TO) for name, queue in sorted(tasks.items(), reverse=True))


def look_at_tasks(found: dict[str, Any]) -> None:
    from django.conf import settings

    of_a_database = ("django_tasks_db.", "django_tasks.backends.database.")
    for backend in settings.TASKS.values():
        if backend["BACKEND"].startswith(of_a_database):
            found["queues"].update((name, "TASKS has") for name in backend.get("QUEUES", ["default"]))


LIBRARIES = {
    "dramatiq": look_at_dramatiq,
    "huey": look_at_huey,
    "procrastinate": look_at_procrastinate,
    "rq": look_at_rq,
    "tasks": look_at_tasks,
}


def ping(client: Any) -> None:
    client.connection_pool.connection_kwargs.setdefault("socket_connect_timeout", PATIENCE_SECONDS)
    client.ping()


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
