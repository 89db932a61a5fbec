"""Codecs of one's own: objects, and torch modules with CompressAI's interface, in everything that compares codecs."""

import io
import itertools
import json
import re
import sys
import warnings
import zlib

import numpy as np
import pytest
import torch
from chromium import canvas_pixels, visit
from PIL import Image
from playwright.sync_api import expect
from test_codecs import SIMULATED, linear, oklab
from torch import nn

import mae_viz
from mae_viz import cli, viewer
from mae_viz.codecs import registry
from mae_viz.codecs.compressai import CompressAICodec
from mae_viz.codecs.interface import Quality
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders import frame
from mae_viz.ladders.ladder import Ladders
from mae_viz.measured import collected, evaluate
from mae_viz.numbers import grouped
from mae_viz.viewer import html, pane_text

SIZE = (128, 96)


class Blocks:
    """The mean colour of every block, 1, 2, 4 … blocks a side."""

    name, title, unit, qualities = "blocks", "Blocks", "blocks", (2, 4, 8, 16, 32)

    def encode(self, picture, quality):
        small = picture.resize((quality, quality), Image.Resampling.BOX)
        return np.array(picture.size, "<u2").tobytes() + zlib.compress(small.tobytes())

    def decode(self, data):
        pixels = np.frombuffer(zlib.decompress(data[4:]), np.uint8)
        side = round((len(pixels) / 3) ** 0.5)
        return Image.fromarray(pixels.reshape(side, side, 3)).resize(np.frombuffer(data[:4], "<u2"), 0)


