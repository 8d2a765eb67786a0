"""Asks the installed programs what they make of their options, by their own parsers: nothing here knows an option.

A program is named by how its parser is found: ``gunicorn wsgi`` or ``gunicorn asgi``, ``waitress``, ``hypercorn``,
``daphne``, ``flower``, ``uwsgi``; ``click MODULE:OBJECT [COMMAND]`` and ``argparse MODULE:FUNCTION`` for what tells by
itself; ``django COMMAND [SUBCOMMAND]`` after ``django.setup()``.
Each option is tried alone, so that every one that is refused is named; then those that are taken together, with what
the program takes by default.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

# typing is not imported: a start of the interpreter is waited for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from subprocess import CompletedProcess
    from typing import Any, NoReturn


class RefusedError(Exception):
    """``what`` is ``unknown`` for an option that does not exist, and ``value`` for one that is not taken like this."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


def check_options(question: dict[str, Any]) -> dict[str, Any]:
    """
    ``question`` has ``parser``, ``package``, ``options``, which are pairs of a key and its tokens, and ``modules``.
    The answer has the program's ``version``, the ``names`` of its options, what was ``refused``, what is
    ``deprecated``, and which modules are ``missing``.
    """
    parser = parser_of(question["parser"])
    refused, taken = [], []
    options = question["options"]
    takes_all = getattr(parser, "takes_all", None)
    if takes_all is not None and takes_all([token for _, tokens in options for token in tokens]):
        options = []
    for key, tokens in options:
        try:
            parser.check(tokens)
            taken += tokens
        except RefusedError as error:
            refused.append({"key": key, "what": error.what, "message": str(error)})
    try:
        parser.check_together(taken)
    except RefusedError as error:
        refused.append({"key": None, "what": error.what, "message": str(error)})
    return {
        "version": getattr(parser, "version", None) or version_of(question["package"]),
        "names": sorted(parser.names()),
        "refused": refused,
        "deprecated": [{"key": key, "message": said} for key, said in deprecations(parser, question["options"])],
        "missing": [module for module in question["modules"] if find_spec(module) is None],
    }


def deprecations(parser: Any, options: list[tuple[str, list[str]]]) -> Iterator[tuple[str, str]]:
    for key, tokens in options:
        said = parser.deprecation(tokens)
        if said:
            yield key, said


