import pytest
from hypothesis import given
from hypothesis import strategies as st

from mae_viz import rates
from mae_viz.rates import Rate


@given(st.floats(64, 4096))
def test_snapping_moves_by_at_most_half_a_step_and_stays(lmbda):
    snapped = Rate.near(lmbda).lmbda
    assert abs(snapped / lmbda - 1) < 0.0055
    assert Rate.near(snapped).lmbda == snapped


def test_trained_rates_lie_on_the_grid():
    assert [Rate.near(lmbda).lmbda for lmbda in rates.LMBDAS] == list(rates.LMBDAS)
    assert (Rate.near(64).index, Rate.near(4096).index) == (0, rates.LAST_INDEX)


@pytest.mark.parametrize("lmbda", [63.9, 4096.1, 0, -1, float("nan"), float("inf")])
def test_rates_outside_the_range_are_refused(lmbda):
    with pytest.raises(ValueError, match="choose 64 ≤ λ ≤ 4096"):
        Rate.near(lmbda)
