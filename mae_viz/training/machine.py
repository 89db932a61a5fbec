"""What the machine can do: processes and devices, the faster precision, compilation where there is a compiler."""

import copy
import hashlib
import math
import os
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Union, cast

import torch
from torch import nn

from mae_viz.layers import GDN
from mae_viz.models import RateModel
from mae_viz.storage import cache_folder, write_whole
from mae_viz.training.data import Batch
from mae_viz.training.objective import DeviceNoise, HostNoise, Lagrangian

if TYPE_CHECKING:
    from lightning.fabric import Fabric

Results = tuple[torch.Tensor, ...]

COMPILED = 64
"""Variants of one function that are compiled: each layer has its shape, and each stretch its types."""

_STOP_EVERY = 10  # steps between asking all processes whether one of them was told to stop


class Alone:
    """One process on one device: what is asked of Fabric, without it."""

    world_size, global_rank, is_global_zero = 1, 0, True

    def __init__(self, device: torch.device):
        self.device = device

    def broadcast(self, value: str) -> str:
        return value

    def barrier(self) -> None: ...

    def rank_zero_first(self) -> AbstractContextManager[None]:
        return nullcontext()

    def all_reduce(self, numbers: torch.Tensor, reduce_op: str) -> torch.Tensor:
        return numbers

    def setup_module(self, module: nn.Module) -> nn.Module:
        return module.to(self.device)

    def backward(self, loss: torch.Tensor) -> None:
        loss.backward()


Processes = Union[Alone, "Fabric"]


def fabric(devices: str = "auto", nodes: int = 1) -> Processes:
    """Lightning Fabric for several processes, one for each GPU that there is, or CPU processes where asked for.

    Under torchrun or a cluster's launcher it takes its place among the processes. For a single process there is nothing
    to coordinate, and Fabric is not needed.
    """
    if devices != "auto" and not devices.isdigit():
        raise ValueError(f"--devices {devices} is neither auto nor a number.")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    wanted = int(devices) if devices != "auto" else (gpus or 1)
    if gpus:  # a codec's choices are others (`mae_viz.coding.devices`)
        torch.backends.cudnn.benchmark = True  # crops all have one size
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic = True, False
    if nodes == 1 and wanted == 1 and int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Alone(torch.device("cuda", 0) if gpus else torch.device("cpu"))
    with warnings.catch_warnings():  # of Lightning's own dependencies
        warnings.simplefilter("ignore")
        try:
            from lightning.fabric import Fabric
        except ImportError:
            raise ValueError("several processes need Lightning: pip install mae_viz[train], or --devices 1.") from None

    built = Fabric(accelerator="cuda" if gpus else "cpu", devices=wanted, num_nodes=nodes, strategy="ddp")
    built.launch()
    return built


def holds(fabric: Processes, size: int) -> bool:
    """Whether the pictures, ``size`` bytes, are to lie in the device's memory: on a GPU, if they fill half of what is
    free at most."""
    return fabric.device.type == "cuda" and 2 * size < torch.cuda.mem_get_info(fabric.device)[0]


def precision(model: RateModel, wanted: str, batch: Batch, fabric: Processes) -> str:
    """ "bfloat16" or "float32": as wanted, or where it is measured the first if a step of it is faster by a fifth.

    That is measured once for each machine, version of torch and kind of step, and kept in the cache folder, so that the
    same command gives the same weights.

    bfloat16 is up to twice as fast where the CPU or GPU has instructions for it, and slower elsewhere. It has 8 bits
    for latents that reach hundreds, so that near the end of a training its gradients at high λ are mostly error: finish
    in float32 (``--anneal 500 --set precision=float32``).

    On a GPU "outer" is taken without measuring: bfloat16 in the outer layers, which have most of the arithmetic, and
    TF32 (torch's own choice for convolutions) at the bottleneck. Products of matrices, the gains among them, stay in
    float32: TF32 is wrong by 3 % there.
    """
    if wanted == "measured" and fabric.device.type == "cuda":
        return "outer" if torch.cuda.is_bf16_supported() else "float32"
    if wanted != "measured":
        return wanted
    kept = cache_folder() / "training" / f"precision-{_step_identity(model, batch, fabric)}"
    known = fabric.broadcast(kept.read_text(encoding="utf-8") if kept.is_file() else "")
    if known in ("float32", "bfloat16"):
        return known
    fabric.barrier()
    trials = {name: Lagrangian(copy.deepcopy(model), name) for name in ("float32", "bfloat16")}
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


def _step_identity(model: RateModel, batch: Batch, fabric: Processes) -> str:
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
        torch._dynamo.config.recompile_limit = COMPILED  # by torch's own, 8, the rest would stay as it is
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


def seeded_on(device: torch.device) -> HostNoise | DeviceNoise:
    """Where the noise of a step comes from: on a GPU from there, elsewhere image by image from the host."""
    return DeviceNoise(device) if device.type == "cuda" else HostNoise()


class Recorded:
    """A function of tensors, recorded on a GPU as one CUDA graph: what is launched is one thing instead of hundreds.

    It is called three times before it is recorded, as CUDA asks for; ``keeps`` are tensors that it changes, which are
    then put back. ``noise`` draws inside it. Inputs are copied to where the recording reads them; the results, and
    whatever else it wrote, are overwritten by the next call.
    """

    def __init__(
        self,
        function: Callable[..., Results],
        inputs: Sequence[torch.Tensor],
        noise: HostNoise | DeviceNoise,
        keeps: Sequence[torch.Tensor] = (),
    ):
        before = [tensor.detach().clone() for tensor in keeps]
        self._inputs = [tensor.clone() for tensor in inputs]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                function(*self._inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        if isinstance(noise, DeviceNoise):
            self._graph.register_generator_state(noise.generator)
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._results = function(*self._inputs)
        with torch.no_grad():
            for tensor, value in zip(keeps, before, strict=True):
                tensor.copy_(value)

    def __call__(self, *inputs: torch.Tensor) -> Results:
        for held, given in zip(self._inputs, inputs, strict=True):
            held.copy_(given)
        self._graph.replay()
        return self._results


def leave() -> None:
    """Give up what connects several processes, at the end of a training: Gloo's threads must not outlive Python."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def any_process(flag: bool, fabric: Processes, step: int) -> bool:
    """Whether a flag is set in any process; with several they are asked every few steps only."""
    if fabric.world_size == 1:
        return flag
    if step % _STOP_EVERY:
        return False
    return bool(summed(torch.tensor(float(flag)), fabric) > 0)


def agreed(seconds: float, fabric: Processes) -> float:
    """Seconds as all processes take them, so that they change rates, and end, at one step: the mean of their clocks."""
    if fabric.world_size == 1:
        return seconds
    return float(summed(torch.tensor(seconds, dtype=torch.float64), fabric)) / fabric.world_size


def summed(numbers: torch.Tensor, fabric: Processes) -> torch.Tensor:
    """The sum over all processes, on the CPU."""
    return cast(torch.Tensor, fabric.all_reduce(numbers.to(fabric.device), reduce_op="sum")).cpu()


def _forward_backward(lagrangian: nn.Module, batch: Batch, device: torch.device) -> None:
    bpp, mse, _ = lagrangian(batch.x.to(device), batch.lmbda.to(device), batch.seeds)
    loss = (bpp + mse).mean()
    loss.backward()
    lagrangian.zero_grad()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
