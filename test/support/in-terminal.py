"""
Runs a program in a terminal of its own: in-terminal.py ROWS COLUMNS PROGRAM ARGS...

Takes JSON lines on standard input: {"keys": text}, {"size": [rows, columns]} or
{"signal": number}. What the program writes goes to standard output; at the end
a line "ENDED CODE CANONICAL" goes to standard error, CANONICAL being 1 where the
terminal was left as a shell needs it.
"""

import fcntl
import json
import os
import select
import struct
import sys
import termios


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def carry_out(command, master, pid):
    if "keys" in command:
        os.write(master, command["keys"].encode())
    if "size" in command:
        resize(master, *command["size"])
    if "signal" in command:
        os.kill(pid, command["signal"])


def main():
    rows, columns, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    master, slave = os.openpty()
    resize(master, rows, columns)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.execvp(program[0], program)
    pending, status = b"", None
    sources = [master, 0]
    while status is None or select.select([master], [], [], 0)[0]:
        ready = select.select(sources, [], [], 0.02)[0]
        if master in ready:
            os.write(1, os.read(master, 65536))
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                sources.remove(0)
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                carry_out(json.loads(line), master, pid)
        if status is None:
            ended, code = os.waitpid(pid, os.WNOHANG)
            status = code if ended else None
    flags = termios.tcgetattr(slave)[3]
    canonical = bool(flags & termios.ICANON) and bool(flags & termios.ECHO)
    sys.stderr.write(f"ENDED {os.waitstatus_to_exitcode(status)} {canonical:d}\n")


main()
