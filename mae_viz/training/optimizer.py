"""How a step is taken: in the units of what it changes.

The channels of the classical start differ a thousandfold in amplitude, so any one learning rate is too high for the
first and useless for the last. `Normalised` therefore moves

- convolution kernels by momentum, divided by the RMS of each input channel, orthogonalised (Newton-Schulz; Jordan et
  al. 2024, Muon), divided by the RMS again, times rate · U, where U is one quantisation step of λ = 4096 as it appears
  at that layer's output: every step moves every layer's output by about ``kernel_rate`` of a quantisation step. In
  g_a and h_a without modulation, a channel quieter than that moves by so much of its own RMS instead: with the gains of
  a low λ in the kernels, most channels are, and what suits the loud ones would drown them;
- γ of GDN by Adam, its column j divided by the RMS of channel j, and biases by Adam times U;
- everything else (gains, entropy tables, β, bottleneck scales) by Adam.

The RMS are measured once, at the start of a run, and are part of its state.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mae_viz.layers import GDN
from mae_viz.models import BottleneckScaling, HyperpriorModel, RateModel, RateTransform
from mae_viz.training.config import Config
from mae_viz.training.initialisation import FIRST_GAIN, STEP_SQUARED

if TYPE_CHECKING:
    from mae_viz.training.data import Batch

_PIXEL_UNIT = (STEP_SQUARED / 4096) ** 0.5  # the quantisation step of λ = 4096 in pixels: 1 / 12.5
_INNER_UNIT = FIRST_GAIN * _PIXEL_UNIT
_PIXEL_RMS = 0.1  # of what is left when a block's mean is taken away
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def build(model: RateModel, config: Config, batch: "Batch") -> torch.optim.Optimizer:
    """The optimiser that a configuration names, and what it may move.

    `requires_grad` is switched off outside ``config.parts``, and for the autoencoder that bottleneck scaling freezes.
    ``batch``: crops and λ to measure the RMS on.
    """
    for name, parameter in model.named_parameters():
        part = name.split(".")[0]
        frozen = isinstance(model, BottleneckScaling) and part not in ("prior", "scale")
        moves = part in config.parts and not frozen
        parameter.requires_grad_(moves and not name.endswith("quantiles"))
    if config.optimizer == "adam":
        entropy = [p for name, p in _moving(model) if name.startswith("prior.")]
        rest = [p for name, p in _moving(model) if not name.startswith("prior.")]
        groups = [{"params": rest, "lr": config.adam_rate}, {"params": entropy, "lr": config.adam_entropy_rate}]
        return torch.optim.Adam([{**group, "rate": group["lr"]} for group in groups])
    return Normalised(_groups(model, config, channel_rms(model, batch)), config.momentum)


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set every group's rate to ``factor`` times what it was built with."""
    if isinstance(optimizer, Normalised):
        optimizer.factor.fill_(factor)
    else:
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * factor


