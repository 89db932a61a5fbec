"""Latents of a torch module with CompressAI's interface, for refinement: found out by asking it, whatever its class.

Its entropy model is asked what every latent would cost a few steps to either side, with z held where there is one. That
is all there is to know where latents are priced one by one; a model whose price of one latent depends on others
(context models) is refused, and so is one that rounds to other steps than 1.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mae_viz.codecs import compressai
from mae_viz.codecs.interface import Quality
from mae_viz.coding.coder import to_tensor
from mae_viz.refining.latents import Latents, Part

if TYPE_CHECKING:
    from mae_viz.codecs.compressai import CompressAICodec, Model

_AROUND = 4  # steps to either side at which a latent's price is asked; further out it grows as at the last
_FIELD = 17  # latents a side on which it is seen how far one of them reaches
_TOLERANCE = 1e-3  # of a quantisation step, and of bits


class ModuleLatents(Latents):
    """Those of one picture. The model is this object's own."""

    def __init__(self, picture: Image.Image, codec: "CompressAICodec", model: "Model", arguments: dict, rate: Quality):
        self.size, self.codec, self.model, self.arguments, self.rate = picture.size, codec, model, arguments, rate
        with torch.no_grad():
            self.x = to_tensor(picture, codec.multiple)
            heard = self._heard()
            y, self.held = heard.pop("g_a"), heard
            y_hat, _ = self._priced(y)
            self.offset = y_hat - y_hat.round()
            """From whole numbers to what the decoder may get."""
            self.v, self.start = y - self.offset, y_hat - self.offset
            self.symbols = self.start[0].round().int().numpy()
            self.stride = self.x.shape[3] // y.shape[3]
            self.prices = torch.stack([self._price_at(steps) for steps in range(-_AROUND, _AROUND + 1)])
            """Bits (2 · _AROUND + 1, 1, C, h, w) by steps from where a latent starts."""
            self._refuse_context()
            self.reach = self._reach()

    def _heard(self) -> dict[str, Tensor]:
        """What the encoder's parts give for the picture."""
        parts = [part for part in ("g_a", "h_a") if hasattr(self.model, part)]
        heard: dict[str, Tensor] = {}
        with ExitStack() as stack:
            for part in parts:
                listen = lambda _, __, given, part=part: heard.update({part: given.clone()})  # noqa: E731
                stack.enter_context(getattr(self.model, part).register_forward_hook(listen))
            compressai.bits_of(self.model, self.x, self.arguments)
        return heard

    @contextmanager
    def _given(self, y: Tensor) -> Iterator[None]:
        """While this is open, the encoder gives these latents, and z as for the picture."""
        with ExitStack() as stack:
            for part, value in {"g_a": y, **self.held}.items():
                stack.enter_context(compressai.replace(self.model, part, value))
            yield

    def _priced(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder gets of latents, and the bits of each."""
        heard: dict[str, Tensor] = {}
        with self._given(y), compressai.hear(self.model, "g_s", heard):
            bits = torch.from_numpy(compressai.bits_of(self.model, self.x, self.arguments)["y"])[None]
        if heard["g_s"].shape != y.shape or bits.shape != y.shape:
            raise ValueError("what g_a gives, g_s takes and the likelihoods of y must have one shape.")
        return heard["g_s"], bits

    def _price_at(self, steps: float) -> Tensor:
        given = self.start + self.offset + steps
        y_hat, bits = self._priced(given)
        if (y_hat - given).abs().max() > _TOLERANCE:
            raise ValueError("it rounds latents to other steps than 1, which refinement does not know.")
        return bits

    def _refuse_context(self) -> None:
        """Move every other latent, and see that the price of the rest stays."""
        moved = torch.from_numpy(np.indices(self.start.shape).sum(0) % 2).float()
        _, bits = self._priced(self.start + self.offset + moved)
        expected = torch.where(moved > 0, self.prices[_AROUND + 1], self.prices[_AROUND])
        if ((bits - expected).abs() > _TOLERANCE * (1 + expected)).any():
            raise ValueError(
                "what one latent costs depends on others (a context model), which refinement does not know."
            )

    def _reach(self) -> int | None:
        """How far one latent changes pixels, in latents; None where that goes beyond the field it is tried on."""
        field = torch.zeros(1, self.v.shape[1], _FIELD, _FIELD)
        middle = _FIELD // 2
        changed = field.clone()
        changed[..., middle, middle] = 1
        seen = (self.model.g_s(changed) - self.model.g_s(field)).abs().amax((0, 1)) > 0
        rows, columns = (torch.nonzero(seen.any(side)).flatten() // self.stride - middle for side in (1, 0))
        reach = int(max(rows.abs().max(), columns.abs().max()))
        return reach if reach < middle else None

    def bits(self, v: Tensor, part: Part) -> Tensor:
        inside = (..., *part)
        steps = v - self.start[inside]
        low = steps.detach().floor().clamp(-_AROUND, _AROUND - 1)
        entry = (low + _AROUND).long()[None]
        below, above = (self.prices[inside].gather(0, entry + k)[0] for k in (0, 1))
        return (below + (steps - low) * (above - below)).sum()

    def x_hat(self, v: Tensor, part: Part) -> Tensor:
        return self.model.g_s(v + self.offset[(..., *part)])

    @torch.no_grad()
    def decoded(self, v: Tensor, part: Part) -> Tensor:
        return self.x_hat(v, part)

    @torch.no_grad()
    def code(self, symbols: np.ndarray) -> tuple[bytes, Image.Image]:
        with self._given(torch.from_numpy(symbols[None]).float() + self.offset):
            stream = self.codec.compressed(self.model, self.x, self.size, self.rate, self.arguments)
        return stream, self.codec.decode(stream)
