from .packages import installed

# Celery's documented way to make @shared_task find this project's app in every
# process that enqueues work, the web server included.
if installed("celery"):
    from .celery import app as celery_app

    __all__ = ["celery_app"]
