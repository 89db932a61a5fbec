"""The objective and the optimiser: what is minimised, and how far a step goes."""

import copy
import functools
import math

import pytest
import torch

from mae_viz import layers
from mae_viz.layers import GDN, conv, deconv, product_written_out
from mae_viz.models import MAE, BottleneckScaling, IndependentHyperprior, MAEHyperprior
from mae_viz.training import blocks, data, machine, objective, optimizer
from mae_viz.training.config import Config
from mae_viz.training.objective import Lagrangian, Validation, lagrangian_weights, loss_of, noise_of


@pytest.fixture(scope="module")
def batch() -> data.Batch:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (4, 3, 64, 64), generator=generator, dtype=torch.uint8)
    lmbda = torch.tensor([64.0, 512.0, 700.0, 4096.0])
    return data.Batch(x, lmbda, torch.tensor([True, True, False, True]), (11, 12, 13, 14))


def test_noise_is_uniform_and_belongs_to_its_image():
    y = torch.zeros(3, 8, 20, 20)
    noise = noise_of(y, (5, 6, 7))
    assert -0.5 <= noise.min() < -0.49
    assert 0.49 < noise.max() <= 0.5
    assert float(noise.var()) == pytest.approx(1 / 12, rel=0.05)
    torch.testing.assert_close(noise_of(y[:2], (7, 5)), noise[[2, 0]], rtol=0, atol=0)


