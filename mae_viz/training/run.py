"""A training run from its configuration to a checkpoint: one code path for a laptop and for many GPUs.

In ``out`` lie ``state.pt`` (to go on from, exactly), ``tensorboard/``, ``validation.jsonl``, and at the end, or after a
short annealed branch, a checkpoint that every command takes as ``--model``. Of a configuration with several stretches
that is the last one; those before lie in ``out/stretch-1``, …, each a run of its own that begins at the checkpoint of
the one before.
"""

import copy
import math
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import torch

from mae_viz.coding import checkpoints
from mae_viz.models import ARCHITECTURES, MAE, BottleneckScaling, MAEHyperprior, RateModel
from mae_viz.training import (
    blocks,
    data,
    fold,
    initialisation,
    machine,
    objective,
    optimizer,
    outer,
    scales,
    state,
    waking,
)
from mae_viz.training.config import Config
from mae_viz.training.report import Means, Report

_RMS_CROPS, _WAKE_CROPS, _SCALE_CROPS, _KLT_CROPS = 56, 400, 1344, 6000
_QUANTISATION = {
    "noise": "uniform noise",
    "round": "rounding, its gradient that of the identity",
    "mixed": "rounded latents for the decoder and noise for the rate",
}
_PRECISION = {"outer": "bfloat16 in the outer layers"}  # others are what they are called
_MOST_SKIPPED = 20  # steps in a row whose gradients are not finite, after which a run gives up


