"""The search for bottleneck scaling's s(λ): what it is made of, and that it finds lower costs than where it began."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import mae_viz
from mae_viz.coding.coder import to_tensor
from mae_viz.training import fold, scales


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=20))
def test_hats_interpolate_between_the_widths(widths):
    widths = torch.tensor(widths)
    hats = torch.stack(scales._hats(widths))
    knots = torch.tensor(scales._WIDTHS)
    torch.testing.assert_close(hats.sum(0), torch.ones_like(widths))
    torch.testing.assert_close(knots @ hats, widths.clamp(knots[0], knots[-1]))
    assert hats.min() >= 0


@given(vertex=st.floats(-0.5, 0.5), bend=st.floats(0.1, 10), reach=st.floats(0.05, 1))
def test_the_vertex_of_a_parabola_is_found_within_reach(vertex, bend, reach):
    def cost(at):
        return 3 + bend * (float(at[0]) - vertex) ** 2

    found = scales._vertex(cost, torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64), reach)
    assert found == pytest.approx(max(-2 * reach, min(2 * reach, vertex)), abs=1e-6)


@pytest.mark.parametrize("slope", [-1.0, 1.0])
def test_without_a_vertex_it_goes_downhill(slope):
    found = scales._vertex(lambda at: slope * float(at[0]), torch.zeros(1), torch.ones(1), 0.1)
    assert found == pytest.approx(-0.2 * slope)


@pytest.mark.slow
def test_the_search_ends_lower_than_the_classical_scale(photograph):
    """R + λ·MSE of a photograph's own crops, and the scale of the largest λ stays exactly 1."""
    crops = to_tensor(photograph, 16)[:, :, :384, :512].unfold(2, 128, 128).unfold(3, 128, 128)
    crops = crops.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
    model = fold.freeze(mae_viz.load("independent-4096"), (64.0, 4096.0), 0.125)
    (said,) = scales.search(model, crops)
    learned, single = (float(n) for n in re.findall(r"\d+\.\d{5}", said))
    assert 0.1 < learned < 1.02 * single  # four crops check
    s = model.scale.log_scale.exp()
    assert torch.equal(s[1], torch.ones_like(s[1]))
    assert 0.03 < s[0].min() < s[0].max() < 0.3
    with torch.inference_mode():
        z = model.analysis(crops, torch.full((12,), 4096.0))
        cost = scales._lagrangian(model, crops, z, model.prior.medians(torch.tensor([4096.0])), 64.0)
        assert cost(s[0].log2()) < cost(torch.full_like(s[0], 0.125).log2())
