"""Refined latents: files that the same decoder reads, never worse than the plain ones, better at what was asked for."""

import math
import random
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import mae_viz
from mae_viz import cli, metrics
from mae_viz.codecs import palette, registry
from mae_viz.codecs.search import compress_to
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.measured import collected
from mae_viz.measured.evaluate import evaluate
from mae_viz.rates import Rate
from mae_viz.refining import refine as refining
from mae_viz.refining import sampling, synthesis
from mae_viz.refining.bits import Price
from mae_viz.refining.effort import spend
from mae_viz.refining.latents import ModelLatents
from mae_viz.refining.objectives import OBJECTIVES, weights
from mae_viz.refining.refine import refine

GOLDEN = Path(__file__).parent / "golden"
RATE = Rate.near(256)


@pytest.fixture(scope="module")
def picture(photograph):
    return photograph.crop((200, 120, 376, 296))


@pytest.fixture(scope="module")
def small(picture):
    return picture.crop((0, 0, 70, 50))


def last(*args, **kwargs):
    *_, moment = refine(*args, **kwargs)
    return moment


def error(stream: bytes, picture, part=None) -> float:
    """Mean squared error of what a file decodes to, in [0, 1]², where ``part`` (H, W) is true."""
    squares = (np.asarray(mae_viz.decompress(stream), float) - np.asarray(picture, float)) ** 2 / 255**2
    return squares[part].mean() if part is not None else squares.mean()


@pytest.fixture(scope="module")
def moments(picture):
    """A whole refinement of the shipped MAE's file."""
    return list(refine(picture, checkpoints.open_checkpoint("mae"), RATE, 40))


def test_it_begins_at_the_plain_file_and_never_gets_worse(moments, picture):
    assert moments[0].now.stream == mae_viz.compress(picture, "mae", 256)
    costs = [moment.best.cost for moment in moments]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == min(moment.now.cost for moment in moments)
    assert costs[-1] < 0.97 * costs[0]
    assert [moment.done for moment in moments] == [0, 0.25, 0.5, 0.75, 1]


def test_what_it_says_of_a_file_is_true_of_the_file(moments, picture):
    for candidate in (moments[0].best, moments[-1].best):
        bpp, mse = 8 * len(candidate.stream) / (picture.width * picture.height), error(candidate.stream, picture)
        assert candidate.bpp == pytest.approx(bpp)
        assert candidate.psnr_db == pytest.approx(-10 * math.log10(mse))
        assert candidate.cost == pytest.approx(bpp + 256 * mse, rel=1e-5)
    assert coder.info(moments[-1].best.stream)["lmbda"] == 256


@pytest.mark.parametrize(
    "name", ["bottleneck-scaling", "independent-512", "mae-hyperprior", str(GOLDEN / "factorized")]
)
def test_every_kind_of_model(name, small):
    checkpoint = checkpoints.open_checkpoint(name)
    rate = checkpoint.near(512)
    first, *_, end = refine(small, checkpoint, rate, 20)
    assert end.best.cost < first.best.cost
    decoded = coder.decompress(end.best.stream, name)
    assert metrics.psnr_db(np.asarray(decoded), np.asarray(small)) == end.best.psnr_db


def test_the_same_seed_gives_the_same_file(small):
    checkpoint = checkpoints.open_checkpoint("mae")
    a, b, c = (last(small, checkpoint, RATE, 10, seed=seed).now.stream for seed in (1, 1, 2))
    assert a == b != c


def test_each_objective_is_best_at_what_it_measures(moments, picture):
    checkpoint, x = checkpoints.open_checkpoint("mae"), coder.to_tensor(picture, 1)
    asked = {"mse": moments[-1].best}
    asked |= {name: last(picture, checkpoint, RATE, 30, OBJECTIVES[name]).best for name in ("ms-ssim", "mixture")}
    for name, objective in OBJECTIVES.items():
        costs = {}
        for other, candidate in asked.items():
            x_hat = coder.to_tensor(mae_viz.decompress(candidate.stream), 1)
            costs[other] = candidate.bpp + 256 * objective.distortion(x_hat, x, None).item()
        assert min(costs, key=costs.get) == name, costs


def test_errors_move_away_from_what_is_important(moments, picture):
    importance = np.zeros((picture.height, picture.width))
    importance[40:120, 30:110] = 1
    found = last(picture, checkpoints.open_checkpoint("mae"), RATE, 40, importance=importance).best
    plain = moments[-1].best
    assert len(found.stream) < 1.01 * len(plain.stream)
    inside = importance == 1
    assert error(found.stream, picture, inside) < 0.93 * error(plain.stream, picture, inside)
    assert error(found.stream, picture, ~inside) > error(plain.stream, picture, ~inside)


