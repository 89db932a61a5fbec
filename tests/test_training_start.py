"""Where weights come from: the classical start, and models made from models."""

import copy
import math

import numpy as np
import pytest
import torch

import mae_viz
from mae_viz import metrics
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.coding import checkpoints, coder
from mae_viz.images import gallery, open_rgb
from mae_viz.layers import GDN
from mae_viz.models import ARCHITECTURES, MAE, BottleneckScaling, Independent, MAEHyperprior, count_parameters
from mae_viz.training import config, data, fold, initialisation, outer
from mae_viz.training.config import Config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def crops(photograph) -> torch.Tensor:
    """2,000 crops of a photograph."""
    pixels, rng = np.asarray(photograph), np.random.default_rng(0)
    places = rng.integers(0, np.array(pixels.shape[:2]) - 32, (2000, 2))
    x = np.stack([pixels[top : top + 32, left : left + 32] for top, left in places])
    return torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255


def classical(architecture: str, crops: torch.Tensor, channels=192, **more):
    torch.manual_seed(0)
    model = ARCHITECTURES[architecture](channels, **more)
    initialisation.classical(model, crops)
    return model.eval()


@pytest.fixture(scope="module")
def started(crops):
    return classical("MAE", crops)


@pytest.mark.parametrize(("lmbda", "psnr"), [(64.0, 26.0), (4096.0, 33.0)])
def test_the_start_is_a_codec(started, crop, tmp_path_factory, lmbda, psnr):
    """Before any training, through the real file: from 1/64 of a picture that it knows, in fewer bits than pixels."""
    into = tmp_path_factory.mktemp("start")
    path = str(checkpoints.save(started, "start", "not trained", into))
    stream = mae_viz.compress(crop, path, lmbda)
    decoded = mae_viz.decompress(stream, path)
    assert metrics.psnr_db(np.asarray(crop), np.asarray(decoded)) > psnr
    assert metrics.bpp(len(stream), crop.height, crop.width) < (1.5 if lmbda == 64 else 3.0)


def jpeg_bpp(picture, psnr_db: float) -> float:
    """What JPEG needs for that quality."""
    jpeg, pixels, points = CLASSICAL["jpeg"], np.asarray(picture), []
    for quality in jpeg.axis.listed[1:]:
        stream = jpeg.encode(picture, quality)
        points.append((metrics.psnr_db(pixels, np.asarray(jpeg.decode(stream))), len(stream)))
    return 8 * float(np.interp(psnr_db, *zip(*points, strict=True))) / (picture.width * picture.height)