@pytest.fixture(autouse=True)
def nothing_stays():
    """No test leaves a codec behind, and all count on one thread: the pictures are small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    before = set(registry.names())
    yield
    torch.set_num_threads(threads)
    for name in set(registry.names()) - before:
        registry.unregister(name)


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return open_rgb(gallery()["coffee"].path).crop((150, 100, 150 + SIZE[0], 100 + SIZE[1]))


@pytest.fixture
def on_disk(picture, tmp_path):
    picture.save(tmp_path / "coffee.png")
    return tmp_path / "coffee.png"


def mse_psnr(a, b) -> float:
    return -10 * np.log10(np.mean((np.asarray(a) / 255 - np.asarray(b) / 255) ** 2))


# Any object


def test_an_object_is_measured_searched_and_laddered_like_every_codec(picture, on_disk, tmp_path):
    blocks = Blocks()
    assert mae_viz.register(blocks) is mae_viz.codec("blocks")
    assert "blocks" in registry.names()
    document = evaluate.evaluate("blocks", [on_disk], tmp_path / "rd.json", "one")
    assert [row["quality"] for row in document["measurements"]] == [2, 4, 8, 16, 32]
    for row in document["measurements"]:
        data = blocks.encode(picture, row["quality"])
        assert row["bytes"] == len(data)
        assert row["bpp"] == 8 * len(data) / (SIZE[0] * SIZE[1])
        assert row["psnr_db"] == pytest.approx(mse_psnr(picture, blocks.decode(data)), abs=1e-4)
        assert row["estimated_bpp"] is None
    found = mae_viz.compress_to(picture, "blocks", bytes=300)
    sizes = {quality: len(blocks.encode(picture, quality)) for quality in range(2, 33)}
    assert found.rate.value == max(quality for quality, size in sizes.items() if size <= 300)
    maps, made, _ = frame.compute(picture, frame.Source.of("blocks"), Quality(8))
    assert maps is None
    assert made.bytes == sizes[8]
    assert made.psnr_db == pytest.approx(mse_psnr(picture, blocks.decode(blocks.encode(picture, 8))), abs=1e-4)


def test_the_viewer_offers_what_a_codec_offers(picture, tmp_path):
    mae_viz.register(Blocks())
    described = {codec["id"]: codec for codec in viewer.manifest(Ladders(tmp_path), picture, "coffee")["codecs"]}
    mine = described["blocks"]
    assert (mine["title"], mine["axis"], mine["unit"]) == ("Blocks", "quality", "blocks")
    assert (mine["first"], mine["last"], mine["only"]) == (2, 32, [])
    assert not mine["maps"]
    assert described["mae"]["maps"]
    assert mine["colour"] not in {codec["colour"] for name, codec in described.items() if name != "blocks"}
    with pytest.raises(ValueError, match="Blocks does not show its latents"):
        mae_viz.codec("blocks").inspect(picture, Quality(8))


def test_a_new_version_takes_the_place_of_the_old_one(picture, on_disk, tmp_path):
    class Padded(Blocks):
        def encode(self, picture, quality):
            return super().encode(picture, quality) + b"0123456789"

    sizes = []
    for version in (Blocks, Padded):
        mae_viz.register(version())
        rows = evaluate.evaluate("blocks", [on_disk], tmp_path / f"{version.__name__}.json", "one")["measurements"]
        sizes.append([row["bytes"] for row in rows])
    assert sizes[1] == [size + 10 for size in sizes[0]]
    ids = {Ladders(tmp_path).offer(picture, mae_viz.register(version()).name).id for version in (Blocks, Padded)}
    assert len(ids) == 2


def test_an_object_without_qualities_has_one_rate(picture):
    class Png:
        name = "png"

        def encode(self, picture):
            data = io.BytesIO()
            picture.save(data, "PNG")
            return data.getvalue()

        def decode(self, data):
            return np.asarray(Image.open(io.BytesIO(data)))

    codec = mae_viz.register(Png())
    assert codec.axis.every == codec.axis.ladder == (codec.axis.start,)
    data = codec.encode(picture, codec.axis.start)
    np.testing.assert_array_equal(np.asarray(codec.decode(data)), np.asarray(picture))
    _, made, _ = frame.compute(picture, frame.Source.of("png"), codec.axis.start)
    assert made.psnr_db == np.inf
    assert mae_viz.compress_to(picture, "png", bytes=len(data)).stream == data


def changed(**parts):
    """Blocks with other parts; functions as methods."""
    return type("Changed", (Blocks,), {"name": "changed", "title": "Changed", **parts})()


def test_their_colours_stand_out_and_differ_from_all_others_for_all_eyes():
    others = [registry.codec(name).colour for name in registry.names()]
    own = [mae_viz.register(changed(name=f"changed-{k}")).colour for k in range(5)]
    for eyes in SIMULATED.values():
        seen = [oklab(np.array(eyes) @ linear(colour)) for colour in [*own, *others]]
        for (k, a), b in itertools.product(enumerate(seen[:5]), seen):
            assert a is b or np.linalg.norm(a - b) > 0.05, own[k]
    weights = np.array([0.2126, 0.7152, 0.0722])
    for colour, paper in itertools.product(own, ("#ffffff", "#0e1117")):
        line, page = (weights @ linear(hue) + 0.05 for hue in (colour, paper))
        assert max(line, page) / min(line, page) >= 3, colour


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"qualities": (4, 2)}, "changed: qualities must rise"),
        ({"qualities": ("low", "high")}, "changed: qualities must be numbers"),
        ({"qualities": ()}, "changed: qualities must be numbers, one at least"),
        ({"qualities": (0.0, 1.5)}, "changed: qualities that are not whole must be above 0"),
        ({"name": "no name"}, "'no name' is no name"),
        ({"name": "mae"}, "'mae' is a codec that ships"),
        ({"name": "jpeg"}, "'jpeg' is a codec that ships"),
    ],
)
def test_what_is_no_codec_is_refused(parts, sentence):
    with pytest.raises(ValueError, match=sentence):
        mae_viz.register(changed(**parts))
    with pytest.raises(ValueError, match="object is no codec: it lacks name, encode, decode"):
        mae_viz.register(object())


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"encode": lambda self, picture, quality: 5}, "Changed: encode must return bytes, not int"),
        ({"encode": lambda self, picture, quality: b""}, "Changed: encode returned no bytes"),
        ({"encode": lambda self, picture, quality: 1 / 0}, "Changed could not code this picture: ZeroDivisionError"),
        ({"decode": lambda self, data: 1 / 0}, "Changed could not decode this file: ZeroDivisionError"),
        ({"decode": lambda self, data: np.zeros((96, 128, 3))}, "Changed could not decode .* must be uint8"),
        ({"decode": lambda self, data: None}, "Changed could not decode this file: decode must return a picture"),
        (
            {"decode": lambda self, data: Image.new("RGB", (64, 96))},
            "Changed decodes 64 × 96 pixels from a file of 128 × 96",
        ),
    ],
)
def test_what_goes_wrong_inside_names_the_codec_everywhere(parts, sentence, picture, on_disk, tmp_path):
    mae_viz.register(changed(**parts))
    with pytest.raises(ValueError, match=sentence):
        frame.compute(picture, frame.Source.of("changed"), Quality(4))
    with pytest.raises(ValueError, match=sentence):
        mae_viz.compress_to(picture, "changed", psnr_db=20)
    with pytest.raises(ValueError, match=sentence):
        evaluate.evaluate("changed", [on_disk], tmp_path / "rd.json", "one")


MODULE = """
import mae_viz
from test_own_codecs import Blocks

