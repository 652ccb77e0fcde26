"""The process that loads one target and calls its functions: `python -P -u -m backproof.targets.worker`.

A fresh interpreter, started as a program: a target needs no `if __name__ == "__main__"`, and shares no state, thread
or lock with the parent.  One line on stdin says where to connect; after that, the end of stdin means that
the parent is gone.  What the target prints goes to stdout and stderr, which are a file of the parent's.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
from multiprocessing.connection import Client, Connection
from typing import Any

from backproof.targets.errors import TargetError
from backproof.targets.messages import Ready, Refused
from backproof.targets.session import Session


def main() -> None:
    """Connect, load, and answer calls until the parent goes."""
    address, authkey = _credentials()
    _die_with_parent()
    _no_core_file()
    faulthandler.enable(sys.stderr, all_threads=False)
    with Client(address, authkey=authkey) as connection:
        serve(connection)


def serve(connection: Connection) -> None:
    """The first message is `Load`, all others are `Call`, `Follow` or `Together`."""
    try:
        message = connection.recv()
        try:
            session = Session.load(message, connection.send)
        except TargetError as error:
            connection.send(Refused(str(error)))
            return
        connection.send(Ready(session.binding))
        while True:
            message = connection.recv()
            connection.send(session.respond(message))
    except (EOFError, ConnectionError):
        return


def _credentials() -> tuple[Any, bytes]:
    """Address and key, from the one line on stdin."""
    sent = json.loads(sys.stdin.buffer.readline())
    address = sent["address"]
    return tuple(address) if isinstance(address, list) else address, bytes.fromhex(sent["authkey"])


def _die_with_parent() -> None:
    """End with stdin, which the target then no longer sees."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if sys.platform == "linux":
        # SIGIO, whose default is to end the process, comes from the kernel: compiled code need not yield first.
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()


def _watch(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    os._exit(1)


def _no_core_file() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main()
    os._exit(0)  # whatever threads and finalizers the target leaves behind
