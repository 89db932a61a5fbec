"""Work of unknown length in a process of its own, which the system ends after so many seconds.

Decoders in C cannot be told to stop, and a thread that waits for one no longer still pays for it. A process can be
ended: its own timer does it, so that it ends even where whoever asked has died before. Processes stay for the next
request (one starts within half a second, but a folder has thousands of pictures), a minute at most, and end with this
one. What comes back is text and bytes; nothing is unpickled, because who reads hostile files is not to be trusted
either.
"""

import atexit
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from select import select
from typing import IO

Answer = tuple[dict, bytes]
"""What JSON can say, and bytes."""

_IDLE_S = 60.0
_LENGTHS = struct.Struct("<IQ")
_idle: dict[tuple[str, str], list[subprocess.Popen]] = {}  # by the function that they run
_lock = threading.Lock()


class LateError(TimeoutError):
    """The process was ended after its time."""


class CrashError(RuntimeError):
    """The process ended by itself."""


def ask(module: str, function: str, said: dict, data: bytes) -> Answer:
    """``function(said, data)`` of a module, in a process of its own. Blocks.

    The function calls `limit` first. Raises LateError where its time was up, CrashError where its process died.
    """
    kind = (module, function)
    while True:
        with _lock:
            waiting = _idle.setdefault(kind, [])
            used = bool(waiting)
            process = waiting.pop() if used else _started(*kind)
        try:
            answer = _asked(process, said, data)
        except BaseException:
            _end(process)
            raise
        if answer:
            with _lock:
                _idle.setdefault(kind, []).append(process)
            return answer
        _end(process)
        if process.returncode == -signal.SIGPROF:
            raise LateError
        if not used:  # one that was may have ended before it was asked, after its minute for instance
            raise CrashError(f"exit code {process.returncode}")


def _asked(process: subprocess.Popen, said: dict, data: bytes) -> Answer | None:
    """None where the process has ended."""
    try:
        _send(process.stdin, said, data)
        answer = _received(process.stdout)
    except BrokenPipeError:
        answer = None
    if answer is None:
        process.wait()
    return answer


def limit(seconds: float) -> None:
    """From now on this process may compute for so long: time of its processors, which a busy machine does not
    lengthen."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def close_idle() -> None:
    """End the processes that wait for a request."""
    with _lock:
        processes = [process for waiting in _idle.values() for process in waiting]
        _idle.clear()
    for process in processes:
        _end(process)


def serve(module: str, function: str) -> None:
    """What such a process does: answer one request after another."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asked, whose end ends this
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    answer: Callable[[dict, bytes], Answer] = getattr(import_module(module), function)
    while select([0], [], [], _IDLE_S)[0] and (request := _received(sys.stdin.buffer)):
        said, data = answer(*request)
        limit(0)
        _send(answers, said, data)
        del request, data  # an idle process keeps no picture


def _started(module: str, function: str) -> subprocess.Popen:
    # no multiprocessing: it would import __main__ again, which may be a script that asks for this as it is imported
    what = f"from mae_viz import apart; apart.serve({module!r}, {function!r})"
    program = f"import sys; sys.path[:] = {sys.path!r}; {what}"
    return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _end(process: subprocess.Popen) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            if pipe:
                pipe.close()
    process.wait()


def _send(stream: IO[bytes] | None, said: dict, data: bytes) -> None:
    assert stream
    text = json.dumps(said).encode()
    stream.write(_LENGTHS.pack(len(text), len(data)) + text)
    stream.write(data)
    stream.flush()


def _received(stream: IO[bytes] | None) -> Answer | None:
    """None where it ended."""
    assert stream
    head = stream.read(_LENGTHS.size)
    if len(head) < _LENGTHS.size:
        return None
    text, data = _LENGTHS.unpack(head)
    said, body = stream.read(text), stream.read(data)
    return (json.loads(said), body) if len(said) + len(body) == text + data else None


atexit.register(close_idle)
os.register_at_fork(after_in_child=_idle.clear)  # a fork's pipes are its parent's
