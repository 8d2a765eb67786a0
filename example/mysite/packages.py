"""What is installed beside Django: the example uses what it finds."""

import sys
from importlib.util import find_spec


def installed(package):
    """Whether the package could be imported. Nothing is imported to find out."""
    # Once imported, Celery before 5.3 has no spec, and find_spec raises for it.
    return package in sys.modules or find_spec(package) is not None


# Django 6.0 has the tasks framework itself, django-tasks brings it to older
# versions, and django-tasks-db adds the queue and the worker to either.
HAS_DJANGO_TASKS = installed("django_tasks_db") and (installed("django.tasks") or installed("django_tasks"))
