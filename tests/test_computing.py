"""The owner of computing: who comes first, what is dropped, where failures arrive, and how it ends."""

import ast
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from mae_viz import computing
from mae_viz.computing import Computing, DroppedError

ROOT = Path(__file__).parent.parent


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


def test_who_lets_go_of_a_job_takes_it_from_nobody_else(owner, gate):
    alone, shared = owner.submit(lambda: "alone", who="a"), owner.submit(lambda: "shared", who="a")
    assert shared.want(who="b")
    for job in (alone, shared):
        job.let_go("a")
    gate.open.set()
    assert shared.result(60) == "shared"
    with pytest.raises(DroppedError):
        alone.result(60)


def test_at_rest_memory_is_given_back_once(monkeypatch):
    rested = threading.Semaphore(0)
    monkeypatch.setattr(computing, "_at_rest", [rested.release])
    with closing(Computing(workers=1, rest_s=0.1)) as owner:
        gate = Gate()
        job = owner.submit(gate)
        assert not rested.acquire(timeout=0.3)  # somebody waits for something
        gate.open.set()
        job.result(60)
        assert rested.acquire(timeout=60)
        assert not rested.acquire(timeout=0.3)
        owner.submit(str).result(60)
        assert rested.acquire(timeout=60)


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
    assert len(threads) == 3
    assert not threads & set(threading.enumerate())
    with pytest.raises(DroppedError, match="the server is stopping"):
        owner.submit(print, "never")


def test_many_askers_each_get_their_own(owner):
    def ask(number: int) -> int:
        return owner.submit(lambda: number * number, urgency=-number, large=number % 7 == 0).result(60)

    with ThreadPoolExecutor(32) as askers:
        assert list(askers.map(ask, range(500))) == [number * number for number in range(500)]


@pytest.mark.slow
def test_the_server_ends_what_it_computes_and_leaves_no_thread():
    """The app's own start and stop, around a job that would never end."""
    program = """
import asyncio, threading
import app
from mae_viz import computing

begun = threading.Event()

def forever():
    begun.set()
    while True:
        computing.go_on()

async def serve():
    async with app.running(app.app):
        jobs = [computing.shared().submit(forever, large=large) for large in (False, True)]
        begun.wait()
    print([job.done() for job in jobs], threading.active_count())

asyncio.run(serve())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.stdout == "[True, True] 1\n", done.stderr[-2000:]


SAID: dict = {}
"""What the script below and its test say to each other."""


def test_a_page_that_nobody_looks_at_any_more_gives_up_its_place():
    def script():
        import test_computing
        from streamlit.runtime.scriptrunner import get_script_run_ctx

        from mae_viz.app import computed

        test_computing.SAID["stop"] = get_script_run_ctx().script_requests.request_stop
        test_computing.SAID["begun"].set()
        computed.run(test_computing.SAID["done"].append, "for nobody")

    SAID.update(begun=threading.Event(), done=[])
    gates = [Gate() for _ in range(computing.WORKERS)]
    held = [computing.shared().submit(gate) for gate in gates]
    assert all(gate.begun.wait(60) for gate in gates)
    with ThreadPoolExecutor(1) as visitor:
        visit = visitor.submit(AppTest.from_function(script, default_timeout=60).run)
        assert SAID["begun"].wait(60)
        SAID["stop"]()
        assert not visit.result(60).exception
    for gate, job in zip(gates, held, strict=True):
        gate.open.set()
        job.result(60)
    assert computing.shared().submit(lambda: "next", urgency=1).result(60) == "next"
    assert SAID["done"] == []


# The app computes nothing past its owner

APP = ROOT / "mae_viz" / "app"
DOOR = ("run", "computed.run")
HEAVY = {
    "coder": {"compress", "decompress", "encode", "encode_latents", "decode_latents", "decode_picture", "decode_y_hat"},
    "probe": {
        *("latents", "cost", "symbols", "switched_off"),
        *("contrast", "constancies", "most_alike", "expected_pmf"),
    },
    "metrics": {"psnr_db", "ms_ssim_db"},
    "search": {"compress_to"},
    "collected": {"results", "bd_table"},
    "table1": {"counts"},
    "checkpoints": {"open_checkpoint", "load"},
    "images": {"open_rgb"},
}
"""Functions by module that take longer than 50 ms, on the first call at least; so do all codecs' encode, decode and
inspect."""


def called_directly(source: str) -> list[str]:
    """Heavy calls outside the functions that are handed to the owner of computing, and outside private ones that
    these alone call."""
    tree = ast.parse(source)
    names = {f"{module}.{name}" for module, functions in HEAVY.items() for name in functions}
    names |= {  # imported on their own
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in HEAVY.get(node.module.split(".")[-1], ())
    }

    def is_heavy(call: ast.Call) -> bool:
        codes = isinstance(call.func, ast.Attribute) and call.func.attr in ("encode", "decode", "inspect")
        return ast.unparse(call.func) in names or (codes and bool(call.args))  # text and base64 code without arguments

    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [argument for call in calls if ast.unparse(call.func) in DOOR for argument in call.args]
    handed = {argument.id for argument in given if isinstance(argument, ast.Name)}
    inside = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in handed]
    inside += [argument for argument in given if isinstance(argument, ast.Lambda)]
    owned = {id(node) for function in inside for node in ast.walk(function)}
    read = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    private = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("_")]
    for function in private * len(private):  # as one may call the next
        if places := [id(node) for node in read if node.id == function.name]:
            owned |= {id(node) for node in ast.walk(function) if owned.issuperset(places)}
    return [ast.unparse(call) for call in calls if is_heavy(call) and id(call) not in owned]


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=lambda path: path.stem)
def test_the_app_computes_nothing_past_its_owner(path):
    source = path.read_text(encoding="utf-8")
    if path.name == "lessons.py":  # the command line writes them
        source = source.replace("open_rgb(photograph.path)", "")
    if path.name == "computed.py":  # a bundled photograph takes 10 ms to open, and waits behind no frame
        source = source.replace("Picture(found.title, open_rgb(source), source)", "")
    assert called_directly(source) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("coder.compress(picture, model, 64)", 1),
        ("from mae_viz.codecs.search import compress_to\ncompress_to(picture, bytes=9)", 1),
        ("from mae_viz.images import open_rgb as read\nread(path)", 1),
        ("codec(name).decode(codec(name).encode(picture, rate))", 2),
        ("text.encode(); base64.b64encode(png).decode(); computed.cost(picture, model, index)", 0),
        ("computed.run(coder.decompress, data)", 0),
        ("run(lambda: probe.cost(model, data), large=True)", 0),
        ("def both():\n    return [coder.decompress(data) for data in files]\nrun(both)", 0),
        ("def both():\n    return [coder.decompress(data) for data in files]\nboth()", 1),
        ("run(codec.decode, coder.compress(picture))", 1),
        ("def _one(data):\n    coder.decompress(data)\ndef _two(data):\n    _one(data)\nrun(lambda: _two(data))", 0),
        ("def _one(data):\n    coder.decompress(data)\nrun(lambda: _one(data))\n_one(data)", 1),
        ("def _one(data):\n    coder.decompress(data)\nrun(print, _one(data))", 1),
        ("def _one(data):\n    coder.decompress(data)", 1),
        ("def one(data):\n    coder.decompress(data)\nrun(lambda: one(data))", 1),
    ],
)
def test_a_call_past_the_owner_is_noticed(source, found):
    assert len(called_directly(source)) == found
