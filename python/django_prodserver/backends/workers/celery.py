from django_prodserver.backends.base import BaseWorkerBackend, become


class CeleryWorker(BaseWorkerBackend):
    command = "worker"

    def __init__(self, **declaration):
        self.app_path = declaration["APP"]
        super().__init__(**declaration)

    def start_server(self, *args):
        become("celery", "-A", self.app_path, self.command, *args)


class CeleryBeat(CeleryWorker):
    command = "beat"
