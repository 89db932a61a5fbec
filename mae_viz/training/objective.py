"""What training minimises: the Lagrangian R + λ·MSE, summed over the trained λ (paper, eq. 8)."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from mae_viz.layers import EntropyModel
from mae_viz.models import RateModel


class Lagrangian(nn.Module):
    """A model together with the rate and the distortion of each image it is given.

    ``quantisation`` is "noise", which is uniform and follows from one seed per image, so that it does not depend on
    the device, on what else is in the batch, or on how many processes share it; "round", through which gradients pass
    straight; or "mixed": the decoder sees rounded latents, as it will in use, and the rate is that of noisy ones, whose
    gradient says what a finer or coarser latent would cost.

    ``precision``: with "bfloat16" the transforms run under bfloat16 autocast, with "outer" all of them but the two
    layers at the bottleneck, where latents reach hundreds and bfloat16 has 8 bits; gains and probabilities stay in
    float32 (`mae_viz.layers`).
    """

    def __init__(self, model: RateModel, precision: str = "float32", quantisation: str = "noise"):
        super().__init__()
        self.model, self.quantisation = model, quantisation
        self.autocast = precision != "float32"
        self.noise: HostNoise | DeviceNoise = HostNoise()
        if precision == "outer":
            for layer in (model.g_a[-1], model.g_s[0]):
                layer.forward = partial(_exactly, layer.forward)
        for module in model.modules():
            if isinstance(module, EntropyModel):
                module.quantize = self._quantize  # type: ignore[method-assign]
                module.rated = self._rated  # type: ignore[method-assign]

    def forward(self, x: Tensor, lmbda: Tensor, seeds: tuple[int, ...] | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Images (B, 3, H, W) uint8, λ (B,), noise seeds (B) → bits per pixel (B,), MSE on [0, 1] (B,), x_hat.

        Without seeds the noise has been told of them already.
        """
        if seeds is not None:
            self.noise.seed(seeds)
        x = (x.float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.autocast):
            out = self.model.passed(x, lmbda)
        bits = sum((-torch.log2(p.float()).flatten(1).sum(1) for p in out["likelihoods"].values()), torch.zeros(()))
        mse = (out["x_hat"].float() - x).square().mean((1, 2, 3))
        return bits / (x.shape[2] * x.shape[3]), mse, out["x_hat"]

    def _quantize(self, inputs: Tensor, means: Tensor | None = None) -> Tensor:
        """In place of the entropy models' own, which draw from one stream for all images."""
        if self.quantisation == "noise":
            return inputs + self.noise(inputs)
        centre = 0.0 if means is None else means
        return inputs + (torch.round(inputs - centre) + centre - inputs).detach()

    def _rated(self, inputs: Tensor, y_hat: Tensor) -> Tensor:
        return inputs + self.noise(inputs) if self.quantisation == "mixed" else y_hat


def _exactly(forward: Callable[[Tensor, Tensor], Tensor], h: Tensor, lmbda: Tensor) -> Tensor:
    """A layer in float32, whatever is around it."""
    with torch.autocast(h.device.type, enabled=False):
        return forward(h.float(), lmbda)


class HostNoise:
    """Noise from one seed per image, the same on every device."""

    seeds: tuple[int, ...] = ()

    def seed(self, seeds: tuple[int, ...]) -> None:
        self.seeds = seeds

    def __call__(self, y: Tensor) -> Tensor:
        return noise_of(y, self.seeds)


class DeviceNoise:
    """Noise drawn where the latents are, for all images at once, from the first of their seeds."""

    def __init__(self, device: torch.device):
        self.generator = torch.Generator(device)

    def seed(self, seeds: tuple[int, ...]) -> None:
        self.generator.manual_seed(seeds[0])

    def __call__(self, y: Tensor) -> Tensor:
        return torch.rand(y.shape, generator=self.generator, device=y.device) - 0.5


def noise_of(y: Tensor, seeds: tuple[int, ...]) -> Tensor:
    """Uniform noise in ±½ shaped like y (B, C, H, W), image by image from its own seed."""
    generator = torch.Generator()
    noise = [torch.rand(y.shape[1:], generator=generator.manual_seed(seed)) for seed in seeds]
    return torch.stack(noise).to(y) - 0.5


def lagrangian_weights(lmbda: Tensor, lmbdas: tuple[float, ...], weights: str) -> Tensor:
    """Weight of each image's R + λ·MSE: 1 ("uniform", the paper's sum), or λ^-½ ("inverse-sqrt") with mean 1 over Λ."""
    if weights == "uniform":
        return torch.ones_like(lmbda)
    return lmbda**-0.5 / (sum(v**-0.5 for v in lmbdas) / len(lmbdas))


def loss_of(bpp: Tensor, mse: Tensor, lmbda: Tensor, lmbdas: tuple[float, ...], weights: str) -> Tensor:
    """The weighted mean of R + λ·MSE over a batch."""
    return (lagrangian_weights(lmbda, lmbdas, weights) * (bpp + lmbda * mse)).mean()


class Validation:
    """R, D and the Lagrangian of fixed crops (n, 3, S, S) uint8 at every trained λ, with fixed noise.

    ``share``: the crops that this process looks at, of how many processes.
    """

    def __init__(self, crops: Tensor, lmbdas: tuple[float, ...], share: tuple[int, int] = (0, 1)):
        self.crops, self.lmbdas, (self.rank, self.processes) = crops, lmbdas, share

    @torch.no_grad()
    def sums(self, objective: Lagrangian, device: torch.device) -> Tensor:
        """Sums over this process's crops: (λ, 3) of bits per pixel, MSE, and the number of crops."""
        places = range(self.rank, len(self.crops), self.processes)
        sums = torch.zeros(len(self.lmbdas), 3, dtype=torch.float64)
        for row, lmbda in zip(sums, self.lmbdas, strict=True):
            for start in range(0, len(places), 16):
                some = list(places[start : start + 16])
                rate = torch.full((len(some),), lmbda, device=device)
                bpp, mse, _ = objective(self.crops[some].to(device), rate, tuple(some))
                row += torch.stack([bpp.double().sum(), mse.double().sum(), bpp.new_tensor(len(some))]).cpu()
        return sums

    def result(self, sums: Tensor) -> dict:
        """Means as lists by λ: ``bpp``, ``psnr`` (dB of the mean MSE), ``lagrangian``; and the two means over λ:
        ``score``, weighted λ^-½ whatever is trained with, so that runs compare, and ``uniform``."""
        bpp, mse = (sums[:, i] / sums[:, 2] for i in (0, 1))
        lmbda = torch.tensor(self.lmbdas, dtype=torch.float64)
        lagrangian = bpp + lmbda * mse
        return {
            "bpp": bpp.tolist(),
            "psnr": [-10 * math.log10(max(v, 1e-12)) for v in mse.tolist()],
            "lagrangian": lagrangian.tolist(),
            "score": float((lagrangian * lagrangian_weights(lmbda, self.lmbdas, "inverse-sqrt")).mean()),
            "uniform": float(lagrangian.mean()),
        }
