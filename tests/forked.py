"""The command of tests/forking.py: `forked.py <socket> <module> …` has a module run, and ends as that ends."""

import json
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(address: str, module: str, *arguments: str) -> int:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(address)
        for number in PASSED_ON:
            signal.signal(number, lambda received, _: asking.send(bytes([received])))
        socket.send_fds(asking, [b"\n"], [0, 1, 2])
        folder = os.getcwd()  # noqa: PTH109 - pathlib takes as long to import as all of this
        asking.sendall(json.dumps([module, arguments, dict(os.environ), folder]).encode() + b"\n")
        with asking.makefile() as lines:
            status = int(lines.readline() or os.EX_SOFTWARE)
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