class Normalised(torch.optim.Optimizer):
    """Orthogonalised momentum for kernels, scaled Adam for the rest.

    Groups have ``rate`` and ``kind``, "kernel" or "adam". For "kernel", ``scales`` holds the RMS of the input channels
    (in,) of each parameter, and ``shares`` the part of the rate that each output channel takes, (out, 1, 1, 1) or 1.
    For "adam", ``scales`` holds tensors that its steps are multiplied with. All are kept in the state.
    """

    def __init__(self, groups: list[dict], momentum: float = 0.95):
        scales, shares = ([group.pop(name) for group in groups] for name in ("scales", "shares"))
        super().__init__(groups, {"momentum": momentum})
        for group, of_group, parts in zip(self.param_groups, scales, shares, strict=True):
            for p, scale, share in zip(group["params"], of_group, parts, strict=True):
                self.state[p] = {"first": torch.zeros_like(p), "scale": scale.to(p)}
                if group["kind"] == "kernel":
                    self.state[p]["share"] = share.to(p)
                else:
                    self.state[p]["second"] = torch.zeros_like(p)
        self.factor = torch.ones(())  # of all rates; a tensor, so that a recorded step sees another one each time

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # without a closure: none of these rules evaluates a loss
        kernels: dict[
            tuple, list
        ] = {}  # equal shapes are orthogonalised together, on a CPU each by itself: less to copy
        adam: list[tuple[Tensor, Tensor, dict, float]] = []
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if group["kind"] == "adam":
                    adam.append((p, p.grad, self.state[p], group["rate"]))
                else:
                    matrix = self._ahead(p.grad, self.state[p], group)
                    if p.is_cuda:
                        kernels.setdefault(matrix.flatten(1).shape, []).append((p, matrix, group))
                    else:
                        self._kernel(p, orthogonalise(matrix.flatten(1)), self.state[p], group)
        for alike in kernels.values():
            moves = orthogonalise(torch.stack([matrix.flatten(1) for _, matrix, _ in alike]))
            for (p, _, group), moved in zip(alike, moves, strict=True):
                self._kernel(p, moved, self.state[p], group)
        if adam:
            self._adam(*map(list, zip(*adam, strict=True)))

    def _ahead(self, grad: Tensor, state: dict, group: dict) -> Tensor:
        """Nesterov's momentum of a kernel as (out, k, k, in), each input channel in units of its RMS."""
        state["first"].lerp_(grad, 1 - group["momentum"])
        return grad.lerp(state["first"], group["momentum"]).permute(_order(group)) / state["scale"]

    def _kernel(self, p: Tensor, moved: Tensor, state: dict, group: dict) -> None:
        """Move a kernel by its orthogonalised momentum, a matrix (out, k · k · in)."""
        order = _order(group)
        moved = moved.reshape([p.shape[axis] for axis in order]) / state["scale"]
        moved *= state["share"] * (group["rate"] * self.factor)
        p.sub_(moved.permute([order.index(axis) for axis in range(4)]))

    def _adam(self, moved: list[Tensor], grads: list[Tensor], states: list[dict], rates: list[float]) -> None:
        """Adam for many parameters at once: on a GPU a few launches instead of some for each.

        Without bias correction: both averages start at 0 together, and warm-up covers the rest.
        """
        first, second, scales = ([state[name] for state in states] for name in ("first", "second", "scale"))
        torch._foreach_lerp_(first, grads, 0.1)
        torch._foreach_lerp_(second, torch._foreach_pow(grads, 2), 0.01)
        moves, sizes = torch._foreach_mul(first, scales), torch._foreach_sqrt(second)
        torch._foreach_mul_(moves, [-rate for rate in rates])
        torch._foreach_mul_(moves, self.factor)
        torch._foreach_add_(sizes, 1e-12)
        torch._foreach_addcdiv_(moved, moves, sizes)


def _order(group: dict) -> tuple[int, ...]:
    """Axes of a kernel as (out, k, k, in)."""
    return (1, 2, 3, 0) if group["transposed"] else (0, 2, 3, 1)


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """A matrix (…, m, n) with the same singular vectors and singular values of about 1 (0.7…1.2).

    Newton-Schulz on the small Gram matrix A = X Xᵀ instead of on X: X ↦ (a + b A + c A²) X has the same left factor
    whatever the width of X, which saves two thirds of the arithmetic for kernels of 192 × 4800.
    """
    a, b, c = _NEWTON_SCHULZ
    tall = matrix.shape[-2] > matrix.shape[-1]
    wide = matrix.mT if tall else matrix
    wide = wide / (wide.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    gram = wide @ wide.mT
    eye = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    left = eye
    for _ in range(steps):
        factor = a * eye + b * gram + c * (gram @ gram)
        left = factor @ left
        gram = factor @ gram @ factor
    wide = left @ wide
    return wide.mT if tall else wide


@torch.no_grad()
def channel_rms(model: RateModel, batch: "Batch") -> dict[nn.Module, tuple[Tensor, Tensor]]:
    """RMS (channels,) of what enters and what leaves each convolution and each GDN, over the crops and λ of a batch."""
    from mae_viz.training.objective import noise_of

    found: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def measure(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        entering, leaving = (t.float().square().mean((0, 2, 3)).sqrt() for t in (inputs[0], output))
        found[module] = entering, leaving

    watched = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | GDN)]
    hooks = [module.register_forward_hook(measure) for module in watched]
    y = model.analysis(batch.x.float() / 255, batch.lmbda)
    model.synthesis(y + noise_of(y, batch.seeds), batch.lmbda)
    if isinstance(model, HyperpriorModel):
        z = model.hyper_analysis(y, batch.lmbda)
        model.hyper_synthesis(z + noise_of(z, batch.seeds), batch.lmbda)
    for hook in hooks:
        hook.remove()
    return found