def version_of(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def parser_of(reference: str) -> Any:
    kind, _, rest = reference.partition(" ")
    return PARSERS[kind](*rest.split())


def find(path: str) -> Any:
    module, _, name = path.partition(":")
    # Some packages have a function of a module's name, which hides the module.
    import_module(module)
    return getattr(sys.modules[module], name)


class Alone:
    """Options that say nothing of each other."""

    def check_together(self, tokens: list[str]) -> Any:
        pass

    def deprecation(self, tokens: list[str]) -> str | None:
        return None


class Argparse:
    def __init__(self, parser: Any) -> None:
        import argparse

        self.parser = parser
        # A command of Django raises what others print before they end.
        parser.error = self.refuse
        self.defaults = [(action, action.default) for action in parser._actions]
        for action in parser._actions:
            # What else is missing or wrong is not the fault of this option.
            action.required, action.default = False, argparse.SUPPRESS
            if not action.option_strings:
                action.nargs = "*"

    @staticmethod
    def refuse(message: str) -> NoReturn:
        raise RefusedError("value", message)

    def names(self) -> Iterable[str]:
        return [flag[2:] for flag in self.parser._option_string_actions if flag.startswith("--")]

    def check(self, tokens: list[str]) -> Any:
        if tokens[0] in ("--help", "--version", "-h", "-v") and len(tokens) == 1:
            return None
        parsed, unknown = self.parser.parse_known_args(tokens)
        if unknown:
            raise RefusedError("unknown", "")
        return parsed

    def deprecation(self, tokens: list[str]) -> str | None:
        action = self.parser._option_string_actions.get(tokens[0].partition("=")[0])
        return deprecation_in(self.help_of(action), getattr(action, "deprecated", False)) if action else None

    def help_of(self, action: Any) -> str | None:
        text: str | None = action.help
        return text

    def check_together(self, tokens: list[str]) -> Any:
        for action, default in self.defaults:
            action.default = default
        given = [token for token in tokens if token not in ("--help", "--version", "-h", "-v")]
        return self.parser.parse_known_args(given)[0]


def argparse(maker: str) -> Argparse:
    return Argparse(find(maker)())


class Gunicorn(Argparse):
    def __init__(self, interface: str) -> None:
        from argparse import Namespace

        from gunicorn.config import Config

        self.config, self.nothing, self.interface = Config(), Namespace(), interface
        super().__init__(self.config.parser())

    def help_of(self, action: Any) -> str | None:
        known = self.config.settings.get(action.dest)
        text: str | None = known.desc if known else action.help
        return text

    def check(self, tokens: list[str]) -> Any:
        for name, value in vars(super().check(tokens) or self.nothing).items():
            if value is None or name not in self.config.settings:
                continue
            try:
                self.config.set(name, value)
                found = self.config.worker_class if name == "worker_class" else None
            except Exception as error:
                raise RefusedError("value", first_line(error)) from error
            if found is not None:
                self.check_interface(value, found)

    def check_together(self, tokens: list[str]) -> Any:
        given = super().check_together(tokens)
        if getattr(given, "worker_class", None) is not None:
            return
        name = self.of_environment() or configured_worker_class(given.config)
        if name is None:
            return
        try:
            self.config.set("worker_class", name)
            found = self.config.worker_class
        except Exception as error:
            raise RefusedError("value", first_line(error)) from error
        self.check_interface(name, found)

    def of_environment(self) -> str | None:
        arguments = self.config.get_cmd_args_from_env()
        return getattr(self.parser.parse_known_args(arguments)[0], "worker_class", None)

    def check_interface(self, name: str, found: Any) -> None:
        """A worker of the other interface would start, and fail at every request."""
        modules = [each.__module__ for each in found.__mro__]
        interface = next((INTERFACES[module] for module in modules if module in INTERFACES), self.interface)
        if interface != self.interface:
            backend = "gunicorn-asgi" if interface == "asgi" else "gunicorn"
            kind = f"its worker class {name} is for {interface.upper()} applications."
            raise RefusedError("value", f'{kind} Write "BACKEND": "{backend}"')


# By the module of the class, or of one that it derives from.
INTERFACES = {
    "gunicorn.workers.sync": "wsgi",
    "gunicorn.workers.base_async": "wsgi",
    "gunicorn.workers.gthread": "wsgi",
    "gunicorn.workers.gtornado": "wsgi",
    "gunicorn.workers.gasgi": "asgi",
    "uvicorn.workers": "asgi",
    "uvicorn_worker._workers": "asgi",
}


def configured_worker_class(path: str | None) -> str | None:
    """What a configuration sets as a plain string. It is not run here."""
    import ast

    try:
        name = path or "./gunicorn.conf.py"
        with open(name[len("file:") :] if name.startswith("file:") else name, encoding="utf-8") as file:
            body = ast.parse(file.read()).body
    except (OSError, SyntaxError, ValueError):
        return None
    found = None
    for each in body:
        names = [target.id for target in getattr(each, "targets", []) if isinstance(target, ast.Name)]
        if isinstance(each, ast.Assign) and "worker_class" in names and isinstance(each.value, ast.Constant):
            found = each.value.value
    return found if isinstance(found, str) else None


def hypercorn() -> Argparse:
    import argparse

    import hypercorn.__main__ as program

    class FoundError(Exception):
        pass

    def find_parser(self: Any, *args: Any) -> NoReturn:
        raise FoundError(self)

    # It makes its parser where it uses it.
    parser: Any = argparse.ArgumentParser
    original, parser.parse_args = parser.parse_args, find_parser
    try:
        program.main([])
    except FoundError as found:
        return Argparse(found.args[0])
    finally:
        parser.parse_args = original
    raise AttributeError("hypercorn made no parser")


class Daphne(Argparse):
    def __init__(self) -> None:
        from daphne.cli import CommandLineInterface

        self.program = CommandLineInterface()
        super().__init__(self.program.parser)

    def check_together(self, tokens: list[str]) -> Any:
        import argparse

        given = super().check_together(tokens)
        try:
            self.program._get_forwarded_host(given)
            self.program._get_forwarded_port(given)
        except argparse.ArgumentError as error:
            raise RefusedError("value", str(error)) from error


def django(name: str, *sub_command: str) -> Any:
    from django.core.management import get_commands, load_command_class

    app = get_commands()[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    parser = command.create_parser("manage.py", name)
    return SubCommand(parser, *sub_command) if sub_command else Argparse(parser)


class SubCommand(Alone):
    """An option of the command is one of its sub-command here: who writes ARGS need not know the difference."""

    def __init__(self, parser: Any, name: str) -> None:
        import argparse

        choice = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
        parser._actions.remove(choice)
        self.parsers = [Argparse(choice.choices[name]), Argparse(parser)]

    def names(self) -> Iterable[str]:
        return [name for parser in self.parsers for name in parser.names()]

    def check(self, tokens: list[str]) -> Any:
        own, common = self.parsers
        try:
            own.check(tokens)
        except RefusedError as error:
            if error.what != "unknown":
                raise
            common.check(tokens)


class Click(Alone):
    def __init__(self, path: str, *command: str) -> None:
        import click

        self.click = click
        self.commands = [find(path)]
        for name in command:
            self.commands.append(self.commands[-1].commands[name])

    def names(self) -> Iterable[str]:
        flags = [flag for command in self.commands for p in command.params for flag in (*p.opts, *p.secondary_opts)]
        return [flag[2:] for flag in flags if flag.startswith("--")]

    def deprecation(self, tokens: list[str]) -> str | None:
        flag = tokens[0].partition("=")[0]
        for parameter in (p for command in self.commands for p in command.params):
            if flag in (*parameter.opts, *parameter.secondary_opts):
                return deprecation_in(getattr(parameter, "help", None), getattr(parameter, "deprecated", False))
        return None

    def check(self, tokens: list[str]) -> Any:
        unknown = None
        # An option of the group is one of each of its commands here: who writes ARGS need not know the difference.
        for command in reversed(self.commands):
            context = self.click.Context(command, info_name=command.name)
            try:
                values, _, _ = command.make_parser(context).parse_args(list(tokens))
            except self.click.NoSuchOption as error:
                unknown = error
                continue
            except self.click.UsageError as error:
                raise RefusedError("value", error.format_message()) from error
            return self.convert(command, context, values)
        raise RefusedError("unknown", unknown.format_message() if unknown else "")

    def convert(self, command: Any, context: Any, values: dict[str, Any]) -> None:
        """The value as the option takes it, and as the program looks at it first."""
        for parameter in command.get_params(context):
            # What comes first, such as the version, is answered and ends the program.
            if parameter.name not in values or parameter.is_eager or parameter.param_type_name != "option":
                continue
            try:
                value = parameter.type_cast_value(context, values[parameter.name])
                if parameter.callback is not None:
                    parameter.callback(context, parameter, value)
            except self.click.UsageError as error:
                raise RefusedError("value", error.message) from error
            except Exception:  # it wants more than an option: the application, what the group has made
                pass


class Flower(Alone):
    """Options that it does not know it leaves out without a word, so they are looked for in its own table."""

    def __init__(self) -> None:
        from flower import command
        from tornado import options

        self.command, self.tornado = command, options
        for option in command.options._options.values():
            # They are of the module, and another process was asked about before.
            option._value = option.UNSET
        self.celery = Click("celery.bin.celery:celery")

    def names(self) -> Iterable[str]:
        return [*self.celery.names(), *self.command.options._options]

    def check(self, tokens: list[str]) -> Any:
        try:
            return self.celery.check(tokens)
        except RefusedError as error:
            if error.what == "value":
                raise
        name, _, value = tokens[0].lstrip("-").partition("=")
        option = self.command.options._options.get(name)
        if option is None:
            raise RefusedError("unknown", "")
        try:
            option.parse(value)
        except (self.tornado.Error, ValueError, TypeError) as error:
            raise RefusedError("value", first_line(error)) from error

    def check_together(self, tokens: list[str]) -> Any:
        import logging

        said: list[str] = []
        handler: Any = logging.Handler()
        handler.emit = lambda record: said.append(record.getMessage())
        self.command.logger.addHandler(handler)
        self.command.logger.propagate = False
        try:
            self.command.extract_settings()
        except SystemExit:
            raise RefusedError("value", said[-1] if said else "") from None


class Uwsgi(Alone):
    """A program in C, which tells of its options only by what it refuses; asked for its version it starts nothing."""

    def __init__(self) -> None:
        import os
        from shutil import which

        beside = os.path.join(os.path.dirname(sys.executable), "uwsgi")
        program = beside if os.path.exists(beside) else which("uwsgi")
        if program is None:
            raise FileNotFoundError("there is no program uwsgi")
        self.program = program
        self.version = self.ask("--version").stdout.strip()

    def ask(self, *arguments: str) -> CompletedProcess[str]:
        from subprocess import PIPE, STDOUT, run

        command = [self.program, *arguments]
        return run(command, check=False, stdout=PIPE, stderr=STDOUT, text=True, timeout=20)

    def names(self) -> Iterable[str]:
        import re

        return re.findall(r"^ +(?:-.\|)?--(\S+)", self.ask("--help").stdout, re.MULTILINE)

    def takes_all(self, tokens: list[str]) -> bool:
        return self.ask("--version", *tokens).returncode == 0

    def check(self, tokens: list[str]) -> Any:
        import re

        asked = self.ask("--version", *tokens)
        if asked.returncode == 0:
            return
        # Without its own name, and the place in its code.
        said = re.sub(r"^\S+: (?=option|unrecog|invalid)| \[core/.*", "", first_line_of(asked.stdout))
        raise RefusedError(
            "unknown" if re.match("unrecognized|invalid option|.* is ambiguous", said) else "value", said
        )


class Waitress(Alone):
    def __init__(self) -> None:
        from waitress.adjustments import Adjustments

        self.adjustments = Adjustments

    def names(self) -> Iterable[str]:
        from waitress.adjustments import asbool

        for name, cast in self.adjustments._params:
            flag = name.replace("_", "-")
            if name != "sockets":
                yield flag
                if cast is asbool:
                    yield "no-" + flag

    def check(self, tokens: list[str]) -> Any:
        import getopt

        try:
            values, _ = self.adjustments.parse_args(list(tokens))
        except getopt.GetoptError as error:
            raise RefusedError("unknown" if "not recognized" in str(error) else "value", str(error)) from error
        for name in ("help", "call"):
            values.pop(name, None)
        try:
            self.adjustments(**values)
        except Exception as error:
            raise RefusedError("value", first_line(error)) from error


def deprecation_in(text: str | None, is_marked: Any) -> str | None:
    """The sentence in which a program says that an option will go; None where it does not."""
    import re

    text = re.sub(r":\w+:`([^`]*)`", r"\1", text or "")
    text = re.sub(r"\.\. deprecated:: *\S+", "", text)
    # What was deprecated elsewhere, such as by an RFC, is another matter.
    for sentence in re.split(r"(?<=[.!])\s+|\n\s*\n", text):
        if re.search(r"(^|option is |\[)deprecated\b(?! by)", sentence.strip(), re.IGNORECASE):
            return " ".join(sentence.split())
    return "it is marked as deprecated" if is_marked else None


def first_line(error: BaseException) -> str:
    return first_line_of(str(error)) or type(error).__name__


def first_line_of(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]


PARSERS: dict[str, Any] = {
    "argparse": argparse,
    "click": Click,
    "daphne": Daphne,
    "django": django,
    "flower": Flower,
    "gunicorn": Gunicorn,
    "hypercorn": hypercorn,
    "uwsgi": Uwsgi,
    "waitress": Waitress,
}
