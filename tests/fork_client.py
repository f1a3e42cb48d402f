"""Stand for a Python process that the fork server runs: the same files, signals and end. Without a server: be it.

    python -S fork_client.py -m MODULE ARGUMENTS...    or    -c CODE ARGUMENTS...

The server's address stands in TESTS_FORK_SERVER.
"""

import json
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


def main():
    arguments = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # the fork may run, and a signal come, before all is set
    server = _ask(arguments)
    if server is None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        os.execv(sys.executable, [sys.executable, *arguments])
    for number in PASSED_ON:
        signal.signal(number, lambda number, _: server.send(bytes([number])))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    status = server.recv(4)
    if not status:
        sys.exit("The fork server is gone.")
    status = int.from_bytes(status, "big")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    sys.exit(os.waitstatus_to_exitcode(status))


def _ask(arguments):
    """Ask the server for a process with these arguments; None: there is no server, or it has other settings."""
    server = socket.socket(socket.AF_UNIX)
    try:
        server.connect(os.environ["TESTS_FORK_SERVER"])
        folder = os.getcwd()  # noqa: PTH109 (pathlib would take as long to import as the rest)
        request = {"arguments": arguments, "folder": folder, "environment": dict(os.environ)}
        text = json.dumps(request).encode()
        socket.send_fds(server, [len(text).to_bytes(8, "big")], [0, 1, 2])
        server.sendall(text)
        return server if server.recv(1) else None
    except (KeyError, OSError):
        return None


if __name__ == "__main__":
    main()
