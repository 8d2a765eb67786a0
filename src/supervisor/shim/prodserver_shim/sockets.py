"""Sockets that are bound here, and given to programs."""

import errno
import os
import socket


def bind(address):
    if address.startswith("unix:"):
        path = address[5:]
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            remove_dead_socket(path)
            bind_to_path(bound, path)
        except OSError:
            bound.close()
            raise
        return bound
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if int(port) > 65535:  # what looks up addresses takes only its last bits
        raise OSError(errno.EINVAL, "%s is no port" % port)
    family, kind, protocol, _, target = socket.getaddrinfo(
        host or None, int(port), 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What is accepted has it as well. uvicorn takes every inherited socket for a Unix one, and does not set it: then
        # the end of an answer waits for the client's next packet.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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


def bind_to_path(bound, path):
    if len(os.fsencode(path)) <= 107:
        return bound.bind(path)
    # Longer than the path of a socket may be; this one is short whatever the folder is called.
    directory = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        bound.bind("/proc/self/fd/%d/%s" % (directory, os.path.basename(path)))
    finally:
        os.close(directory)


def listen_in(folder, name):
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path = os.path.join(folder, name)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    bind_to_path(bound, path)
    return bound