def test_weights_have_mean_1_and_white_counts_ten_times():
    found = weights(np.array([[0.0, 1.0], [0.5, 0.0]]), 2, 2)[0, 0]
    assert found.mean() == pytest.approx(1)
    assert found[0, 1] / found[0, 0] == pytest.approx(10)
    assert found[1, 0] / found[0, 0] == pytest.approx(5.5)


@pytest.mark.parametrize(
    ("map_", "sentence"),
    [
        (np.eye(3), "has 3 × 3 pixels, the picture 70 × 50"),
        (np.ones((50, 70)), "the same everywhere"),
        (np.full((50, 70), np.nan), "no number"),
        (np.eye(50, 70) * 2, "from 0 to 1"),
    ],
)
def test_maps_that_say_nothing_are_refused(map_, sentence, small):
    with pytest.raises(ValueError, match=sentence):
        next(refine(small, checkpoints.open_checkpoint("mae"), RATE, importance=map_))


def test_what_an_objective_cannot_do_is_said(small, picture):
    checkpoint, ms_ssim = checkpoints.open_checkpoint("mae"), OBJECTIVES["ms-ssim"]
    with pytest.raises(ValueError, match="at least 161 pixels a side, this one has 70 × 50"):
        next(refine(small, checkpoint, RATE, objective=ms_ssim))
    with pytest.raises(ValueError, match="MS-SSIM knows no importance"):
        next(refine(picture, checkpoint, RATE, objective=ms_ssim, importance=np.eye(176)))


@pytest.mark.parametrize("size", [(1, 1), (15, 9), (17, 16)])
def test_pictures_smaller_than_a_place(size, picture):
    for folder in ("factorized", "hyperprior"):
        checkpoint = checkpoints.open_checkpoint(str(GOLDEN / folder))
        found = last(picture.crop((0, 0, *size)), checkpoint, RATE, 3)
        assert coder.decompress(found.best.stream, str(GOLDEN / folder)).size == size


@pytest.mark.parametrize("name", ["mae", "bottleneck-scaling", "mae-hyperprior"])
def test_g_s_with_a_gradient_is_the_decoders(name):
    """Pixels of float32 and bfloat16 against the decoder's; the gradient against autograd through the modules."""
    model = checkpoints.open_checkpoint(name).model
    y = (8 * torch.randn(1, model.channels, 5, 4, generator=torch.Generator().manual_seed(1))).requires_grad_()
    expected = model.synthesis(y, RATE.tensor())
    weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(2))
    (direction,) = torch.autograd.grad((weight * expected).sum(), y)
    for dtype, tolerance in ((torch.float32, 1e-4), (torch.bfloat16, 0.03)):
        x_hat = synthesis.synthesis(model, RATE, dtype)(y) + 0.5
        (gradient,) = torch.autograd.grad((weight * x_hat).sum(), y)
        assert (x_hat - expected).norm() < tolerance * (expected - 0.5).norm()
        assert (gradient - direction).norm() < tolerance * direction.norm()


def test_gradients_flow_whoever_opened_a_model_first():
    """A page that opens it in inference mode leaves weights that others can take gradients through."""
    checkpoints._opened.cache_clear()
    with torch.inference_mode():
        model = checkpoints.open_checkpoint(str(GOLDEN / "factorized")).model
    y = torch.zeros(1, model.channels, 2, 2, requires_grad=True)
    model.synthesis(y, RATE.tensor()).sum().backward()
    assert y.grad is not None
    assert y.grad.isfinite().all()


