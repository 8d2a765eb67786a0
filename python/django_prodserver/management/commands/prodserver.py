import os
import sys

from django.core.management.base import BaseCommand, CommandError, handle_default_options

from django_prodserver.handover import hand_over


class Command(BaseCommand):
    help = "Become a production process declared in PRODUCTION_PROCESSES; extra arguments are passed on to it."

    def add_arguments(self, parser):
        parser.add_argument("name", nargs="?", help="A declared process. Default: the first.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME.KEY=VALUE",
            help="Another value than the declared one, for example web.ARGS.workers=8.",
        )
        parser.add_argument("--list", action="store_true", help="List the declared processes.")

    def run_from_argv(self, argv):
        # What argparse does not know belongs to the server, so nothing may be read as an abbreviation of ours.
        parser = self.create_parser(argv[0], argv[1], allow_abbrev=False)
        options, extra = parser.parse_known_args(argv[2:])
        handle_default_options(options)
        try:
            self.start(options, [token for token in extra if token != "--"])
        except CommandError as error:
            if options.traceback:
                raise
            self.stderr.write("%s: %s" % (type(error).__name__, error))
            sys.exit(error.returncode)

    def start(self, options, extra):
        common = ["--no-color"] if options.no_color else []
        common += ["--set=%s" % value for value in options.set]
        if options.list:
            hand_over(["list", *common])
        flags = ["--verbosity=%d" % options.verbosity] if options.verbosity != 1 else []
        flags += ["--traceback"] if options.traceback else []
        flags += ["--skip-checks"] if options.skip_checks else []
        if options.pythonpath:
            flags.append("--pythonpath=%s" % os.path.abspath(options.pythonpath))
        hand_over(["run", *common, *flags, *([options.name] if options.name else [])], extra)