class Named(Blocks):
    name = {name!r}

mae_viz.register(Named())
"""


def test_the_command_line_knows_modules_by_name_and_packages_by_entry_point(picture, tmp_path, monkeypatch, capsys):
    modules = tmp_path / "modules"
    (modules / "mine-1.0.dist-info").mkdir(parents=True)
    (modules / "mine-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (modules / "mine-1.0.dist-info" / "entry_points.txt").write_text("[mae_viz.codecs]\nentered = of_entered\n")
    for name in ("named", "entered"):
        (modules / f"of_{name}.py").write_text(MODULE.format(name=name))
    (tmp_path / "pictures").mkdir()
    picture.save(tmp_path / "pictures" / "coffee.png")
    monkeypatch.syspath_prepend(modules)
    monkeypatch.setenv("MAE_VIZ_CODECS", "of_named")
    command = ["mae-viz", "evaluate", "named", "entered", "--images", str(tmp_path / "pictures"), "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / "rd-{name}.json")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code, capsys.readouterr().err
    for name in ("named", "entered"):
        document = json.loads((tmp_path / f"rd-{name}.json").read_text())
        assert [row["bytes"] for row in document["measurements"]] == [
            len(Blocks().encode(picture, quality)) for quality in Blocks.qualities
        ]


def test_a_module_that_cannot_be_imported_names_itself_and_the_setting(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "halfway.py").write_text("import mae_viz\n1 / 0\n")
    for name, sentence in (
        ("not.there", r"MAE_VIZ_CODECS names not\.there, which cannot be imported .* in PYTHONPATH\?"),
        ("halfway", "MAE_VIZ_CODECS names halfway, which cannot be imported .ZeroDivisionError: division by zero"),
    ):
        monkeypatch.setenv("MAE_VIZ_CODECS", f"json, {name}")
        with pytest.raises(ValueError, match=sentence):
            registry.names()
    monkeypatch.setattr(sys, "argv", ["mae-viz", "app"])  # before it starts a server
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("mae-viz: MAE_VIZ_CODECS names halfway, which cannot be imported")
    monkeypatch.setenv("MAE_VIZ_CODECS", " , ")
    assert "mae" in registry.names()


# Torch modules with CompressAI's interface


def weighted(make, *arguments, **named) -> nn.Module:
    """A model of CompressAI's with weights by chance, of a size at which its latents are neither huge nor nothing."""
    with warnings.catch_warnings():  # of CompressAI's dependencies
        warnings.simplefilter("ignore")
        from compressai import models
        from compressai.models import vbr

    torch.manual_seed(3)
    model = getattr(vbr, make)(*arguments, **named) if "Vbr" in make else getattr(models, make)(*arguments, **named)
    with torch.no_grad():
        for layer in model.g_a:
            if isinstance(layer, nn.Conv2d):
                layer.weight *= 3
        if hasattr(model, "h_s"):
            model.h_s[-1 if "Mean" in make else -2].bias += 2  # widths of the latents that they have
        if hasattr(model, "QuantABCD"):
            model.QuantABCD[-1].weight *= 0.01  # offsets under half a step, as trained ones are
    model.update()
    return model.eval()


