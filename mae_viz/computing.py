"""The one owner of computing: a few workers, and queues that what is on screen leads.

What takes long is handed over as a function and comes back as a `Job`, a future. The workers take the most urgent job
first. One worker more takes jobs on large pictures, one at a time and behind all others: so many visitors neither fill
the memory nor slow one another down, and a large upload keeps nobody with a small picture waiting. A last one takes
patient jobs, one at a time and behind all of those: work that goes on for a minute to make better what is there
already, and gives way wherever it calls `give_way`. What nobody wants any more is dropped before it begins, or where it
next calls `go_on`. A job is never about another job: what it needs is
asked for before it is handed over. When nothing has been asked for in a while, memory is given back (`at_rest`).
"""

import atexit
import contextlib
import ctypes
import gc
import heapq
import itertools
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import lru_cache, partial
from typing import TypeVar

ON_SCREEN, BESIDE, SOON = -1.0, -0.5, 0.0
"""Urgencies; smaller is sooner. What somebody looks for now, what the same screen says beside it, and what somebody
will look for: a ladder's frames count on."""

WORKERS = 2
"""They share the cores between them. Half of a frame's time no second core can help with (entropy coding, metrics,
WebP): on two cores 25 frames of 768 × 512 take one worker with both cores 15.4 s, two with a core each 10.4 s, though a
frame alone takes 0.84 s instead of 0.72 s. More workers than that would keep a frame on screen waiting for longer."""

CLOSING_S = 15
"""How long `Computing.close` waits for what cannot be interrupted."""

REST_S = 300.0
"""After so long without a job memory is given back."""

SMALL, LARGE, PATIENT = "small", "large", "patient"
"""Queues of jobs. The workers that take each: WORKERS, one, one."""

_BEHIND_OTHERS = {LARGE: 10, PATIENT: 15}  # as `nice` counts
_LOOK_S = 0.5  # so often a job that gives way looks whether anybody still wants it
_here = threading.local()
_sharing = threading.Lock()
_at_rest: list[Callable[[], object]] = []
T = TypeVar("T")


class DroppedError(CancelledError):
    """A job that nobody wanted any more, or that the server's end overtook."""


class Job(Future[T]):
    """What was handed over. `result` waits for it, and raises what the function raised, or DroppedError."""

    def __init__(self, function: Callable[[], T], queue: str, wanted_s: float, who: object = None):
        super().__init__()
        self.function, self.queue, self.urgency = function, queue, math.inf
        self._fate = threading.Lock()
        self._dropped, self._patience_s = False, wanted_s
        self._until: dict[object, float] = {}
        self.want(wanted_s, who)

    def want(self, seconds: float = math.inf, who: object = None) -> bool:
        """``who`` wants the result for so many seconds from now. False where it is too late: it has been dropped."""
        with self._fate:
            self._until[who] = max(self._until.get(who, 0.0), time.monotonic() + seconds)
            return not self._dropped

    def let_go(self, who: object) -> None:
        """``who`` does not want the result any more: where nobody else does it is dropped."""
        with self._fate:
            self._until.pop(who, None)
        self.lost()

    def drop(self) -> None:
        """Nobody wants the result."""
        with self._fate:
            self._dropped = True
        self.cancel()

    def begin(self) -> bool:
        """Mark it as running, with as much time as when it was handed over. False where nobody wants the result."""
        if self.lost():
            self.cancel()
        for who in list(self._until):
            self.want(self._patience_s, who)
        return self.set_running_or_notify_cancel()

    def lost(self) -> bool:
        """Whether nobody wants the result; from then on nobody can."""
        with self._fate:
            self._dropped = self._dropped or time.monotonic() >= max(self._until.values(), default=0.0)
            return self._dropped

    def result(self, timeout: float | None = None) -> T:
        if not self.done():
            outside_jobs()
        try:
            return super().result(timeout)
        except CancelledError:
            raise DroppedError("nobody wanted this any more, or the server is stopping: ask for it again.") from None


