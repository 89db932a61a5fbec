"""The transforms as the codec runs them: the model's own, with the gains in the kernels."""

import pytest
import torch

from mae_viz.coding.folding import subpixel_kernels, transform
from mae_viz.models import MAE, BottleneckScaling, Independent, IndependentHyperprior, MAEHyperprior
from mae_viz.rates import Rate


@pytest.mark.parametrize("cls", [MAE, BottleneckScaling, Independent, MAEHyperprior, IndependentHyperprior])
@pytest.mark.parametrize("rate", [Rate.near(64), Rate.near(300), Rate.near(4096)], ids=str)
def test_folded_transforms_compute_what_the_model_computes(cls, rate):
    torch.manual_seed(0)
    model = cls(64).eval().requires_grad_(False)
    rate = max(rate, Rate.near(model.lmbdas[0]))
    for name, parameter in model.named_parameters():
        if name.endswith("fc2.weight"):
            parameter.normal_(std=0.3)
    lmbda, x = rate.tensor(), torch.rand(1, 3, 128, 64)
    with torch.inference_mode():
        y = model.analysis(x, lmbda)
        torch.testing.assert_close(
            transform(model, "g_a", rate)(x - 0.5), y, rtol=1e-5, atol=1e-5 * float(y.abs().max())
        )
        x_hat = model.synthesis(y, lmbda) - 0.5
        torch.testing.assert_close(
            transform(model, "g_s", rate)(y), x_hat, rtol=1e-5, atol=1e-5 * float(x_hat.abs().max())
        )
        if model.facts.hyperprior:
            z = model.hyper_analysis(y, lmbda)
            torch.testing.assert_close(
                transform(model, "h_a", rate)(y.abs()), z, rtol=1e-5, atol=1e-5 * float(z.abs().max())
            )


@pytest.mark.parametrize(("kernel", "stride"), [(9, 4), (5, 2)])
def test_subpixels_of_a_convolution_are_a_transposed_one(kernel, stride):
    torch.manual_seed(0)
    h, weight = torch.randn(1, 7, 5, 6), torch.randn(7, 3, kernel, kernel)
    whole = torch.nn.functional.conv_transpose2d(h, weight, None, stride, stride, stride - 1)
    split = torch.nn.functional.conv2d(h, subpixel_kernels(weight, stride), padding=1)
    torch.testing.assert_close(torch.pixel_shuffle(split, stride), whole, rtol=1e-5, atol=1e-5)
