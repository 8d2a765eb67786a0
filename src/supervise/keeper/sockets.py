"""Sockets that are bound here, and given to programs."""

import os
import socket


def bind(address):
    if address.startswith("unix:"):
        path = address[5:]
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            remove_dead_socket(path)
            bound.bind(path)
        except OSError:
            bound.close()
            raise
        return bound
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family, kind, protocol, _, target = socket.getaddrinfo(host or None, int(port), 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(target)
    except OSError:
        bound.close()
        raise
    return bound


PIDFD_OPEN, PIDFD_GETFD = 434, 438


def take_over(address, pids):
    """
    The socket of an address from a program that has it, with the connections that
    wait in it: None where none has, or the system does not let us.
    """
    wanted = name_of(address)
    for pid in pids:
        pidfd = system_call(PIDFD_OPEN, pid, 0)
        if pidfd < 0:
            continue
        try:
            for entry in os.listdir("/proc/%d/fd" % pid):
                if not os.readlink("/proc/%d/fd/%s" % (pid, entry)).startswith("socket:"):
                    continue
                fd = system_call(PIDFD_GETFD, pidfd, int(entry), 0)
                if fd < 0:
                    break
                held = socket.socket(fileno=fd)
                os.set_inheritable(fd, False)
                is_listening = held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if is_listening and held.getsockname() == wanted:
                    return held
                held.close()
        except OSError:
            pass
        finally:
            os.close(pidfd)
    return None


def name_of(address):
    if address.startswith("unix:"):
        return address[5:]
    host, _, port = address.rpartition(":")
    return socket.getaddrinfo(host.strip("[]") or None, int(port), 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0][4]


def system_call(number, *values):
    try:
        import ctypes

        return ctypes.CDLL(None).syscall(number, *values)
    except Exception:
        return -1


def remove_dead_socket(path):
    """A file that nobody listens on any more is in the way; one that somebody does is taken."""
    try:
        if not (os.stat(path).st_mode & 0o170000) == 0o140000:
            return
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError:
            pass


def address_of(bound):
    name = bound.getsockname()
    if bound.family == socket.AF_UNIX:
        return "unix:" + name
    return ("[%s]:%d" if bound.family == socket.AF_INET6 else "%s:%d") % name[:2]


def listen_in(folder, name):
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path = os.path.join(folder, name)
    directory = os.open(folder, os.O_RDONLY)
    try:
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        # The path of a socket may have 107 bytes; this one is short whatever the folder is called.
        bound.bind("/proc/self/fd/%d/%s" % (directory, name))
    finally:
        os.close(directory)
    return bound
