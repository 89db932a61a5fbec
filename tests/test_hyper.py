"""h_s in exact integers: the network's own scales, in any order of summation, for any weights; and files of it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mae_viz.coding import bitstream, checkpoints, coder, hyper
from mae_viz.models import IndependentHyperprior, MAEHyperprior
from mae_viz.rates import Rate

GOLDEN = Path(__file__).parent / "golden" / "hyperprior"
LN = (np.log(hyper.SCALES[:-1]) + np.log(hyper.SCALES[1:])) / 2


def random_model(cls=MAEHyperprior, channels=12, strength=1.0, seed=0):
    """Random weights, rounded as a checkpoint rounds them, whose scales spread over the table."""
    torch.manual_seed(seed)
    model = cls(channels).eval()
    with torch.no_grad():
        for part in (model.g_a, model.h_a, model.h_s):
            for layer in part:
                layer.conv.weight.mul_(2.5 * strength)
                if layer.modulation:
                    layer.modulation.fc2.weight.normal_(std=0.1)
                layer.conv.weight.copy_(layer.conv.weight.half())
    return model.requires_grad_(False)


def float_log_scales(model, z, index):
    rate = torch.tensor([Rate(index).lmbda])
    with torch.inference_mode():
        z_hat = torch.from_numpy(z)[None].float() + model.prior.medians(rate)
        return model.hyper_synthesis(z_hat, rate)[0].double().log().numpy()


def coded_bits(integers, y, indexes):
    """Bits of the latents, each coded with the table of its scale index."""
    encoder = bitstream.SymbolEncoder()
    for i, gaussian in enumerate(integers.models()):
        encoder.add(y[None, indexes == i].astype(np.int32), [gaussian])
    return 8 * sum(map(len, encoder.sections()))


@pytest.mark.parametrize("index", [0, 3, 128, 201, 384])
@pytest.mark.parametrize("seed", [0, 1])
def test_indexes_are_those_of_the_network(seed, index):
    model = random_model(seed=seed)
    z = np.random.default_rng(seed).integers(-6, 7, (12, 3, 5))
    found = hyper.build(model).indexes(z, index)
    expected = np.searchsorted(LN, float_log_scales(model, z, index), side="right")
    assert found.shape == (12, 12, 20)
    assert len(np.unique(found)) > 10
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert (found != expected).mean() < 0.02


def test_in_strips_and_parts_all_is_as_in_one(monkeypatch):
    checkpoint, rate = checkpoints.open_checkpoint(str(GOLDEN)), Rate(100)
    generator = np.random.default_rng(0)
    groups = [generator.integers(-6, 7, shape).astype(np.int32) for shape in ((6, 37, 3), (6, 148, 12))]
    whole, stream = checkpoint.hyper.indexes(groups[0], rate.index), coder.write(checkpoint, groups, rate, (190, 2350))
    assert len(np.unique(whole)) > 10
    monkeypatch.setattr(hyper, "_STRIP_PLACES", 1)
    monkeypatch.setattr(coder, "_PART", 1000)
    seen = []
    assert np.array_equal(checkpoint.hyper.indexes(groups[0], rate.index, seen.append), whole)
    assert len(seen) == 5
    assert np.array_equal(np.concatenate(seen, axis=1), whole)
    assert coder.write(checkpoint, groups, rate, (190, 2350)) == stream
    for found, expected in zip(coder.decode_symbols(checkpoint, bitstream.parse(stream)), groups, strict=True):
        assert np.array_equal(found, expected)


def test_what_integers_and_a_table_of_scales_cost_in_rate():
    """Latents drawn from the network's own Gaussians, coded with the tables: within 0.5 % of their entropy."""
    model, index = random_model(channels=24), 200
    generator = np.random.default_rng(0)
    z = generator.integers(-6, 7, (24, 4, 6))
    scale = np.exp(float_log_scales(model, z, index)).clip(hyper.SCALES[0], hyper.SCALES[-1])
    y = np.rint(generator.normal(0, 1, scale.shape) * scale)
    upper, lower = (torch.from_numpy((-np.abs(y) + half) / scale) for half in (0.5, -0.5))
    entropy = -torch.log2(torch.special.ndtr(upper) - torch.special.ndtr(lower)).sum().item()
    integers = hyper.build(model)
    bits = coded_bits(integers, y, integers.indexes(z, index))
    assert bits < 1.005 * entropy + 64


