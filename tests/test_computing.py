"""The owner of computing: who comes first, what is dropped, where failures arrive, and how it ends."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import torch

from mae_viz import computing
from mae_viz.computing import Computing, DroppedError


@pytest.fixture
def owner():
    """One worker, and the one for large pictures."""
    made = Computing(workers=1)
    yield made
    made.close()


class Gate:
    """A job that says when it has begun, and ends when it is let go."""

    def __init__(self):
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        while not self.open.wait(0.001):
            computing.go_on()
        return "through"


@pytest.fixture
def gate(owner):
    """The worker of small jobs, held up."""
    made = Gate()
    owner.submit(made)
    assert made.begun.wait(60)
    return made


def test_the_most_urgent_comes_first_then_who_asked_first(owner, gate):
    done = []
    jobs = [owner.submit(done.append, name, urgency=rank) for name, rank in (("c", 3), ("a", -1), ("d", 3), ("b", 0))]
    owner.hurry(jobs[2], 1)
    gate.open.set()
    for job in jobs:
        job.result(60)
    assert done == ["a", "b", "d", "c"]


def test_a_large_picture_keeps_no_small_one_waiting_nor_the_other_way_round(owner, gate):
    assert owner.submit(lambda: "large", large=True).result(60) == "large"
    gate.open.set()
    held = Gate()
    large = owner.submit(held, large=True)
    assert held.begun.wait(60)
    second = owner.submit(lambda: "second", large=True)
    assert owner.submit(lambda: "small").result(60) == "small"
    assert not second.running()
    held.open.set()
    assert (large.result(60), second.result(60)) == ("through", "second")


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priorities of their own")
def test_large_pictures_leave_the_processors_to_the_others(owner):
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert owner.submit(niceness, large=True).result(60) > owner.submit(niceness).result(60) == niceness()


def test_workers_share_the_cores_and_nobody_else_notices():
    before = torch.get_num_threads()
    with closing(Computing()) as owner, ThreadPoolExecutor(1) as others:
        assert owner.submit(torch.get_num_threads).result(60) == max(1, before // computing.WORKERS)
        assert others.submit(torch.get_num_threads).result(60) == before
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("error", [ValueError("no picture"), KeyboardInterrupt("stopped"), SystemExit("gone")])
def test_what_a_job_raises_is_raised_where_its_result_is_asked_for(owner, error):
    def fail():
        raise error

    with pytest.raises(type(error), match=str(error)):
        owner.submit(fail).result(60)
    assert owner.submit(lambda: "lives on").result(60) == "lives on"


def test_a_dropped_job_never_begins_and_its_askers_hear_of_it(owner, gate):
    done = []
    dropped, kept = owner.submit(done.append, "dropped"), owner.submit(done.append, "kept")
    dropped.drop()
    with pytest.raises(DroppedError, match="ask for it again"):
        dropped.result(60)
    assert not dropped.want()
    gate.open.set()
    kept.result(60)
    assert done == ["kept"]


def test_a_job_in_work_ends_where_it_asks_whether_to_go_on(owner):
    gate = Gate()
    job = owner.submit(gate)
    assert gate.begun.wait(60)
    job.drop()
    with pytest.raises(DroppedError):
        job.result(60)
    assert not gate.open.is_set()


def test_what_nobody_has_wanted_for_a_while_is_dropped(owner, gate):
    forgotten, waited_for = (owner.submit(lambda: "made", wanted_s=0) for _ in range(2))
    assert waited_for.want()
    gate.open.set()
    assert waited_for.result(60) == "made"
    with pytest.raises(DroppedError):
        forgotten.result(60)


def test_a_job_in_work_that_nobody_wants_any_longer_ends(owner):
    with pytest.raises(DroppedError):
        owner.submit(Gate(), wanted_s=0.2).result(60)


def test_a_job_may_not_wait_for_another(owner, gate):
    other = owner.submit(lambda: "other")
    asks, hands_over = owner.submit(other.result, large=True), owner.submit(owner.submit, print, large=True)
    for job in (asks, hands_over):
        with pytest.raises(RuntimeError, match="before you hand it over"):
            job.result(60)
    gate.open.set()
    assert other.result(60) == "other"
    assert owner.submit(other.result).result(60) == "other"  # what is there already may be looked at


def test_at_the_end_everything_ends(owner, gate):
    threads = set(owner._threads)
    waiting = owner.submit(print, "never")
    with ThreadPoolExecutor(1) as asker:
        asked = asker.submit(waiting.result, 60)
        owner.close()
        with pytest.raises(DroppedError):
            asked.result(60)
    assert len(threads) == 2
    assert not threads & set(threading.enumerate())
    with pytest.raises(DroppedError, match="the server is stopping"):
        owner.submit(print, "never")


def test_many_askers_each_get_their_own(owner):
    def ask(number: int) -> int:
        return owner.submit(lambda: number * number, urgency=-number, large=number % 7 == 0).result(60)

    with ThreadPoolExecutor(32) as askers:
        assert list(askers.map(ask, range(500))) == [number * number for number in range(500)]
