from .servers.waitress import WaitressServer

__all__ = ["WaitressServer"]
