"""Measures what memory a process of the project needs, by being one: it loads the program and the application only.

Each is measured in a process of its own, forked before anything is imported here. Only memory that holds no file
counts: the rest, such as the code of libraries, is there once for all of them. What requests and tasks add is not in
it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
from importlib import import_module

# typing is not imported: a start of the interpreter is waited for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Load = Callable[[dict[str, Any]], None]

# For a project that hangs while it is imported; who asked is told by then.
LIMIT_SECONDS = 60


def start(questions: dict[str, Any], load: Load) -> dict[str, int]:
    """
    ``questions`` are by process, each with what to load; ``load`` loads one. Those that are the same are asked once.
    Returns what ``collect`` takes.
    """
    pipes: dict[str, int] = {}
    for question in questions.values():
        key = json.dumps(question)
        if key not in pipes:
            pipes[key] = measure_aside(question, load)
    return {name: pipes[json.dumps(question)] for name, question in questions.items()}


def collect(started: dict[str, int]) -> dict[str, Any]:
    """The answer of each: ``alone`` in bytes, and ``forked`` for a copy of it; None for what cannot be loaded."""
    answers: dict[int, Any] = {}
    for pipe in set(started.values()):
        with os.fdopen(pipe) as read:
            answers[pipe] = json.loads(read.read() or "null")
    return {name: answers[pipe] for name, pipe in started.items()}


def measure_aside(question: dict[str, Any], load: Load) -> int:
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            signal.alarm(LIMIT_SECONDS)
            # As in a program that stays.
            gc.enable()
            load(question)
            answer = {"alone": unshared_bytes("/proc/self/status", "RssAnon"), "forked": forked_bytes()}
            os.write(write, json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(write)
    return read


def forked_bytes() -> int:
    """What a copy has for itself once it has collected garbage, which writes to nearly all that it shares."""
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            gc.collect()
            os.write(write, str(unshared_bytes("/proc/self/smaps_rollup", "Private_Dirty")).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        return int(answer.read())


def unshared_bytes(file: str, field: str) -> int:
    with open(file) as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise KeyError(field)


def load_urls() -> None:
    """Views are imported at the first request."""
    from django.urls import get_resolver

    # Reading this property imports them.
    _ = get_resolver().url_patterns


def load_all(
    question: dict[str, Any],
    inspect_app: Callable[[Any], Any],
    set_up: Callable[[], None],
    parser_of: Callable[[str], Any],
) -> None:
    """The program, the application, and what that loads when it is first used."""
    for module in question["modules"]:
        import_module(module)
    if question["parser"] and not question["parser"].startswith("django "):
        parser_of(question["parser"])
    if question["app"]:
        inspect_app(question["app"])
    else:
        set_up()
    if question["app"] and question["app"][1] in ("wsgi", "asgi"):
        load_urls()
