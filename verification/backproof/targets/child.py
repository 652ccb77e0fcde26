"""Start the worker, talk to it, and say how it ended (the parent's side)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

from backproof.targets.blame import user_line
from backproof.targets.errors import TargetError

_FATAL = re.compile(r"^Fatal Python error: ", re.MULTILINE)
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)
_TAIL_LINES = 12
_TAIL_BYTES = 1 << 16
_KEEP_BYTES = 1 << 20
_END = 5.0  # seconds for an ending process to be gone, before it is killed


class ChildEndedError(Exception):
    """The worker is gone."""


class ChildSilentError(Exception):
    """The worker did not answer in time."""


class Child:
    """One worker process and the connection to it."""

    def __init__(self, start_limit: float = 60.0) -> None:
        self._log = tempfile.TemporaryFile(mode="a+b")  # noqa: SIM115 - closed by stop
        key = secrets.token_bytes(32)
        listener = _listener(key)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-u", "-m", "backproof.targets.worker"],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=self._log,
                start_new_session=os.name == "posix",  # Ctrl-C is for the parent, which then ends the worker
            )
            self._connection = self._connect(listener, key, start_limit)
        finally:
            listener.close()

    def _connect(self, listener: Listener, key: bytes, limit: float) -> Connection:
        """`accept` has no time limit and does not notice a child that died: let a thread wait for it."""
        self._tell({"address": listener.address, "authkey": key.hex()})
        accepted: list[Connection] = []
        thread = threading.Thread(target=_accept, args=(listener, accepted), daemon=True)
        thread.start()
        deadline = time.monotonic() + limit
        while thread.is_alive() and self._process.poll() is None and time.monotonic() < deadline:
            thread.join(0.02)
        if thread.is_alive():
            with contextlib.suppress(OSError, AuthenticationError, EOFError):
                Client(listener.address, authkey=key).close()  # lets `accept` return
            thread.join()
            accepted.clear()
        if not accepted:
            how = self.how() if self._process.poll() is not None else f"did not connect within {limit:g} s"
            output = self.output()
            self.stop()
            raise TargetError(f"the worker process {how}\n{output}".rstrip())
        return accepted[0]

    def _tell(self, message: dict[str, Any]) -> None:
        """On its stdin, which stays open for as long as this process lives."""
        pipe = self._process.stdin
        if pipe is not None:
            try:
                pipe.write(json.dumps(message).encode() + b"\n")
                pipe.flush()
            except BrokenPipeError:
                return  # it died already: noticed by whoever waits for it

    def send(self, message: Any) -> None:
        """Send, unless it is gone, which `receive` will tell."""
        if os.fstat(self._log.fileno()).st_size > _KEEP_BYTES:
            self._log.truncate(0)
        try:
            self._connection.send(message)
        except (BrokenPipeError, ConnectionError):
            return

    def receive(self, limit: float) -> Any:
        """The next message.

        Raises:
            ChildEndedError: there will be none.
            ChildSilentError: none came within `limit` seconds.
        """
        try:
            if not self._connection.poll(limit):
                raise ChildEndedError if self._process.poll() is not None else ChildSilentError
            return self._connection.recv()
        except (EOFError, ConnectionError) as error:
            raise ChildEndedError from error

    def how(self) -> str:
        """How it ended: "killed by SIGSEGV (Segmentation fault)", "exited with code 3"."""
        try:
            code = self._process.wait(_END)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        if code >= 0:
            return f"exited with code {code}" if code < 1 << 31 else f"exited with code {code:#x}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"killed by {name} ({signal.strsignal(-code)})"

    def output(self) -> str:
        """The last lines printed, without Python's report of a fatal signal."""
        return "\n".join(_FATAL.split(self._printed())[0].rstrip().splitlines()[-_TAIL_LINES:])

    def interrupted(self) -> str:
        """The line that a fatal signal interrupted, `"my_conv.py:12 in forward"`; empty if unknown."""
        _, *fatal = _FATAL.split(self._printed())
        frames = [(m[1], m[2], m[3]) for m in _FRAME.finditer(fatal[-1])] if fatal else []
        return user_line(frames)

    def _printed(self) -> str:
        self._log.seek(max(0, os.fstat(self._log.fileno()).st_size - _TAIL_BYTES))
        return self._log.read().decode(errors="replace")

    def stop(self) -> None:
        """End the process, in whatever state it is."""
        if hasattr(self, "_connection"):
            self._connection.close()
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._log.close()


def _accept(listener: Listener, accepted: list[Connection]) -> None:
    with contextlib.suppress(OSError, AuthenticationError, EOFError):
        accepted.append(listener.accept())


def _listener(key: bytes) -> Listener:
    try:
        return Listener(authkey=key)
    except OSError:  # a temporary folder whose name is too long for a socket
        return Listener(("localhost", 0), authkey=key)
