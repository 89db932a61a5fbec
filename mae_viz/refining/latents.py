"""What refinement asks of a model: a picture's latents, what they cost, what they look like decoded, and their file."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mae_viz.coding import coder
from mae_viz.coding.checkpoints import Checkpoint
from mae_viz.coding.folding import transform
from mae_viz.rates import Rate
from mae_viz.refining.bits import Price
from mae_viz.refining.synthesis import fast_type, synthesis

Part = tuple[slice, slice]
"""Rows and columns of latents."""


class Latents(ABC):
    """The latents of one picture, in quantisation steps from their symbol 0."""

    v: Tensor
    """(1, C, h, w), as the encoder gives them. Where they lie, all of the refinement is computed."""
    symbols: np.ndarray
    """int32 (C, h, w): the plain file's."""
    stride: int
    """Pixels to a latent, both ways."""
    reach: int | None
    """Latents whose pixels a latent changes, to each side; None where that is not known: then there are no tiles."""

    @abstractmethod
    def bits(self, v: Tensor, part: Part) -> Tensor:
        """What the latents (1, C, …) of a part cost, in bits, with a gradient."""

    @abstractmethod
    def x_hat(self, v: Tensor, part: Part) -> Tensor:
        """The pixels of a part's latents in [0, 1] and beyond, (1, 3, H, W), with a gradient."""

    @abstractmethod
    def decoded(self, v: Tensor, part: Part) -> Tensor:
        """The same as exactly as the decoder has them, without a gradient."""

    @abstractmethod
    def code(self, symbols: np.ndarray) -> tuple[bytes, Image.Image]:
        """The file of symbols (C, h, w), and the picture that is decoded from it."""


class ModelLatents(Latents):
    """Those of this project's models, where bits come from the integer tables that the file is written with."""

    reach = coder.SYNTHESIS_HALO
    stride = coder.LATENT

    def __init__(self, picture: Image.Image, checkpoint: Checkpoint, rate: Rate):
        self.size, self.checkpoint, self.rate = picture.size, checkpoint, rate
        device = checkpoint.model.device
        pixels = coder.to_pixels(picture, checkpoint.model.stride)
        y = coder.encode_latents(checkpoint, pixels, rate).clone()  # a normal tensor, which gradients may go to
        *self.side, self.symbols = coder.quantise(checkpoint, y, rate)
        if checkpoint.hyper:
            self.medians = torch.zeros(1, y.shape[1], 1, 1, device=device)
            self.price = Price(checkpoint.hyper.models(), device)
            indexes = checkpoint.hyper.indexes(self.side[0], rate.index)
            self.tables = torch.from_numpy(indexes.astype(np.int64))[None].to(device)
        else:
            self.medians = checkpoint.model.prior.medians(rate.tensor(device))
            self.price = Price(checkpoint.tables.at(rate.index), device)
            self.tables = torch.arange(y.shape[1], device=device)[None, :, None, None].expand_as(y)
        self.v = y.to(device) - self.medians
        self._g_s = synthesis(checkpoint.model, rate, fast_type(str(device)))
        self._decoder = transform(checkpoint.model, "g_s", rate)

    def bits(self, v: Tensor, part: Part) -> Tensor:
        return self.price(v, self.tables[(..., *part)]).sum()

    def x_hat(self, v: Tensor, part: Part) -> Tensor:
        return self._pixels(self._g_s, v)

    def decoded(self, v: Tensor, part: Part) -> Tensor:
        return self._pixels(self._decoder, v)

    def _pixels(self, g_s: Callable[[Tensor], Tensor], v: Tensor) -> Tensor:
        return g_s(v + self.medians) + 0.5

    def code(self, symbols: np.ndarray) -> tuple[bytes, Image.Image]:
        stream = coder.write(self.checkpoint, [*self.side, symbols], self.rate, self.size)
        y_hat = torch.from_numpy(symbols[None]).float() + self.medians.cpu()
        width, height = self.size
        return stream, coder.decode_picture(self.checkpoint, y_hat, self.rate, height, width)
