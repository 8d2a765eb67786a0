"""Answers probes of a server that could not be changed."""

from __future__ import annotations

import os
import socket
import sys
import threading


def relay(probe: socket.socket) -> None:
    """
    Answer probes by asking on the shared socket, which the command line names. Another copy of the server may answer
    there, but that is better than no answer.
    """
    fd = next(int(word[len("--fd=") :]) for word in sys.argv if word.startswith("--fd="))
    with socket.socket(fileno=os.dup(fd)) as shared:
        family, address = shared.family, shared.getsockname()

    def forward() -> None:
        probe.setblocking(True)
        while True:
            client, server = probe.accept()[0], socket.socket(family)
            server.connect(address)
            for ends in ((client, server), (server, client)):
                threading.Thread(target=copy, args=ends, daemon=True).start()

    threading.Thread(target=forward, daemon=True).start()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on everything that one connection sends to the other."""
    try:
        for data in iter(lambda: source.recv(65536), b""):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
