"""A model in training: what a step moves, what is kept to go on from, and the checkpoint in the end."""

import copy
import math
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch

from mae_viz.coding import checkpoints
from mae_viz.training import blocks, data, machine, objective, optimizer, outer, start
from mae_viz.training.config import Config

QUANTISATION = {
    "noise": "uniform noise",
    "round": "rounding, its gradient that of the identity",
    "mixed": "rounded latents for the decoder and noise for the rate",
}
"""What a card calls the quantisations of a configuration."""

_RMS_CROPS = 56
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
        self.origin = self.began_at = ""
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
        if saved:
            model = start.empty(config)
            model.load_state_dict(saved["model"])
        else:
            model, self.config, self.origin, self.began_at = start.start(
                config, self._pictures, self.training, source, bool(earlier), self.say
            )
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
        model, narrow = start.empty(config), ""
        model.load_state_dict(self.average.state_dict())
        if config.outer_channels:
            outer.resize(model, config.channels)
            narrow = f", {config.outer_channels} channels between the outermost layers"
        origin = f"{self.origin}{narrow}; " if self.origin else ""
        training = (
            f"{self.step} steps of {config.batch} crops of {config.crop}² from {len(self.training)} photographs, "
            f"{origin}{config.optimizer} optimiser, {config.weights} weights, average {config.ema}, "
            f"latents: {QUANTISATION[config.quantisation]}{note}; "
            f"{_PRECISION.get(self.precision, self.precision)}, {self.seconds / 3600:.2f} h, "
            f"mae_viz {version('mae-viz')}."
        )
        began_at, steps, quantisation = self.began_at, self.step, QUANTISATION[config.quantisation]
        if earlier := self.earlier:
            training = f"{earlier['training']} Then {training}"
            began_at, steps = earlier.get("began_at", ""), earlier["steps"] + steps
            if earlier["quantisation"] != quantisation:
                quantisation = f"{earlier['quantisation']}, then {quantisation}"
        more: dict[str, str | int] = {"began_at": began_at} if began_at else {}
        more |= {"steps": steps, "quantisation": quantisation}
        return checkpoints.save(model, name, training, into, **more)
