from django_prodserver.backends.base import BaseWorkerBackend, become


class DjangoTasksWorker(BaseWorkerBackend):
    def start_server(self, *args):
        become("django", "db_worker", *args)
