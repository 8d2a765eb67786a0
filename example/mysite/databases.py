"""A database from the address that hosts give it: DATABASE_URL."""

from urllib.parse import parse_qsl, unquote, urlsplit


def database(url, file):
    """The entry of DATABASES for `postgres://user:password@host:port/name`, or for a file of SQLite."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": file,
            # Two queues write here from several processes: wait for the lock.
            "OPTIONS": {"timeout": 20},
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError(f"DATABASE_URL is of the kind {parts.scheme!r}; the example knows postgres://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A directory where the socket lies may be the host: postgres://%2Fvar%2Frun%2Fpostgresql/name
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
