"""Weights to CompressAI's ScaleHyperprior and back: its own forward pass gives what ours does, where they coincide."""

import warnings

import pytest
import torch

from mae_viz.coding import checkpoints, exchange
from mae_viz.coding.coder import to_tensor
from mae_viz.models import IndependentHyperprior

with warnings.catch_warnings():  # of what CompressAI imports
    warnings.simplefilter("ignore")
    from compressai.models import ScaleHyperprior

LMBDA = torch.tensor([256.0])


@pytest.fixture(scope="module")
def ours() -> IndependentHyperprior:
    return checkpoints.load("independent-hyperprior-256")


@pytest.fixture(scope="module")
def theirs(ours) -> ScaleHyperprior:
    model = ScaleHyperprior(192, 192)
    missing, unexpected = model.load_state_dict(exchange.state_dict(ours), strict=False)
    assert unexpected == []
    assert all(
        name.startswith(("entropy_bottleneck", "gaussian_conditional")) or "_reparam" in name for name in missing
    )
    return model.eval()


def test_transforms_are_those_of_the_shipped_model(ours, theirs, crop):
    x = to_tensor(crop, 64)
    with torch.inference_mode():
        y, y_theirs = ours.analysis(x, LMBDA), theirs.g_a(x)
        inside = (..., slice(2, -2), slice(2, -2))  # the border's padding is grey here and black there
        torch.testing.assert_close(y_theirs[inside], y[inside], atol=2e-3, rtol=1e-3)
        torch.testing.assert_close(theirs.g_s(y), ours.synthesis(y, LMBDA), atol=1e-4, rtol=1e-4)
        z = ours.hyper_analysis(y, LMBDA)
        torch.testing.assert_close(theirs.h_a(torch.abs(y)), z, atol=2e-3, rtol=1e-3)
        log_scales = torch.log(ours.hyper_synthesis(z, LMBDA))
        torch.testing.assert_close(theirs.h_s(z), torch.relu(log_scales), atol=2e-3, rtol=1e-3)


def test_there_and_back_is_the_same(ours, theirs):
    model = IndependentHyperprior(192, (256.0,))
    state = theirs.state_dict()
    exchange.load(model, state)
    mine = dict(ours.named_parameters())
    for name, parameter in model.named_parameters():
        if not name.startswith("prior."):
            torch.testing.assert_close(parameter, mine[name], atol=1e-6, rtol=1e-6)


def test_what_does_not_fit_is_refused(theirs):
    with pytest.raises(ValueError, match=r"g_a\.0\.weight is \(192, 3, 5, 5\) .* N = M = 48"):
        exchange.load(IndependentHyperprior(48, (256.0,)), theirs.state_dict())
    state = theirs.state_dict()
    state["h_a.4.bias"] = torch.ones(192)
    with pytest.raises(ValueError, match=r"h_a\.4\.bias is not 0"):
        exchange.load(IndependentHyperprior(192, (256.0,)), state)
    del state["g_s.0.weight"]
    with pytest.raises(ValueError, match=r"g_s\.0\.weight is missing"):
        exchange.load(IndependentHyperprior(192, (256.0,)), state)
