"""Further metrics: what they say of pictures, how result files hold them, and how one's own joins."""

import json

import numpy as np
import pandas as pd
import pytest

from mae_viz import further
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import Quality
from mae_viz.measured import collected
from mae_viz.measured.evaluate import evaluate, pictures_in

METRICS = pytest.mark.parametrize("name", ["ssimulacra2", "vmaf"])


@pytest.fixture(scope="module")
def pixels(photograph):
    return np.asarray(photograph.crop((100, 100, 400, 300)))


@METRICS
def test_better_pictures_score_higher(name, photograph, pixels):
    picture = photograph.crop((100, 100, 400, 300))
    codec, compute = CLASSICAL["jpeg"], further.FURTHER[name].compute
    scores = [compute(pixels, np.asarray(codec.decode(codec.encode(picture, Quality(q))))) for q in (5, 30, 95)]
    assert scores[0] + 10 < scores[1] < scores[2] - 3
    assert scores[2] < compute(pixels, pixels) <= 100
    assert compute(pixels, pixels) > 95


@METRICS
def test_names_and_versions(name):
    (said,) = further.installed([name]).values()
    assert any(character.isdigit() for character in said)


@METRICS
def test_tiny_pictures_have_none(name):
    dot = np.zeros((3, 5, 3), np.uint8)
    assert further.FURTHER[name].compute(dot, dot) is None


def test_an_unknown_one_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no metric 'beauty' beside PSNR and MS-SSIM: choose ssimulacra2, vmaf"):
        further.installed(["beauty"])
    with pytest.raises(ValueError, match=r"no metric 'beauty': choose one of psnr, ms-ssim, .*vmaf"):
        collected.bd_table("jpeg", metric="beauty")


def test_a_missing_package_is_named(monkeypatch):
    from importlib.metadata import version

    lacking = further.Further("x", "X", "x", lambda a, b: 0.0, lambda: version("no-such-package"))
    monkeypatch.setitem(further.FURTHER, "x", lacking)
    with pytest.raises(ValueError, match=r"the package no-such-package is missing: pip install 'mae_viz\[metrics\]'"):
        further.installed(["x"])


@pytest.fixture
def brightness():
    """A metric of one's own: how near the mean brightness is."""

    def compute(a, b):
        return 100 - abs(a.astype(float).mean() - b.astype(float).mean())

    yield further.register(further.Further("brightness", "Brightness", "100 − difference", compute, lambda: "mine 1"))
    del further.FURTHER["brightness"]


def test_measured_kept_compared_and_never_mixed(brightness, photograph, tmp_path, monkeypatch):
    (tmp_path / "pictures" / "night").mkdir(parents=True)
    photograph.crop((100, 100, 300, 280)).save(tmp_path / "pictures" / "a.png")
    photograph.crop((200, 100, 400, 280)).save(tmp_path / "pictures" / "night" / "a.png")
    pictures, points = pictures_in(tmp_path / "pictures"), [5, 10, 30, 60, 90]
    wanted = ["ssimulacra2", "brightness"]
    for name in ("jpeg", "webp"):
        out = tmp_path / "results" / f"{name}.json"
        document = evaluate(name, pictures, out, "two", points, metric=wanted)
        assert document == json.loads(out.read_text())
        assert document["metrics"] == {"ssimulacra2": further.installed(wanted)["ssimulacra2"], "brightness": "mine 1"}
        assert document["definitions"]["brightness"] == "100 − difference"
    with pytest.raises(ValueError, match="was measured with other metrics"):
        evaluate("webp", pictures, out, "two", points)
    for mean in document["means"]:
        single = [row for row in document["measurements"] if row["quality"] == mean["quality"]]
        assert [row["image"] for row in single] == ["a", "night/a"]
        for name in wanted:
            assert mean[name] == pytest.approx(np.mean([row[name] for row in single]), abs=1e-5)
    monkeypatch.setenv("MAE_VIZ_RESULTS", str(tmp_path / "results"))
    frame = collected.results()
    assert frame.loc[frame["dataset"] == "kodak", "ssimulacra2"].isna().all()
    _, bpp, scores = collected.curves(frame, "two", "ssimulacra2")["webp"]
    assert scores == [mean["ssimulacra2"] for mean in document["means"]]
    assert collected.curves(frame, "kodak", "ssimulacra2") == {}
    row = collected.bd_table("jpeg", "two", "ssimulacra2", frame).set_index("curve").loc["webp"]
    assert row.low_percent < row.bd_rate_percent < row.high_percent
    assert bpp == sorted(bpp)
    assert f"{row.from_db:.2f} … {row.to_db:.2f}" in collected.bd_text("jpeg", "two", "ssimulacra2", frame)


@pytest.mark.slow
def test_the_command_measures_them(run, photograph, tmp_path):
    (tmp_path / "pictures").mkdir()
    photograph.crop((100, 100, 300, 280)).save(tmp_path / "pictures" / "a.png")
    command = [
        "evaluate",
        "jpeg",
        "webp",
        "--images",
        tmp_path / "pictures",
        "--out",
        tmp_path / "rd.json",
        "--jobs",
        "1",
    ]
    command += ["--qualities", "50", "--metric", "vmaf", "--metric", "ssimulacra2", "--csv", tmp_path / "rd.csv"]
    said = run(*map(str, command)).out
    table = pd.read_csv(tmp_path / "rd.csv")
    assert table["codec"].tolist() == ["jpeg", "jpeg", "webp", "webp"]
    assert table["image"].tolist() == ["mean", "a", "mean", "a"]
    for name in ("jpeg", "webp"):
        (row,) = json.loads((tmp_path / f"rd-{name}.json").read_text())["measurements"]
        saved = table[(table["codec"] == name) & (table["image"] == "a")].iloc[0]
        for key in ("bpp", "psnr_db", "ms_ssim_db", "vmaf", "ssimulacra2"):
            assert saved[key] == row[key]
        assert f"{row['vmaf']:.4f}" in said
