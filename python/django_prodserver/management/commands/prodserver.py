from __future__ import annotations

import os
import re
import sys

from django.core.management.base import BaseCommand, CommandError, handle_default_options

from django_prodserver.handover import hand_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


OVERRIDE = re.compile(r"[^=]+\.[^=]+=")


def take_overrides(argv: Iterable[str]) -> tuple[list[str], list[str]]:
    """Splits off each ``--set NAME.KEY=VALUE``; a ``--set`` of another form belongs to the server."""
    overrides: list[str] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            return overrides, [*rest, word, *words]
        name, inline, value = word.partition("=")
        if name != "--set":
            rest.append(word)
            continue
        value = value if inline else next(words, "")
        if OVERRIDE.match(value):
            overrides.append(f"--set={value}")
        else:
            rest += [word] if inline else [word, value]
    return overrides, rest


class Command(BaseCommand):
    help = (
        "Become a production process declared in PRODUCTION_PROCESSES; extra arguments are passed on to it, "
        "and --set web.ARGS.workers=8 gives another value than the declared one."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", nargs="?", help="A declared process. Default: the first.")
        parser.add_argument("--list", action="store_true", help="List the declared processes.")

    def run_from_argv(self, argv: list[str]) -> None:
        # What argparse does not know belongs to the server, so nothing may be read as an abbreviation of ours.
        parser = self.create_parser(argv[0], argv[1], allow_abbrev=False)
        overrides, rest = take_overrides(argv[2:])
        options, extra = parser.parse_known_args(rest)
        handle_default_options(options)
        try:
            self.start(options, overrides, [token for token in extra if token != "--"])
        except CommandError as error:
            if options.traceback:
                raise
            self.stderr.write(f"{type(error).__name__}: {error}")
            sys.exit(error.returncode)

    def start(self, options: Any, overrides: list[str], extra: list[str]) -> None:
        common = ["--no-color"] if options.no_color else []
        common += overrides
        if options.list:
            hand_over(["list", *common])
        flags = [f"--verbosity={options.verbosity}"] if options.verbosity != 1 else []
        flags += ["--traceback"] if options.traceback else []
        flags += ["--skip-checks"] if options.skip_checks else []
        if options.pythonpath:
            flags.append(f"--pythonpath={os.path.abspath(options.pythonpath)}")
        hand_over(["run", *common, *flags, *([options.name] if options.name else [])], extra)
