from .servers.granian import GranianASGIServer, GranianWSGIServer

__all__ = ["GranianASGIServer", "GranianWSGIServer"]
