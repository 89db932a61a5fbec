"""Channels that wake between the trained λ: one after another, and nothing changes at the trained ones."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch

import mae_viz
from mae_viz.coding import checkpoints
from mae_viz.images import gallery, open_rgb
from mae_viz.measured.between import between
from mae_viz.models import MAE
from mae_viz.training import waking


@pytest.fixture(scope="module")
def crops() -> torch.Tensor:
    """Forty crops of the gallery."""
    rng, found = np.random.default_rng(0), []
    for photograph in gallery().values():
        pixels = np.asarray(open_rgb(photograph.path))
        for top, left in rng.integers(0, np.array(pixels.shape[:2]) - 127, (4, 2)):
            found.append(pixels[top : top + 128, left : left + 128])
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).float() / 255


def growth_over_neighbours(rate: list[float]) -> float:
    """The growth from one λ to the next over the mean growth of the two steps beside it, at its largest."""
    growth = [b / a - 1 for a, b in pairwise(rate)]
    return max(2 * here / (left + right) for left, here, right in zip(growth, growth[1:], growth[2:], strict=False))


def test_the_shipped_mae_grows_evenly_in_every_quarter_octave():
    """Measured on Kodak, from real files."""
    rows = between(mae_viz.results(), "mae")
    assert np.diff(np.log2(rows["lmbda"])) == pytest.approx(0.25)
    assert growth_over_neighbours(rows["bpp"].tolist()) < 1.5


@torch.inference_mode()
def rates(model: MAE, crops: torch.Tensor) -> list[float]:
    """Bits at every knot, of every fifth crop."""
    found = []
    for lmbda in model.knots:
        rate = torch.full((len(crops[::5]),), lmbda)
        y = model.analysis(crops[::5], rate)
        symbols = torch.round(y - model.prior.medians(rate))
        found.append(-float(model.prior.likelihood(symbols, rate).log2().sum()))
    return found


@torch.no_grad()
def put_to_sleep(model: MAE, activity: tuple[torch.Tensor, torch.Tensor], crops: torch.Tensor) -> None:
    """All channels of an octave wake at its end, as training leaves them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waking, "_activity", lambda model, crops: activity)
        shape = waking._shape
        patch.setattr(
            waking, "_shape", lambda g, n, low, at, to, *more, **kind: shape(g, n, low, to[0], to, *more, **kind)
        )
        list(waking.wake(model, crops))


def test_channels_that_woke_together_wake_one_after_another(crops):
    model = copy.deepcopy(checkpoints.load("mae")).eval()
    asleep, bits = waking._activity(model, crops)
    put_to_sleep(model, (asleep, bits), crops)
    together = rates(model, crops)
    assert growth_over_neighbours(together) > 1.5
    said = list(waking.wake(model, crops))
    counts = [int((here & ~above).sum()) for here, above in pairwise(asleep)]
    assert counts[:4] == [22, 37, 57, 37]  # as checkpoints/README.md tells
    assert said[1] == "λ 128 → 256: 37 channels wake one after another"
    after = rates(model, crops)
    assert after[::4] == pytest.approx(together[::4], rel=1e-5)  # the trained λ
    assert growth_over_neighbours(after) < 1.5
    with torch.inference_mode():
        gains = torch.stack([model.g_a[-1].modulation(torch.tensor([knot]))[0, :, 0, 0] for knot in model.knots])
    waking_at_128 = torch.nonzero(asleep[1] & ~asleep[2]).flatten()
    awake = gains[4:9, waking_at_128] > 0.2 * gains[8, waking_at_128]
    assert awake.sum(1).tolist() == [0, 10, 19, 28, 37]
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_waking_needs_rows_between_the_trained_rates(crops):
    with pytest.raises(ValueError, match="set knots to the trained λ and some between"):
        list(waking.wake(MAE(48), crops))
    with pytest.raises(ValueError, match="set 26 at most"):
        list(waking.wake(MAE(48, knots=tuple(64 * 2 ** (k / 8) for k in range(49))), crops))
