"""Codecs made of this project's models: one checkpoint, or a group of them that serve one λ each."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from mae_viz.codecs import palette
from mae_viz.codecs.interface import Codec, Inspected, LambdaAxis, Progress, SingleLambdas
from mae_viz.coding import checkpoints, devices
from mae_viz.rates import Rate

if TYPE_CHECKING:
    from mae_viz.refining.latents import Latents


class ModelCodec(Codec[Rate]):
    """One model: of those that ship, or a checkpoint's folder."""

    kind = "model"
    refinable = True

    def __init__(self, name: str, device: str | None = None):
        """``name``: a model that ships, or the path of a checkpoint's folder. ``device``: where it computes, as
        `mae_viz.coding.devices.named` takes it. Raises CheckpointError for neither, ValueError for no such device."""
        home, self.device = checkpoints.find(name), devices.named(device)
        self.name = self.model = home.name if home.parent == checkpoints.folder().resolve() else str(home)
        self.card = checkpoints.card(name)
        facts = self.facts = checkpoints.facts(name)
        lmbdas = self.card["lmbdas"]
        single = f", λ = {lmbdas[0]:g}" if len(lmbdas) == 1 else ""
        elsewhere = "" if self.name == home.name else f" ({name})"
        self.title, self.short = facts.title + single + elsewhere, facts.short + single
        self.about = self.title
        self.axis = LambdaAxis(tuple(map(Rate.near, lmbdas)), facts.between)
        self.looks = frozenset({"maps", "priors", "gains"} if facts.modulated else {"maps", "priors"})

    @property
    def drawing(self) -> palette.Drawing:
        """That of its group where it has one."""
        return palette.drawing(self.facts.group or self.name)

    @property
    def identity(self) -> str:
        return " on ".join(filter(None, [self.card["sha256"], devices.described(self.device)]))

    @property
    def fingerprint(self) -> str:
        return self.card["sha256"]

    @property
    def absent(self) -> str:  # type: ignore[override]
        return checkpoints.absent([self.model])

    @property
    def file_name(self) -> str:
        return Path(self.name).name

    @property
    def settings(self) -> dict:
        return {key: self.card[key] for key in ("architecture", "channels", "lmbdas", "parameters", "training")}

    @property
    def history(self) -> str:  # type: ignore[override]
        """What its card says of its start, its steps and its quantisation in training."""
        began, quantisation = self.card.get("began_at"), self.card.get("quantisation")
        said = [f"{self.title} began at {began}, {self.card['steps']:,} steps of its own followed."] if began else []
        said += [f"{'It' if began else self.title} was trained with {quantisation}."] if quantisation else []
        return " ".join(said)

    @property
    def checkpoint(self) -> checkpoints.Checkpoint:
        """Its weights, loaded once."""
        return checkpoints.open_checkpoint(self.model, self.device)

    def encode(self, picture: Image.Image, rate: Rate, progress: Progress | None = None) -> bytes:
        from mae_viz.coding import coder

        return coder.encode(picture, self.checkpoint, rate, progress).stream

    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        from mae_viz.coding import coder

        return coder.decompress(data, self.model, progress, self.device)

    def encode_together(self, pictures: Sequence[Image.Image], rate: Rate) -> list[bytes]:
        from mae_viz.coding import coder

        return [encoded.stream for encoded in coder.encode_together(pictures, self.checkpoint, rate)]

    def reconstruct_together(self, pictures: Sequence[Image.Image], files: Sequence[bytes]) -> list[Image.Image]:
        from mae_viz.coding import coder

        return coder.decompress_together(files, self.model, device=self.device)

    def estimated_bits(self, data: bytes) -> float:
        from mae_viz import probe

        return probe.cost(self.checkpoint, data).bits

    def inspect(self, picture: Image.Image, rate: Rate, progress: Progress | None = None) -> Inspected:
        from mae_viz import probe
        from mae_viz.coding import coder

        model = self.checkpoint.model
        encoded = coder.encode(picture, self.checkpoint, rate, progress)
        cost = probe.cost(self.checkpoint, encoded.stream)
        return Inspected(encoded.stream, encoded.y, cost.y, cost.places, cost.bits, probe.all_gains(model, rate))

    def inspect_file(self, data: bytes) -> Inspected:
        from mae_viz import probe
        from mae_viz.coding import coder
        from mae_viz.coding.bitstream import parse

        cost, parsed = probe.cost(self.checkpoint, data), parse(data)
        y = coder.decode_y_hat(self.checkpoint, parsed)[0].numpy()
        gains = probe.all_gains(self.checkpoint.model, parsed.rate)
        return Inspected(data, y, cost.y, cost.places, cost.bits, gains)

    def latents(self, picture: Image.Image, rate: Rate) -> "Latents":
        from mae_viz.refining.latents import ModelLatents

        return ModelLatents(picture, self.checkpoint, rate)

    def lmbda(self, rate: Rate) -> float:
        return rate.lmbda


