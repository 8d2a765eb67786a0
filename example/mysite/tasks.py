"""The same small tasks for every queue that is installed.

`record` leaves a line in a file, `work` a row in the database, so that you can see
that a worker ran it, and which.
"""

import os
import time
from functools import partial

from .packages import HAS_DJANGO_TASKS, installed


def record(path, text, seconds=0):
    """Append `text` to the file; a slow one says first that it has begun."""
    if seconds:
        append(path, f"{text} started")
        time.sleep(seconds)
    append(path, text)


def append(path, text):
    # One write in append mode: lines of several workers never mix.
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{text} pid={os.getpid()}\n")


def work(worker, text, asked=None):
    """The page of the frontend shows what this leaves."""
    from .models import Execution

    waited = time.time() - asked if asked else None
    Execution.objects.create(worker=worker, text=text, pid=os.getpid(), waited=waited)


# The name of each declared worker, and how to give it work: `record`, and `work`.
enqueue = {}
give_work = {}

if installed("celery"):
    from celery import shared_task

    @shared_task
    def record_in_celery(path, text, seconds=0):
        record(path, text, seconds)

    @shared_task
    def work_in_celery(worker, text, asked=None):
        work(worker, text, asked)

    enqueue["worker"] = record_in_celery.delay
    give_work["worker"] = partial(work_in_celery.delay, "worker")

if HAS_DJANGO_TASKS:
    if installed("django.tasks"):
        from django.tasks import task
    else:
        from django_tasks import task

    @task
    def record_in_django_tasks(path, text, seconds=0):
        record(path, text, seconds)

    @task
    def work_in_django_tasks(worker, text, asked=None):
        work(worker, text, asked)

    enqueue["tasks"] = record_in_django_tasks.enqueue
    give_work["tasks"] = partial(work_in_django_tasks.enqueue, "tasks")

if installed("django_q"):
    from django_q.tasks import async_task

    enqueue["queue"] = partial(async_task, "mysite.tasks.record")
    give_work["queue"] = partial(async_task, "mysite.tasks.work", "queue")
