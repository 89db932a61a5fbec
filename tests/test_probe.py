"""Maps, ratios and bit counts that the app and the figures show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mae_viz import codec, probe
from mae_viz.checkpoints import open_checkpoint

RATES = (64.0, 4096.0)


def test_latents_and_bits_are_those_of_the_file(photograph):
    checkpoint = open_checkpoint("mae")
    y, bits = probe.latents(checkpoint, photograph, 512.0)
    assert y.shape == bits.shape == (192, 25, 38)
    stream = codec.compress(photograph, "mae", 512)
    assert bits.sum() / 8 == pytest.approx(len(stream) - 35, rel=0.01)
    y_hat = codec.decode_y_hat(checkpoint, codec.parse(stream))[0].numpy()
    assert np.abs(y_hat - y).max() <= 0.5 + 1e-4


def test_ratio_is_constant_for_bottleneck_scaling_and_only_for_it(photograph):
    low, high = (probe.latents(open_checkpoint("bottleneck-scaling"), photograph, lmbda)[0] for lmbda in RATES)
    scores = [probe.ratio(b, a).constancy for a, b in zip(low, high, strict=True)]
    assert np.nanmax(scores) < 1e-5
    low, high = (probe.latents(open_checkpoint("mae"), photograph, lmbda)[0] for lmbda in RATES)
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