@pytest.fixture(scope="module")
def untrained_hyperprior(tmp_path_factory):
    """The start of the configuration, on the few bundled training photographs; its entropy model fitted briefly."""
    settings = config.load("mae-hyperprior").changed(crop=64, validation=("lake",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAE_VIZ_CACHE", str(tmp_path_factory.mktemp("cache")))
        pictures = data.open_pictures(data.BUNDLED, settings.scales, print)
    training, _ = pictures.split(settings.validation)
    torch.manual_seed(0)
    model = MAEHyperprior()
    small = data.Batches(pictures, training, settings, count=4000, side=initialisation.KLT_SIDE)
    initialisation.classical(model, small(-1).x.float() / 255, settings.start_step)
    initialisation.fit_entropy(model, data.Batches(pictures, training, settings), 48, settings.entropy_rate)
    return model.eval()


@pytest.mark.parametrize("name", ["flower", "chelsea"])
def test_the_untrained_hyperprior_stands_near_jpeg(untrained_hyperprior, name):
    """At λ = 4096 a photograph that its start has not seen takes at most 1.4 times the bytes of JPEG at its best."""
    picture = open_rgb(gallery()[name].path)
    with torch.inference_mode():
        out = untrained_hyperprior(coder.to_tensor(picture, untrained_hyperprior.stride), 4096.0)
    bits = sum(float(-torch.log2(p).sum()) for p in out["likelihoods"].values())
    decoded = np.asarray(coder.to_image(out["x_hat"], picture.height, picture.width))
    psnr_db = metrics.psnr_db(np.asarray(picture), decoded)
    assert psnr_db > 34
    assert bits / (picture.width * picture.height) < 1.4 * jpeg_bpp(picture, psnr_db)


@pytest.mark.parametrize(
    ("architecture", "channels", "more", "psnr"),
    [
        ("MAE", 192, {}, 32),
        ("MAE", 64, {}, 28),  # the Haar transform does not fit any more: the KLT comes a layer earlier
        ("MAE", 200, {}, 32),  # eight channels that the start has no use for
        ("Independent", 192, {"lmbdas": (64.0,)}, 32),
        ("MAEHyperprior", 192, {}, 32),
    ],
)
def test_synthesis_undoes_analysis_at_every_rate(crops, architecture, channels, more, psnr):
    model = classical(architecture, crops, channels, **more)
    x = crops[:64]
    for lmbda in (model.lmbdas[0], model.lmbdas[-1]):
        rate = torch.full((len(x),), lmbda)
        with torch.inference_mode():
            x_hat = model.synthesis(model.analysis(x, rate), rate)
        assert -10 * math.log10((x - x_hat).square().mean()) > psnr


def test_a_step_of_one_is_the_right_one_at_every_rate(started, crops):
    """Uniform noise of width 1 in all 192 latents of a 16 × 16 block gives the MSE of Δ² = 18 / (λ ln 2)."""
    x = crops[:64]
    for lmbda in started.lmbdas:
        rate = torch.full((len(x),), lmbda)
        with torch.inference_mode():
            y = started.analysis(x, rate)
            noise = torch.rand(y.shape, generator=torch.Generator().manual_seed(0)) - 0.5
            error = started.synthesis(y + noise, rate) - started.synthesis(y, rate)
        assert float(error.square().mean()) == pytest.approx(18 / (lmbda * math.log(2)) / 12 * 192 / 768, rel=0.1)


def test_entropy_tables_fit_their_latents(started, crops):
    """Four standard deviations wide: the estimate is within 30 % of a Gaussian's entropy, and falls with λ."""
    x, bits = crops[:256], []
    for lmbda in started.lmbdas:
        rate = torch.full((len(x),), lmbda)
        with torch.inference_mode():
            _, likelihoods = started.prior(started.analysis(x, rate), rate)
        bits.append(float(-torch.log2(likelihoods).sum() / x[:, 0].numel()))
    assert bits == sorted(bits)
    assert bits[0] < 1.0
    assert bits[-1] < 2.5


def test_stretched_tables_are_stretched(started):
    tables = ARCHITECTURES["Independent"](48).prior.entropy_bottleneck
    v = torch.linspace(-20, 20, 41).expand(48, 1, -1)
    before = tables.logits(v)
    initialisation.scale_widths(tables, torch.full((48,), 3.0))
    after = tables.logits(3 * v)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def shaken(model):
    """A model whose gains, GDN and entropy tables are far from where they start."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if not name.endswith("quantiles"):
                p += 0.05 * torch.randn(p.shape, generator=generator) * (p.abs().mean() + 0.01)
        for module in model.modules():
            if isinstance(module, GDN):
                gamma = torch.rand(module.gamma.shape, generator=generator) * 0.01
                module.gamma.copy_(module.gamma_reparam.init(gamma))
            if hasattr(module, "fc2"):
                module.fc2.weight.add_(0.02 * torch.randn(module.fc2.weight.shape, generator=generator))
    model.prior.update_medians()
    return model.eval()


@pytest.mark.parametrize("lmbda", [64.0, 4096.0, 256.0])
@pytest.mark.parametrize("architecture", [MAE, MAEHyperprior])
def test_folding_is_exact(architecture, lmbda):
    torch.manual_seed(0)
    mae = shaken(architecture(48))
    plain = fold.fold(mae, lmbda).eval()
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        gain = mae.g_a[0].modulation(torch.tensor([lmbda]))
        assert (gain - 1).abs().max() > 0.01  # there is something to fold
        a, b = mae(x, lmbda), plain(x, lmbda)
    assert not any("modulation" in name for name, _ in plain.named_parameters())
    for key in ("x_hat", "y"):
        torch.testing.assert_close(b[key], a[key], rtol=1e-4, atol=1e-4)
    for key in a["likelihoods"]:
        torch.testing.assert_close(b["likelihoods"][key], a["likelihoods"][key], rtol=1e-3, atol=1e-5)


def test_a_rate_between_the_knots_cannot_be_folded():
    with pytest.raises(ValueError, match="choose one of 64, 128"):
        fold.fold(MAE(48), 100.0)


@pytest.mark.parametrize("architecture", [MAE, MAEHyperprior])
def test_a_rate_that_is_a_knot_can(architecture):
    torch.manual_seed(0)
    mae = shaken(architecture(48, (64.0, 4096.0), knots=(64.0, 304.4370214406966, 4096.0)))
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        a, b = (model(x, 304.4370214406966) for model in (mae, fold.fold(mae, 304.4370214406966).eval()))
    for key in a["likelihoods"]:
        torch.testing.assert_close(b["likelihoods"][key], a["likelihoods"][key], rtol=1e-3, atol=1e-5)


def test_knots_come_with_the_checkpoint_or_are_made_from_the_nearest(crops):
    shipped = checkpoints.load("mae")
    assert fold.from_checkpoint("mae", Config(), lambda: crops).knots == shipped.knots
    closer = (64.0, 90.50966799187809, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0)
    model = fold.from_checkpoint("mae", Config(knots=closer), lambda: crops)
    assert model.knots == closer
    v = torch.linspace(-3, 3, 13).expand(1, model.channels, 1, -1).contiguous()
    for lmbda in closer:  # all of them are knots of the shipped model too
        rate = torch.tensor([lmbda])
        torch.testing.assert_close(model.prior.likelihood(v, rate), shipped.prior.likelihood(v, rate))


def test_the_shipped_mae_folds_into_an_independent_model(crop, crops, tmp_path):
    """Through files: the folded model writes what the MAE writes, but for latents next to a rounding boundary."""
    model = fold.from_checkpoint("mae", Config(architecture="Independent", lmbdas=(512.0,)), lambda: crops)
    assert isinstance(model, Independent)
    path = str(checkpoints.save(model.eval(), "folded", "folded", tmp_path))
    ours, theirs = (mae_viz.compress(crop, name, 512) for name in (path, "mae"))
    assert len(ours) == pytest.approx(len(theirs), rel=0.01)
    a, b = (np.asarray(mae_viz.decompress(s, name)) for s, name in ((ours, path), (theirs, "mae")))
    assert metrics.psnr_db(a, b) > 50
    assert all(p.requires_grad for name, p in model.named_parameters() if not name.endswith("quantiles"))
    assert not any(p.requires_grad for p in checkpoints.load("mae").parameters())  # the shared one stays as it is


def test_bottleneck_scaling_starts_as_the_model_it_freezes():
    torch.manual_seed(0)
    lmbdas = (64.0, 512.0, 4096.0)
    plain = shaken(Independent(48))
    model = fold.freeze(plain, lmbdas).eval()
    assert isinstance(model, BottleneckScaling)
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        a, b = plain(x, 4096.0), model(x, 4096.0)
        torch.testing.assert_close(b["x_hat"], a["x_hat"])
        torch.testing.assert_close(b["likelihoods"]["y"], a["likelihoods"]["y"])
        torch.testing.assert_close(model(x, 64.0)["y"], a["y"] / 8)
        # eight times narrower latents under tables eight times narrower
        v = torch.linspace(-3, 3, 13).expand(1, 48, 1, -1)
        wide = model.prior.logits(8 * v, torch.tensor([4096.0]))
        torch.testing.assert_close(model.prior.logits(v, torch.tensor([64.0])), wide, rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="independent model of that λ"):
        fold.freeze(plain, (64.0, 512.0))


@pytest.fixture(scope="module")
def deepened(crops):
    """The shipped MAE as the start of the one with hyperprior."""
    torch.manual_seed(0)
    wanted = Config(architecture="MAEHyperprior", lmbdas=(64.0, 256.0, 1024.0, 4096.0))
    pieces = crops[:512].reshape(8, 8, 8, 3, 32, 32).permute(0, 3, 1, 4, 2, 5).reshape(8, 3, 256, 256)
    return fold.from_checkpoint("mae", wanted, lambda: pieces).eval()


@pytest.mark.parametrize("lmbda", [64.0, 300.0, 4096.0])
def test_four_layers_compute_what_three_did(deepened, photograph, lmbda):
    """All but the bottleneck, on a whole picture with its edges."""
    mae, rate = mae_viz.load("mae"), torch.tensor([lmbda])
    with torch.inference_mode():
        h = ours = coder.to_tensor(photograph, 64) - 0.5
        for layer in mae.g_a[:2]:
            h = layer(h, rate)
        for layer in deepened.g_a[:3]:
            ours = layer(ours, rate)
        assert (ours - h).norm() < 0.003 * h.norm()
        v = ours = mae.g_s[0](mae.analysis(coder.to_tensor(photograph, 64), rate), rate)
        for layer in mae.g_s[1:]:
            v = layer(v, rate)
        for layer in deepened.g_s[1:]:
            ours = layer(ours, rate)
        assert (ours - v).norm() < 0.01 * v.norm()


@pytest.mark.parametrize("lmbda", [64.0, 1024.0, 4096.0])
def test_a_deepened_mae_reconstructs_as_well(deepened, lmbda):
    """Its latents rounded, before any training: within a fifth of a decibel of the MAE it was made from."""
    picture = open_rgb(gallery()["china"].path)
    quality = []
    for model in (mae_viz.load("mae"), deepened):
        with torch.inference_mode():
            x_hat = model(coder.to_tensor(picture, 64), lmbda)["x_hat"]
        decoded = coder.to_image(x_hat, picture.height, picture.width)
        quality.append(metrics.psnr_db(np.asarray(picture), np.asarray(decoded)))
    assert quality[1] > quality[0] - 0.2


def test_silent_outer_channels_can_be_left_out_and_put_back(deepened, photograph):
    """A start computes the same with 32 of its 192 outermost channels, and is whole again afterwards."""
    x, rate = coder.to_tensor(photograph, 64), torch.tensor([300.0])

    def computed(model) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.inference_mode():
            y = model.analysis(x, rate)
            return y, model.synthesis(torch.round(y_whole), rate)

    with torch.inference_mode():
        y_whole = deepened.analysis(x, rate)
    whole, model = computed(deepened), copy.deepcopy(deepened)
    outer.resize(model, 32)
    assert count_parameters(model) < 0.85 * count_parameters(deepened)
    narrow, few = {key: value.clone() for key, value in model.state_dict().items()}, computed(model)
    outer.resize(model, 192)
    for there, back, kept in zip(whole, computed(model), few, strict=True):
        assert (kept - there).norm() < 0.003 * there.norm()
        assert (back - kept).norm() < 1e-4 * there.norm()
    assert count_parameters(model) == count_parameters(deepened)
    for key, value in model.state_dict().items():  # what was trained is kept to the bit
        assert torch.equal(value[tuple(slice(n) for n in narrow[key].shape)], narrow[key]), key
    spoken = model.g_a[0].conv.weight[32:].flatten(1)
    assert torch.linalg.matrix_rank(spoken) == spoken.shape[1]  # the new ones differ: they can learn


def test_what_cannot_become_what(crops):
    with pytest.raises(ValueError, match="from which no MAE can start"):
        fold.from_checkpoint("independent-4096", Config(), lambda: crops)
    with pytest.raises(ValueError, match="192 channels"):
        fold.from_checkpoint("mae", Config(channels=64), lambda: crops)
    with pytest.raises(ValueError, match="no model named"):
        fold.from_checkpoint("nothing", Config(), lambda: crops)