def test_tiles_see_all_that_their_latents_change(monkeypatch, picture):
    """A tile's pixels are those of the whole picture's decoder, and its cost falls as the whole's does."""
    monkeypatch.setattr(refining, "TILE", 4)
    checkpoint = checkpoints.open_checkpoint("mae")
    latents = ModelLatents(picture, checkpoint, RATE)
    whole = refining._Refinement(picture, latents, RATE.lmbda, OBJECTIVES["mse"], None, 0)
    symbols = torch.from_numpy(latents.symbols[None]).float()
    everywhere = (slice(None), slice(None))
    x_hat = latents.decoded(symbols, everywhere)
    tiles = refining._tiles(latents)
    assert len(tiles) == 9
    for rows, columns in tiles:
        window = refining._Window(whole, latents.symbols, (rows, columns))
        top, left = (16 * max(part.start - 2, 0) for part in (rows, columns))
        seen = window.x_hat(symbols[:, :, rows, columns], latents.decoded)
        there = x_hat[:, :, top : top + seen.shape[2], left : left + seen.shape[3]]
        assert torch.allclose(seen, there, atol=1e-5)
        # and outside of it nothing depends on the tile
        changed = symbols.clone()
        changed[:, :, rows, columns] += 3
        outside = (latents.decoded(changed, everywhere) - x_hat).abs().amax((0, 1))
        outside[top : top + seen.shape[2], left : left + seen.shape[3]] = 0
        assert outside.max() < 1e-5
    tiled, at_once = last(picture, checkpoint, RATE, 20), None
    monkeypatch.setattr(refining, "TILE", 64)
    at_once = last(picture, checkpoint, RATE, 20)
    assert tiled.best.cost == pytest.approx(at_once.best.cost, rel=0.01)


def test_prices_are_what_the_coder_takes(picture):
    checkpoint = checkpoints.open_checkpoint("mae")
    symbols = coder.quantise(checkpoint, coder.encode_latents(checkpoint, coder.to_pixels(picture, 16), RATE), RATE)
    price, channels = Price(checkpoint.tables.at(RATE.index)), torch.arange(192)[:, None, None]
    stream = coder.write(checkpoint, symbols, RATE, picture.size)
    bits = price(torch.from_numpy(symbols[0]).float(), channels).sum().item()
    assert bits == pytest.approx(8 * (len(stream) - bitstream.HEADER_BYTES), abs=40)
    # half-way between two integers it is the mean, and far outside the tables the escape code's bytes are in it
    ends = price(torch.tensor([2.0, 3.0, 2.5]), torch.tensor([7, 7, 7]))
    assert ends[2] == pytest.approx((ends[0] + ends[1]).item() / 2)
    far = symbols[0].copy()
    far[5] += np.array([[-70, 70] * 6] * 11, np.int32)[:, :11]
    grown = 8 * (len(coder.write(checkpoint, [far], RATE, picture.size)) - len(stream))
    more = price(torch.from_numpy(far).float(), channels).sum().item() - bits
    assert more == pytest.approx(grown, abs=40)


def test_draws_lie_between_two_integers_and_come_close_to_one():
    v, noise = torch.full((20_000,), 3.3), torch.Generator().manual_seed(0)
    warm, cold = sampling.draw(v, 0.5, noise), sampling.draw(v, sampling.LAST, noise)
    for draws in (warm, cold):
        assert draws.min() >= 3
        assert draws.max() <= 4
    # P(up) of the two logits, −atanh of the distances over τ
    up = 1 / (1 + math.exp((math.atanh(0.7) - math.atanh(0.3)) / 0.5))
    assert (warm > 3.5).float().mean().item() == pytest.approx(up, abs=0.01)
    assert ((cold - 3).abs() < 0.01).float().mean() > 0.9
    taus = [sampling.temperature(step, 50) for step in range(50)]
    assert taus[:11] == [sampling.FIRST] * 11
    assert taus[-1] == pytest.approx(sampling.LAST)
    assert taus == sorted(taus, reverse=True)


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, also where the tests were started in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_at_any_moment_leaves_a_whole_file(monkeypatch, small):
    """A real signal at fifty random steps."""
    name = str(GOLDEN / "factorized")
    checkpoint, draw = checkpoints.open_checkpoint(name), sampling.draw
    for trial in range(50):
        left = random.Random(trial).randrange(30)

        def interrupted(*args):
            nonlocal left
            left -= 1
            if left < 0:
                signal.raise_signal(signal.SIGINT)
            return draw(*args)

        monkeypatch.setattr(sampling, "draw", interrupted)
        spent = spend(refine(small, checkpoint, RATE, 30, seed=trial), 30, lambda done, text: None)
        assert spent.done < 1
        assert spent.best.cost <= spent.plain.cost
        assert coder.decompress(spent.best.stream, name).size == small.size
        assert "and kept the best" in str(spent)


