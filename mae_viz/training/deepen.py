"""A trained MAE as the start of the MAE with hyperprior: what its three layers learned, in four.

A 9×9 convolution of stride 4 on pixels is a 5×5 one of stride 2 on blocks of 2×2 pixels: the window of 10×10 pixels
holds it. So the first layer becomes an orthonormal 2×2 transform of opponent colours, its GDN the identity, and the
second computes what the MAE's first did; the synthesis likewise backwards. That much is exact. The MAE's bottleneck has
a GDN and an IGDN, which the hyperprior's has not: there the gains take over what these do to each channel on average.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mae_viz.layers import GDN, Modulation
from mae_viz.models import MAE, MAEHyperprior, RateLayer
from mae_viz.rates import LMBDA_MAX
from mae_viz.training import initialisation

_RIDGE = 1e-4


@torch.no_grad()
def deepen(mae: MAE, lmbdas: tuple[float, ...], crops: Tensor) -> MAEHyperprior:
    """A MAE with hyperprior whose g_a and g_s compute nearly what those of ``mae`` do.

    ``crops`` (n, 3, S, S) in [0, 1], a few dozen: to measure the bottleneck on. The entropy model is the one of the
    classical start and wants to be fitted (`mae_viz.training.initialisation.fit_entropy`).
    """
    model = MAEHyperprior(mae.channels, lmbdas)
    initialisation.random(model)
    for module in model.modules():
        if isinstance(module, Modulation):
            initialisation.gains(module, 0.0, lmbdas[-1])
    basis = initialisation.opponent_blocks(2)
    initialisation.write(model.g_a[0].conv, model.g_s[-1].conv, basis, initialisation.FIRST_GAIN)
    for layer in (model.g_a[0], model.g_s[-1]):
        assert isinstance(layer.nonlinearity, GDN)
        initialisation.near_identity(layer.nonlinearity)
    _copy(
        mae.g_a[0],
        model.g_a[1],
        _of_blocks(mae.g_a[0].conv.weight, basis) / initialisation.FIRST_GAIN,
        inputs=len(basis),
    )
    _copy(mae.g_a[1], model.g_a[2], mae.g_a[1].conv.weight)
    _copy(mae.g_a[2], model.g_a[3], mae.g_a[2].conv.weight)
    _copy(mae.g_s[0], model.g_s[0], mae.g_s[0].conv.weight)
    _copy(mae.g_s[1], model.g_s[1], mae.g_s[1].conv.weight)
    _copy(
        mae.g_s[2],
        model.g_s[2],
        _of_blocks(mae.g_s[2].conv.weight, basis) * initialisation.FIRST_GAIN,
        outputs=len(basis),
    )
    model.g_s[3].conv.bias.copy_(mae.g_s[2].conv.bias)
    model.g_a[3].conv.bias.zero_()
    std = _fit_bottleneck(mae, model, crops)
    initialisation.write_hyper(model, std)
    model.prior.update_medians()
    return model


def _of_blocks(weight: Tensor, basis: Tensor) -> Tensor:
    """9×9 kernels (a, 3, 9, 9) on pixels as 5×5 kernels (a, 12, 5, 5) on the coefficients of 2×2 blocks."""
    return F.conv2d(F.pad(weight, (0, 1, 0, 1)), basis, stride=2)


def _copy(
    source: RateLayer, target: RateLayer, weight: Tensor, inputs: int | None = None, outputs: int | None = None
) -> None:
    """Kernels, bias, gains and GDN of a layer; channels beyond ``inputs`` or ``outputs`` stay as good as unheard."""
    kernels = target.conv.weight.normal_(0, initialisation.NOISE if inputs else 0.02)
    kernels[:, : inputs or outputs] = weight
    if outputs:
        target.conv.bias.zero_()
    elif source.conv.bias is not None:
        target.conv.bias.copy_(source.conv.bias)
    target.modulation.load_state_dict(source.modulation.state_dict())
    if not isinstance(target.nonlinearity, nn.Identity):
        target.nonlinearity.load_state_dict(source.nonlinearity.state_dict())


def _fit_bottleneck(mae: MAE, model: MAEHyperprior, crops: Tensor) -> Tensor:
    """Gains of the last analysis and the first synthesis layer that stand for gain and (I)GDN of the MAE's.

    Per channel and λ the factor is the least-squares one from what enters to what the MAE makes of it; the perceptrons
    are fitted to its logarithm. Returns the deviations (C,) of the latents at the largest λ.
    """
    analysis, synthesis = mae.g_a[2], mae.g_s[0]
    lmbdas = torch.tensor(mae.knots)
    gains, inverse = [], []
    for lmbda in lmbdas:
        rates = lmbda.expand(len(crops))
        u = crops - 0.5
        for layer in list(mae.g_a)[:2]:
            u = layer(u, rates)
        u = analysis.conv(u)
        y = analysis.nonlinearity(analysis.modulation(rates) * u)
        gain = _factor(u, y)
        v = synthesis.nonlinearity(synthesis.modulation(rates) * y)
        gains.append(gain)
        inverse.append(_factor(gain[:, None, None] * u, v))
    for source, target, wanted in ((analysis, model.g_a[3], gains), (synthesis, model.g_s[0], inverse)):
        target.modulation.fc1.load_state_dict(source.modulation.fc1.state_dict())  # it bends where channels wake
        _fit(target.modulation, lmbdas, torch.stack(wanted))
    rates = torch.full((len(crops),), model.lmbdas[-1])
    return model.analysis(crops, rates).square().mean((0, 2, 3)).sqrt().clamp(min=1e-3)


def _factor(before: Tensor, after: Tensor) -> Tensor:
    """Least-squares factor (C,) of each channel from one (B, C, H, W) to the other."""
    return ((before * after).sum((0, 2, 3)) / before.square().sum((0, 2, 3)).clamp(min=1e-12)).clamp(min=1e-4)


def _fit(modulation: Modulation, lmbdas: Tensor, gains: Tensor) -> None:
    """Let a perceptron give ``gains`` (n, C) at ``lmbdas`` (n,), by ridge regression on its hidden units."""
    hidden = F.relu(modulation.fc1(lmbdas[:, None] / LMBDA_MAX))
    scale = hidden.square().mean(0).sqrt().clamp(min=1e-6)
    design = torch.cat([hidden / scale, torch.ones(len(hidden), 1)], dim=1).double()
    target = gains.log().double()
    mean = target.mean(0)
    square = design.T @ design + _RIDGE * torch.eye(design.shape[1])
    weights = torch.linalg.solve(square, design.T @ (target - mean))
    modulation.fc2.weight.copy_(weights[:-1].T / scale)
    modulation.fc2.bias.copy_(weights[-1] + mean)