class Run:
    """A model in training: weights, their moving average, optimiser, and the number of the next step."""

    def __init__(
        self,
        config: Config,
        pictures: data.Pictures,
        fabric: machine.Processes,
        say: Callable[[str], None],
        origin: str = "",
    ):
        self.config, self.fabric, self.say = config, fabric, say
        self.training, self.held = pictures.split(config.validation)
        share = fabric.global_rank, fabric.world_size
        if machine.holds(fabric, pictures.size):
            self.batches: data.Batches = data.DeviceBatches(pictures, self.training, config, share, fabric.device)
        else:
            self.batches = data.Batches(pictures, self.training, config, share)
        self.validation = objective.Validation(
            pictures.validation_crops(self.held, config.validation_crop), config.lmbdas, share
        )
        self.step = self.skipped = self._skipped_in_a_row = 0
        self.seconds = 0.0
        self.origin, self.began_at = origin, ""
        self.earlier: dict = {}
        self._pictures = pictures

    def begin(self, source: str = "", saved: dict | None = None, earlier: dict | None = None) -> None:
        """Make or load the weights, choose the precision, and set everything up on the device.

        ``source``: a checkpoint to start from. ``saved``: a state to go on from. ``earlier``: the card of the stretch
        before, where ``source`` is what that has made; the card of this one goes on from it.
        """
        self.earlier = earlier or {}
        config = self.config
        torch.manual_seed(config.seed)  # for the noise on starting weights, alike in all processes
        model = self._weights(source, saved)
        if config.outer_channels and not saved:
            learned = source and checkpoints.facts(source).hyperprior
            if learned and not outer.silent(model, config.outer_channels):
                raise ValueError(
                    f"outer_channels = {config.outer_channels} would drop what {source} has learned: leave it out."
                )
            outer.resize(model, config.outer_channels)
        rules = optimizer.build(
            model, config, data.Batches(self._pictures, self.training, config, count=_RMS_CROPS)(-1)
        )
        if saved and config.precision == "measured":
            self.precision = saved["precision"]
        else:
            self.precision = machine.precision(model, config.precision, self.batches(0), self.fabric)
        self.average = copy.deepcopy(model).requires_grad_(False).to(self.fabric.device)
        self.model = model.to(self.fabric.device).to(memory_format=torch.channels_last)
        # built before the move, because RMS are measured in float32 on any device; its tensors follow
        rules.load_state_dict(rules.state_dict())
        if isinstance(rules, optimizer.Normalised):
            rules.factor = rules.factor.to(self.fabric.device)
        self.optimizer = rules
        if saved:
            rates = [group["rate"] for group in rules.param_groups]
            rules.load_state_dict(saved["optimizer"])
            for group, rate in zip(rules.param_groups, rates, strict=True):
                group["rate"] = rate  # a configuration may have changed
            self.average.load_state_dict(saved["average"])
            self.step, self.skipped, self.seconds = saved["step"], saved["skipped"], saved["seconds"]
            self.origin, self.began_at = saved["origin"], saved.get("began_at", "")
            self.earlier = saved.get("earlier", {})
        # as the codec computes: at high λ bfloat16 alone costs 0.3 % of the Lagrangian, and more with other roundings;
        # and where the decoder learns rounded latents, by these
        self.averaged = objective.Lagrangian(
            self.average, quantisation="noise" if config.quantisation == "noise" else "round"
        )
        self._followed = [
            tuple(p for name, p in model.named_parameters() if not name.endswith("quantiles"))
            for model in (self.average, self.model)
        ]
        lagrangian = objective.Lagrangian(self.model, self.precision, config.quantisation)
        lagrangian.noise = self.noise = machine.seeded_on(self.fabric.device)
        blocks.use_blocks(self.model, both=self.fabric.device.type == "cuda")
        if config.compile:
            self.say(machine.compile_parts(lagrangian, self.batches(0), self.fabric.device))
        self.objective = self.fabric.setup_module(lagrangian)
        self._recorded: tuple[machine.Recorded, machine.Recorded] | None = None
        if self.fabric.device.type == "cuda" and self.fabric.world_size == 1 and config.optimizer == "normalised":
            self._record()
        self.say(f"{type(model).__name__} on {self.fabric.device} in {self.precision}, from step {self.step}")

    def _weights(self, source: str, saved: dict | None) -> RateModel:
        config = self.config
        if source and not saved:
            self.began_at = Path(source).name
            self.origin = "" if self.earlier else f"started from {self.began_at}"
            some = data.Batches(self._pictures, self.training, config, count=_RMS_CROPS)
            model = fold.from_checkpoint(source, config, crops=lambda: some(-1).x.float() / 255)
            self.config = config = config.changed(knots=model.knots)  # what going on and exporting are to know
            made_from = checkpoints.facts(source)
            if isinstance(model, BottleneckScaling) and made_from.single:
                many = data.Batches(self._pictures, self.training, config, count=_SCALE_CROPS)
                for sentence in scales.search(model, many(-1).x.float() / 255):
                    self.say(sentence)
            if isinstance(model, MAEHyperprior) and not made_from.hyperprior:
                self._fit_entropy(model)
            if config.wake and isinstance(model, MAE):
                many = data.Batches(self._pictures, self.training, config, count=_WAKE_CROPS)
                for sentence in waking.wake(model, many(-1).x.float() / 255):
                    self.say(sentence)
                woken = "channels that slept at a trained λ made to wake one after another above it"
                self.origin = ", ".join(filter(None, [self.origin, woken]))
            return model
        if saved:
            model = self._empty()
            model.load_state_dict(saved["model"])
            return model
        if config.wake:
            raise ValueError("wake = true is for weights that are trained already: give --from.")
        model = ARCHITECTURES[config.architecture](config.channels, config.lmbdas, config.knots or None)
        if isinstance(model, BottleneckScaling):
            raise ValueError("bottleneck scaling starts from an independent model: give --from independent-4096.")
        if config.start == "classical":
            small = data.Batches(self._pictures, self.training, config, count=_KLT_CROPS, side=initialisation.KLT_SIDE)
            crops = small(-1).x
            initialisation.classical(model, crops.float() / 255, config.start_step)
            self.origin = "started from a classical codec"
        else:
            initialisation.random(model)
            self.origin = "started from random weights"
        self._fit_entropy(model)
        return model

    def _empty(self) -> RateModel:
        """A model of the shape that this run trains, whatever its weights."""
        config = self.config
        model = ARCHITECTURES[config.architecture](config.channels, config.lmbdas, config.knots or None)
        if config.outer_channels:
            outer.resize(model, config.outer_channels)
        return model

    def _fit_entropy(self, model: RateModel) -> None:
        batches = data.Batches(self._pictures, self.training, self.config)
        initialisation.fit_entropy(model, batches, self.config.entropy_steps, self.config.entropy_rate)

    def done(self, step: int) -> float:
        """The part of the run that is behind it, 0…1, before a step: by the clock where the run has minutes."""
        config = self.config
        return min(1.0, self.seconds / (60 * config.minutes) if config.minutes else step / config.steps)

    def factor(self, step: int) -> float:
        """Learning rates of a step relative to the configured ones."""
        config, done = self.config, self.done(step)
        warm = config.peak * (min(1.0, (step + 1) / config.warmup) if config.warmup else 1.0)
        if config.schedule == "halved":
            return warm * (1.0 if done < 8 / 11 else 0.5)
        cosine = 0.5 * (1 + math.cos(math.pi * done))
        return warm * (config.last_rate + (1 - config.last_rate) * cosine)

    def train_step(self, batch: data.Batch, factor: float) -> tuple:
        """One step. Returns bpp (B,), MSE (B,) and the loss; gradients that are not finite move nothing."""
        config, device = self.config, self.fabric.device
        if self.step % config.median_every == 0:
            self.model.prior.update_medians()
        optimizer.set_rate(self.optimizer, factor)
        self.noise.seed(batch.seeds)
        # asked for at each step: a run that kept its own methods would outlive what connects several processes
        gradients, update = self._recorded or (self.gradients, self.update)
        (told,) = gradients(batch.x.to(device), batch.lmbda.to(device, non_blocking=True))
        # the one time that a GPU is waited for: it updates while the next batch is prepared
        *images, (loss, finite) = told.cpu().split([len(batch.x), len(batch.x), 2])
        if finite:  # the same in all processes: gradients are their mean
            update()
            self._follow()
            self._skipped_in_a_row = 0
        else:
            self.skipped += 1
            self._skipped_in_a_row += 1
            if self._skipped_in_a_row >= _MOST_SKIPPED:
                raise ValueError(
                    f"{_MOST_SKIPPED} steps in a row had gradients that are not finite: lower the rates, or go on from "
                    "an earlier state."
                )
        self.step += 1
        return *images, float(loss)

    def gradients(self, x: torch.Tensor, lmbda: torch.Tensor) -> machine.Results:
        """The first half of a step.

        It returns one tensor (2 B + 2,): bpp and MSE of each image, the loss, and 1 where all gradients are finite.
        """
        bpp, mse, _ = self.objective(x, lmbda)
        loss = objective.loss_of(bpp, mse, lmbda, self.config.lmbdas, self.config.weights)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        norms = torch._foreach_norm([p.grad for p in self.model.parameters() if p.grad is not None])
        finite = torch.isfinite(torch.stack(norms).sum())
        return (torch.cat([bpp, mse, torch.stack([loss, finite.to(loss)])]).detach(),)

    def update(self) -> machine.Results:
        """The second half: what the gradients move."""
        self.optimizer.step()
        return ()

    def _record(self) -> None:
        """Both halves as CUDA graphs; they run as they are for validation, several processes, and on CPUs."""
        first, device = self.batches(0), self.fabric.device
        self.noise.seed(first.seeds)
        moved = [p for group in self.optimizer.param_groups for p in group["params"]]
        tensors = [t for p in moved for t in self.optimizer.state[p].values()]
        self._recorded = (
            machine.Recorded(self.gradients, [first.x.to(device), first.lmbda.to(device)], self.noise),
            machine.Recorded(self.update, [], self.noise, keeps=[*moved, *tensors]),
        )
        self.say("a step is recorded as CUDA graphs")

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the weights: quickly at first, so that it forgets the start."""
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        averages, weights = self._followed
        torch._foreach_lerp_(averages, weights, 1 - decay)

    def validate(self) -> dict:
        """The averaged weights on the fixed crops, summed over all processes."""
        self.average.prior.update_medians()
        sums = self.validation.sums(self.averaged, self.fabric.device)
        return self.validation.result(machine.summed(sums, self.fabric))

    @torch.no_grad()
    def reconstructions(self) -> torch.Tensor:
        """One validation crop at the lowest, the middle and the highest λ, beside itself: (n, 3, S, S) in [0, 1]."""
        lmbdas = sorted({self.config.lmbdas[i] for i in (0, len(self.config.lmbdas) // 2, -1)})
        x = self.validation.crops[:1].to(self.fabric.device)
        rates = [torch.tensor([lmbda], device=x.device) for lmbda in lmbdas]
        decoded = [self.averaged(x, rate, (0,))[2].float() for rate in rates]
        return torch.cat([x.float() / 255, *decoded]).clamp(0, 1).cpu()

    def state(self) -> dict:
        """Everything that the next step depends on."""
        return {
            "config": self.config.as_dict(),
            "step": self.step,
            "skipped": self.skipped,
            "seconds": self.seconds,
            "precision": self.precision,
            "origin": self.origin,
            "began_at": self.began_at,
            "earlier": self.earlier,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def export(self, name: str, into: Path, note: str = "") -> Path:
        """Write the averaged weights as a checkpoint. Returns its folder."""
        config = self.config
        model, narrow = self._empty(), ""
        model.load_state_dict(self.average.state_dict())
        if config.outer_channels:
            outer.resize(model, config.channels)
            narrow = f", {config.outer_channels} channels between the outermost layers"
        origin = f"{self.origin}{narrow}; " if self.origin else ""
        training = (
            f"{self.step} steps of {config.batch} crops of {config.crop}² from {len(self.training)} photographs, "
            f"{origin}{config.optimizer} optimiser, {config.weights} weights, average {config.ema}, "
            f"latents: {_QUANTISATION[config.quantisation]}{note}; "
            f"{_PRECISION.get(self.precision, self.precision)}, {self.seconds / 3600:.2f} h, "
            f"mae_viz {version('mae-viz')}."
        )
        began_at, steps, quantisation = self.began_at, self.step, _QUANTISATION[config.quantisation]
        if earlier := self.earlier:
            training = f"{earlier['training']} Then {training}"
            began_at, steps = earlier.get("began_at", ""), earlier["steps"] + steps
            if earlier["quantisation"] != quantisation:
                quantisation = f"{earlier['quantisation']}, then {quantisation}"
        more: dict[str, str | int] = {"began_at": began_at} if began_at else {}
        more |= {"steps": steps, "quantisation": quantisation}
        return checkpoints.save(model, name, training, into, **more)


def train(
    config: Config,
    out: Path,
    name: str,
    source: str = "",
    anneal: int = 0,
    devices: str = "auto",
    nodes: int = 1,
    stop_at: int | None = None,
    then: Sequence[Config] = (),
) -> Path | None:
    """Train as configured in the folder ``out``, going on where a run was interrupted there.

    ``name``: of the checkpoint to write. ``source``: a checkpoint to start from. ``anneal``: instead of going on, a
    branch of so many steps whose rates fall to 0; the run itself stays as it is. ``stop_at``: save and return at this
    step. ``then``: further stretches. Returns the last checkpoint's folder, or None where the run was stopped before
    its end.
    """
    fabric = machine.fabric(devices, nodes)
    configs = (config, *then)
    folders = [*(out / f"stretch-{k + 1}" for k in range(len(then))), out]
    begun = [k for k, folder in enumerate(folders) if (folder / "state.pt").is_file()]
    earlier: dict | None = None
    try:
        for k, (stretch, folder) in enumerate(zip(configs, folders, strict=True)):
            target = folder / name
            if anneal and k == (begun[-1] if begun else 0):
                return _stretch(fabric, stretch, folder, name, source, anneal, None, earlier)
            finished = k < len(then) and (target / "card.json").is_file()
            if not finished and not _stretch(fabric, stretch, folder, name, source, 0, stop_at, earlier):
                return None
            source, earlier = str(target.resolve()), checkpoints.card(str(target.resolve()))
        return target
    finally:
        machine.leave()


def _stretch(
    fabric: machine.Processes,
    config: Config,
    out: Path,
    name: str,
    source: str,
    anneal: int,
    stop_at: int | None,
    earlier: dict | None,
) -> Path | None:
    """One stretch, as `train` describes it."""
    speaks = fabric.is_global_zero
    path = out / "state.pt"
    saved = state.load(path) if path.is_file() else None
    if anneal and saved is None:
        raise ValueError(f"there is no run in {out} to branch from: train first, without --anneal.")
    where = data.BUNDLED if config.data == "bundled" else Path(config.data)
    if not config.data:
        raise ValueError("there is nothing to train on: give --data with a folder or a zip of photographs.")
    first = saved["step"] if saved else 0
    last = sys.maxsize if config.minutes else config.steps
    last = first + anneal if anneal else min(last, stop_at or last)
    folder = out / f"annealed-{first}" if anneal else out
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder, config.lmbdas, first, last, config.batch, speaks)
    try:
        with fabric.rank_zero_first():
            pictures = data.open_pictures(where, config.scales, report.say)
        if saved:
            config = config.changed(knots=config.knots or saved["config"].get("knots", ()))
            _say_changes(saved["config"], config, report.say)
        run = Run(config, pictures, fabric, report.say)
        run.begin(source, saved, earlier)
        done = _steps(run, last, path, report, anneal)
        if not done or (not anneal and run.done(run.step) < 1):
            return None
        note = f"; last {anneal} steps annealed" if anneal else ""
        if speaks:
            target = run.export(name, folder, note).resolve()
            report.say(f"{target} is written: use it as --model {target}")
        fabric.barrier()
        return folder / name
    finally:
        report.close()


def _steps(run: Run, last: int, path: Path, report: Report, anneal: int) -> bool:
    """Train up to step ``last`` or the end. A branch (``anneal``) saves nothing. False where it was stopped before."""
    config, fabric, first = run.config, run.fabric, run.step
    means, saved_at = Means(config.lmbdas), time.monotonic()
    stopped, reported, validated = False, first, -1

    def tell() -> None:
        nonlocal reported
        reported = run.step
        facts = {"learning_rate": factor, "skipped": run.skipped}
        report.train(run.step, means.take(machine.summed(means.sums, fabric)), facts)

    def validate() -> None:
        nonlocal validated
        validated = run.step
        report.validation(run.step, run.validate(), run.reconstructions())

    with state.asked_to_stop() as asked:
        if first == 0:
            validate()
        began = time.monotonic()
        for batch in run.batches.ahead(first, last):
            if not anneal and run.done(run.step) >= 1:
                break
            factor = run.factor(run.step)
            if anneal:
                factor = run.factor(first) * 0.5 * (1 + math.cos(math.pi * (run.step - first) / anneal))
            bpp, mse, loss = run.train_step(batch, factor)
            means.add(bpp, mse, loss, batch.lmbda, batch.trained)
            run.seconds += time.monotonic() - began
            if config.minutes:
                run.seconds = machine.agreed(run.seconds, fabric)
            report.step(run.step)
            if run.step % config.log_every == 0:
                tell()
            if run.step % config.validate_every == 0:
                validate()
            if not anneal and fabric.is_global_zero and time.monotonic() - saved_at > 60 * config.save_minutes:
                state.save(path, run.state())
                saved_at = time.monotonic()
            if stopped := machine.any_process(asked.is_set(), fabric, run.step):
                break
            began = time.monotonic()  # what was validated or saved meanwhile is no training time
        if not stopped and run.step > reported:
            tell()
        if not stopped and run.step > validated:
            validate()
        if not anneal and fabric.is_global_zero:
            state.save(path, run.state())
        if stopped:
            kept = "nothing of this branch is kept" if anneal else f"go on with the same command; {path} is saved"
            report.say(f"stopped at step {run.step}: {kept}")
    return not stopped


def _say_changes(before: dict, config: Config, say: Callable[[str], None]) -> None:
    """Settings that differ from the ones a run was begun with: said, or refused where the state would not fit."""
    now = config.as_dict()
    for key, value in now.items():
        was = before.get(key, getattr(Config, key))  # a run may be older than a setting
        if was == value or (isinstance(value, tuple) and tuple(was) == value):
            continue
        if key in ("architecture", "channels", "outer_channels", "lmbdas", "knots", "optimizer"):
            raise ValueError(f"the run was begun with {key} = {was}, not {value}: give another --out.")
        say(f"going on with {key} = {value} instead of {was}")
