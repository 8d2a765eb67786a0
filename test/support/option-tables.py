"""Asks the installed servers and workers for their options: one JSON object, by program.

An option has its long names, its letters, the kind of value that it takes, and whether it may be repeated (null where
that cannot be told) or takes a list in one value. Kinds: `switch` (no value), `pair` (no value, and a `no-` form),
`boolean` (true or false as its value), `optional` (its value may be left out), `list` (several words), `value`. `names`
are those that people know from Python: of settings, of a constructor; each with the flags that it must lead to, or none
where that cannot be told.
"""

import inspect
import json
import sys


def option(flags, kind, repeatable=False, separator=None):
    return {
        "names": [flag[2:] for flag in flags if flag.startswith("--")],
        # Some have a short form of two letters.
        "letters": [flag[1:] for flag in flags if not flag.startswith("--") and len(flag) == 2],
        "kind": kind,
        "repeatable": repeatable,
        "separator": separator,
    }


def from_argparse(parser, separators=()):
    import argparse

    pair = getattr(argparse, "BooleanOptionalAction", ())
    for action in parser._actions:
        if not action.option_strings:
            continue
        flags = action.option_strings
        if isinstance(action, pair) or (type(action).__name__ == "ActionWithNegative" and action.negative is None):
            flags, kind = [flag for flag in flags if not flag.startswith("--no-")], "pair"
        elif action.nargs == 0:
            kind = "switch"
        elif action.nargs in ("*", "+"):
            kind = "list"
        else:
            # Without a value Django's own optional ones mean nothing.
            kind = "optional" if action.nargs == "?" and action.const is not None else "value"
        yield option(flags, kind, type(action).__name__ == "_AppendAction", "," if action.dest in separators else None)


def from_click(command):
    import click

    for parameter in command.get_params(click.Context(command)):
        if parameter.param_type_name != "option":
            continue
        if parameter.secondary_opts:
            kind = "pair"
            assert parameter.secondary_opts == ["--no-" + parameter.opts[-1][2:]], parameter.secondary_opts
        elif parameter.is_flag or parameter.count:
            kind = "switch"
        else:
            kind = "boolean" if parameter.type is click.BOOL else "value"
        is_list = type(parameter.type).__name__ == "CommaSeparatedList"
        yield option(parameter.opts, kind, parameter.multiple, "," if is_list else None)


def gunicorn():
    from gunicorn.config import KNOWN_SETTINGS, Config

    settings = [setting for setting in KNOWN_SETTINGS if setting.cli]
    takes_list = ("validate_string_to_", "validate_http_protocols")
    lists = {setting.name for setting in settings if getattr(setting.validator, "__name__", "").startswith(takes_list)}
    names = {setting.name: [flag[2:] for flag in setting.cli if flag.startswith("--")] for setting in settings}
    return {"options": list(from_argparse(Config().parser(), lists)), "names": names}


def waitress():
    from waitress.adjustments import Adjustments, asbool, aslist, asset

    options = [option(["--help"], "switch"), option(["--call"], "switch")]
    for name, cast in Adjustments._params:
        # For code only: open sockets.
        if name == "sockets":
            continue
        flag = "--" + name.replace("_", "-")
        separator = " " if cast in (aslist, asset) else None
        options.append(option([flag], "pair" if cast is asbool else "value", name == "listen", separator))
    return {"options": options, "names": {name: [] for name, _ in Adjustments._params if name != "sockets"}}


def uvicorn():
    import uvicorn.main

    # The package has a function of that name, which hides the module.
    command = sys.modules["uvicorn.main"].main
    names = {name: [] for name in inspect.signature(uvicorn.Config).parameters}
    return {"options": list(from_click(command)), "names": names}


def hypercorn():
    from hypercorn.config import Config

    # It makes its parser where it uses it; `check` has a way to it.
    sys.path.insert(0, sys.argv[1])
    from option_check import hypercorn

    parser = hypercorn().parser
    flags = {flag[2:] for action in parser._actions for flag in action.option_strings if flag.startswith("--")}
    known = {name for name in vars(Config) if not name.startswith("_") and not callable(vars(Config)[name])}
    # Most of its configuration has no flag.
    names = {name: [] for name in known if name.replace("_", "-") in flags}
    for action in parser._actions:
        if action.dest in known:
            names[action.dest] = [flag[2:] for flag in action.option_strings if flag.startswith("--")]
    return {"options": list(from_argparse(parser)), "names": names}


def daphne():
    from daphne.cli import CommandLineInterface

    parser = CommandLineInterface().parser
    names = {}
    for action in parser._actions:
        if action.option_strings:
            names.setdefault(action.dest, []).extend(flag[2:] for flag in action.option_strings if flag[1] == "-")
    return {"options": list(from_argparse(parser)), "names": names}


