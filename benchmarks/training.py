"""Crops a second in training: ours eager, compiled and recorded (on a GPU), and the loop of CompressAI's examples.

    python benchmarks/training.py [--batch 16] [--crop 256] [--channels 192] [--steps 20]
    python benchmarks/training.py --gpu-check    # everything that needs a GPU, in one go; exits with 1 where one fails

Needs torch, numpy, pillow and safetensors; where CompressAI is missing its loop is left out, and where constriction is,
what the codec does on a GPU. Both are said.

All train on the same crops of the bundled photographs on one machine, in turns in one run. CompressAI's loop is that of
its examples/train.py: FactorizedPrior of the same width, Adam on the network, a second Adam on the quantiles by its
auxiliary loss, gradients clipped at 1. Ours trains the modulated autoencoder by its own optimiser at seven λ. Beside
both stands the limit of the arithmetic: what convolutions and products of matrices of one crop take, forward and
backward, at the speed that this machine reaches in one large product, in the fastest type that ours computes in.
"""

import argparse
import itertools
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from mae_viz.images import gallery, open_rgb
from mae_viz.training import blocks, config, data, loop, machine, optimizer, state
from mae_viz.training.run import Run

CODECS = ("mae", "bottleneck-scaling", "mae-hyperprior")
PICTURES = {name: gallery()[name].path for name in ("china", "flower")}  # of one size: they are coded together
LMBDA = 0.0130  # of CompressAI's example, for 0-255 images


def silent(text: str) -> None:
    """What a run says is not this program's to repeat."""


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def pictures_for(settings: config.Config) -> data.Pictures:
    return data.open_pictures(data.BUNDLED, settings.scales, silent)


def run_of(settings: config.Config, saved: dict | None = None) -> Run:
    run = Run(settings, pictures_for(settings), machine.fabric("1"), silent)
    run.begin(saved=saved)
    return run


def as_is(run: Run) -> Run:
    """The same run without recording."""
    run._recorded = None
    return run


def compressai_step(channels: int, device: torch.device) -> Callable[[torch.Tensor], None] | None:
    """One step of its example on crops (B, 3, S, S) uint8; None where it is not installed."""
    with warnings.catch_warnings():  # of what it imports
        warnings.simplefilter("ignore")
        try:
            from compressai.losses import RateDistortionLoss
            from compressai.models import FactorizedPrior
        except ImportError:
            return None
    net = FactorizedPrior(channels, channels).to(device).train()
    main = torch.optim.Adam([p for name, p in net.named_parameters() if not name.endswith("quantiles")], 1e-4)
    auxiliary = torch.optim.Adam([p for name, p in net.named_parameters() if name.endswith("quantiles")], 1e-3)
    criterion = RateDistortionLoss(lmbda=LMBDA)

    def step(x: torch.Tensor) -> None:
        x = x.to(device).float() / 255
        main.zero_grad()
        auxiliary.zero_grad()
        criterion(net(x), x)["loss"].backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        main.step()
        net.aux_loss().backward()
        auxiliary.step()

    return step


def seconds_a_step(step: Callable[[int], None], first: int, count: int, device: torch.device) -> float:
    """The fastest of so many."""
    best = float("inf")
    for number in range(first, first + count):
        began = time.perf_counter()
        step(number)
        wait(device)
        best = min(best, time.perf_counter() - began)
    return best


def limit(run: Run, batch: data.Batch) -> tuple[float, float]:
    """Operations of one crop, backward twice as many as forward, and operations a second in a product of matrices."""
    device = run.fabric.device
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run.averaged(batch.x.to(device), batch.lmbda.to(device), batch.seeds)
    kind = torch.float32 if run.precision == "float32" else torch.bfloat16
    side = 8192 if device.type == "cuda" else 1024
    a, b = torch.randn(2, side, side, device=device, dtype=kind)
    fastest = seconds_a_step(lambda _: torch.mm(a, b), 0, 5, device)
    return 3 * counter.get_total_flops() / len(batch.x), 2 * side**3 / fastest


