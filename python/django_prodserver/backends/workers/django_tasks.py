from __future__ import annotations

from django_prodserver.backends.base import BaseWorkerBackend, become


class DjangoTasksWorker(BaseWorkerBackend):
    def start_server(self, *args: object) -> None:
        become("django", "db_worker", *args)