def _moving(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, p) for name, p in model.named_parameters() if p.requires_grad)


def _groups(model: RateModel, config: Config, rms: dict[nn.Module, tuple[Tensor, Tensor]]) -> list[dict]:
    """Every moving parameter with its rule, its rate and its scale."""
    groups: list[dict] = []
    seen = set()

    def add(
        p: Tensor | None,
        kind: str,
        rate: float,
        scale: Tensor | float = 1.0,
        share: Tensor | float = 1.0,
        **more: bool,
    ) -> None:
        if p is None or not p.requires_grad:
            return
        seen.add(p)
        tensors = {"scales": [torch.as_tensor(scale)], "shares": [torch.as_tensor(share)]}
        groups.append({"params": [p], "kind": kind, "rate": rate, **tensors, **more})

    for part in ("g_a", "g_s", "h_a", "h_s"):
        layers: RateTransform = getattr(model, part, RateTransform())
        for k, layer in enumerate(layers):
            unit, expected = _units(part, k, len(layers))
            conv, gdn = layer.conv, layer.nonlinearity
            entering, leaving = rms[conv]
            share: Tensor | float = 1.0
            if part.endswith("_a") and not layer.modulation:
                share = (leaving / unit).clamp(0.01, 1.0)[:, None, None, None]
            # a channel that hardly speaks must not get kernels a hundred times as large
            scale = entering.clamp(min=0.3 * expected)
            transposed = isinstance(conv, nn.ConvTranspose2d)
            add(conv.weight, "kernel", config.kernel_rate * unit, scale, share, transposed=transposed)
            add(conv.bias, "adam", config.bias_rate * unit)
            if isinstance(gdn, GDN):
                bottleneck = (part, k) in (("g_a", len(layers) - 1), ("g_s", 0))
                rate = config.gamma_rate_bottleneck if bottleneck else config.gamma_rate
                add(gdn.gamma, "adam", rate, 1 / rms[gdn][0].clamp(min=1e-2)[None, :])
                add(gdn.beta, "adam", config.beta_rate)
            for p in layer.modulation.parameters() if layer.modulation else ():
                add(p, "adam", config.gain_rate)
    for p in model.prior.parameters():
        add(p, "adam", config.entropy_rate)
    if isinstance(model, BottleneckScaling):
        add(model.scale.log_scale, "adam", config.scale_rate)
    if missing := [name for name, p in _moving(model) if p not in seen]:
        raise RuntimeError(f"no rule moves {', '.join(missing)}.")
    return groups


def _units(part: str, k: int, layers: int) -> tuple[float, float]:
    """U at the output of layer k of a transform, and the RMS to expect at its input."""
    last = k == layers - 1
    if part.endswith("_a"):  # latents come in steps of 1
        return (1.0 if last else _INNER_UNIT), (_PIXEL_RMS if part == "g_a" and k == 0 else _INNER_UNIT)
    return (_PIXEL_UNIT if last and part == "g_s" else _INNER_UNIT), _INNER_UNIT
