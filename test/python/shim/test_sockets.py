"""Listening sockets that the shim binds."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from prodserver_shim.lean import accept
from prodserver_shim.sockets import (
    LONGEST_PATH,
    Sockets,
    address_of,
    bind_address,
    find_listening,
    listen_in,
    name_of,
    remove_dead_socket,
    system_call,
    take_over,
)
from prodserver_shim.wire import Message


def test_accepted_connections_send_at_once() -> None:
    # A property of the listening socket that accepted connections inherit.
    bound = bind_address("127.0.0.1:0")
    bound.listen(1)
    client = socket.create_connection(bound.getsockname())
    accepted = accept(bound)
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    for each in (bound, client, accepted):
        each.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_writes_addresses_as_they_are_given(host: str) -> None:
    try:
        bound = bind_address(f"{host}:0")
    except OSError:
        pytest.skip("the machine has no such address")
    address = address_of(bound)
    assert address == f"{host}:{bound.getsockname()[1]}"
    assert name_of(address) == bound.getsockname()
    bound.close()


def test_refuses_ports_that_do_not_exist() -> None:
    with pytest.raises(OSError, match="65536 is no port"):
        bind_address("127.0.0.1:65536")
    with pytest.raises(ValueError, match="http"):
        bind_address("127.0.0.1:http")


@pytest.mark.parametrize("length", [10, LONGEST_PATH, LONGEST_PATH + 1, 200])
def test_binds_paths_of_any_length(tmp_path: Path, length: int) -> None:
    folder = tmp_path / ("x" * max(1, length - len(str(tmp_path / "x" / "s")) + 1))
    folder.mkdir()
    path = str(folder / "s")
    assert len(path) == max(length, len(str(tmp_path / "x" / "s")))
    bound = bind_address("unix:" + path)
    assert Path(path).is_socket()
    bound.close()


def test_removes_the_file_of_a_socket_that_is_dead(tmp_path: Path) -> None:
    path = str(tmp_path / "web.sock")
    bind_address("unix:" + path).close()
    bound = bind_address("unix:" + path)
    bound.listen(1)
    with pytest.raises(OSError, match="in use"):
        bind_address("unix:" + path)
    bound.close()


def test_leaves_other_files_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept")
    remove_dead_socket(str(path))
    remove_dead_socket(str(tmp_path / "nothing"))
    assert path.read_text() == "kept"


def test_replaces_its_own_socket(tmp_path: Path) -> None:
    listen_in(str(tmp_path), "shim.sock").close()
    bound = listen_in(str(tmp_path), "shim.sock")
    bound.listen(1)
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(tmp_path / "shim.sock"))
    for each in (bound, client):
        each.close()


def test_finds_the_listening_socket_of_a_process() -> None:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    pidfd = system_call(434, os.getpid(), 0)
    if pidfd < 0 or system_call(438, pidfd, bound.fileno(), 0) < 0:
        pytest.skip("the system does not allow it")
    assert find_listening(os.getpid(), pidfd, bound.getsockname()) is None
    bound.listen()
    found = find_listening(os.getpid(), pidfd, bound.getsockname())
    assert found is not None
    assert not os.get_inheritable(found.fileno())
    address = address_of(found)
    assert take_over(address, [2**22 + 1, os.getpid()]) is not None
    assert take_over("127.0.0.1:1", [os.getpid()]) is None


def test_binds_a_name_once_and_reports_its_address(tmp_path: Path) -> None:
    sent: list[Any] = []
    sockets = Sockets(sent.append, list)
    for _ in range(2):
        sockets.bind(Message({"name": b"web", "address": b"127.0.0.1:0", "listen": 0}))
    assert sent[0] == sent[1]
    assert sockets.addresses["web"] == sent[0]["address"]
    fileno = sockets.fileno("web")
    sockets.close(Message({"name": b"web"}))
    with pytest.raises(ValueError, match="there is no socket web"):
        sockets.fileno("web")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fileno)


def test_removes_the_file_of_a_socket_that_it_closes(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    sockets = Sockets(lambda _: None, list)
    sockets.bind(Message({"name": b"web", "address": f"unix:{path}".encode(), "listen": 1}))
    assert path.is_socket()
    sockets.close(Message({"name": b"web"}))
    assert not path.exists()
    sockets.close(Message({"name": b"web"}))
