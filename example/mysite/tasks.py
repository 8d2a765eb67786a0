"""The same small task for every queue that is installed.

It leaves a line in a file, so that you can see that a worker ran it, and which.
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


# The name of each declared worker, and how to give it work.
enqueue = {}

if installed("celery"):
    from celery import shared_task

    @shared_task
    def record_in_celery(path, text, seconds=0):
        record(path, text, seconds)

    enqueue["worker"] = record_in_celery.delay

if HAS_DJANGO_TASKS:
    if installed("django.tasks"):
        from django.tasks import task
    else:
        from django_tasks import task

    @task
    def record_in_django_tasks(path, text, seconds=0):
        record(path, text, seconds)

    enqueue["tasks"] = record_in_django_tasks.enqueue

if installed("django_q"):
    from django_q.tasks import async_task

    enqueue["queue"] = partial(async_task, "mysite.tasks.record")