class Computing:
    """Workers and their queues. Threads start with the first job. ``rest_s``: see `REST_S`."""

    def __init__(self, workers: int = WORKERS, rest_s: float = REST_S):
        self._rest_s, self._rested = rest_s, False
        self._kinds = [SMALL] * workers + [LARGE, PATIENT]  # the queue of each thread
        self._queues: dict[str, list[tuple[float, int, Job]]] = {SMALL: [], LARGE: [], PATIENT: []}
        self._changed = threading.Condition()
        self._count = itertools.count()
        self._threads: list[threading.Thread] = []
        self._running: set[Job] = set()
        self._closed = False

    def submit(
        self,
        function: Callable[..., T],
        *args: object,
        urgency: float = ON_SCREEN,
        large: bool = False,
        patient: bool = False,
        wanted_s: float = math.inf,
        who: object = None,
    ) -> Job[T]:
        """Hand over ``function(*args)``, ``large`` where it is about a large picture, ``patient`` where all others may
        go before it.

        It is dropped after ``wanted_s`` seconds, or where ``who`` asks lets it go, unless somebody has said `Job.want`
        meanwhile. Raises DroppedError after `close`, RuntimeError inside a job.
        """
        outside_jobs()
        job = Job(partial(function, *args), PATIENT if patient else LARGE if large else SMALL, wanted_s, who)
        self.hurry(job, urgency)
        return job

    def hurry(self, job: Job, urgency: float) -> None:
        """Put a job forward in its queue, where that is sooner."""
        with self._changed:
            if self._closed:
                raise DroppedError("the server is stopping: nothing is computed any more.")
            if urgency >= job.urgency:
                return
            job.urgency, self._rested = urgency, False
            heapq.heappush(self._queues[job.queue], (urgency, next(self._count), job))  # its first entry counts
            if not self._threads:
                self._threads = [threading.Thread(target=self._work, args=(k,), daemon=True) for k in self._kinds]
                for thread in self._threads:
                    thread.start()
            self._changed.notify_all()

    def before(self, job: Job) -> int:
        """How many of its queue are at work, or come before a job that waits there."""
        with self._changed:
            entries = sorted(self._queues[job.queue])
            waiting = list(dict.fromkeys(other for *_, other in entries if not (other.done() or other.running())))
            ahead = waiting.index(job) if job in waiting else 0
            return ahead + sum(other.queue == job.queue and other is not job for other in self._running)

    def quiet(self, job: Job) -> bool:
        """Whether a patient job may go on now: nobody looks for anything else. Waits a moment where it may not."""

        def wanted() -> bool:
            waiting = [other for queue in (SMALL, LARGE) for *_, other in self._queues[queue]]
            return any(
                other.urgency < SOON and other.queue != PATIENT and not other.done()
                for other in (*self._running, *waiting)
            )

        with self._changed:
            if wanted() and not job.lost():
                self._changed.wait(_LOOK_S)
            return not wanted()

    def close(self) -> None:
        """Drop all jobs, end those in work where they next call `go_on`, and the threads with them."""
        with self._changed:
            self._closed = True
            jobs = [*self._running, *(job for waiting in self._queues.values() for *_, job in waiting)]
            self._changed.notify_all()
        for job in jobs:
            job.drop()
        end = time.monotonic() + CLOSING_S
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _work(self, queue: str) -> None:
        _share_cores()
        if queue in _BEHIND_OTHERS:
            _step_back(_BEHIND_OTHERS[queue])
        while (job := self._next(queue)) is not None:
            _here.job, _here.owner = job, self
            try:
                job.set_result(job.function())
            except BaseException as error:  # whatever it is must reach who asked, and not end the thread
                job.set_exception(error)
            with self._changed:
                self._running.remove(job)
                self._changed.notify_all()
            _here.job = None
            del job.function, job  # an idle thread keeps no picture

    def _next(self, queue: str) -> Job | None:
        """The most urgent job, marked as running; None at the end."""
        with self._changed:
            while not self._closed:
                if not self._queues[queue]:
                    resting = queue == LARGE and not self._rested
                    quiet = not self._changed.wait(self._rest_s if resting else None)
                    if quiet and not (self._running or any(self._queues.values())):
                        self._rested = True
                        heapq.heappush(self._queues[queue], (math.inf, next(self._count), Job(rest, queue, math.inf)))
                    continue
                *_, job = heapq.heappop(self._queues[queue])
                if not (job.running() or job.done()) and job.begin():
                    self._running.add(job)
                    return job
        return None


def go_on(done: float = 0.0) -> None:
    """To be called now and then by what takes long, as a ``progress``: ends a job that nobody wants any more."""
    job = getattr(_here, "job", None)
    if job is not None and job.lost():
        raise DroppedError("nobody wants this any more.")


def give_way(done: float = 0.0) -> None:
    """To be called by a patient job between its steps: waits while anybody looks for anything else; ends it as `go_on`
    does."""
    go_on()
    job = getattr(_here, "job", None)
    while job is not None and not _here.owner.quiet(job):
        go_on()


def at_rest(forget: Callable[[], object]) -> None:
    """Have something called, in a job, whenever nothing has been asked for in a while: it lets go of what it keeps."""
    _at_rest.append(forget)


def rest() -> None:
    """Let go of all that `at_rest` names, and give the system the memory; all threads stand still for a moment."""
    for forget in _at_rest:
        forget()
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc alone keeps what was freed
        ctypes.CDLL(None).malloc_trim(0)


def outside_jobs() -> None:
    """Raises RuntimeError inside a job: with all workers waiting for one another none would work."""
    if getattr(_here, "job", None) is not None:
        raise RuntimeError("a job must not wait for another: ask for what it needs before you hand it over.")


def _share_cores() -> None:
    """Torch computes with this thread's share of the cores here; in all other threads it goes on as it was."""
    import torch

    with _sharing:
        cores = torch.get_num_threads()
        torch.set_num_threads(max(1, cores // WORKERS))
        others = threading.Thread(target=torch.set_num_threads, args=(cores,))  # what new threads begin with
        others.start()
        others.join()


def _step_back(behind: int) -> None:
    """What this thread computes, and the threads that torch starts for it, leave the processors to others."""
    if sys.platform == "linux":  # where threads have priorities of their own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), behind)


@lru_cache
def shared() -> Computing:
    """The owner of all computing in this process. Python's end closes it, where nobody has done so before."""
    made = Computing()
    atexit.register(made.close)
    return made