def test_a_refined_model_is_a_codec_of_its_own(tmp_path, small, picture):
    codec = registry.codec("mae-refined-20")
    assert (codec.title, codec.name) == ("MAE, refined 20 steps", "mae-refined-20")
    assert "coded theirs in one pass" in codec.history
    assert codec.identity != registry.codec("mae").identity
    assert codec.name not in registry.names()
    assert registry.codec("mae-refined-20-ms-ssim").title == "MAE, refined 20 steps for MS-SSIM"
    with pytest.raises(ValueError, match="no objective 'beauty': choose mse, ms-ssim, mixture"):
        registry.codec("mae-refined-20-beauty")
    inspected = codec.inspect(small, RATE)
    assert np.allclose(
        inspected.y - checkpoints.load("mae").prior.medians(RATE.tensor())[0].numpy(),
        np.rint(inspected.y - checkpoints.load("mae").prior.medians(RATE.tensor())[0].numpy()),
        atol=1e-4,
    )
    path = tmp_path / "small.png"
    small.save(path)
    document = evaluate(codec.name, [path], tmp_path / "rd.json", "one", [256])
    assert (document["codec"], document["settings"]["refined_steps"]) == ("mae-refined-20", 20)
    assert document["means"][0]["bpp"] == pytest.approx(8 * len(inspected.stream) / (70 * 50), abs=1e-5)
    picture.save(path)
    document = evaluate("mae-refined-1-ms-ssim", [path], tmp_path / "similar.json", "one", [256])
    assert document["settings"]["objective"] == "ms-ssim"


def test_refined_networks_of_one_lambda_make_a_curve_of_their_own(tmp_path, small):
    small.save(tmp_path / "small.png")
    for lmbda in (64, 128):
        evaluate(f"independent-{lmbda}-refined-2", [tmp_path / "small.png"], tmp_path / f"{lmbda}.json", "one")
    frames = [collected.read(tmp_path / f"{lmbda}.json") for lmbda in (64, 128)]
    assert {curve for frame in frames for curve in frame["curve"]} == {"independent-refined-2"}
    assert frames[0]["title"][0] == f"{registry.codec('independent').title}, refined 2 steps"
    assert "each picture's latents were refined" in registry.histories(["mae", "independent-refined-2"])
    assert "refined" not in registry.histories(["mae", "independent"])
    mark, model = (palette.drawing(name) for name in ("independent-refined-2", "independent"))
    assert (mark.colour, mark.marker) == (model.colour, "star")


def test_a_budget_holds_for_the_refined_file(small):
    codec = registry.codec("mae").refined(4)
    plain = len(mae_viz.compress(small, "mae", 700))
    found = compress_to(small, codec, bytes=plain)
    assert len(found.stream) <= plain
    above = codec.axis.every[codec.axis.every.index(found.rate) + 1]
    assert len(codec.encode(small, above)) > plain
    assert found.stream == codec.encode(small, found.rate)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("left", [0, 1, 5, 9])
def test_ctrl_c_in_a_search_leaves_a_file_within_the_budget(monkeypatch, small, left):
    """A real signal before the first refined file is there, and while the next ones are refined."""
    codec, draw = registry.codec("mae").refined(4), sampling.draw
    plain = mae_viz.compress(small, "mae", 700)
    missing = left

    def interrupted(*arguments):
        nonlocal missing
        missing -= 1
        if missing < 0:
            signal.raise_signal(signal.SIGINT)
        return draw(*arguments)

    monkeypatch.setattr(sampling, "draw", interrupted)
    found = compress_to(small, codec, bytes=len(plain))
    assert not found.whole
    assert len(found.stream) <= len(plain)
    assert mae_viz.decompress(found.stream).size == small.size
    if left < 4:
        assert found.codec is codec.guide
        assert found.stream == compress_to(small, "mae", bytes=len(plain)).stream


def test_the_command_line(tmp_path, small):
    small.save(tmp_path / "small.png")

    def run(*arguments):
        return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])

    out = tmp_path / "small.mae"
    done = run("compress", tmp_path / "small.png", "-o", out, "--lambda", 256, "--effort", 1)
    assert done.exit_code == 0
    assert "refined in" in done.output
    assert len(out.read_bytes()) == int(done.output.split(" bytes")[0].split()[-1])
    assert mae_viz.decompress(out.read_bytes()).size == small.size
    for arguments, sentence in (
        (["--objective", "ms-ssim"], "add --effort 3"),
        (["--effort", 1, "--objective", "beauty"], "no objective 'beauty'"),
        (["--effort", 1, "--importance", GOLDEN.parent.parent / "mae_viz/gallery/coffee.png"], "600 × 400 pixels, the"),
    ):
        failed = run("compress", tmp_path / "small.png", "-o", tmp_path / "x.mae", *arguments)
        assert sentence in str(failed.exception)
        assert not (tmp_path / "x.mae").exists()
    failed = run("evaluate", "jpeg", "--images", tmp_path, "--out", tmp_path / "x.json", "--effort", 1)
    assert "JPEG (4:2:0) has no latents to refine" in str(failed.exception)
