"""What the machine can do: processes and devices, the faster precision, compilation where there is a compiler."""

import copy
import hashlib
import math
import os
import platform
import time
import warnings
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from mae_viz.layers import GDN
from mae_viz.models import RateModel
from mae_viz.storage import cache_folder, write_whole
from mae_viz.training.data import Batch
from mae_viz.training.objective import Lagrangian

if TYPE_CHECKING:
    from lightning.fabric import Fabric

_STOP_EVERY = 10  # steps between asking all processes whether one of them was told to stop


def fabric(devices: str = "auto", nodes: int = 1) -> "Fabric":
    """Lightning Fabric on what is there: all GPUs, else one CPU process; several CPU processes where asked for.

    Under torchrun or a cluster's launcher it takes its place among the processes.
    """
    with warnings.catch_warnings():  # of Lightning's own dependencies
        warnings.simplefilter("ignore")
        from lightning.fabric import Fabric

    if devices != "auto" and not devices.isdigit():
        raise ValueError(f"--devices {devices} is neither auto nor a number.")
    wanted = int(devices) if devices != "auto" else ("auto" if torch.cuda.is_available() else 1)
    many = nodes > 1 or int(os.environ.get("WORLD_SIZE", "1")) > 1 or (wanted != 1 and wanted != "auto")
    gpus = torch.cuda.device_count() if wanted == "auto" else 0
    built = Fabric(
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=wanted,
        num_nodes=nodes,
        strategy="ddp" if many or gpus > 1 else "auto",
    )
    built.launch()
    return built


def precision(model: RateModel, wanted: str, batch: Batch, fabric: "Fabric") -> str:
    """ "bfloat16" or "float32": as wanted, or where it is measured the first if a step of it is faster by a fifth.

    That is measured once for each machine, version of torch and kind of step, and kept in the cache folder, so that the
    same command gives the same weights.

    bfloat16 is up to twice as fast where the CPU or GPU has instructions for it, and slower elsewhere. It has 8 bits
    for latents that reach hundreds, so that near the end of a training its gradients at high λ are mostly error: finish
    in float32 (``--anneal 500 --set precision=float32``).
    """
    if wanted != "measured":
        return wanted
    kept = cache_folder() / "training" / f"precision-{_step_identity(model, batch, fabric)}"
    known = fabric.broadcast(kept.read_text(encoding="utf-8") if kept.is_file() else "")
    if known in ("float32", "bfloat16"):
        return known
    fabric.barrier()
    trials = {name: Lagrangian(copy.deepcopy(model), name == "bfloat16") for name in ("float32", "bfloat16")}
    seconds = dict.fromkeys(trials, math.inf)
    for name in [*trials] * 4:  # in turns: the first pays for setting up, and any may have to wait for another process
        trial = trials[name].to(fabric.device).to(memory_format=torch.channels_last)
        began = time.perf_counter()
        _forward_backward(trial, batch, fabric.device)
        seconds[name] = min(seconds[name], time.perf_counter() - began)
    chosen = fabric.broadcast("bfloat16" if seconds["bfloat16"] < 0.8 * seconds["float32"] else "float32")
    if fabric.is_global_zero:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, chosen.encode())
    return chosen


def _step_identity(model: RateModel, batch: Batch, fabric: "Fabric") -> str:
    """Hash of what the seconds of a step depend on."""
    on_gpu = fabric.device.type == "cuda"
    device = torch.cuda.get_device_name(fabric.device) if on_gpu else torch.backends.cpu.get_cpu_capability()
    machine = platform.machine(), device, torch.get_num_threads(), torch.__version__
    facts = machine, type(model).__name__, model.channels, tuple(batch.x.shape)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def compile_parts(lagrangian: Lagrangian, batch: Batch, device: torch.device) -> str:
    """Compile GDN and the likelihoods, which are chains of small operations; whole steps gain nothing.

    Returns a sentence on what was done: without a working compiler everything stays as it is.
    """
    model = lagrangian.model
    gdns = [m for m in model.modules() if isinstance(m, GDN)]
    began = time.perf_counter()
    try:
        for gdn in gdns:
            gdn.compile(dynamic=False)
        vars(model.prior)["likelihood"] = torch.compile(model.prior.likelihood, dynamic=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _forward_backward(lagrangian, batch, device)
    except Exception as error:  # whatever is wrong with a compiler, training goes on without
        for gdn in gdns:
            gdn._compiled_call_impl = None
        vars(model.prior).pop("likelihood", None)
        model.zero_grad()
        reason = str(error).strip().splitlines()
        return f"not compiled: {type(error).__name__}: {reason[0] if reason else ''}"
    return f"GDN and likelihoods compiled in {time.perf_counter() - began:.0f} s"


def leave() -> None:
    """Give up what connects several processes, at the end of a training: Gloo's threads must not outlive Python."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def any_process(flag: bool, fabric: "Fabric", step: int) -> bool:
    """Whether a flag is set in any process; with several they are asked every few steps only."""
    if fabric.world_size == 1:
        return flag
    if step % _STOP_EVERY:
        return False
    return bool(summed(torch.tensor(float(flag)), fabric) > 0)


def agreed(seconds: float, fabric: "Fabric") -> float:
    """Seconds as all processes take them, so that they change rates, and end, at one step: the mean of their clocks."""
    if fabric.world_size == 1:
        return seconds
    return float(summed(torch.tensor(seconds, dtype=torch.float64), fabric)) / fabric.world_size


def summed(numbers: torch.Tensor, fabric: "Fabric") -> torch.Tensor:
    """The sum over all processes, on the CPU."""
    return cast(torch.Tensor, fabric.all_reduce(numbers.to(fabric.device), reduce_op="sum")).cpu()


def _forward_backward(lagrangian: nn.Module, batch: Batch, device: torch.device) -> None:
    bpp, mse, _ = lagrangian(batch.x.to(device), batch.lmbda.to(device), batch.seeds)
    loss = (bpp + mse).mean()
    loss.backward()
    lagrangian.zero_grad()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
