from __future__ import annotations

from django_prodserver.backends.base import BaseWorkerBackend, become

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class CeleryWorker(BaseWorkerBackend):
    command = "worker"

    def __init__(self, **declaration: Any) -> None:
        self.app_path = declaration["APP"]
        super().__init__(**declaration)

    def start_server(self, *args: object) -> None:
        become("celery", "-A", self.app_path, self.command, *args)


class CeleryBeat(CeleryWorker):
    command = "beat"
