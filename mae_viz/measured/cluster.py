"""Who measures: processes of our own, or the workers of a cluster, both by Dask (`distributed`).

A worker opens pictures and checkpoints of one's own by their paths, which must mean the same on all machines, as on a
shared file system. It is to run one thread, because seconds are seconds of one core, and what it measures with must be
what the result file says: software, weights and processor are compared before each task, so that a worker that joins
later is held to them too.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from mae_viz.codecs import registry
from mae_viz.measured.evaluate import Task, machine, measure, software

if TYPE_CHECKING:
    from distributed import Client

_PATIENCE_S = 20.0


class Cluster:
    """Workers to measure one codec with. ``machine``: theirs, as a result file names it."""

    def __init__(self, client: "Client", about: dict, device: str):
        self._client, self._about, self._device, self.machine = client, about, device, about["machine"]

    def measured(self, name: str, batches: list[list[Task]]) -> Iterator[dict]:
        """Rows as they come. Raises what measuring raises."""
        from distributed import as_completed

        futures = [
            self._client.submit(_measure, name, batch, self._device, self._about, pure=False) for batch in batches
        ]
        try:
            for future in as_completed(futures):
                yield from future.result()
        finally:
            self._client.cancel(futures)


@contextmanager
def local(count: int, name: str, device: str) -> Iterator[Cluster]:
    """So many processes of our own, which end with this one."""
    from distributed import Client, LocalCluster

    settings: dict[str, Any] = {
        "threads_per_worker": 1,
        "processes": True,
        "memory_limit": None,
        "silence_logs": logging.CRITICAL,
    }
    with (
        LocalCluster(n_workers=count, host="127.0.0.1", dashboard_address="127.0.0.1:0", **settings) as cluster,
        Client(cluster) as client,
    ):
        client.run(_leave_interrupts)
        yield Cluster(client, _own(name, device), device)


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle


@contextmanager
def connected(scheduler: str, name: str, device: str) -> Iterator[Cluster]:
    """The cluster at an address such as tcp://10.0.0.1:8786. On a GPU workers compute on the one of the same number.

    Raises ValueError where nobody answers there, it has no workers, or these have not what this machine has.
    """
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_PATIENCE_S)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"no Dask scheduler answers at {scheduler} ({error}): start one with `dask scheduler`."
        ) from None
    with client:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise ValueError(
                f"the cluster at {scheduler} has no workers: start some with `dask worker {scheduler} --nthreads 1`."
            )
        own, theirs = _own(name, device), client.submit(_about, name, device, pure=False).result()
        for key in ("software", "codec"):
            _compare(own, theirs, key)
        yield Cluster(client, theirs, device)


def _own(name: str, device: str) -> dict:
    """What a row depends on, here: what its file names."""
    codec = registry.codec(name, device)
    codec_facts = {"fingerprint": codec.fingerprint, **codec.settings}
    return {"software": _software(), "codec": codec_facts, "machine": _machine(codec.device)}


_software, _machine = cache(software), cache(machine)


def _about(name: str, device: str) -> dict:
    """The same at a worker, which becomes one of one thread."""
    import torch
    from distributed import get_worker

    threads = get_worker().state.nthreads
    if threads != 1:
        raise ValueError(
            f"a worker runs {threads} threads: start it with --nthreads 1, for seconds are those of one core."
        )
    torch.set_num_threads(1)
    return _own(name, device)


def _measure(name: str, tasks: list[Task], device: str, wanted: dict) -> list[dict]:
    """`measure` at a worker that has what is wanted."""
    found = _about(name, device)
    for key in wanted:
        _compare(wanted, found, key)
    return measure(name, tasks, device)


def _compare(wanted: dict, found: dict, key: str) -> None:
    ours, theirs = wanted[key], found[key]
    if ours == theirs:
        return
    if isinstance(ours, dict):  # of many facts those that differ
        ours, theirs = (
            {name: facts.get(name) for name in ours if wanted[key][name] != found[key].get(name)}
            for facts in (ours, theirs)
        )
    raise ValueError(
        f"a worker has another {key}, {theirs} and not {ours}: use workers that are alike, and a codec whose weights "
        "come from a file."
    )
