"""Where weights come from before any training: a classical codec written into the network.

Random weights with Adam stand at 24 dB for λ = 4096 after 3,000 steps; a block transform that the network can hold has
34 dB on the same crops without any. So the layers start as one: a 4×4 DCT of opponent colours (2×2 where the first
layer halves), 2×2 Haar transforms of that as long as all of it fits into the channels, and in the last layer the
Karhunen-Loève transform (KLT) of what arrives. The synthesis is its transpose. GDN starts near the identity, the gains
of the bottleneck as √(λ/λmax): bottleneck scaling on a classical codec, from which the model learns everything beyond.
With a hyperprior z starts as the logarithm of how large the latents are around a place, in groups of channels.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mae_viz.layers import GDN, Cumulatives, Modulation
from mae_viz.models import Convolution, HyperpriorModel, RateModel
from mae_viz.rates import LMBDA_MAX

if TYPE_CHECKING:
    from mae_viz.training.data import Batch

FIRST_GAIN = 2.0
"""Of the first layer, so that inner layers carry values of about 1: pixels are 0…1."""

STEP_SQUARED = 18 / math.log(2)
"""λ·Δ² of the uniform quantiser that minimises R + λ·MSE at high rates, with the MSE a mean over three colours."""

KLT_SIDE = 32
"""Side of the crops that `classical` learns the KLT from."""

_GROUPS = 12  # of channels, that share one σ per place
_STEP = 0.7  # of log σ: 1.0 costs as much, 0.5 and 1.5 more
_RAMPS = 16
_SMALLEST, _SPAN = 0.1, 9.0  # latents whose logarithm begins, in quantisation steps, and over how much it runs
_FIT_BATCHES = 64

NOISE = 1e-4
"""On kernels that would be zero otherwise, so that no two channels stay alike."""


def random(model: RateModel) -> None:
    """Kernels of variance 1 / fan-in, biases 0; latents as large as a few quantisation steps."""
    with torch.no_grad():
        for layer in _convolutions(model):
            taps = layer.kernel_size[0] ** 2 / (layer.stride[0] ** 2 if isinstance(layer, nn.ConvTranspose2d) else 1)
            layer.weight.normal_(0, (layer.in_channels * taps) ** -0.5)
            if layer.bias is not None:
                layer.bias.zero_()
        model.g_a[-1].conv.weight.mul_(6)
        model.g_s[0].conv.weight.div_(6)


@torch.no_grad()
def classical(model: RateModel, crops: Tensor, step: float = 1.0) -> None:
    """Write the classical codec into a model.

    ``crops``: (n, 3, side, side) in [0, 1] with side a multiple of 16, a few thousand, to learn the KLT and the widths
    of the entropy tables from. ``step``: the quantisation step relative to the one that is right at high rates; at low
    ones, where most latents are 0, a coarser one is cheaper.
    """
    random(model)
    h = crops - 0.5
    top = model.lmbdas[-1]
    last_gain = math.sqrt(top / STEP_SQUARED) / step / FIRST_GAIN
    for k, layer in enumerate(model.g_a):
        last = k == len(model.g_a) - 1
        basis = _basis(layer.conv, h, first=k == 0, last=last)
        gain = FIRST_GAIN if k == 0 else last_gain if last else 1.0
        write(layer.conv, model.g_s[len(model.g_s) - 1 - k].conv, basis, gain)
        h = F.conv2d(h, basis, stride=layer.conv.stride)
    for place, layer in enumerate((*model.g_a, *model.g_s)):
        if isinstance(layer.nonlinearity, GDN):
            near_identity(layer.nonlinearity, 1e-3 if len(model.g_a) - 1 <= place <= len(model.g_a) else 1.0)
    for module in model.modules():
        if isinstance(module, Modulation):
            gains(module, 0.0, top)
    for modulation, power in ((model.g_a[-1].modulation, 0.5), (model.g_s[0].modulation, -0.5)):
        if modulation:
            gains(modulation, power, top)
    std = h.square().mean((0, 2, 3)).sqrt() * last_gain * FIRST_GAIN  # of y at the largest λ
    if isinstance(model, HyperpriorModel):
        write_hyper(model, _padded(std, model.channels))
    else:
        relative = torch.tensor([math.sqrt(knot / top) for knot in model.knots])
        widths = relative[:, None] * _padded(std, model.channels)
        set_widths(model.prior.entropy_bottleneck, torch.sqrt(widths**2 + 1 / 12).flatten())
    model.prior.update_medians()


@torch.no_grad()
def write_hyper(model: HyperpriorModel, std: Tensor) -> None:
    """Let z be the logarithm of the latents' local size, and h_s answer with σ as large.

    ``std`` (channels,): deviations of y at the largest λ; by these the channels fall into 12 groups.
    Layer by layer: the mean of |y| / std over each group and 3 × 3 places, cut by 16 ramps whose weighted sum is the
    logarithm; that sum, with 2 × 2 places side by side as channels; the same again in steps of 0.7, which makes
    12 · 16 = 192 channels of z. h_s puts the places back and adds log std. Nothing here depends on λ: where λ makes
    the latents smaller, σ follows.
    """
    groups = min(_GROUPS, model.channels // _RAMPS)
    rank = std.argsort(descending=True, stable=True).argsort()
    member = (groups * (rank / model.channels).sqrt()).long()  # fewer among the largest
    near = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    knots = torch.exp(torch.linspace(0, _SPAN, _RAMPS))
    slopes = torch.diff(torch.log(knots)) / torch.diff(knots)
    to_log = torch.cat([slopes[:1], torch.diff(slopes), torch.zeros(1)]) * knots  # Σ to_log · relu(v/knots − 1) ≈ log v
    sizes, logs, z = (layer.conv for layer in model.h_a)
    unpack, unpack_further, sigma = (layer.conv for layer in model.h_s)
    for conv in (sizes, logs, z, unpack, unpack_further, sigma):
        conv.weight.normal_(0, NOISE)
        if conv.bias is not None:
            conv.bias.zero_()
    quarters = [(q, 2 + q // 2, 2 + q % 2) for q in range(4)]  # of a 2 × 2 block, and where a 5 × 5 kernel meets them
    for g in range(groups):
        mine, ramps = member == g, slice(g * _RAMPS, (g + 1) * _RAMPS)
        low = _SMALLEST / std[mine].max()
        mean = near / (std[mine] * mine.sum())[:, None, None]
        sizes.weight[ramps, mine] = mean / (low * knots[:, None, None, None])
        sizes.bias[ramps] = -1
        sigma.weight[mine, g, 1, 1] = 1
        sigma.bias[mine] = torch.log(math.sqrt(math.pi / 2) * low * std[mine])
        for p, top, left in quarters:
            half = g * 4 + p
            logs.weight[half, ramps, top, left] = to_log
            unpack_further.weight[half, g, top, left] = 1
            for q, down, right in quarters:
                z.weight[half * 4 + q, half, down, right] = 1 / _STEP
                unpack.weight[half * 4 + q, half, down, right] = _STEP


@torch.no_grad()
def set_widths(tables: Cumulatives, std: Tensor) -> None:
    """Make the entropy tables, as they are at first, logistic with median 0 and these deviations (rows,)."""
    scale_widths(tables, std * math.sqrt(3) / math.pi / tables.start)
    zero = torch.zeros(tables.rows, 1, 1)
    tables.biases[-1].sub_(tables.logits(zero))


@torch.no_grad()
def scale_widths(tables: Cumulatives, factor: Tensor) -> None:
    """Stretch the distribution of every row about zero by its factor (rows,): exact."""
    first = tables.matrices[0]
    slopes = (F.softplus(first) / factor[:, None, None].to(first)).clamp(min=1e-4)
    first.copy_(slopes + torch.log(-torch.expm1(-slopes)))  # the inverse of softplus


def fit_entropy(model: RateModel, batches: "Callable[[int], Batch]", steps: int, rate: float) -> None:
    """Fit the entropy model to the latents as they are, by Adam with a falling rate; g_a stays as it is.

    ``batches``: drawn at negative steps, and again after ``_FIT_BATCHES``. The
    tables' rate starts at five times ``rate``: they are far off, and there is no transform that could be spoilt.
    """
    last = model.h_s[-1].conv.parameters() if isinstance(model, HyperpriorModel) else ()
    tables = [p for name, p in model.prior.named_parameters() if not name.endswith("quantiles")]
    optimizer = torch.optim.Adam([{"params": tables, "rate": 5 * rate}, {"params": list(last), "rate": rate / 4}])
    seen: dict[int, tuple] = {}
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * min(1, 3 * (1 - step / steps))
        place = step % _FIT_BATCHES
        if place not in seen:
            batch = batches(-1 - place)
            with torch.no_grad():
                y = model.analysis(batch.x.float() / 255, batch.lmbda)
            seen[place] = y, batch.lmbda, batch.seeds, batch.x[:, 0].numel()
        loss = _bits(model, *seen[place][:3]) / seen[place][3]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 9:
            model.prior.update_medians()
    optimizer.zero_grad()
    model.prior.update_medians()


def _bits(model: RateModel, y: Tensor, lmbda: Tensor, seeds: tuple[int, ...]) -> Tensor:
    """Bits of latents, with noise in place of rounding."""
    from mae_viz.training.objective import noise_of

    noisy = y + noise_of(y, seeds)
    if not isinstance(model, HyperpriorModel):
        return -torch.log2(model.prior.likelihood(noisy - model.prior.medians(lmbda), lmbda)).sum()
    z = model.hyper_analysis(y, lmbda)
    z = z + noise_of(z, seeds)
    p_z = model.prior.likelihood(z - model.prior.medians(lmbda), lmbda)
    p_y = model.conditional.likelihood(noisy, model.hyper_synthesis(z, lmbda)).clamp(min=1e-9)
    return -torch.log2(p_z).sum() - torch.log2(p_y).sum()


def _convolutions(model: nn.Module) -> list[Convolution]:
    return [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


def _basis(conv: Convolution, h: Tensor, first: bool, last: bool) -> Tensor:
    """Orthonormal kernels (out, in, s, s) of one layer: DCT first, KLT last or where not all fit, else Haar."""
    s, channels = conv.stride[0], h.shape[1]
    if last or s * s * channels > conv.out_channels:
        vectors = F.unfold(h, s, stride=s).transpose(1, 2).reshape(-1, s * s * channels)
        _, components = torch.linalg.eigh(vectors.T.double() @ vectors.double() / len(vectors))
        components = components.flip(1).T[: conv.out_channels].float()
        return components.reshape(-1, channels, s, s)
    return opponent_blocks(s) if first else _blocks(torch.eye(channels), s)


def opponent_blocks(s: int) -> Tensor:
    """Orthonormal kernels (3 · s², 3, s, s): the DCT of blocks in grey, red against blue, green against both."""
    mix = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]])
    return _blocks(mix / mix.norm(dim=1, keepdim=True), s)


def _blocks(mix: Tensor, s: int) -> Tensor:
    """Kernels of channels mixed by ``mix`` (out, in) and the DCT of s × s places, for s = 2 Haar's."""
    cosines = _dct(s)
    return torch.einsum("oc,iy,jx->oijcyx", mix, cosines, cosines).reshape(-1, mix.shape[1], s, s)