MODELS = {
    "factorized": ("FactorizedPrior", {}),
    "hyperprior": ("ScaleHyperprior", {}),
    "hyperprior-vbr": ("ScaleHyperpriorVbr", {}),
    "mean-vbr": ("MeanScaleHyperpriorVbr", {"vr_entbttlnck": True}),
}


@pytest.fixture(scope="module")
def modules() -> dict[str, nn.Module]:
    return {name: weighted(make, 8, 12, **named) for name, (make, named) in MODELS.items()}


@pytest.fixture(scope="module")
def compressai(modules) -> dict[str, CompressAICodec]:
    return {name: CompressAICodec(name, module) for name, module in modules.items()}


@pytest.mark.parametrize(
    ("make", "lmbda"), [("FactorizedPrior", 1), ("ScaleHyperprior", 3000), ("MeanScaleHyperprior", 3000)]
)
def test_its_latents_can_be_refined(make, lmbda, photograph):
    """Prices are the entropy model's, the plain file is the codec's, and the module's own decoder reads the better."""
    module, picture = weighted(make, 8, 12), photograph.crop((100, 50, 356, 242))
    codec = mae_viz.register(CompressAICodec("one", module, lmbdas={0: lmbda}))
    rate = codec.axis.first
    latents = codec.latents(picture, rate)
    everywhere = (slice(None), slice(None))
    assert latents.reach == 2
    symbols = torch.from_numpy(latents.symbols[None]).float()
    inspected = codec.inspect_file(codec.encode(picture, rate))
    assert latents.bits(symbols, everywhere).item() == pytest.approx(inspected.bits.sum(dtype=np.float64), rel=1e-4)
    *_, last = (moments := list(registry.codec("one-refined-60").moments(picture, rate)))
    assert moments[0].best.stream == codec.encode(picture, rate)
    assert last.best.cost < moments[0].best.cost
    squares = (np.asarray(codec.decode(last.best.stream), float) - np.asarray(picture, float)) ** 2 / 255**2
    bpp = 8 * len(last.best.stream) / (picture.width * picture.height)
    assert bpp + lmbda * squares.mean() == pytest.approx(last.best.cost)
    y = codec.inspect_file(last.best.stream).y - latents.offset[0].numpy()
    assert np.allclose(y, np.rint(y), atol=1e-3)
    registry.unregister("one")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [("JointAutoregressiveHierarchicalPriors", "depends on others"), ("ScaleHyperpriorVbr", "other steps than 1")],
)
def test_latents_that_cannot_be_refined_are_refused(make, sentence, picture):
    module = weighted(make, 8, 12) if "Vbr" in make else joint()
    codec = CompressAICodec("one", module, lmbdas=dict.fromkeys((0, 1.0), 300))
    with pytest.raises(ValueError, match=sentence):
        codec.latents(picture, codec.axis.last)
    with pytest.raises(ValueError, match="effort is for single models"):
        CompressAICodec("two", module).refined(10)


def joint() -> nn.Module:
    with warnings.catch_warnings():  # of CompressAI's dependencies
        warnings.simplefilter("ignore")
        from compressai.models import JointAutoregressiveHierarchicalPriors

    torch.manual_seed(3)
    model = JointAutoregressiveHierarchicalPriors(8, 12)
    model.update()
    return model.eval()


