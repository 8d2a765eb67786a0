from .servers.gunicorn import GunicornServer

__all__ = ["GunicornServer"]
