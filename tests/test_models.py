"""The networks: the paper's Table I, λ as an argument, and the prior between trained λ."""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mae_viz
from mae_viz.layers import GDN, BottleneckScale, Cumulatives, GaussianConditional, Modulation, RatePrior
from mae_viz.models import (
    ARCHITECTURES,
    MAE,
    BottleneckScaling,
    Independent,
    IndependentHyperprior,
    MAEHyperprior,
    count_parameters,
)

with warnings.catch_warnings():  # its dependencies use what torch has deprecated
    warnings.simplefilter("ignore")
    import compressai.entropy_models
    import compressai.layers


def test_table_1_of_the_paper():
    independent, hyperprior = count_parameters(Independent()), count_parameters(IndependentHyperprior())
    assert independent == 4_002_819
    assert hyperprior == 10_132_995
    assert count_parameters(MAE()) == 4_062_171
    millions = [7 * independent, count_parameters(BottleneckScaling()), count_parameters(MAE())]
    assert [round(n / 1e6, 2) for n in millions] == [28.02, 4.00, 4.06]
    assert [round(n / 1e6, 2) for n in (4 * hyperprior, count_parameters(MAEHyperprior()))] == [40.53, 10.27]


def test_gains_sit_in_every_layer():
    def count(model):
        return sum(isinstance(module, Modulation) for module in model.modules())

    assert (count(MAE(8)), count(MAEHyperprior(8)), count(BottleneckScaling(8)), count(Independent(8))) == (6, 14, 0, 0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("training", [False, True])
def test_output_and_shapes(architecture, training):
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture](8).train(training)
    x = torch.rand(2, 3, 64, 128)
    out = model(x, model.lmbdas[-1])
    assert out["x_hat"].shape == x.shape
    assert out["y"].shape == (2, 8, 4, 8)
    assert out["likelihoods"]["y"].shape == (2, 8, 4, 8)
    assert ("z" in out["likelihoods"]) == ("Hyperprior" in architecture)
    for likelihoods in out["likelihoods"].values():
        assert ((likelihoods > 0) & (likelihoods <= 1)).all()