@pytest.mark.parametrize("architecture", [MAE, MAEHyperprior])
def test_rate_and_distortion_are_per_image(architecture, batch):
    torch.manual_seed(0)
    lagrangian = Lagrangian(architecture(48))
    bpp, mse, x_hat = lagrangian(batch.x, batch.lmbda, batch.seeds)
    alone = [lagrangian(batch.x[i : i + 1], batch.lmbda[i : i + 1], batch.seeds[i : i + 1]) for i in range(4)]
    torch.testing.assert_close(bpp, torch.cat([a[0] for a in alone]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(mse, torch.cat([a[1] for a in alone]), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(mse, (x_hat - batch.x / 255).square().mean((1, 2, 3)))


def test_the_rate_is_that_of_the_model_itself(batch):
    torch.manual_seed(0)
    model = MAE(48)
    plain = model(batch.x / 255, batch.lmbda)  # with noise of its own
    want = -torch.log2(plain["likelihoods"]["y"]).flatten(1).sum(1) / 64**2
    bpp, _, _ = Lagrangian(model)(batch.x, batch.lmbda, batch.seeds)
    torch.testing.assert_close(bpp, want, rtol=0.05, atol=0)


def test_mixed_is_rounding_for_the_decoder_and_noise_for_the_rate(batch):
    torch.manual_seed(0)
    model = MAE(48)
    noise, rounds, mixed = (
        Lagrangian(model, quantisation=kind)(batch.x, batch.lmbda, batch.seeds) for kind in ("noise", "round", "mixed")
    )
    torch.testing.assert_close(mixed[0], noise[0], rtol=0, atol=0)
    torch.testing.assert_close(mixed[2], rounds[2], rtol=0, atol=0)
    assert (mixed[0] != rounds[0]).all()
    assert (mixed[1] != noise[1]).all()
    mixed[1].sum().backward()
    assert float(model.g_a[0].conv.weight.grad.abs().max()) > 0  # straight through rounding


def test_mixed_with_a_hyperprior_rounds_what_its_decoder_sees_too(batch):
    torch.manual_seed(0)
    model = MAEHyperprior(48)
    seen = []
    model.h_s.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    model.g_s.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    Lagrangian(model, quantisation="mixed")(batch.x, batch.lmbda, batch.seeds)
    z_hat, y_hat = seen
    torch.testing.assert_close(y_hat, y_hat.round())
    symbols = z_hat - model.prior.medians(batch.lmbda)
    torch.testing.assert_close(symbols, symbols.round(), rtol=0, atol=1e-4)


def test_weights_of_the_sum():
    lmbdas = (64.0, 256.0)
    lmbda = torch.tensor([64.0, 256.0])
    assert lagrangian_weights(lmbda, lmbdas, "uniform").tolist() == [1, 1]
    assert lagrangian_weights(lmbda, lmbdas, "inverse-sqrt").tolist() == pytest.approx([4 / 3, 2 / 3])
    bpp, mse = torch.tensor([0.5, 1.0]), torch.tensor([0.01, 0.001])
    assert float(loss_of(bpp, mse, lmbda, lmbdas, "uniform")) == pytest.approx((1.14 + 1.256) / 2)


def test_validation_is_the_mean_over_crops_whoever_looks_at_them(batch):
    torch.manual_seed(0)
    lagrangian = Lagrangian(MAE(48))
    crops, lmbdas = batch.x.repeat(5, 1, 1, 1), (64.0, 4096.0)
    whole = Validation(crops, lmbdas)
    sums = whole.sums(lagrangian, torch.device("cpu"))
    parts = [Validation(crops, lmbdas, (rank, 3)).sums(lagrangian, torch.device("cpu")) for rank in range(3)]
    torch.testing.assert_close(sum(parts), sums, rtol=1e-5, atol=1e-7)
    result = whole.result(sums)
    mse = [10 ** (-psnr / 10) for psnr in result["psnr"]]
    lagrangians = [r + lmbda * d for r, lmbda, d in zip(result["bpp"], lmbdas, mse, strict=True)]
    assert result["lagrangian"] == pytest.approx(lagrangians)
    assert result["uniform"] == pytest.approx(sum(lagrangians) / 2)
    weights = [1 / 8, 1 / 64]
    score = sum(w * v for w, v in zip(weights, lagrangians, strict=True)) / sum(weights)
    assert result["score"] == pytest.approx(score)


@pytest.mark.parametrize("shape", [(192, 4800), (48, 243), (3, 500), (60, 20)])
def test_orthogonalising_keeps_directions_and_levels_lengths(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0)) @ torch.diag(
        torch.logspace(0, -2, shape[1])
    )
    result = optimizer.orthogonalise(matrix)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    levelled = u.T @ result @ vh.T
    strong = s > 0.02 * s[0]
    lengths = levelled.diagonal()[strong]
    assert lengths.min() > 0.5
    assert lengths.max() < 1.3
    assert (levelled - torch.diag(levelled.diagonal())).abs().max() < 0.02


def test_orthogonalising_is_newton_schulz():
    """The same as iterating on the matrix itself."""
    matrix = torch.randn(48, 1200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / matrix.norm()
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    torch.testing.assert_close(optimizer.orthogonalise(matrix), x, rtol=1e-5, atol=1e-7)


def test_orthogonalising_many_is_orthogonalising_each():
    for shape in ((5, 48, 1200), (2, 60, 20)):
        many = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        many = many * torch.logspace(-3, 3, len(many))[:, None, None]
        each = torch.stack([optimizer.orthogonalise(matrix) for matrix in many])
        torch.testing.assert_close(optimizer.orthogonalise(many), each, rtol=1e-4, atol=1e-5)


def test_products_written_out_for_a_gpu_are_those_of_the_library():
    for inputs, outputs in ((1, 3), (3, 3), (3, 1)):
        generator = torch.Generator().manual_seed(0)
        matrix, h, towards = (
            torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
            for shape in ((2, 5, outputs, inputs), (2, 5, inputs, 7), (2, 5, outputs, 7))
        )
        want, found = matrix @ h, product_written_out(matrix, h)
        torch.testing.assert_close(found, want)
        for a, b in zip(*(torch.autograd.grad((y * towards).sum(), (matrix, h)) for y in (found, want)), strict=True):
            torch.testing.assert_close(a, b)


def test_adam_for_many_parameters_is_adam_for_each():
    """Without bias correction, in steps times a scale."""
    generator = torch.Generator().manual_seed(0)
    shapes, scales = ((4, 3), (5,), (2, 2, 2)), (torch.rand(1, 3, generator=generator), torch.ones(()), torch.ones(()))
    moved = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    groups = [
        {"params": [p], "kind": "adam", "rate": rate, "scales": [scale], "shares": [torch.ones(())]}
        for p, rate, scale in zip(moved, (0.1, 0.02, 0.3), scales, strict=True)
    ]
    rules = optimizer.Normalised(groups)
    wanted = [p.detach().double() for p in moved]
    averages = [[torch.zeros_like(p), torch.zeros_like(p)] for p in wanted]
    for factor in (1.0, 0.5):
        optimizer.set_rate(rules, factor)
        for p in moved:
            p.grad = torch.randn(p.shape, generator=generator)
        for p, value, (first, second), group, scale in zip(moved, wanted, averages, groups, scales, strict=True):
            first += 0.1 * (p.grad - first)
            second += 0.01 * (p.grad**2 - second)
            value -= group["rate"] * factor * scale * first / (second.sqrt() + 1e-12)
        moved[1].grad = None if factor == 0.5 else moved[1].grad
        before = moved[1].detach().clone()
        rules.step()
        if moved[1].grad is None:  # what has no gradient stays
            torch.testing.assert_close(moved[1].detach(), before, rtol=0, atol=0)
    for place in (0, 2):
        torch.testing.assert_close(moved[place].detach().double(), wanted[place], rtol=1e-5, atol=1e-6)


def test_compiled_parts_are_the_eager_ones(batch, monkeypatch):
    """As the compiler sees them, both ways; writing the machine's code would take a minute."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    model = MAE(8)
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    monkeypatch.setattr(layers, "_product", product_written_out)  # as on a GPU
    found = []
    for compiled in (False, True):
        lagrangian = Lagrangian(copy.deepcopy(model))
        if compiled:
            said = machine.compile_parts(lagrangian, batch, torch.device("cpu"))
            assert said.startswith("GDN and likelihoods compiled")
        bpp, mse, _ = lagrangian(batch.x, batch.lmbda, batch.seeds)
        (bpp + batch.lmbda * mse).mean().backward()
        gradients = [p.grad for p in lagrangian.model.parameters() if p.grad is not None]
        found.append([bpp.detach(), mse.detach(), *gradients])
    for eager, compiled in zip(*found, strict=True):
        torch.testing.assert_close(compiled, eager, rtol=1e-4, atol=1e-5 * float(eager.abs().max()))


def test_every_layer_of_every_stretch_is_compiled():
    """A function has more variants than torch's own limit: one for each layer's shape and each stretch's types."""
    counter = torch._dynamo.testing.CompileCounter()
    torch._dynamo.reset()
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(torch._dynamo.config, "recompile_limit", machine.COMPILED)
        for kind in (torch.float32, torch.float64):
            for side in range(4, 10):
                gdn = GDN(4).to(kind)
                gdn.compile(dynamic=False, backend=counter)
                gdn(torch.rand(1, 4, side, side, dtype=kind))
    assert counter.frame_count == 12


@pytest.mark.parametrize(("kernel", "stride"), [(9, 4), (5, 2)])
def test_in_blocks_the_convolutions_at_the_picture_s_end_are_the_same(kernel, stride):
    torch.manual_seed(0)
    first, last = conv(3, 8, kernel, stride), deconv(8, 3, kernel, stride)
    x, h = torch.rand(2, 3, 32, 48, requires_grad=True), torch.rand(2, 8, 8, 12, requires_grad=True)
    for layer, block, given in ((first, blocks.conv, x), (last, blocks.deconv, h)):
        weights = (given, *layer.parameters())
        want, found = layer(given), block(layer, given)
        torch.testing.assert_close(found, want, rtol=1e-5, atol=1e-5)
        towards = torch.randn(want.shape)
        for a, b in zip(*(torch.autograd.grad((y * towards).sum(), weights) for y in (found, want)), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_in_blocks_a_model_is_the_same(started, batch):
    for model in (started, MAEHyperprior(48)):
        fast = copy.deepcopy(model)
        blocks.use_blocks(fast, both=True)
        want, found = (Lagrangian(m)(batch.x, batch.lmbda, batch.seeds) for m in (copy.deepcopy(model), fast))
        for a, b in zip(found, want, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_noise_drawn_on_the_device_is_uniform_and_follows_from_the_step(batch):
    """Here the device is this machine."""
    noise = objective.DeviceNoise(torch.device("cpu"))
    noise.seed((5, 6))
    first, second = noise(torch.zeros(3, 8, 40, 40)), noise(torch.zeros(3, 8, 40, 40))
    assert -0.5 <= first.min() < -0.49
    assert 0.49 < first.max() < 0.5
    assert float(first.var()) == pytest.approx(1 / 12, rel=0.05)
    assert abs(float((first * second).mean())) < 2e-3
    noise.seed((5, 6))
    assert (noise(torch.zeros(3, 8, 40, 40)) == first).all()
    torch.manual_seed(0)
    lagrangian = Lagrangian(MAE(48))
    by_image = lagrangian(batch.x, batch.lmbda, batch.seeds)
    lagrangian.noise = noise
    at_once = lagrangian(batch.x, batch.lmbda, batch.seeds)
    torch.testing.assert_close(at_once[0], by_image[0], rtol=0.05, atol=0)
    assert (at_once[0] != by_image[0]).any()


@pytest.fixture(scope="module")
def started(batch):
    from mae_viz.training import initialisation

    torch.manual_seed(0)
    model = MAE(64)
    crops = torch.rand(500, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    initialisation.classical(model, crops)
    return model


def test_a_step_moves_each_layers_output_by_its_rate(started, batch):
    """Each output changes by about kernel_rate quantisation steps, however large or small its channels are."""
    config = Config(channels=64, kernel_rate=0.01)
    rules = optimizer.build(started, config, batch)
    x, lmbda = batch.x / 255, batch.lmbda
    inputs = {}
    for part in ("g_a", "g_s"):
        for k, layer in enumerate(getattr(started, part)):
            layer.conv.register_forward_pre_hook(lambda m, i, key=(part, k): inputs.__setitem__(key, i[0]))
    started.synthesis(started.analysis(x, lmbda), lmbda).square().sum().backward()
    before = {key: getattr(started, key[0])[key[1]].conv(h) for key, h in list(inputs.items())}
    inputs = dict(inputs)
    saved = {name: p.detach().clone() for name, p in started.named_parameters()}
    rules.step()
    units = {("g_a", 2): 1.0, ("g_s", 2): 1 / 12.5}
    with torch.no_grad():
        for key, out in before.items():
            moved = getattr(started, key[0])[key[1]].conv(inputs[key].detach()) - out
            rms = float(moved.square().mean().sqrt())
            # orthonormal rows see at most as many independent inputs as they have taps: within an order of magnitude
            assert 0.1 < rms / (0.01 * units.get(key, 2 / 12.5)) < 10, key
        for name, p in started.named_parameters():
            p.copy_(saved[name])


def test_quiet_channels_of_a_folded_encoder_move_by_their_own_size(batch):
    """Gains of a low λ, in the kernels, leave most channels far below a quantisation step."""
    torch.manual_seed(0)
    model = IndependentHyperprior(48, (512.0,))
    last, seen = model.g_a[-1].conv, []
    with torch.no_grad():
        last.weight[1::2] *= 100
    last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    lmbda = torch.full((4,), 512.0)
    rules = optimizer.build(model, Config(kernel_rate=0.01), data.Batch(batch.x, lmbda, batch.trained, batch.seeds))
    model.analysis(batch.x / 255, lmbda).square().sum().backward()
    h = seen[-1]
    with torch.no_grad():
        before = last(h)
        rules.step()
        before, moved = (t.square().mean((0, 2, 3)).sqrt() for t in (before, last(h) - before))
    quiet, loud = moved[::2], moved[1::2]
    assert (quiet < 0.2 * before[::2].clamp(min=0.01)).all()
    assert loud.mean() > 10 * quiet.mean()


def test_every_parameter_has_a_rule(batch):
    for model in (MAE(48), MAEHyperprior(48), IndependentHyperprior(48)):
        rules = optimizer.build(model, Config(), batch)
        moved = {id(p) for group in rules.param_groups for p in group["params"]}
        wanted = {id(p) for name, p in model.named_parameters() if not name.endswith("quantiles")}
        assert moved == wanted


@pytest.mark.parametrize("kind", ["normalised", "adam"])
def test_bottleneck_scaling_moves_its_scales_and_tables_alone(batch, kind):
    model = BottleneckScaling(48)
    rules = optimizer.build(model, Config(architecture="BottleneckScaling", optimizer=kind), batch)
    moved = {id(p) for group in rules.param_groups for p in group["params"]}
    names = {name for name, p in model.named_parameters() if id(p) in moved}
    assert names == {
        name
        for name, _ in model.named_parameters()
        if name.startswith(("prior.", "scale.")) and "quantiles" not in name
    }
    assert not any(p.requires_grad for part in (model.g_a, model.g_s) for p in part.parameters())


def test_rates_of_plain_adam_are_the_papers(batch):
    rules = optimizer.build(MAE(48), Config(optimizer="adam"), batch)
    optimizer.set_rate(rules, 0.5)
    assert [group["lr"] for group in rules.param_groups] == pytest.approx([2e-4, 1e-3])
    transforms, entropy = (sum(p.numel() for p in group["params"]) for group in rules.param_groups)
    assert transforms == sum(p.numel() for name, p in MAE(48).named_parameters() if not name.startswith("prior."))
    assert entropy > 0


@pytest.mark.parametrize("kind", ["normalised", "adam"])
def test_both_optimisers_descend(started, batch, kind):
    """Thirty steps on one batch with the same noise each time."""
    model = copy.deepcopy(started)
    config = Config(channels=64, optimizer=kind)
    rules = optimizer.build(model, config, batch)
    lagrangian, losses = Lagrangian(model), []
    for _ in range(30):
        bpp, mse, _ = lagrangian(batch.x, batch.lmbda, batch.seeds)
        loss = loss_of(bpp, mse, batch.lmbda, config.lmbdas, config.weights)
        rules.zero_grad()
        loss.backward()
        rules.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert all(math.isfinite(v) for v in losses)


def test_bf16_gives_nearly_the_same_numbers(started, batch):
    exact, rough, outer = (
        objective.Lagrangian(copy.deepcopy(started), precision)(batch.x, batch.lmbda, batch.seeds)
        for precision in ("float32", "bfloat16", "outer")
    )
    for found in (rough, outer):
        torch.testing.assert_close(found[0], exact[0], rtol=0.02, atol=0)
        torch.testing.assert_close(found[1], exact[1], rtol=0.05, atol=0)
    assert (outer[0] - exact[0]).abs().sum() < (rough[0] - exact[0]).abs().sum()  # latents are rounded in neither
