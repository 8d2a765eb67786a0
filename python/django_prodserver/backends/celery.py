from .workers.celery import CeleryBeat, CeleryWorker

__all__ = ["CeleryBeat", "CeleryWorker"]
