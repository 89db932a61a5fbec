"""Maps, ratios and bit counts that the app and the figures show."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from mae_viz import probe
from mae_viz.coding import bitstream, coder
from mae_viz.coding.checkpoints import open_checkpoint
from mae_viz.models import MAEHyperprior
from mae_viz.rates import Rate

GOLDEN = Path(__file__).parent / "golden"
RATES = (Rate.near(64), Rate.near(4096))
BETWEEN = Rate.near(700)


def test_latents_and_bits_are_those_of_the_file(photograph):
    checkpoint = open_checkpoint("mae")
    y, bits = probe.latents(checkpoint, photograph, Rate.near(512))
    assert y.shape == bits.shape == (192, 25, 38)
    stream = coder.compress(photograph, "mae", 512)
    assert bits.sum() / 8 == pytest.approx(len(stream) - 35, rel=0.01)
    y_hat = coder.decode_y_hat(checkpoint, bitstream.parse(stream))[0].numpy()
    assert np.abs(y_hat - y).max() <= 0.5 + 1e-4


def test_rounding_is_not_all_that_is_lost(crop):
    """Without it bottleneck scaling is the same codec at every λ; the transforms alone lose something as well."""
    scaling, mae = (
        [np.asarray(probe.unrounded(open_checkpoint(model), crop, rate), np.int16) for rate in RATES]
        for model in ("bottleneck-scaling", "mae")
    )
    assert np.abs(scaling[1] - scaling[0]).max() <= 1
    assert np.abs(mae[1] - mae[0]).max() > 10
    for rate, pixels in zip(RATES, mae, strict=True):
        error, alone = (
            np.mean((np.asarray(picture, np.float64) - np.asarray(crop)) ** 2)
            for picture in (coder.decompress(coder.compress(crop, "mae", rate.lmbda)), pixels)
        )
        assert 0.2 * error < alone < error


def test_ratio_is_constant_for_bottleneck_scaling_and_only_for_it(photograph):
    low, high = (probe.latents(open_checkpoint("bottleneck-scaling"), photograph, rate)[0] for rate in RATES)
    scores = [probe.ratio(b, a).constancy for a, b in zip(low, high, strict=True)]
    assert np.nanmax(scores) < 1e-5
    low, high = (probe.latents(open_checkpoint("mae"), photograph, rate)[0] for rate in RATES)
    scores = [probe.ratio(b, a).constancy for a, b in zip(low, high, strict=True)]
    assert np.nanmin(scores) > 1e-3


@given(
    arrays(np.float32, (4, 5), elements=st.floats(-100, 100, width=32)),
    arrays(np.float32, (4, 5), elements=st.floats(-100, 100, width=32)),
)
def test_ratio_by_its_definition(y1, y2):
    r = probe.ratio(y1, y2)
    top = max(abs(float(v)) for v in y2.flat)
    kept = []
    for a, b, value in zip(y1.flat, y2.flat, r.values.flat, strict=True):
        if b == 0 or abs(float(b)) < 0.05 * top:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(float(a) / float(b))
            kept.append((float(a) / float(b), float(b) ** 2))
    assert r.masked_share == pytest.approx(1 - len(kept) / 20)
    if kept and np.isfinite(r.constancy):
        total = sum(w for _, w in kept)
        mean = sum(v * w for v, w in kept) / total
        variance = sum(w * (v - mean) ** 2 for v, w in kept) / total
        assert r.mean == pytest.approx(mean, abs=1e-6)
        assert r.constancy == pytest.approx(variance**0.5 / abs(mean), rel=1e-3, abs=1e-6)


def test_ratio_of_an_empty_channel():
    r = probe.ratio(np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32))
    assert r.masked_share == 1
    assert np.isnan(r.mean)


# What is in a file


@pytest.fixture(scope="module", params=["mae", "bottleneck-scaling", str(GOLDEN / "hyperprior")])
def coded(request, crop):
    return request.param, coder.compress(crop, request.param, BETWEEN.lmbda)


def test_symbols_and_bits_of_a_file_are_the_models(coded, crop):
    name, stream = coded
    checkpoint = open_checkpoint(name)
    model, cost = checkpoint.model, probe.cost(checkpoint, stream)
    with torch.inference_mode():
        out = model(coder.to_tensor(crop, model.stride), BETWEEN.lmbda)
    bits = {name: -likelihoods.log2()[0].numpy() for name, likelihoods in out["likelihoods"].items()}
    medians = probe.medians(model, BETWEEN)[:, None, None]
    assert np.array_equal(probe.symbols(checkpoint, stream), np.round(out["y"][0].numpy() - medians))
    assert cost.y == pytest.approx(bits["y"], abs=1e-3)
    assert (cost.z is None) == (cost.sigma is None) == ("z" not in bits)
    if cost.z is not None:
        assert cost.z == pytest.approx(bits["z"], abs=1e-3)
        rate = BETWEEN.tensor()
        with torch.inference_mode():
            z_hat, _ = model.prior(model.hyper_analysis(out["y"], rate), rate)
            assert cost.sigma == pytest.approx(model.hyper_synthesis(z_hat, rate)[0].numpy(), rel=1e-4)
    assert cost.bits == pytest.approx(sum(float(part.sum()) for part in bits.values()), rel=1e-5)
    assert cost.places.sum() == pytest.approx(cost.bits, rel=1e-5)
    if cost.z is None:  # the other's weights are random: its σ are beyond what the coder's tables hold
        assert cost.bits / 8 == pytest.approx(len(stream) - bitstream.HEADER_BYTES, abs=8)
    y, of_y = probe.latents(checkpoint, crop, BETWEEN)
    assert y == pytest.approx(out["y"][0].numpy(), abs=1e-3)
    assert of_y == pytest.approx(cost.y, abs=1e-3)


def test_a_file_with_a_channel_switched_off(coded, crop):
    name, stream = coded
    checkpoint = open_checkpoint(name)
    symbols = probe.symbols(checkpoint, stream)
    channel = int(np.argmax(probe.cost(checkpoint, stream).y.sum(axis=(1, 2))))
    without = probe.switched_off(checkpoint, stream, channel)
    assert len(without) < len(stream)
    left = probe.symbols(checkpoint, without)
    assert not left[channel].any()
    assert np.array_equal(np.delete(left, channel, 0), np.delete(symbols, channel, 0))
    y_hat = torch.from_numpy(left + probe.medians(checkpoint.model, BETWEEN)[:, None, None])[None].float()
    with torch.inference_mode():
        x_hat = checkpoint.model.synthesis(y_hat, BETWEEN.tensor())
    expected = (x_hat[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()[: crop.height, : crop.width]
    assert np.abs(np.asarray(coder.decompress(without, name)).astype(int) - expected).max() <= 1
    assert not np.array_equal(np.asarray(coder.decompress(without, name)), np.asarray(coder.decompress(stream, name)))


# What is in a model


@pytest.mark.parametrize(
    ("rate", "mix"), [(Rate.near(512), (512.0, 512.0, 0.0)), (BETWEEN, (608.8740428813932, 724.0773439350247, 13 / 16))]
)
def test_the_prior_is_what_files_are_coded_with(rate, mix):
    checkpoint = open_checkpoint("mae")
    below, above, weight = probe.prior_mix(checkpoint.model, rate)
    assert below == mix[0]
    assert weight == pytest.approx(mix[2], abs=1e-5)
    assert weight == 0 or above == mix[1]
    pmf = probe.prior_pmf(checkpoint.model, rate, 20)
    assert pmf.shape == (192, 41)
    for expected, table in zip(pmf, checkpoint.tables.at(rate.index), strict=True):
        escape = len(table.counts) - 1
        for k in range(-20, 21):
            entry = k - table.first
            if 0 <= entry < escape and table.counts[entry] > 1:
                assert table.counts[entry] / 65536 == pytest.approx(expected[k + 20], abs=0.005)
    assert (pmf.sum(axis=1) <= 1 + 1e-5).all()


def test_the_prior_between_trained_rates_mixes_logits():
    model = open_checkpoint("mae").model
    below, above, weight = probe.prior_mix(model, BETWEEN)
    edges = torch.arange(-3.5, 4.5)[None, None, None].expand(1, 192, 1, -1)
    with torch.inference_mode():
        at = {lmbda: model.prior.logits(edges, torch.tensor([lmbda]))[0, :, 0] for lmbda in (below, above)}
        mixed = torch.sigmoid((1 - weight) * at[below] + weight * at[above]).double().diff(dim=1).numpy()
    assert probe.prior_pmf(model, BETWEEN, 3) == pytest.approx(mixed, abs=1e-5)


def test_the_prior_with_a_hyperprior_is_the_mean_of_its_gaussians():
    sigma = np.array([[0.3, 1.0, 7.0], [2.0, 0.3, 40.0]], np.float32)
    found = probe.expected_pmf(open_checkpoint(str(GOLDEN / "hyperprior")), sigma, 5)

    def below(v: float, s: float) -> float:
        return (1 + math.erf(v / s / math.sqrt(2))) / 2

    expected = [np.mean([below(k + 0.5, s) - below(k - 0.5, s) for s in sigma.ravel()]) for k in range(-5, 6)]
    assert found == pytest.approx(expected, abs=1e-5)


@given(
    arrays(np.int32, st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)), elements=st.integers(-3, 3))
)
def test_no_fixed_prior_costs_less_than_a_channels_histogram(symbols):
    bits = probe.histogram_bits(symbols)
    places = symbols[0].size
    assert np.all((bits >= 0) & (bits <= places * math.log2(7) + 1e-9))
    for channel, least in zip(symbols, bits, strict=True):
        assert least == 0 or len(np.unique(channel)) > 1
        smoothed = np.array([(np.sum(channel == k) + 1) / (places + 7) for k in range(-3, 4)])
        assert least <= -np.log2(smoothed[channel + 3]).sum() + 1e-9


def test_gains_by_the_papers_formula():
    model, lmbdas = open_checkpoint("mae").model, [64.0, BETWEEN.lmbda, 4096.0]
    layers = probe.layers(model)
    assert [layer.name for layer in layers] == ["m1", "m2", "m3", "d1", "d2", "d3"]
    for layer in layers:
        w1, b1, w2, b2 = (p.double().numpy() for p in layer.modulation.parameters())
        hidden = np.maximum(np.outer(np.array(lmbdas) / 4096, w1[:, 0]) + b1, 0)
        assert probe.gains(layer.modulation, lmbdas) == pytest.approx(np.exp(hidden @ w2.T + b2), rel=1e-4)
    names = [(m.name, d.name) for m, d in probe.mirrors(model)]
    assert names == [("m3", "d1"), ("m2", "d2"), ("m1", "d3")]


def test_scales_of_bottleneck_scaling_are_interpolated_in_octaves():
    scale = open_checkpoint("bottleneck-scaling").model.scale
    rows = np.log(probe.gains(scale, [512.0, 1024.0]))
    middle = np.log(probe.gains(scale, [Rate(Rate.near(512.0).index + 16).lmbda]))[0]
    assert middle == pytest.approx(0.75 * rows[0] + 0.25 * rows[1], abs=1e-5)


def test_a_hyperprior_has_fourteen_modulated_layers():
    torch.manual_seed(0)
    model = MAEHyperprior(channels=8).eval()
    layers = probe.layers(model)
    assert [layer.name for layer in layers if layer.part == "h_a"] == ["hm1", "hm2", "hm3"]
    assert len(layers) == 14
    pairs = [(m.name, d.name) for m, d in probe.mirrors(model)]
    assert pairs[0] == ("m4", "d1")
    assert pairs[4:] == [("hm3", "hd1"), ("hm2", "hd2"), ("hm1", "hd3")]
    for layer in layers:  # the gain that the network itself multiplies by
        seen = []
        hook = layer.modulation.register_forward_hook(lambda _, __, gain, seen=seen: seen.append(gain[0, :, 0, 0]))
        with torch.inference_mode():
            model(torch.zeros(1, 3, 64, 64), 700.0)
        hook.remove()
        assert probe.gains(layer.modulation, [700.0])[0] == pytest.approx(seen[0].numpy())


def test_inverse_correlation():
    generator = np.random.default_rng(0)
    m = np.exp(generator.normal(size=100))
    assert probe.inverse_correlation(m, 3 / m**2) == pytest.approx(1)
    assert probe.inverse_correlation(m, m) == pytest.approx(-1)
    assert abs(probe.inverse_correlation(m, np.exp(generator.normal(size=100)))) < 0.3
    assert np.isnan(probe.inverse_correlation(np.ones(100), m))


def test_the_map_most_alike_is_found_through_sign_and_scale():
    generator = np.random.default_rng(0)
    maps = generator.normal(size=(5, 6, 7)).astype(np.float32)
    maps[3] = 0
    assert probe.most_alike(-2 * maps[2] + 1, maps) == (2, pytest.approx(1))
    wider = np.pad(maps[4], ((0, 2), (0, 1)), constant_values=9)  # of a model that extends the picture further
    assert probe.most_alike(wider, maps) == (4, pytest.approx(1))


def test_contrast_is_the_deviation_of_luma_in_a_block(noise):
    pixels = noise(32, 40)
    luma = np.asarray(Image.fromarray(pixels).convert("L"), float)
    contrast = probe.contrast(Image.fromarray(pixels))
    assert contrast.shape == (2, 3)
    assert contrast[1, 0] == pytest.approx(luma[16:, :16].std())
    extended = probe.contrast(Image.fromarray(pixels), stride=64)
    assert extended.shape == (4, 4)
    assert np.array_equal(extended[:2, :2], contrast[:, :2])


def test_a_ratio_that_follows_the_contrast_is_found():
    rng = np.random.default_rng(0)
    contrast = rng.uniform(0, 50, (12, 16))
    y2 = rng.uniform(1, 2, (12, 16))
    assert probe.ratio_and_contrast(probe.ratio(y2 * np.exp(contrast / 50), y2), contrast) == pytest.approx(1)
    assert probe.ratio_and_contrast(probe.ratio(y2 * np.exp(-contrast / 50), y2), contrast) == pytest.approx(-1)
    assert np.isnan(probe.ratio_and_contrast(probe.ratio(3 * y2, y2), contrast))  # one gain for the whole channel
    assert np.isnan(probe.ratio_and_contrast(probe.ratio(0 * y2, 0 * y2), contrast))  # nothing is left
