from django_prodserver.backends.base import BaseWorkerBackend, become


class DjangoQ2Worker(BaseWorkerBackend):
    def start_server(self, *args):
        become("django", "qcluster", *args)