def _dct(n: int) -> Tensor:
    """Orthonormal DCT-II (n, n): rows are frequencies."""
    place = (torch.arange(n) + 0.5) / n
    rows = torch.cos(math.pi * torch.arange(n)[:, None] * place) * math.sqrt(2 / n)
    rows[0] /= math.sqrt(2)
    return rows


def write(conv: Convolution, deconv: Convolution, basis: Tensor, gain: float) -> None:
    """Put a basis, times the gain, where a convolution's window meets its own block, its inverse into the other.

    Channels that the basis does not need start with small random kernels; nothing downstream listens to them yet.
    """
    out, channels, s, _ = basis.shape
    edge = conv.kernel_size[0] // 2
    block = slice(edge, edge + s)
    conv.weight.normal_(0, 0.5 * (conv.in_channels * conv.kernel_size[0] ** 2) ** -0.5)
    conv.weight[:out].normal_(0, NOISE)
    conv.weight[:out, :channels, block, block] += basis * gain
    deconv.weight.normal_(0, NOISE / max(1.0, gain))
    deconv.weight[:, channels:].normal_(0, 0.02)
    deconv.weight[:out, :channels, block, block] += basis / gain


@torch.no_grad()
def near_identity(gdn: GDN, strength: float = 1.0) -> None:
    """β = 1 and a γ so small that the layer changes its input by little."""
    gamma = torch.full_like(gdn.gamma, 1e-7).fill_diagonal_(1e-5)
    gdn.gamma.copy_(gdn.gamma_reparam.init(gamma * strength))
    gdn.beta.copy_(gdn.beta_reparam.init(torch.ones_like(gdn.beta)))


def gains(modulation: Modulation, power: float, top: float) -> None:
    """Let a perceptron give (λ/top)^power for every channel.

    The ridge is strong on purpose: large weights that cancel one another make training explode.
    """
    modulation.fc2.weight.zero_()
    modulation.fc2.bias.zero_()
    if power == 0:
        return
    octaves = torch.linspace(0, 6, 200)
    lmbda = LMBDA_MAX * 2 ** (octaves - 6)
    hidden = F.relu(modulation.fc1(lmbda[:, None] / LMBDA_MAX))
    design = torch.cat([hidden, torch.ones(len(hidden), 1)], dim=1)
    target = power * torch.log(lmbda / top)
    weights = torch.linalg.solve(design.T @ design + 0.3 * torch.eye(design.shape[1]), design.T @ target)
    modulation.fc2.weight += weights[:-1]
    modulation.fc2.bias.fill_(float(weights[-1]))


def _padded(std: Tensor, channels: int) -> Tensor:
    return F.pad(std, (0, channels - len(std)), value=0.3)