@pytest.mark.parametrize("architecture", ["MAE", "BottleneckScaling", "MAEHyperprior"])
def test_a_batch_of_rates_equals_one_rate_at_a_time(architecture):
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture](8).eval()
    x, lmbda = torch.rand(3, 3, 64, 64), torch.tensor([64.0, 300.0, 4096.0])
    together = model(x, lmbda)
    for i in range(3):
        alone = model(x[i : i + 1], float(lmbda[i]))
        torch.testing.assert_close(together["x_hat"][i], alone["x_hat"][0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(together["likelihoods"]["y"][i], alone["likelihoods"]["y"][0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("lmbda", [63.0, 5000.0, float("nan"), torch.tensor([64.0, 9000.0])])
def test_rates_outside_the_range_are_refused(lmbda):
    with pytest.raises(ValueError, match="64 ≤ λ ≤ 4096"):
        MAE(8)(torch.rand(2, 3, 16, 16), lmbda)


def test_a_fixed_rate_model_takes_its_own_rate_only():
    with pytest.raises(ValueError, match="λ = 4096 alone"):
        Independent(8)(torch.rand(1, 3, 16, 16), 512)


def test_sizes_that_the_strides_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="multiples of 16"):
        MAE(8)(torch.rand(1, 3, 20, 16), 512)


def test_rate_does_not_stay_in_the_model():
    torch.manual_seed(0)
    model, x = MAE(8).eval(), torch.rand(1, 3, 32, 32)
    first = model(x, 64.0)["x_hat"]
    model(x, 4096.0)
    assert torch.equal(model(x, 64.0)["x_hat"], first)


def test_more_weight_on_the_error_costs_more_and_errs_less(crop):
    from mae_viz.coding.coder import to_tensor

    model, x = mae_viz.load("mae"), to_tensor(crop, 16)
    with torch.inference_mode():
        out = [model(x, lmbda) for lmbda in (64, 90, 128, 256, 362, 512, 1024, 2048, 2900, 4096)]
    bits = [-o["likelihoods"]["y"].log2().sum().item() for o in out]
    errors = [(o["x_hat"] - x).square().mean().item() for o in out]
    assert bits == sorted(bits)
    assert errors == sorted(errors, reverse=True)


# The prior


@pytest.fixture(scope="module")
def prior() -> RatePrior:
    return mae_viz.load("mae").prior


def test_rows_of_the_prior_are_compressais_entropy_bottleneck(prior):
    tables = prior.entropy_bottleneck
    theirs = compressai.entropy_models.EntropyBottleneck(tables.rows, filters=(3, 3, 3)).eval()
    theirs.load_state_dict(tables.state_dict(), strict=False)
    y = torch.arange(-40, 41)[None, None, None] + tables.quantiles[None, :, :, 1:2]
    _, likelihoods = theirs(y)
    likelihoods = likelihoods.reshape(len(prior.octaves), prior.channels, -1)
    symbols = torch.arange(-40.0, 41).expand(1, prior.channels, 1, -1)
    for row, lmbda in enumerate(mae_viz.load("mae").knots):
        ours = prior.likelihood(symbols, torch.tensor([lmbda]))[0, :, 0]
        torch.testing.assert_close(ours, likelihoods[row], atol=2e-6, rtol=2e-3)


def test_blocks_begin_and_compute_as_compressais():
    """The same start from the same seed, the same outputs, the same gradients, at the bounds too."""
    torch.manual_seed(1)
    theirs = compressai.entropy_models.EntropyBottleneck(5, filters=(3, 3, 3))
    torch.manual_seed(1)
    ours = Cumulatives(5)
    state = theirs.state_dict()
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.data, state[name])
    x = torch.randn(2, 6, 4, 5)
    for inverse in (False, True):
        pair = compressai.layers.GDN(6, inverse=inverse), GDN(6, inverse=inverse)
        for gdn in pair:
            torch.manual_seed(2)
            with torch.no_grad():
                for parameter in (gdn.beta, gdn.gamma):
                    parameter.add_(0.3 * torch.randn(parameter.shape))  # some below their bounds
        assert (pair[1].gamma < 0).any()
        results = [gdn(x) for gdn in pair]
        torch.testing.assert_close(*results)
        for result in results:
            (result**3).sum().backward()
        for name in ("beta", "gamma"):
            torch.testing.assert_close(*(getattr(gdn, name).grad for gdn in pair))
    y, sigma = torch.randn(1, 6, 4, 5) * 3, (torch.rand(1, 6, 4, 5) * 0.4).requires_grad_()
    gradients = []
    for conditional in (compressai.entropy_models.GaussianConditional(None).eval(), GaussianConditional().eval()):
        y_hat, likelihoods = conditional(y, sigma)
        assert torch.equal(y_hat, y.round())
        gradients.append(torch.autograd.grad(-likelihoods.log2().sum(), sigma)[0])
    torch.testing.assert_close(*gradients)
    assert (sigma < 0.11).any()


@settings(max_examples=25, deadline=None)
@given(octave=st.floats(0, 6))
def test_between_trained_rates_the_prior_is_a_distribution_about_its_median(octave):
    prior = mae_viz.load("mae").prior
    rate = torch.tensor([64.0 * 2.0**octave]).clamp(64, 4096)
    edges = torch.arange(-50, 51).float().expand(1, prior.channels, 1, -1)
    with torch.inference_mode():
        logits = prior.logits(edges, rate)[0, :, 0]
    assert (logits.diff(dim=1) >= -1e-4).all()  # a CDF never falls
    assert logits[:, 50].abs().max() < 1e-2  # σ(0) = ½ at the median


@pytest.mark.parametrize("lmbda", [64.0, 128.0, 152.2185107203483, 1024.0])
def test_the_prior_is_continuous_at_its_knots(prior, lmbda):
    v = torch.linspace(-3, 3, 13).expand(1, prior.channels, 1, -1).contiguous()
    at, beside = torch.tensor([lmbda]), torch.tensor([lmbda * (1 + 1e-5)])
    torch.testing.assert_close(prior.likelihood(v, at), prior.likelihood(v, beside), atol=1e-4, rtol=1e-3)


def test_without_knots_the_prior_has_rows_at_the_trained_rates():
    assert MAE(8).knots == MAE(8).lmbdas == (64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0)


@pytest.mark.parametrize(
    ("knots", "says"),
    [
        ((64.0, 512.0), "from the first trained λ to the last, 64 … 4096"),
        ((), "from the first trained λ to the last"),
        ((64.0, 64.2, 4096.0), "must rise by 1/64 octave"),
        ((64.0, 512.0, 256.0, 4096.0), "must rise"),
    ],
)
def test_knots_that_do_not_span_the_rates_are_refused(knots, says):
    with pytest.raises(ValueError, match=says):
        MAE(8, knots=knots)


def test_a_row_between_trained_rates_is_what_is_used_there():
    """And the rows at the trained λ are not heard."""
    torch.manual_seed(0)
    model = MAE(8, (64.0, 4096.0), knots=(64.0, 500.0, 4096.0))
    with torch.no_grad():
        model.prior.entropy_bottleneck.quantiles[:, 0, 1] = torch.arange(24.0)
    medians = model.prior.medians(torch.tensor([500.0])).flatten()
    torch.testing.assert_close(medians, torch.arange(8.0, 16.0), atol=1e-4, rtol=0)


def test_scales_between_trained_rates_are_geometric_means():
    torch.manual_seed(0)
    scale = BottleneckScale(4, (64.0, 256.0))
    scale.log_scale.data.normal_()
    low, middle, high = (scale(torch.tensor([lmbda])) for lmbda in (64.0, 128.0, 256.0))
    torch.testing.assert_close(middle**2, low * high)