@pytest.mark.slow
@pytest.mark.parametrize("lmbda", [64, 512, 4096])
def test_what_integers_cost_the_shipped_weights(photograph, lmbda):
    """h_s in integers chooses tables that cost less than 0.3 % more than those of its scales in floating point."""
    checkpoint = checkpoints.open_checkpoint("mae-hyperprior")
    index = Rate.near(lmbda).index
    z, y = coder.decode_symbols(checkpoint, bitstream.parse(coder.compress(photograph, "mae-hyperprior", lmbda)))
    integers = checkpoint.hyper
    exact = np.searchsorted(LN, float_log_scales(checkpoint.model, z, index), side="right")

    assert coded_bits(integers, y, integers.indexes(z, index)) < 1.003 * coded_bits(integers, y, exact)


def test_sums_do_not_depend_on_their_order():
    """Channels permuted through all layers: other orders of summation, the very same indexes."""
    model, order = random_model(), torch.randperm(12, generator=torch.Generator().manual_seed(5))
    z = np.random.default_rng(3).integers(-30, 31, (12, 4, 4))
    before = hyper.build(model).indexes(z, 77)
    with torch.no_grad():
        for layer in model.h_s:
            weight, bias = layer.conv.weight, layer.conv.bias
            weight.copy_(weight[order][:, order])
            bias.copy_(bias[order])
            layer.modulation.fc2.weight.copy_(layer.modulation.fc2.weight[order])
            layer.modulation.fc2.bias.copy_(layer.modulation.fc2.bias[order])
        rows = model.prior.entropy_bottleneck.quantiles.reshape(-1, 12, 3)
        model.prior.entropy_bottleneck.quantiles.copy_(rows[:, order].reshape(-1, 1, 3))
    after = hyper.build(model).indexes(z[order.numpy()], 77)
    assert np.array_equal(after, before[order.numpy()])


def test_python_integers_agree_with_float64():
    """One layer in integers of any length: nothing was rounded but where the specification says so."""
    integers = hyper.build(random_model(channels=4))
    layer = integers.layers[2]
    v = np.random.default_rng(2).integers(-(1 << 24), 1 << 24, (4, 3, 3)).astype(np.float64)
    gains = np.array([1 << 16, 70_000, 1, 9_999_999], np.float64)
    out = layer(v, gains)
    kernels = [[[[int(w) for w in row] for row in plane] for plane in line] for line in layer.kernels.tolist()]

    def gained(c, y, x):
        value = (int(v[c, y, x]) * int(gains[c]) + (1 << 15)) >> 16
        return min(max(value, 0), 1 << 24)

    for o in range(4):
        for y in range(3):
            for x in range(3):
                total = int(layer.bias[o, 0, 0])
                for c in range(4):
                    for dy in (-1, 0, 1):
                        for dx in (-1, 0, 1):
                            if 0 <= y + dy < 3 and 0 <= x + dx < 3:
                                total += kernels[1 - dy][1 - dx][o][c] * gained(c, y + dy, x + dx)
                shifted = (total + (1 << layer.shift >> 1)) >> layer.shift
                assert out[o, y, x] == min(max(shifted, -(1 << 24)), 1 << 24)


@pytest.mark.parametrize("cls", [MAEHyperprior, IndependentHyperprior])
@pytest.mark.parametrize("strength", [0.2, 1.0, 100.0])
def test_files_of_models_with_any_weights(cls, strength, crop, tmp_path):
    name = f"{cls.__name__}-{strength}"
    path = str(checkpoints.save(random_model(cls, 8, strength), name, "random weights", into=tmp_path))
    checkpoint = checkpoints.open_checkpoint(path)
    for lmbda in {checkpoint.model.lmbdas[0], checkpoint.model.lmbdas[-1], 4096.0}:
        encoded = coder.encode(crop, checkpoint, Rate.near(lmbda))
        parsed = bitstream.parse(encoded.stream)
        z, y = coder.decode_symbols(checkpoint, parsed)
        assert np.array_equal(y, np.clip(np.rint(encoded.y), -(2**24), 2**24))
        assert (z.shape, y.shape) == ((8, 2, 2), (8, 8, 8))
        assert coder.decompress(encoded.stream, path).size == crop.size


def test_the_fingerprint_covers_the_integers(tmp_path):
    from safetensors.numpy import load_file, save_file

    path = checkpoints.save(random_model(channels=4), "own", "random weights", into=tmp_path)
    tensors = load_file(path / "model.safetensors")
    tensors["hyper.gains"][0, 0, 0] += 1
    save_file(tensors, path / "model.safetensors")
    with pytest.raises(checkpoints.CheckpointError, match="not the file that its card describes"):
        checkpoints.open_checkpoint(str(path))


def test_weights_that_integers_cannot_hold_are_refused():
    model = random_model(channels=4)
    with torch.no_grad():
        model.h_s[0].conv.weight.fill_(1e9)
    with pytest.raises(ValueError, match="too large"):
        hyper.build(model)