class GroupCodec(Codec[Rate]):
    """Models that serve one λ each, as one codec: the nearest of them stands for any λ."""

    kind = "group"
    looks = frozenset({"maps"})
    refinable = True
    about = "one network for each λ"

    def __init__(self, name: str, models: list[ModelCodec]):
        facts = models[0].facts
        self.name, self.title, self.short = name, facts.group_title, facts.group_short
        self.models = dict(sorted((model.axis.first, model) for model in models))
        self.axis, self.device = SingleLambdas(tuple(self.models)), models[0].device

    @property
    def identity(self) -> str:
        return " ".join(model.identity for model in self.models.values())

    @property
    def absent(self) -> str:  # type: ignore[override]
        """It has no weights before all its models have theirs: at a λ that lacks them another would stand for it."""
        return checkpoints.absent(model.model for model in self.models.values())

    @cached_property
    def settings(self) -> dict:
        return {f"λ = {rate}": model.settings for rate, model in self.models.items()}

    @property
    def history(self) -> str:  # type: ignore[override]
        """How many of the models began at another one, and what their curve then does not show."""
        cards = [model.card for model in self.models.values()]
        late = [card for card in cards if card.get("began_at")]
        if not late:
            return ""
        which = f"all {len(cards)}" if len(late) == len(cards) else f"{len(late)} of {len(cards)}"
        steps = [card["steps"] for card in late]
        span = f"{min(steps):,} to {max(steps):,}" if len(set(steps)) > 1 else f"{steps[0]:,}"
        starts = " and ".join(sorted({card["began_at"] for card in late}))
        return (
            f"{self.title}: {which} began at {starts} and were trained alone, at one λ each, for {span} "
            "steps. They show what one λ gains from there, and not what networks trained alone from the "
            "first step would reach."
        )

    def model_at(self, rate: Rate) -> ModelCodec:
        return self.models[rate]

    def inspect_file(self, data: bytes) -> Inspected:
        return self._made(data).inspect_file(data)

    def latents(self, picture: Image.Image, rate: Rate) -> "Latents":
        return self.models[rate].latents(picture, rate)

    def lmbda(self, rate: Rate) -> float:
        return rate.lmbda

    def encode(self, picture: Image.Image, rate: Rate, progress: Progress | None = None) -> bytes:
        return self.models[rate].encode(picture, rate, progress)

    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        return self._made(data).decode(data, progress)

    def estimated_bits(self, data: bytes) -> float:
        return self._made(data).estimated_bits(data)

    def inspect(self, picture: Image.Image, rate: Rate, progress: Progress | None = None) -> Inspected:
        return self.models[rate].inspect(picture, rate, progress)

    def encode_together(self, pictures: Sequence[Image.Image], rate: Rate) -> list[bytes]:
        return self.models[rate].encode_together(pictures, rate)

    def reconstruct_together(self, pictures: Sequence[Image.Image], files: Sequence[bytes]) -> list[Image.Image]:
        return self._made(files[0]).reconstruct_together(pictures, files)

    def _made(self, data: bytes) -> ModelCodec:
        """The model that a file was made with."""
        from mae_viz.coding.bitstream import parse

        return self.models[self.axis.near(parse(data).lmbda)]
