"""The same as child.c, where there is no C compiler: its own start takes 10 ms more."""

import os
import signal
import sys
import time


def report() -> None:
    record = f"{time.monotonic_ns():020d} {os.getpid():010d}\n".encode()
    fd = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, record)
    os.close(fd)


def write_lines(lines: int, block: int) -> None:
    with open(1, "wb", buffering=block) as output:
        for number in range(1, lines + 1):
            text = "the last" if number == lines else "a line"
            output.write(b"%012d |payload| %-76s\n" % (number, text.encode()))


signal.alarm(600)
report()
if sys.argv[1] == "lines":
    while not os.path.exists(sys.argv[3]):
        time.sleep(0.001)
    report()
    write_lines(int(sys.argv[4]), int(sys.argv[5]))
    report()
while True:
    signal.pause()