def uwsgi(names):
    """It has about nine hundred, and tells of none whether it takes a value; so it is asked of those that we name."""
    import re

    sys.path.insert(0, sys.argv[1])
    from option_check import Uwsgi

    program = Uwsgi()
    known = {}
    for letter, name in re.findall(r"^ +(?:-(.)\|)?--(\S+)", program.ask("--help").stdout, re.MULTILINE):
        if letter in known and name in names:
            # Names of one letter are one option.
            known[letter]["names"].append(name)
        elif name in names:
            switch = "doesn't allow an argument" in program.ask("--version", f"--{name}=1").stdout
            alone = program.ask("--version", "--" + name).returncode == 0
            kind = "switch" if switch else "optional" if alone else "value"
            known[letter or name] = option(["--" + name, *(["-" + letter] if letter else [])], kind, None)
    return {"options": list(known.values()), "names": {}}


def granian():
    from granian.cli import cli
    from granian.server import Server

    names = {name: [] for name in inspect.signature(Server).parameters}
    return {"options": list(from_click(cli)), "names": names}


def celery(sub_command):
    from celery.bin.celery import celery as command

    own = [{**known, "global": True} for known in from_click(command) if known["names"] != ["help"]]
    return {"options": own + list(from_click(command.commands[sub_command])), "names": {}}


def flower():
    from celery.bin.celery import celery as command
    from flower.options import options as own

    known = [{**each, "global": True} for each in from_click(command) if each["names"] != ["help"]]
    known.append(option(["--help"], "switch"))
    for name, each in own._options.items():
        # That is not reached: the command line of celery has one.
        if name != "help":
            kind = "boolean" if each.type is bool else "value"
            known.append(option(["--" + name], kind, separator="," if each.multiple else None))
    return {"options": known, "names": {each.name: [name] for name, each in own._options.items()}}


def django_command(app, name, sub_command=None, separators=()):
    from django.core.management import load_command_class

    command = load_command_class(app, name)
    parser = command.create_parser("manage.py", name)
    options = list(from_argparse(parser, separators))
    if sub_command is not None:
        import argparse

        sub_parsers = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        own = list(from_argparse(sub_parsers.choices[sub_command], separators))
        # Letters of the command itself can be something else after its name.
        options = own + [{**known, "letters": [], "global": True} for known in options if known["names"] != ["help"]]
    return {"options": options, "names": {}}


def rq_worker():
    from rq.cli import main

    return {"options": list(from_click(main.commands["worker"])), "names": {}}


def dramatiq():
    from dramatiq.cli import make_argument_parser

    return {"options": list(from_argparse(make_argument_parser())), "names": {}}


def huey():
    from huey.consumer_options import config_keys

    # Switched the other way round, or by nothing.
    no_option = {"periodic", "check_worker_health"}
    table = django_command("huey.contrib.djhuey", "run_huey", separators=["extra_locks"])
    return {**table, "names": {name: [] for name in config_keys if name not in no_option}}


def set_up_django():
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="only-for-tests",
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django_tasks",
            "django_tasks_db",
            "django_q",
            "django_rq",
            "django_dramatiq",
            "procrastinate.contrib.django",
            "channels",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        RQ_QUEUES={"default": {"HOST": "127.0.0.1"}},
        DRAMATIQ_BROKER={"BROKER": "dramatiq.brokers.stub.StubBroker"},
        TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}},
        Q_CLUSTER={"orm": "default", "timeout": 60, "retry": 90},
    )
    django.setup()


if __name__ == "__main__":
    set_up_django()
    tables = {
        "gunicorn": gunicorn(),
        "waitress": waitress(),
        "uvicorn": uvicorn(),
        "granian": granian(),
        "hypercorn": hypercorn(),
        "daphne": daphne(),
        "uwsgi": uwsgi(sys.argv[2:]),
        "celery worker": celery("worker"),
        "celery beat": celery("beat"),
        "celery flower": flower(),
        "db_worker": django_command("django_tasks_db", "db_worker", separators=["queue_name", "exclude_queues"]),
        "qcluster": django_command("django_q", "qcluster"),
        "rqworker": django_command("django_rq", "rqworker"),
        "rqcron": django_command("django_rq", "rqcron"),
        "rq worker": rq_worker(),
        "rundramatiq": django_command("django_dramatiq", "rundramatiq"),
        "dramatiq": dramatiq(),
        "run_huey": huey(),
        "procrastinate worker": django_command(
            "procrastinate.contrib.django", "procrastinate", "worker", separators=["queues"]
        ),
        "runworker": django_command("channels", "runworker"),
    }
    print(json.dumps(tables))
