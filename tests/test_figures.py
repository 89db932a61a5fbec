"""The paper's figures: what they draw is what was measured, and two runs give the same bytes."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_golden import GOLDEN

import mae_viz
from mae_viz import probe
from mae_viz.coding import checkpoints
from mae_viz.figures import fig2, fig3, fig4, output, style
from mae_viz.images import gallery, open_rgb
from mae_viz.measured import collected
from mae_viz.rates import Rate

ROOT = Path(__file__).parent.parent
SIZES = {"fig1": 7.16, "fig2": 7.16, "fig3": 7.16, "fig4": 7.16}


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """All figures, written twice by two processes whose hashes differ."""
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    command = [sys.executable, "-m", "mae_viz", "figure", "all", "--image", "chelsea", "--crop", "120,60,160,112"]
    runs = [
        subprocess.Popen(
            [*command, "--out", str(folder)],
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONHASHSEED": str(seed), "OMP_NUM_THREADS": "1"},
        )
        for seed, folder in enumerate(folders)
    ]
    assert [run.wait(300) for run in runs] == [0, 0]
    return folders


@pytest.fixture(scope="module")
def view():
    picture = open_rgb(gallery()["coffee"].path).crop((150, 100, 277, 199))
    return fig4.look(picture)


def test_two_runs_give_the_same_bytes(two_runs):
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in two_runs)
    names = {f"{name}.{form}" for name in SIZES for form in ("pdf", "svg", "png", "txt")}
    numbers = {f"{name}.{form}" for name in ("fig3", "fig3-bd-rate", "table1") for form in ("csv", "tex")}
    assert set(first) == names | numbers | {"table1.txt"}
    assert [name for name in first if first[name] != second.get(name)] == []


def test_figures_are_as_wide_as_two_columns_and_embed_truetype_fonts(two_runs):
    for name, inches in SIZES.items():
        pdf = (two_runs[0] / f"{name}.pdf").read_bytes()
        (width,) = re.findall(rb"/MediaBox \[ *0 0 ([\d.]+) ", pdf)
        assert float(width) == pytest.approx(72 * inches, abs=0.1)
        assert b"/CIDFontType2" in pdf
        assert b"/Type3" not in pdf
        assert b"CreationDate" not in pdf


def test_formats_and_names_can_be_chosen(tmp_path):
    written = output.write(["fig1", "table1"], tmp_path, ["svg", "csv"])
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()}
    assert {path.name for path in written} == {"fig1.svg", "fig1.txt", "table1.csv", "table1.txt"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"which": ["fig9"]}, "fig9"),
        ({"which": ["fig3"], "formats": ["gif"]}, "gif"),
        ({"which": ["fig4"], "crop": (0, 0, 5000, 10)}, "LEFT,TOP,WIDTH,HEIGHT"),
        ({"which": ["fig4"], "channels": [500]}, "channel 500"),
        ({"which": ["fig4"], "lmbdas": (64.0, 64.0)}, "two different"),
        ({"which": ["fig4"], "model": "bottleneck-scaling"}, "modulates nothing"),
    ],
)
def test_wrong_wishes_get_a_sentence(arguments, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        output.write(out=tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


# Table I


def test_table_1_has_the_papers_five_numbers(two_runs):
    rows = list(csv.reader((two_runs[0] / "table1.csv").read_text(encoding="utf-8").splitlines()))[1:]
    assert {name: [int(n) if n else None for n in numbers] for name, *numbers in rows} == {
        "Independent models": [7 * 4_002_819, 4 * 10_132_995],
        "Bottleneck scaling": [4_002_819 + 7 * 192, None],
        "MAE": [4_062_171, 10_271_483],
    }
    text = (two_runs[0] / "table1.txt").read_text(encoding="utf-8")
    for number in ("28.02 M", "40.53 M", "4.00 M", "4.06 M", "10.27 M"):
        assert text.count(number) == 1
    latex = (two_runs[0] / "table1.tex").read_text(encoding="utf-8")
    assert r"MAE & 4.06\,M & 10.27\,M \\" in latex


# Fig. 2


def test_fig_2_names_the_models_own_layers(two_runs):
    texts = re.findall(r"<!-- (.*?) -->", (two_runs[0] / "fig2.svg").read_text(encoding="utf-8"))
    assert [t for t in texts if t.startswith("conv")] == ["conv 9×9 / 4", "conv 5×5 / 2", "conv 5×5 / 2"]
    assert [t for t in texts if t.startswith("deconv")] == ["deconv 5×5 / 2", "deconv 5×5 / 2", "deconv 9×9 / 4"]
    assert sum("FC 50" in t for t in texts) == 6
    from mae_viz.models import MAE

    smaller = fig2.draw(MAE(channels=48))
    assert any("FC 48" in text.get_text() for text in smaller.axes[0].texts)


@pytest.mark.parametrize("name", ["fig1", "fig2"])
def test_drawings_in_the_docs_are_these(two_runs, name):
    def words(path: Path) -> list[str]:
        return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))

    assert words(ROOT / "docs" / f"{name}.svg") == words(two_runs[0] / f"{name}.svg"), (
        "run mae-viz figure fig1,fig2 --format svg --out docs"
    )


# Fig. 3


def test_fig_3_draws_what_the_result_files_say():
    """An independent way to the numbers: the JSON files, a mean over images, nothing of the code behind the figure."""
    figure = fig3.draw(mae_viz.results())

    def psnr(images):
        return np.mean([row["psnr_db"] for row in images])

    def ms_ssim(images):
        return -10 * np.log10(np.mean([10 ** (-row["ms_ssim_db"] / 10) for row in images]))

    for axis, mean in ((figure.axes[0], psnr), (figure.axes[2], ms_ssim)):
        lines = {line.get_label(): line.get_xydata() for line in axis.lines}
        for label, pattern in (("MAE", "mae"), ("Bottleneck scaling", "bottleneck-scaling")):
            rows = json.loads((ROOT / f"checkpoints/{pattern}/rd-kodak.json").read_text())["measurements"]
            trained = sorted({row["lmbda"] for row in rows} & {64.0 * 2**k for k in range(7)})
            by_lmbda = [[row for row in rows if row["lmbda"] == lmbda] for lmbda in trained]
            assert [len(images) for images in by_lmbda] == [24] * 7
            bpp = [np.mean([row["bpp"] for row in images]) for images in by_lmbda]
            np.testing.assert_allclose(lines[label], np.c_[bpp, list(map(mean, by_lmbda))], atol=1e-5)


def test_fig_3_keeps_the_papers_points_apart():
    figure = fig3.draw(mae_viz.results())
    theirs = collected.curves(mae_viz.results(), "clic-professional-test")["paper-mae"]
    (line,) = [line for line in figure.axes[1].lines if line.get_label() == "MAE"]
    np.testing.assert_array_equal(line.get_xydata(), np.column_stack(theirs[1:]))
    (line,) = [line for line in figure.axes[3].lines if line.get_label() == "MAE"]
    drawn = collected.curves(mae_viz.results(), "clic-professional-test", collected.AS_DRAWN["ms-ssim"])["paper-mae"]
    np.testing.assert_array_equal(line.get_xydata(), np.column_stack(drawn[1:]))
    said = [[text.get_text() for text in axis.texts] for axis in figure.axes[:4]]
    unknown = "the paper does not say how it averaged"
    assert said == [["mean of the images' dB"], [unknown], ["dB of the images' mean"], [unknown]]
    assert "CLIC" in figure.axes[1].get_title()
    assert "Kodak" in figure.axes[0].get_title()
    for left, right in ((0, 1), (2, 3)):
        assert figure.axes[left].get_xlim() == figure.axes[right].get_xlim()
        assert figure.axes[left].get_ylim() == figure.axes[right].get_ylim()


def test_curves_of_fig_3_differ_in_grey():
    lines = [style.line(name, "") for name in (*style.PAPERS, *style.OTHERS)]
    assert len({(line["marker"], str(line["linestyle"])) for line in lines}) == len(lines)


def test_bd_rates_of_both_sets_stand_side_by_side(two_runs):
    lines = (two_runs[0] / "fig3-bd-rate.csv").read_text(encoding="utf-8").splitlines()
    table = {row["curve"]: row for row in csv.DictReader(lines)}
    results = mae_viz.results()
    sides = {"ours": ("kodak", ""), "paper": ("clic-professional-test", "paper-")}
    columns = {"bd_rate_percent": "", "low_percent": "_low", "high_percent": "_high"}
    for side, metric in (("ours", "psnr"), ("ours", "ms-ssim"), ("paper", "psnr")):
        dataset, prefix = sides[side]
        expected = collected.bd_table(f"{prefix}mae", dataset, metric, results).set_index("curve")
        for column, end in columns.items():
            found = float(table["bottleneck-scaling"][f"{side}_{metric}{end}"])
            assert found == pytest.approx(expected.at[f"{prefix}bottleneck-scaling", column])
    assert not [column for column in table["mae"] if column.startswith("paper_ms-ssim")]
    caption = (two_runs[0] / "fig3.txt").read_text(encoding="utf-8")
    row = table["bottleneck-scaling"]
    value, low, high = (float(row[f"ours_psnr{end}"]) for end in columns.values())
    assert f"{value:+.1f} % [{low:+.1f}, {high:+.1f}]".replace("-", "−") in caption


def test_the_paper_s_column_is_filled():
    table = fig3.bd_rates(mae_viz.results()).set_index("curve")
    for name, percent in (("jpeg", 53.0), ("jpeg2000", -22.5), ("published-bpg-444", -42.6), ("mae-hyperprior", -27.3)):
        assert table.at[name, "paper_psnr"] == pytest.approx(percent, abs=0.05)
        assert table.at[name, "paper_psnr_low"] < percent < table.at[name, "paper_psnr_high"]


def test_the_caption_says_how_the_numbers_came_about(two_runs):
    caption = " ".join((two_runs[0] / "fig3.txt").read_text(encoding="utf-8").split())
    for name in ("jpeg", "jpeg-444", "mozjpeg", "jpeg2000", "hevc-intra-444"):
        settings = json.loads((ROOT / f"mae_viz/measured/shipped/kodak-{name}.json").read_text())["settings"]
        assert f"{settings['library']}; {settings['subsampling']}; {settings['mode']}" in caption
    for said in (
        "MS-SSIM the dB of the images' mean",
        "the paper does not say how it averaged MS-SSIM, so no BD-rate is given on it",
        "against Ballé 2017, MSE (published by TensorFlow Compression), ",
        "bootstrap samples of the images",
    ):
        assert said in caption


@pytest.mark.slow
def test_fig_3_of_another_data_set(tmp_path):
    (figure, *_) = output.write(["fig3"], tmp_path, ["svg", "csv", "tex"], dataset="gallery")
    assert "Bundled photographs" in figure.read_text(encoding="utf-8")
    rows = list(csv.DictReader((tmp_path / "fig3.csv").read_text(encoding="utf-8").splitlines()))
    jpeg = [row for row in rows if (row["side"], row["curve"]) == ("ours", "jpeg")]
    _, bpp, db = collected.curves(mae_viz.results(), "gallery")["jpeg"]
    assert [float(row["bpp"]) for row in jpeg] == bpp
    assert [float(row["psnr_db"]) for row in jpeg] == db
    with pytest.raises(ValueError, match=r"nothing is measured on 'moon': choose .*gallery"):
        output.write(["fig3"], tmp_path, dataset="moon")


def test_fig_3_without_the_mae_compares_with_the_first_curve(tmp_path, monkeypatch):
    for name, factor in (("one", 1.0), ("two", 1.1)):
        measured = {"bpp": [factor * rate for rate in (0.2, 0.5, 0.9, 1.2)], "psnr-rgb": [28.5, 31.9, 34.8, 36]}
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / f"{name}.json").write_text(json.dumps({"name": name.title(), "results": measured}))
    monkeypatch.setenv("MAE_VIZ_RESULTS", str(tmp_path))
    results = mae_viz.results()
    table = fig3.bd_rates(results, "mine").set_index("curve")
    assert table.at["two", "ours_psnr"] == pytest.approx(10)
    assert "BD-rates against One" in fig3.caption(results, "mine")
    assert len(fig3.draw(results, "mine").axes[0].lines) == 2


def test_what_does_not_ship_is_named_in_the_caption_and_not_drawn(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "checkpoints" / "mae", tmp_path / "mae")
    monkeypatch.setenv("MAE_VIZ_CHECKPOINTS", str(tmp_path))
    results = mae_viz.results()
    caption = " ".join(fig3.caption(results).split())
    assert "measured there: Independent models, Bottleneck scaling, Independent models + hyperprior, MAE" in caption
    drawn = {line.get_label() for line in fig3.draw(results).axes[0].lines}
    assert "MAE" in drawn
    assert not drawn & {"Independent models", "Bottleneck scaling", "MAE + hyperprior"}


def test_a_codec_of_ones_own_appears(tmp_path, monkeypatch):
    (tmp_path / "kodak").mkdir()
    measured = {
        "bpp": [0.2, 0.5, 0.9, 1.2],
        "psnr-rgb": [28.5, 31.9, 34.8, 36],
        "ms-ssim-rgb": [0.95, 0.98, 0.99, 0.995],
    }
    document = {"name": "My codec", "description": "mine", "results": measured}
    (tmp_path / "kodak" / "mine.json").write_text(json.dumps(document))
    monkeypatch.setenv("MAE_VIZ_RESULTS", str(tmp_path))
    results = mae_viz.results()
    figure = fig3.draw(results)
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "My codec"]
    np.testing.assert_array_equal(line.get_xydata(), np.column_stack([measured["bpp"], measured["psnr-rgb"]]))
    row = fig3.bd_rates(results).set_index("curve").loc["mine"]
    assert row["ours_psnr"] < 0
    assert row["paper_points"] == 0
    assert "My codec" in fig3.caption(results)


# Fig. 4


def test_the_ratio_is_constant_under_bottleneck_scaling_alone(view):
    high, low = view.lmbdas
    assert np.nanmax(probe.constancies(view.scaling[high], view.scaling[low])) < 1e-5
    modulated = probe.constancies(view.mae[high], view.mae[low])
    assert all(modulated[view.channels] > 0.01)
    assert np.nanmedian(modulated) > 0.01


def test_fig_4_shows_the_ratios(view):
    figure = fig4.draw(view)
    shown = {axis.get_title(): axis for axis in figure.axes if axis.get_title()}
    for channel, (like, _) in zip(view.channels, view.likes, strict=True):
        (mae,) = [axis for title, axis in shown.items() if title.startswith(f"MAE, ch. {channel}: ratio")]
        (scaling,) = [axis for title, axis in shown.items() if title.startswith(f"scaling, ch. {like}: ratio")]
        assert "constant" in scaling.get_title()
        assert "±" in mae.get_title()
        spread = []
        for axis in (mae, scaling):
            pixels = axis.images[0].get_array().reshape(-1, 4)
            spread.append(np.ptp(pixels[pixels[:, 3] > 0], axis=0).max())
        assert spread[1] < 0.01 < 0.2 < spread[0]


def test_fig_4_takes_the_channels_with_the_most_bits(view):
    checkpoint = checkpoints.open_checkpoint("mae")
    picture = open_rgb(view.original)
    bits = probe.latents(checkpoint, picture, Rate.near(4096))[1].sum(axis=(1, 2))
    assert sorted(bits[view.channels]) == sorted(np.sort(bits)[-2:])
    assert view.name == "MAE"
    named = fig4.look(picture, channels=[7], lmbdas=(1024.0, 128.0))
    assert named.channels == [7]
    assert named.lmbdas == (1024.0, 128.0)
    np.testing.assert_array_equal(named.mae[128.0], probe.latents(checkpoint, picture, Rate.near(128))[0])


def test_fig_4_of_a_model_with_hyperprior(photograph):
    model = str(GOLDEN / "hyperprior")
    view = fig4.look(photograph, lmbdas=(1024.0, 128.0), model=model)
    y = probe.latents(checkpoints.open_checkpoint(model), photograph, Rate.near(128))[0]
    np.testing.assert_array_equal(view.mae[128.0], y)
    assert "of the MAE + hyperprior's bottleneck" in fig4.caption(view)


def test_negative_ratios_have_a_hue_of_their_own_and_masked_places_none():
    a, b = np.array([[2.0, -2.0, 2.0, 1.0]]), np.array([[1.0, 1.0, 1.0, 0.001]])
    rgba = fig4.coloured(probe.ratio(a, b), 1.0)[0]
    assert not np.array_equal(rgba[0], rgba[1])
    assert np.array_equal(rgba[0], rgba[2])
    assert rgba[3, 3] == 0


def test_no_negative_ratio_looks_like_a_positive_one():
    sizes = 2.0 ** np.linspace(-3, 3, 97)[None]
    positive, negative = (fig4.coloured(probe.Ratio(v, 0.0, 1.0, 0.0), 3.0)[0, :, :3] for v in (sizes, -sizes))
    assert np.linalg.norm(positive[:, None] - negative[None], axis=2).min() > 0.25
