from .workers.django_q2 import DjangoQ2Worker

__all__ = ["DjangoQ2Worker"]
