from pathlib import Path

from django.core.management.base import BaseCommand

from mysite import tasks


class Command(BaseCommand):
    help = "Ask a worker to append a line to a file."

    def add_arguments(self, parser):
        parser.add_argument("process", choices=sorted(tasks.enqueue))
        parser.add_argument("path", type=Path)
        parser.add_argument("text")
        parser.add_argument("--seconds", type=float, default=0, help="how long the work takes")

    def handle(self, *, process, path, text, seconds, **options):
        # The worker may run in another directory, so the path goes out absolute.
        tasks.enqueue[process](str(path.resolve()), text, seconds)
