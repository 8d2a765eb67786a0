"""Messages to the supervisor. protocol.md describes them, and protocol.vectors.json has one of each."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Mapping

    from .wire import Value

    Event = Dict[str, Value]

PROTOCOL = 2


def busy() -> Event:
    """Refuse a connection: another supervisor has the shim."""
    return {"type": "busy"}


def welcome(pid: int, notify_socket: str, invocations: Iterable[Event], sockets: Mapping[str, str]) -> Event:
    """Answer the first message of a supervisor with everything that the shim holds."""
    return {
        "type": "welcome",
        "protocol": PROTOCOL,
        "pid": pid,
        "notifySocket": notify_socket,
        "invocations": list(invocations),
        "sockets": dict(sockets),
    }


def held_invocation(token: str, pid: int, start_ticks: int, instance: str, invocation: int) -> Event:
    """One entry of `invocations` in the welcome."""
    return {
        "token": token,
        "pid": pid,
        "startTicks": start_ticks,
        "instance": instance,
        "invocation": invocation,
    }


def spawned(token: str, pid: int, start_ticks: int) -> Event:
    """Report that a program was started or adopted."""
    return {"type": "spawned", "token": token, "pid": pid, "startTicks": start_ticks}


def failed(token: str, number: int, message: str, what: str) -> Event:
    """Report that a program could not be started, with the system's error and the step that failed."""
    return {"type": "failed", "token": token, "errno": number, "message": message, "what": what}


def exited(token: str, status: int | None) -> Event:
    """Report the end of a program with its wait status; None if the shim could not see it."""
    return {"type": "exited", "token": token, "status": status}


def notified(pid: int, session: int, text: bytes) -> Event:
    """Pass on what a program sent to NOTIFY_SOCKET."""
    return {"type": "notified", "pid": pid, "session": session, "text": text}


def bound(name: str, address: str) -> Event:
    """Report the address of a socket; it has the port that the system chose."""
    return {"type": "bound", "name": name, "address": address}


def not_bound(name: str, number: int, message: str) -> Event:
    """Report that a socket could not be bound."""
    return {"type": "not-bound", "name": name, "errno": number, "message": message}


def log_full(instance: str, message: str) -> Event:
    """Report that output is being dropped until there is room."""
    return {"type": "log-full", "instance": instance, "message": message}


def log_error(instance: str, message: str) -> Event:
    """Report that output cannot be stored at all."""
    return {"type": "log-error", "instance": instance, "message": message}


def log_lost(instance: str, lines: int, size: int) -> Event:
    """Report how much output was dropped, once there is room again."""
    return {"type": "log-lost", "instance": instance, "lines": lines, "bytes": size}


def rotated(instance: str, sequence: int) -> Event:
    """Report that a log file is complete."""
    return {"type": "rotated", "instance": instance, "sequence": sequence}
