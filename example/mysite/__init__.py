# Celery's documented way to make @shared_task find this project's app in every
# process that enqueues work, the web server included.
try:
    from .celery import app as celery_app
except ModuleNotFoundError:  # Celery is one of the parts that may be left out.
    celery_app = None

__all__ = ("celery_app",)
