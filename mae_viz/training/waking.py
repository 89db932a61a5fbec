"""Channels that sleep at one trained λ and are awake at the next wake one after another in between, in place.

A channel sleeps where all its latents round to the median: it costs next to nothing and changes nothing. With losses at
the trained λ and beside them, training lets all channels of one octave wake at once, just below the λ at which they are
needed, because a row of the prior that expects zeros is dear to leave: the rate then grows by little along most of the
octave and by a leap at its end, and pictures in between cost more than they need.

So each waits for a knot of the prior of its own, those with most bits first, and the last for the next trained λ. What
carries this are the gains of the bottleneck, m(λ) of the last layer of g_a and d(λ) of the first of g_s. They stay the
perceptrons that they are: their hidden units become ramps that end at the knots and half way between these, and their
output weights are solved for, so that log m and log d pass through the wanted values. At the trained λ nothing changes.
Afterwards the rows of the prior in between want to be fitted to what rounding leaves, everything else frozen.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from mae_viz.layers import Modulation
from mae_viz.models import MAE
from mae_viz.rates import LMBDA_MAX

_ASLEEP = 4.5  # log m of a sleeping channel lies so far below that of its waking, or farther: a 90th
_LAST_SLOPE = (
    0.32  # of log m per octave towards the last trained λ, where none follows to aim at; of log d its negative
)
_BATCH = 32


@torch.no_grad()
def wake(model: MAE, crops: Tensor) -> Iterator[str]:
    """Let sleeping channels wake one after another; the model is ready after the last sentence, one for each octave.

    ``crops``: (n, 3, S, S) in [0, 1], some hundred, to see on which channels sleep where. Raises ValueError where the
    prior's knots are not the trained λ and some between, or more than a perceptron has ramps for.
    """
    knots = model.knots
    if not set(model.lmbdas) < set(knots):
        raise ValueError("channels wake where the prior has rows: set knots to the trained λ and some between them.")
    places = [knots.index(lmbda) for lmbda in model.lmbdas]
    if 2 * (len(knots) - 1) > Modulation.hidden:
        raise ValueError(f"{len(knots)} knots are too many to wake at: set {Modulation.hidden // 2 + 1} at most.")
    octaves = torch.log2(torch.tensor(knots, dtype=torch.float64))
    nodes = torch.stack([octaves[:-1], octaves.diff() / 2 + octaves[:-1]], 1).flatten()
    nodes = torch.cat([nodes, octaves[-1:]])  # node 2k is knot k
    asleep, bits = _activity(model, crops)
    m, d = model.g_a[-1].modulation, model.g_s[0].modulation
    assert m is not None
    assert d is not None
    log_m, log_d = (torch.log(gains(_lmbdas(nodes)))[:, :, 0, 0].double() for gains in (m, d))
    tables = model.prior.entropy_bottleneck
    rows = {name: p.view(len(knots), model.channels, *p.shape[1:]) for name, p in tables.named_parameters()}
    before = {name: row.clone() for name, row in rows.items()}
    for k, (low, high) in enumerate(pairwise(places)):
        waking = torch.nonzero(asleep[k] & ~asleep[k + 1]).flatten()
        waking = waking[bits[k + 1][waking].argsort(descending=True)]
        for rank, c in enumerate(waking.tolist()):
            at = low + 1 + (high - low) * rank // len(waking)  # the knot from which on it is awake
            _shape(log_m[:, c], nodes, low, at, places[k + 1 : k + 3], _LAST_SLOPE, deep=True)
            _shape(log_d[:, c], nodes, low, at, places[k + 1 : k + 3], -_LAST_SLOPE, deep=False)
            for name, row in rows.items():
                row[low + 1 : at, c] = before[name][low, c]
                row[at:high, c] = before[name][high, c]
        yield f"λ {model.lmbdas[k]:g} → {model.lmbdas[k + 1]:g}: {len(waking)} channels wake one after another"
    for modulation, wanted in ((m, log_m), (d, log_d)):
        _solve(modulation, nodes, wanted)
    model.prior.update_medians()


def _activity(model: MAE, crops: Tensor) -> tuple[Tensor, Tensor]:
    """At each trained λ: which channels round to the median everywhere, and the bits of each: (λ, C) both."""
    asleep, bits = [], []
    for lmbda in model.lmbdas:
        still, cost = torch.ones(model.channels, dtype=torch.bool), torch.zeros(model.channels)
        for some in crops.split(_BATCH):
            rate = torch.full((len(some),), lmbda)
            y = model.analysis(some, rate)
            symbols = torch.round(y - model.prior.medians(rate))
            still &= (symbols == 0).all(3).all(2).all(0)
            cost -= torch.log2(model.prior.likelihood(symbols, rate)).sum((0, 2, 3))
        asleep.append(still)
        bits.append(cost)
    return torch.stack(asleep), torch.stack(bits)


def _shape(log_gain: Tensor, nodes: Tensor, low: int, at: int, trained: list[int], slope: float, deep: bool) -> None:
    """Set one channel's log gain (nodes,) between knot ``low``, where it sleeps, and the next trained one.

    ``at``: the knot at which it wakes. ``trained``: that next trained knot, and the one after it if there is one. Awake
    it goes on the straight line (over octaves) that leads to where it is at these. Asleep an analysis gain is ``deep``
    down, and a synthesis gain, which then hardly matters, waits where it will be needed.
    """
    here = 2 * trained[0]
    if len(trained) > 1:
        beyond = 2 * trained[1]
        slope = float((log_gain[beyond] - log_gain[here]) / (nodes[beyond] - nodes[here]))
    awake = log_gain[here] + slope * (nodes - nodes[here])
    sleeping = torch.minimum(log_gain[2 * low], log_gain[here] - _ASLEEP) if deep else awake[2 * at]
    between = slice(2 * low + 1, here)
    log_gain[between] = torch.where(torch.arange(len(nodes)) >= 2 * at, awake, sleeping)[between]
    if deep:
        log_gain[2 * low] = sleeping


def _solve(modulation: Modulation, nodes: Tensor, wanted: Tensor) -> None:
    """Let a perceptron's log gains be ``wanted`` (nodes, C) at the nodes (in octaves), and linear in λ between them.

    Ramp j falls to 0 at node j, so that of all ramps only those after a node are above 0 there. Units that are left
    over go silent as they are.
    """
    ends = _lmbdas(nodes[1:])
    ramps = (1 - _lmbdas(nodes[:-1])[:, None] / ends).clamp(min=0)  # 0 below the diagonal: those ramps have ended
    weights = torch.linalg.solve_triangular(ramps.double(), wanted[:-1] - wanted[-1], upper=True)
    modulation.fc1.weight[: len(ends), 0] = -LMBDA_MAX / ends
    modulation.fc1.bias[: len(ends)] = 1
    modulation.fc2.weight.zero_()
    modulation.fc2.weight[:, : len(ends)] = weights.T.float()
    modulation.fc2.bias.copy_(wanted[-1])


def _lmbdas(octaves: Tensor) -> Tensor:
    """λ of float64 octaves log2 λ, in float32 as models take it."""
    return torch.exp2(octaves).float()