def measure(settings: config.Config, steps: int) -> None:
    """Print the table."""
    plain = as_is(run_of(settings.changed(compile=False)))
    device = plain.fabric.device
    runs = {"ours, eager": plain, "ours, compiled": as_is(run_of(settings.changed(compile=True)))}
    if device.type == "cuda":
        runs["ours, recorded"] = run_of(settings.changed(compile=True))
    theirs = compressai_step(settings.channels, device)
    steps_of: dict[str, Callable[[int], None]] = {
        name: lambda number, run=run: run.train_step(run.batches(number), 0.0)  # nothing moves: always the same work
        for name, run in runs.items()
    }
    if theirs:
        steps_of["CompressAI's loop"] = lambda number: theirs(plain.batches(number).x)
    best = dict.fromkeys(steps_of, float("inf"))
    for turn, (name, step) in itertools.product(range(3), steps_of.items()):
        best[name] = min(best[name], seconds_a_step(step, turn * steps, max(1, steps // 3), device))
    operations, speed = limit(plain, plain.batches(0))
    print(f"{device}, {plain.precision}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"batches of {settings.batch} crops of {settings.crop}², {settings.channels} channels")
    for name, seconds in best.items():
        print(f"{name:20} {settings.batch / seconds:8.1f} crops/s   {1e3 * seconds:8.1f} ms a step")
    print(
        f"{'limit':20} {speed / operations:8.1f} crops/s   {operations / 1e9:.1f} GFLOP a crop of ours "
        f"at {speed / 1e12:.2f} TFLOP/s"
    )
    if not theirs:
        print("CompressAI's loop was not measured: pip install compressai.")


def same(found: torch.Tensor, wanted: torch.Tensor, tolerance: float) -> None:
    """Raises ValueError where two tensors differ by more than a part of the largest value."""
    off = float((found.float() - wanted.float()).abs().max() / wanted.float().abs().max().clamp(min=1e-12))
    if not off <= tolerance:
        raise ValueError(f"differs by {off:.2g} of the largest value, {tolerance:g} allowed.")


def check_batches(settings: config.Config, device: torch.device) -> None:
    """Crops cut on the device are those of the loader, byte for byte."""
    pictures = pictures_for(settings)
    training, _ = pictures.split(settings.validation)
    loaded = data.Batches(pictures, training, settings)
    held = data.DeviceBatches(pictures, training, settings, device=device)
    for step in range(3):
        if not torch.equal(held(step).x.cpu(), loaded(step).x):
            raise ValueError(f"the crops of step {step} differ.")


def check_blocks(settings: config.Config, device: torch.device) -> None:
    """Convolutions of blocks are those of the layers."""
    model = run_of(settings.changed(compile=False)).average
    x = torch.rand(4, 3, settings.crop, settings.crop, device=device)
    h = torch.rand(4, settings.channels, 16, 16, device=device)
    first, last = model.g_a[0].conv, model.g_s[-1].conv
    with torch.no_grad():
        same(blocks.conv(first, x), first(x), 5e-3)  # TF32
        same(blocks.deconv(last, h), last(h), 5e-3)


def check_orthogonalising(settings: config.Config, device: torch.device) -> None:
    """Many kernels at once are each by itself."""
    many = torch.randn(4, 192, 4800, device=device)
    same(optimizer.orthogonalise(many), torch.stack([optimizer.orthogonalise(one) for one in many]), 1e-3)


def check_recording(settings: config.Config, device: torch.device) -> None:
    """Five recorded steps are five steps as they are."""
    recorded, plain = run_of(settings), as_is(run_of(settings))
    for step in range(5):
        found, wanted = (run.train_step(run.batches(step), 1.0) for run in (recorded, plain))
        same(torch.tensor(found[2]), torch.tensor(wanted[2]), 1e-2)
    for a, b in zip(recorded.average.parameters(), plain.average.parameters(), strict=True):
        same(a, b, 2e-2)


def check_resuming(settings: config.Config, device: torch.device) -> None:
    """Six steps are three, a state on disk, and three more."""
    whole, half = run_of(settings), run_of(settings)
    for step in range(6):
        whole.train_step(whole.batches(step), 1.0)
    for step in range(3):
        half.train_step(half.batches(step), 1.0)
    with tempfile.TemporaryDirectory() as folder:
        state.save(Path(folder) / "state.pt", half.state())
        rest = run_of(settings, state.load(Path(folder) / "state.pt"))
    for step in range(3, 6):
        rest.train_step(rest.batches(step), 1.0)
    for a, b in zip(rest.average.parameters(), whole.average.parameters(), strict=True):
        same(a, b, 1e-3)


def check_not_finite(settings: config.Config, device: torch.device) -> None:
    """A step whose gradients are not finite moves nothing, and is counted."""
    run = run_of(settings)
    with torch.no_grad():
        run.model.g_s[1].conv.weight[0, 0] = float("nan")
    before = [p.detach().clone() for p in run.model.parameters()]
    run.train_step(run.batches(0), 1.0)
    if run.skipped != 1:
        raise ValueError("it was taken.")
    for p, value in zip(run.model.parameters(), before, strict=True):
        if not torch.equal(p.nan_to_num(), value.nan_to_num()) and p.ndim != 3:  # medians are found anew
            raise ValueError("it moved something.")


def check_minutes(settings: config.Config, device: torch.device) -> None:
    """The three stretches of mae-minutes, seconds of each, with validation and checkpoint."""
    changes = {"data": "bundled", "validation": ("lake",), "validation_crop": settings.validation_crop}
    changes |= {"channels": settings.channels, "batch": settings.batch, "crop": settings.crop, "minutes": 0.1}
    changes |= {"validate_every": 1000, "compile": settings.compile}
    first, *then = config.stretches("mae-minutes", **changes)
    then = [s.changed(minutes=0.05, batch=settings.batch) for s in then]
    with tempfile.TemporaryDirectory() as folder:
        if loop.train(first, Path(folder), "check", devices="1", then=then) is None:
            raise ValueError("it was stopped before its end.")


def check_files(settings: config.Config, device: torch.device) -> None:
    """Files made on the device are read on the CPU: the same symbols, and pixels within a grey level."""
    from mae_viz.codecs.neural import ModelCodec
    from mae_viz.coding import coder
    from mae_viz.coding.bitstream import parse

    picture = open_rgb(PICTURES["china"])
    for name in CODECS:
        there, here = (ModelCodec(name, where) for where in (str(device), "cpu"))
        for rate in (here.axis.first, here.axis.near(700), here.axis.last):
            x = coder.to_pixels(picture, there.checkpoint.model.stride)
            written = coder.quantise(there.checkpoint, coder.encode_latents(there.checkpoint, x, rate), rate)
            file = there.encode(picture, rate)
            for symbols, found in zip(written, coder.decode_symbols(here.checkpoint, parse(file)), strict=True):
                if not np.array_equal(symbols, found):
                    raise ValueError(f"{name} at λ = {rate}: {(symbols != found).sum()} symbols differ.")
            a, b = (np.asarray(codec.decode(file), np.int16) for codec in (there, here))
            if np.abs(a - b).max() > 1:
                raise ValueError(f"{name} at λ = {rate}: pixels differ by {np.abs(a - b).max()} grey levels.")


def check_rows(settings: config.Config, device: torch.device) -> None:
    """Rates measured on the device are those of the CPU within 0.1 %, and PSNR within 0.01 dB."""
    from mae_viz.measured.evaluate import evaluate

    with tempfile.TemporaryDirectory() as folder:
        for name in CODECS:
            found, wanted = (
                evaluate(name, PICTURES, Path(folder) / f"{name}-{k}.json", "two", [64, 4096], device=where)
                for k, where in enumerate((str(device), "cpu"))
            )
            for row, known in zip(found["measurements"], wanted["measurements"], strict=True):
                bits, decibels = row["bpp"] / known["bpp"] - 1, row["psnr_db"] - known["psnr_db"]
                if abs(bits) > 1e-3 or abs(decibels) > 0.01:
                    at = f"{name}, {row['image']}, λ = {row['lmbda']:g}"
                    raise ValueError(f"{at}: {100 * bits:+.2f} % of the rate, {decibels:+.3f} dB.")


CHECKS = (
    check_batches,
    check_blocks,
    check_orthogonalising,
    check_recording,
    check_resuming,
    check_not_finite,
    check_minutes,
    check_files,
    check_rows,
)


def check(settings: config.Config, device: torch.device) -> int:
    """Print what holds. Returns how many do not."""
    failed = 0
    for one in CHECKS:
        began = time.perf_counter()
        try:
            one(settings, device)
            said = "holds"
        except ImportError as error:
            said = f"WAS NOT CHECKED: {error}."
        except Exception as error:  # the others are to be tried too
            failed, said = failed + 1, f"FAILS: {type(error).__name__}: {error}"
        print(f"{one.__doc__.splitlines()[0]} {said} ({time.perf_counter() - began:.1f} s)", flush=True)
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int)
    parser.add_argument("--crop", type=int)
    parser.add_argument("--channels", type=int, default=192)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--precision", default="measured")
    parser.add_argument("--gpu-check", action="store_true")
    arguments = parser.parse_args()
    gpu = torch.cuda.is_available()
    settings = config.load("mae-minutes").changed(
        data="bundled",
        validation=("lake",),
        validation_crop=128,
        channels=arguments.channels,
        batch=arguments.batch or (16 if gpu else 4),
        crop=arguments.crop or (256 if gpu else 128),
        entropy_steps=3,
        warmup=0,
        precision=arguments.precision,
    )
    if arguments.gpu_check:
        if not gpu:
            sys.exit("there is no GPU here that torch can use: run this where there is one.")
        failed = check(settings, torch.device("cuda", 0))
        measure(settings, arguments.steps or 60)
        sys.exit(bool(failed))
    measure(settings, arguments.steps or (60 if gpu else 3))


if __name__ == "__main__":
    main()
