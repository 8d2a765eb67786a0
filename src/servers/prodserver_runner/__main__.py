"""
Runs a Python web server as `python -m MODULE` does, on sockets that are already open, and loses no request at its end.

    python __main__.py MODULE ARGS...

Old and new copies of a server share the queue of one listening socket. When the old one is asked to stop it accepts
no more, answers what it has accepted, answers the next request on each kept-alive connection with
`Connection: close`, closes those that stay silent after a bounded time, and ends. Servers that do not do so by
themselves are changed here, in as few places as possible, by the file of this folder that has the name of their module.
A version of a server that has not got these places runs as it is, with a line on stderr.

Environment, removed once read:
PRODSERVER_LISTEN_FDS  descriptors of listening sockets, separated by commas, for servers whose command line takes none.
PRODSERVER_PROBE_FD    descriptor of one more listening socket, served by the same workers and application.

PRODSERVER_SERVED, the name of the module, is set for the processes that the server spawns. Their main module is this
file as well, so that the server is changed there.
"""

import os
import sys

if __name__ in ("__main__", "__mp_main__"):
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    # The folder of this package is no place to import other modules from, or to leave bytecode in.
    writes_no_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, folder)
    from prodserver_runner import run

    sys.path.remove(folder)
    sys.dont_write_bytecode = writes_no_bytecode
    if __name__ == "__main__":
        run.main(os.path.abspath(__file__))
    else:
        run.change_server(os.environ.get("PRODSERVER_SERVED", ""))
