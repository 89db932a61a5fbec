"""From one model to another without training: gains folded into weights, bottleneck scaling on a frozen autoencoder."""

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mae_viz.coding import checkpoints
from mae_viz.coding.folding import fold_layer
from mae_viz.layers import Cumulatives
from mae_viz.models import (
    ARCHITECTURES,
    MAE,
    BottleneckScaling,
    Independent,
    IndependentHyperprior,
    MAEHyperprior,
    RateModel,
)
from mae_viz.training.config import Config
from mae_viz.training.deepen import deepen
from mae_viz.training.initialisation import scale_widths


@torch.no_grad()
def fold(mae: MAE | MAEHyperprior, lmbda: float) -> Independent | IndependentHyperprior:
    """The independent model that computes what a MAE computes at a λ at which its prior has a row.

    Raises ValueError for a λ between the prior's knots: its entropy tables are a mixture, which one row cannot hold.
    """
    if lmbda not in mae.knots:
        raise ValueError(f"λ = {lmbda:g} cannot be folded: choose one of {', '.join(f'{v:g}' for v in mae.knots)}.")
    plain = (Independent if isinstance(mae, MAE) else IndependentHyperprior)(mae.channels, (lmbda,))
    for part in ("g_a", "h_a", "g_s", "h_s"):
        for source, target in zip(getattr(mae, part, ()), getattr(plain, part, ()), strict=True):
            folded = fold_layer(source, torch.tensor([lmbda]))
            target.conv.weight.copy_(folded.weight)
            if folded.bias is not None:
                target.conv.bias.copy_(folded.bias)
            if folded.gdn:
                gdn, (beta, gamma) = target.nonlinearity, folded.gdn
                gdn.beta.copy_(gdn.beta_reparam.init(beta))
                gdn.gamma.copy_(gdn.gamma_reparam.init(gamma))
    _copy_rows(mae.prior.entropy_bottleneck, plain.prior.entropy_bottleneck, mae.knots.index(lmbda))
    return plain


@torch.no_grad()
def freeze(independent: Independent, lmbdas: tuple[float, ...], scalar: float | None = None) -> BottleneckScaling:
    """Bottleneck scaling on the autoencoder of the largest λ.

    s(λ) starts as √(λ/λmax), the classical choice, or as ``scalar`` at the smallest λ, and the entropy tables as narrow
    as that makes the latents.
    """
    if independent.lmbdas != lmbdas[-1:]:
        raise ValueError(f"bottleneck scaling up to λ = {lmbdas[-1]:g} needs the independent model of that λ.")
    model = BottleneckScaling(independent.channels, lmbdas)
    model.g_a.load_state_dict(independent.g_a.state_dict())
    model.g_s.load_state_dict(independent.g_s.state_dict())
    if scalar is not None:
        model.scale.log_scale[0] = math.log(scalar)
    tables, source = model.prior.entropy_bottleneck, independent.prior.entropy_bottleneck
    rows = dict(source.named_parameters())
    for name, parameter in tables.named_parameters():
        parameter.copy_(rows[name].repeat(len(lmbdas), *[1] * (parameter.ndim - 1)))
    scale_widths(tables, torch.exp(model.scale.log_scale).flatten())
    model.prior.update_medians()
    return model


@torch.no_grad()
def respace(model: RateModel, knots: Sequence[float]) -> RateModel:
    """The same model with a prior that has rows at other λ: each copied from the nearest row, in octaves."""
    target = ARCHITECTURES[type(model).__name__](model.channels, model.lmbdas, knots)
    rows = (model.prior.octaves - target.prior.octaves[:, None]).abs().argmin(dim=1)
    tables = dict(model.named_parameters())
    for name, parameter in target.named_parameters():
        value: Tensor = tables[name]
        if name.startswith("prior."):
            value = value.reshape(len(model.knots), model.channels, *value.shape[1:])[rows].reshape(parameter.shape)
        parameter.copy_(value)
    return target


def from_checkpoint(name: str, config: Config, crops: Callable[[], Tensor]) -> RateModel:
    """A model as the configuration wants it, from a checkpoint of it or of one that it can be made from.

    ``name``: a model that ships, or a checkpoint's folder. MAE → independent: folded; independent → bottleneck scaling:
    frozen; MAE → MAE with hyperprior: deepened, on ``crops()`` (n, 3, S, S) in [0, 1]. Raises ValueError where the one
    cannot become the other.
    """
    model = copy.deepcopy(checkpoints.open_checkpoint(name).model)
    wanted = ARCHITECTURES[config.architecture]
    if (isinstance(model, MAE) and wanted is Independent) or (
        isinstance(model, MAEHyperprior) and wanted is IndependentHyperprior
    ):
        model = fold(model, config.lmbdas[0])
    elif isinstance(model, Independent) and wanted is BottleneckScaling:
        model = freeze(model, config.lmbdas)
    elif isinstance(model, MAE) and wanted is MAEHyperprior:
        model = deepen(model, config.lmbdas, crops())
    elif type(model) is not wanted:
        raise ValueError(f"{name} is a {type(model).__name__}, from which no {wanted.__name__} can start.")
    if config.knots and model.knots != config.knots:
        model = respace(model, config.knots)
    if model.channels != config.channels or model.lmbdas != config.lmbdas:
        raise ValueError(
            f"{name} has {model.channels} channels and λ = {[f'{v:g}' for v in model.lmbdas]}: "
            "set channels and lmbdas to these."
        )
    return model.requires_grad_(True)


def _copy_rows(source: Cumulatives, target: Cumulatives, rate: int) -> None:
    """The tables of one knot."""
    rows = slice(rate * target.rows, (rate + 1) * target.rows)
    tables = dict(source.named_parameters())
    for name, parameter in target.named_parameters():
        parameter.copy_(tables[name][rows])
