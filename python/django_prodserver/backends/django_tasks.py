from .workers.django_tasks import DjangoTasksWorker

__all__ = ["DjangoTasksWorker"]