@torch.inference_mode()
def by_hand(module: nn.Module, picture: Image.Image, quality: float) -> tuple[int, Image.Image, float]:
    """Bytes of the strings, the decoded picture and the bits that forward estimates, without the adapter."""
    side = module.downsampling_factor
    pixels = np.asarray(picture)
    padded = np.pad(pixels, ((0, -pixels.shape[0] % side), (0, -pixels.shape[1] % side), (0, 0)), mode="edge")
    x = torch.from_numpy(padded.astype(np.float32) / 255).permute(2, 0, 1)[None]
    rate = {"inputscale": torch.tensor(quality)} if hasattr(module, "Gain") else {}
    if getattr(module, "vr_entbttlnck", False):
        module.update(force=True, scale=rate["inputscale"])
    out = module.compress(x, **rate)
    x_hat = module.decompress(out["strings"], out["shape"], **rate)["x_hat"]
    decoded = (x_hat[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    bits = sum(float(-p.double().log2().sum()) for p in module(x, **rate)["likelihoods"].values())
    size = sum(len(string) for (string,) in out["strings"])
    return size, Image.fromarray(decoded[: picture.height, : picture.width]), bits


@pytest.mark.parametrize("name", MODELS)
def test_it_codes_what_the_module_codes(name, modules, compressai, picture):
    codec, module = compressai[name], modules[name]
    strings = 1 if name == "factorized" else 2
    for rate in {codec.axis.first, codec.axis.start, codec.axis.last}:
        size, decoded, bits = by_hand(module, picture, rate.value)
        data = codec.encode(picture, rate)
        assert len(data) == 21 + 4 * strings + size
        np.testing.assert_array_equal(np.asarray(codec.decode(data)), np.asarray(decoded))
        assert codec.estimated_bits(data) == pytest.approx(bits, rel=1e-5)
        found = codec.inspect(picture, rate)
        assert found.stream == data
        assert found.estimated_bits == pytest.approx(bits, rel=1e-5)
        assert found.places.sum() == pytest.approx(bits, rel=1e-5)
        assert found.places.shape == found.y.shape[1:] == found.bits.shape[1:]
        assert (found.places >= found.bits.sum(axis=0) * (1 - 1e-5)).all()
        assert (
            abs(8 * size - bits) < 0.03 * bits + 80 * strings
        )  # the coder ends on whole words; tables are of whole numbers


@pytest.mark.parametrize("name", ["factorized", "hyperprior", "hyperprior-vbr"])
def test_it_is_measured_searched_and_laddered_like_every_codec(
    name, modules, compressai, picture, on_disk, tmp_path, monkeypatch
):
    codec, module = mae_viz.register(compressai[name]), modules[name]
    head = 25 if name == "factorized" else 29
    rates = codec.axis.listed[:: max(1, len(codec.axis.listed) - 1)]
    points = [rate.value for rate in rates]
    document = evaluate.evaluate(name, [on_disk], tmp_path / "results" / "one" / "rd.json", "one", points)
    assert document["fingerprint"] == codec.fingerprint
    rows = document["measurements"]
    assert [row["quality"] for row in rows] == points
    for row in rows:
        size, decoded, bits = by_hand(module, picture, row["quality"])
        assert row["bytes"] == head + size
        assert row["bpp"] == pytest.approx(8 * (head + size) / (SIZE[0] * SIZE[1]))
        assert row["estimated_bpp"] == pytest.approx(bits / (SIZE[0] * SIZE[1]), abs=1e-6)
        assert row["psnr_db"] == pytest.approx(mse_psnr(picture, decoded), abs=1e-4)

    monkeypatch.setenv("MAE_VIZ_RESULTS", str(tmp_path / "results"))
    _, bpp, db = collected.curves(mae_viz.results(), "one")[name]
    np.testing.assert_allclose(np.transpose([bpp, db]), [[row["bpp"], row["psnr_db"]] for row in rows], atol=1e-6)

    sizes = [row["bytes"] for row in rows]
    budget = (sizes[0] + sizes[-1]) // 2
    found = mae_viz.compress_to(picture, name, bytes=budget)
    assert found.bytes <= budget
    every = codec.axis.every
    if len(every) > 1:
        assert len(codec.encode(picture, every[every.index(found.rate) + 1])) > budget

    ladders = Ladders(tmp_path)
    ladder = ladders.open(picture, name)
    ladders.wait([ladder])
    listing = ladder.listing()
    assert [made["at"] for made in sorted(listing["frames"], key=lambda made: made["at"])] == [
        rate.at for rate in codec.axis.ladder
    ]
    for rate in {codec.axis.first, codec.axis.last}:
        (made,) = (made for made in listing["frames"] if made["at"] == rate.at)
        size, decoded, bits = by_hand(module, picture, rate.value)
        assert made["bytes"] == head + size
        with Image.open(ladder.folder / made["file"]) as shown:
            np.testing.assert_array_equal(np.asarray(shown), np.asarray(decoded))
        places = np.fromfile(ladder.folder / made["bits"], "<f4")
        assert places.sum() == pytest.approx(bits, rel=1e-5)
        y = np.fromfile(ladder.folder / made["y"], "<f4").reshape(listing["channels"], *listing["places"])
        np.testing.assert_array_equal(y, codec.inspect(picture, rate).y)


def test_the_latents_of_a_model_with_one_rate_argument_have_a_ratio(compressai, picture):
    """It is that of the scales, at all places of all channels: y is what is rounded."""
    codec = compressai["hyperprior-vbr"]
    low, high = (codec.inspect(picture, rate).y for rate in (codec.axis.first, codec.axis.last))
    np.testing.assert_allclose(low / high, codec.axis.first.value / codec.axis.last.value, rtol=1e-4)
    assert codec.axis.only == ()


def test_the_viewer_shows_it_beside_the_others(compressai, picture, browser, tmp_path):
    codec = mae_viz.register(compressai["hyperprior-vbr"])
    mae_viz.register(Blocks())
    own = {"codec": codec.name, "follow": "own", "own": codec.axis.last.at}
    panes = [own, {**own, "layer": "bits"}, {**own, "layer": "ratio", "channel": 5}, {"codec": "blocks"}]
    assert pane_text.read(pane_text.write(panes)) == [{"layer": "picture", **pane} for pane in panes]
    page = html.page(Ladders(tmp_path), picture, "coffee", codecs=[codec.name, "blocks"], panes=panes)
    (tmp_path / "own.html").write_text(page, encoding="utf-8")
    with visit(browser, (tmp_path / "own.html").as_uri(), viewport={"width": 1440, "height": 900}) as tab:
        tab.locator(".mae-viewer[data-busy=false]").wait_for()
        shown = [tab.locator(".pane").nth(k) for k in range(4)]
        tab.keyboard.press("Tab")
        tab.keyboard.press("1")
        tab.locator(".mae-viewer[data-busy=false]").wait_for()
        pixels = canvas_pixels(shown[0].locator("canvas"))
        top, left = ((free + 1) // 2 for free in (pixels.shape[0] - SIZE[1], pixels.shape[1] - SIZE[0]))
        data = codec.encode(picture, codec.axis.last)
        np.testing.assert_array_equal(
            pixels[top : top + SIZE[1], left : left + SIZE[0]], np.asarray(codec.decode(data))
        )
        expect(shown[0]).to_contain_text(grouped(len(data)))
        expect(shown[1]).to_contain_text("bits of each 16 × 16 block")
        expect(shown[2]).to_contain_text(
            re.compile(r"y\(scale 1\) / y\(scale 0\.1\): mean 10\.00?, varies by under 0\.1\s%")
        )
        shown[2].get_by_label("Divided by y at").select_option(label="over scale 0.518")
        expect(shown[2]).to_contain_text("y(scale 1) / y(scale 0.518): mean 1.93")
        assert shown[3].get_by_label("Layer").locator("option").all_inner_texts() == ["picture", "difference"]


def test_models_of_one_quality_each_are_one_codec_with_nothing_between(modules, picture, tmp_path):
    pair = {1: weighted("FactorizedPrior", 8, 4), 3: modules["factorized"]}
    codec = mae_viz.register(CompressAICodec("pair", pair, title="Pair"))
    assert codec.axis.only == codec.axis.every == codec.axis.ladder == (Quality(1), Quality(3))
    assert codec.axis.near(1.4) == Quality(1)
    (described,) = (c for c in viewer.manifest(Ladders(tmp_path), picture, "", codecs=["pair"])["codecs"][1:])
    assert described["only"] == [1, 3]
    for quality, module in pair.items():
        data = codec.encode(picture, Quality(quality))
        assert len(data) == 25 + by_hand(module, picture, 0)[0]
        np.testing.assert_array_equal(np.asarray(codec.decode(data)), np.asarray(by_hand(module, picture, 0)[1]))
        found = codec.inspect(picture, Quality(quality))
        assert len(found.y) == len(found.bits) == 12  # channels of the larger one
        assert found.bits.sum() == pytest.approx(codec.estimated_bits(data), rel=1e-5)
    assert not codec.inspect(picture, Quality(1)).bits[4:].any()


class Halved(nn.Module):
    """A lossy transform without an entropy model: it has files, and no maps."""

    downsampling_factor = 2

    def __init__(self):
        super().__init__()
        self.g_a, self.g_s = nn.AvgPool2d(2), nn.Upsample(scale_factor=2)

    def compress(self, x, levels):
        y = (self.g_a(x) * levels).round().byte()[0]
        return {"strings": [[zlib.compress(y.numpy().tobytes())]], "shape": y.shape[1:]}

    def decompress(self, strings, shape, levels):
        y = torch.frombuffer(bytearray(zlib.decompress(strings[0][0])), dtype=torch.uint8)
        return {"x_hat": self.g_s(y.reshape(1, 3, *shape) / levels)}


def test_what_a_module_does_not_offer_is_absent(picture, on_disk, tmp_path):
    codec = CompressAICodec("halved", Halved(), qualities=(2, 16, 64), arguments=lambda quality: {"levels": quality})
    mae_viz.register(codec)
    assert codec.looks == frozenset()
    (described,) = viewer.manifest(Ladders(tmp_path), picture, "", codecs=["halved"])["codecs"][1:]
    assert not described["maps"]
    document = evaluate.evaluate("halved", [on_disk], tmp_path / "rd.json", "one")
    assert [row["estimated_bpp"] for row in document["measurements"]] == [None] * 3
    small = np.asarray(picture, float).reshape(SIZE[1] // 2, 2, SIZE[0] // 2, 2, 3).mean(axis=(1, 3)) / 255
    large = (np.round(small * 64) / 64).repeat(2, axis=0).repeat(2, axis=1)
    assert document["measurements"][-1]["psnr_db"] == pytest.approx(mse_psnr(picture, 255 * large), abs=0.01)
    maps, made, _ = frame.compute(picture, frame.Source.of("halved"), Quality(16))
    assert maps is None
    assert made.bits is None
    with pytest.raises(ValueError, match=r"halved does not show its latents.*halved could not show its latents"):
        codec.inspect(picture, Quality(16))


def test_training_on_does_not_change_a_codec(picture):
    module = weighted("FactorizedPrior", 8, 12)
    codec = CompressAICodec("kept", module)
    before, known = codec.encode(picture, codec.axis.first), codec.identity
    with torch.no_grad():
        module.g_a[0].weight *= 2
    assert codec.encode(picture, codec.axis.first) == before
    other = CompressAICodec("kept", module)
    assert other.identity != known == codec.identity
    with pytest.raises(ValueError, match="damaged, or kept with other weights wrote it"):
        other.decode(before)


@pytest.mark.parametrize("name", ["factorized", "hyperprior-vbr"])
def test_damaged_files_are_refused(name, compressai, picture):
    codec = compressai[name]
    data = codec.encode(picture, codec.axis.last)
    for position in [*range(33), *range(33, len(data), 97)]:
        broken = bytearray(data)
        broken[position] ^= 1 << position % 8
        with pytest.raises(ValueError, match="the file is damaged"):
            codec.decode(bytes(broken))
    for broken in (b"", data[:3], data[:20], data[:-1], data + b"x"):
        with pytest.raises(ValueError, match="the file is damaged"):
            codec.decode(broken)


def test_a_module_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="must be a torch module, or a dict of them"):
        CompressAICodec("none", {})
    with pytest.raises(ValueError, match=r"linear could not code this picture: AttributeError: .*compress"):
        CompressAICodec("linear", nn.Linear(3, 3))
    with pytest.raises(ValueError, match="down: qualities must rise"):
        CompressAICodec("down", {2: Halved(), 1: Halved()})
