"""Evaluation: what a result file says, computed again; interrupted and continued; read by CompressAI's plotting."""

import json
import math
import os
import subprocess
import sys
import warnings

import numpy as np
import PIL
import pytest
import torch
from distributed import Client, LocalCluster
from PIL import Image

import mae_viz
from mae_viz import metrics, rates
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.registry import codec
from mae_viz.coding import checkpoints, coder
from mae_viz.images import gallery, open_rgb
from mae_viz.measured import collected, records
from mae_viz.measured.evaluate import evaluate, file_for, lmbdas_per_octave, machine, pictures_in, software
from mae_viz.rates import Rate

with warnings.catch_warnings():  # what CompressAI imports warns of its own future
    warnings.simplefilter("ignore")
    from compressai.utils.plot.__main__ import main as compressai_plot
    from compressai.utils.plot.__main__ import parse_json_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photograph):
    home = tmp_path_factory.mktemp("pictures")
    photograph.crop((100, 100, 300, 280)).save(home / "b.png")
    photograph.crop((300, 150, 493, 330)).save(home / "a.png")
    (home / "notes.txt").write_text("no picture")
    return home


@pytest.fixture(scope="module")
def images(folder):
    return pictures_in(folder)


@pytest.fixture(scope="module")
def document(images, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "rd.json"
    return evaluate("mae", images, out, "two", [4096, 100]) | {"file": out}


def test_a_folder_s_pictures_by_name(folder, tmp_path):
    assert pictures_in(folder) == {"a": folder / "a.png", "b": folder / "b.png"}
    with pytest.raises(ValueError, match="no pictures in"):
        pictures_in(tmp_path)


def test_pictures_of_folders_below_keep_their_own_names(tmp_path, photograph):
    for name in ("night/a.png", "day/a.webp", "a.b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        photograph.crop((100, 100, 116, 108)).save(tmp_path / name)
    (tmp_path / "day" / "._a.webp").write_bytes(b"\0\5\x16\7")  # macOS's notes on the file beside it
    found = pictures_in(tmp_path)
    assert list(found) == ["a.b", "day/a", "night/a"]
    document = evaluate("jpeg", found, tmp_path / "rd.json", "some", [50])
    assert [row["image"] for row in document["measurements"]] == list(found)
    assert [image["image"] for image in document["images"]] == list(found)
    photograph.crop((100, 100, 116, 108)).save(tmp_path / "day" / "a.png")
    with pytest.raises(ValueError, match=r"day/a\.png and .*day/a\.webp differ in their suffix alone"):
        pictures_in(tmp_path)


def test_every_number_of_a_model_computed_again(document, images):
    rows = document["measurements"]
    lmbda = Rate.near(100).lmbda
    assert [(row["image"], row["lmbda"]) for row in rows] == [("a", lmbda), ("b", lmbda), ("a", 4096), ("b", 4096)]
    model = mae_viz.load("mae")
    for row in rows:
        path = images[row["image"]]
        x = np.asarray(Image.open(path))
        stream = mae_viz.compress(path, "mae", row["lmbda"])
        x_hat = np.asarray(mae_viz.decompress(stream))
        pixels = x.shape[0] * x.shape[1]
        assert row["bytes"] == len(stream)
        assert row["bpp"] == 8 * len(stream) / pixels
        mse = np.square(x.astype(float) - x_hat).mean()
        assert row["psnr_db"] == pytest.approx(20 * math.log10(255) - 10 * math.log10(mse), abs=1e-4)
        assert row["ms_ssim_db"] == pytest.approx(metrics.ms_ssim_db(x, x_hat), abs=1e-4)
        with torch.inference_mode():
            likelihoods = model(coder.to_tensor(open_rgb(path), 16), row["lmbda"])["likelihoods"]["y"]
        estimate = -likelihoods.log2().sum().item() / pixels
        assert row["estimated_bpp"] == pytest.approx(estimate, rel=1e-3)  # one value near a tie may round otherwise
        assert row["estimated_bpp"] < row["bpp"] < 1.1 * row["estimated_bpp"]
        assert 0 < row["decode_s"] < 60


def test_means_are_means(document):
    for mean in document["means"]:
        rows = [row for row in document["measurements"] if row["lmbda"] == mean["lmbda"]]
        assert len(rows) == 2
        for key in ("bpp", "estimated_bpp", "psnr_db", "ms_ssim_db", "encode_s", "decode_s"):
            assert mean[key] == pytest.approx((rows[0][key] + rows[1][key]) / 2, abs=1e-6)
        values = [1 - 10 ** (-row["ms_ssim_db"] / 10) for row in rows]
        assert mean["db_of_mean_ms_ssim"] == pytest.approx(-10 * math.log10(1 - sum(values) / 2), abs=1e-6)
        assert mean["db_of_mean_ms_ssim"] < mean["ms_ssim_db"]


def test_the_file_says_what_was_measured_with_what(document):
    assert json.loads(document["file"].read_text()) == {key: v for key, v in document.items() if key != "file"}
    assert document["fingerprint"] == checkpoints.card("mae")["sha256"]
    assert document["settings"]["lmbdas"] == list(rates.LMBDAS)
    assert document["versions"]["pillow"] == PIL.__version__
    assert document["versions"].keys() >= {"mae_viz", "python", "torch", "compressai", "constriction"}
    assert document["machine"]["threads"] == 1
    assert document["definitions"].keys() >= {"lmbda", "bpp", "estimated_bpp", "psnr_db", "ms_ssim_db", "means"}


class InterruptedRunError(Exception):
    pass


def test_an_interrupted_run_goes_on_where_it_was(images, tmp_path):
    out, steps = tmp_path / "rd.json", []

    def stop_after_three(done):
        steps.append(done)
        if len(steps) == 3:
            raise InterruptedRunError

    points = [10, 50, 90]
    with pytest.raises(InterruptedRunError):
        evaluate("jpeg", images, out, "two", points, progress=stop_after_three)
    half = json.loads(out.read_text())
    assert [(row["image"], row["quality"]) for row in half["measurements"]] == [("a", 10), ("b", 10), ("a", 50)]
    assert [mean["quality"] for mean in half["means"]] == [10]  # a mean over some of the images would be none

    steps.clear()
    whole = evaluate("jpeg", images, out, "two", points, progress=steps.append)
    assert steps == pytest.approx([1 / 3, 2 / 3, 1])
    assert whole["measurements"][:3] == half["measurements"]  # seconds and all: these were not measured again
    assert len(whole["measurements"]) == 6
    assert [mean["quality"] for mean in whole["means"]] == points
    assert evaluate("jpeg", images, out, "two", points) == whole

    wider = evaluate("jpeg", images, out, "two", [30])
    assert [mean["quality"] for mean in wider["means"]] == [10, 30, 50, 90]
    anew = evaluate("jpeg", images, out, "two", [30], restart=True)
    assert [mean["quality"] for mean in anew["means"]] == [30]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rd.json"]


def test_a_file_is_never_continued_with_something_else(images, tmp_path):
    out = tmp_path / "rd.json"
    evaluate("jpeg", images, out, "two", [10])
    before = out.read_bytes()
    for change in ({"name": "webp"}, {"dataset": "three"}, {"images": {"a": images["a"]}}):
        arguments = {"name": "jpeg", "images": images, "out": out, "dataset": "two", "points": [10]} | change
        with pytest.raises(ValueError, match="start it anew"):
            evaluate(**arguments)
    stale = json.loads(before) | {"versions": {"pillow": "1.0"}}
    out.write_text(json.dumps(stale))
    with pytest.raises(ValueError, match="was measured with other versions"):
        evaluate("jpeg", images, out, "two", [10])
    out.write_text("{}")
    with pytest.raises(ValueError, match="is no result file of this codec"):
        evaluate("jpeg", images, out, "two", [10])


def test_two_processes_measure_what_one_does(document, images, tmp_path):
    parallel = evaluate("mae", images, tmp_path / "rd.json", "two", [4096, 100], jobs=2)
    assert without_seconds(parallel["measurements"]) == without_seconds(document["measurements"])


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers, as on many machines: known by their address alone."""
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as started:
        yield started


def test_a_cluster_measures_what_one_process_does(document, images, cluster, run, folder, tmp_path):
    out = tmp_path / "rd.json"
    command = ["evaluate", "mae", "--images", folder, "--dataset", "two", "--lambdas", "4096,100", "--out", out]
    run(*command, "--scheduler", cluster.scheduler_address)
    found = json.loads(out.read_text())
    for rows in ("measurements", "means"):
        assert without_seconds(found[rows]) == without_seconds(document[rows])
    for key in records.SAME:
        assert found.get(key) == document.get(key), key
    with Client(cluster) as client:
        seen = client.run(lambda: "mae_viz.measured.evaluate" in sys.modules)
    assert list(seen.values()) == [True, True]  # both had something to do
    out.unlink()
    (tmp_path / "broken.png").write_bytes(images["a"].read_bytes()[:100])
    with pytest.raises(mae_viz.ImageError, match=r"broken\.png: the picture is damaged"):
        evaluate("jpeg", [tmp_path / "broken.png"], out, "broken", [50], scheduler=cluster.scheduler_address)
    assert not out.exists()


def test_workers_that_are_not_alike_measure_nothing(images, cluster, tmp_path, monkeypatch):
    def measured_by(cluster: LocalCluster) -> None:
        evaluate("jpeg", images, tmp_path / "rd.json", "two", [50], scheduler=cluster.scheduler_address)

    with monkeypatch.context() as patch:
        patch.setattr("mae_viz.measured.cluster._software", lambda: software() | {"pillow": "0.0.1"})
        with pytest.raises(ValueError, match=r"software, \{'pillow': '\S+'\} and not \{'pillow': '0\.0\.1'\}"):
            measured_by(cluster)
    with LocalCluster(n_workers=0, threads_per_worker=2, host="127.0.0.1", dashboard_address="127.0.0.1:0") as other:
        with pytest.raises(ValueError, match="has no workers: start some with"):
            measured_by(other)
        other.scale(1)
        other.wait_for_workers(1)
        with pytest.raises(ValueError, match="start it with --nthreads 1"):
            measured_by(other)
    with pytest.raises(ValueError, match="no Dask scheduler answers at nowhere"):
        evaluate("jpeg", images, tmp_path / "rd.json", "two", [50], scheduler="nowhere")
    assert not (tmp_path / "rd.json").exists()


ENDLESS = """
import os, time
import mae_viz

class Endless:
    name = "endless"
    def encode(self, picture):
        os.write(1, b".")
        time.sleep(600)
    def decode(self, data): ...

mae_viz.register(Endless())
"""


def test_workers_end_with_their_parent_and_nobody_else_writes_its_file_meanwhile(folder, images, tmp_path):
    (tmp_path / "endless_codec.py").write_text(ENDLESS)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"MAE_VIZ_CODECS": "endless_codec", "PYTHONPATH": path}
    out = tmp_path / "rd.json"
    command = [sys.executable, "-m", "mae_viz", "evaluate", "endless", "--images", folder, "--jobs", "2", "--out", out]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as run:
        try:
            assert run.stdout.read(2) == b".."  # one of each worker
            with pytest.raises(ValueError, match=r"rd\.json is being measured by another run"):
                evaluate("jpeg", images, out, "two", [50])
        finally:
            run.kill()
        run.communicate(timeout=300)  # until nobody has this pipe open any more
    assert len(evaluate("jpeg", images, out, "two", [50])["measurements"]) == 2
    assert [path.name for path in tmp_path.glob("*rd.json*")] == ["rd.json"]


def without_seconds(rows):
    return [{key: value for key, value in row.items() if not key.endswith("_s")} for row in rows]


def test_what_is_infinite_or_undefined_is_null(tmp_path):
    Image.new("RGB", (170, 90), "white").save(tmp_path / "white.png")
    document = evaluate("jpeg", pictures_in(tmp_path), tmp_path / "rd.json", "flat", [90])
    (row,), (mean,) = document["measurements"], document["means"]
    assert row["psnr_db"] is None  # nothing is lost
    assert row["ms_ssim_db"] is None  # and the picture is too small
    assert mean["psnr_db"] is None
    assert mean["db_of_mean_ms_ssim"] is None
    assert document["results"].keys() == {"bpp", "encoding_time", "decoding_time"}
    frame = collected.read(tmp_path / "rd.json")
    assert frame["psnr_db"].isna().all()
    assert frame["bpp"].gt(0).all()
    assert "n/a" in records.means_text(document)


def test_bad_points_names_and_pictures_end_in_sentences(images, tmp_path):
    out = tmp_path / "rd.json"
    with pytest.raises(ValueError, match="Independent model, λ = 4096: λ = 64 is outside λ = 4096 alone"):
        evaluate("independent-4096", images, out, "two", [64])
    with pytest.raises(ValueError, match="quality 100 is outside 5 … 95"):
        evaluate("jpeg", images, out, "two", [100])
    with pytest.raises(
        mae_viz.CheckpointError, match=r"no model named 'vvc'.*Codecs beside the models: jpeg, jpeg-444, mozjpeg"
    ):
        evaluate("vvc", images, out, "two")
    with pytest.raises(ValueError, match="one at least"):
        evaluate("jpeg", [], out, "none")
    with pytest.raises(ValueError, match="names that differ before the dot"):
        evaluate("jpeg", [images["a"], tmp_path / "a.png"], out, "twice")
    (tmp_path / "broken.png").write_bytes(images["a"].read_bytes()[:100])
    with pytest.raises(mae_viz.ImageError, match=r"broken\.png: the picture is damaged"):
        evaluate("jpeg", [tmp_path / "broken.png"], out, "broken", [50])
    assert not out.exists()


def test_lambdas_in_equal_steps():
    quarter = lmbdas_per_octave(codec("mae").axis, 4)
    assert len(quarter) == 25
    assert set(rates.LMBDAS) <= set(quarter)
    assert np.diff(np.log2(quarter)) == pytest.approx(0.25)
    assert lmbdas_per_octave(codec("independent-4096").axis, 4) == [4096.0]


def test_files_for_several_codecs(tmp_path):
    assert file_for(tmp_path / "rd.json", "mae", several=False) == tmp_path / "rd.json"
    assert file_for(tmp_path / "rd.json", "mae", several=True) == tmp_path / "rd-mae.json"
    assert file_for(tmp_path / "{name}" / "rd.json", "mae", several=True) == tmp_path / "mae" / "rd.json"


def test_the_command_measures_models_and_codecs_alike(run, folder, tmp_path):
    command = ["evaluate", "mae", "jpeg", "--images", folder, "--jobs", "1"]
    command += ["--out", tmp_path / "rd.json", "--lambdas", "512", "--qualities", "10,50"]
    done = run(*command)
    model, jpeg = (json.loads((tmp_path / f"rd-{name}.json").read_text()) for name in ("mae", "jpeg"))
    assert [row["lmbda"] for row in model["means"]] == [512]
    assert [row["quality"] for row in jpeg["means"]] == [10, 50]
    assert model["dataset"] == folder.name.lower()
    assert f"{model['means'][0]['psnr_db']:.4f}" in done.out
    bad = run(*command[:-1], "ten", code=2)
    assert bad.err.count("\n") == 1
    assert "write 64,512,4096" in bad.err


# CompressAI's plotting


def test_compressai_reads_ours(document):
    psnr, ms_ssim = (parse_json_file(document["file"], metric) for metric in ("psnr", "ms-ssim"))
    assert psnr["name"] == "MAE"
    assert psnr["xs"] == [mean["bpp"] for mean in document["means"]]
    assert psnr["ys"] == [mean["psnr_db"] for mean in document["means"]]
    assert ms_ssim["ys"] == pytest.approx([mean["db_of_mean_ms_ssim"] for mean in document["means"]], abs=1e-4)


@pytest.mark.parametrize("path", collected.files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_compressai_reads_every_committed_file(path):
    curve = parse_json_file(path, "psnr")
    means = collected.read(path).query("image == 'mean'")
    assert curve["xs"] == pytest.approx(means["bpp"].tolist())
    assert curve["ys"] == pytest.approx(means["psnr_db"].tolist())
    similar = means["db_of_mean_ms_ssim"].fillna(means["ms_ssim_db_as_drawn"])
    assert parse_json_file(path, "ms-ssim")["ys"] == pytest.approx(similar.tolist(), abs=2e-3)


def test_compressai_overlays_ours(tmp_path):
    files = [str(path) for path in collected.files() if "kodak" in path.stem][:4]
    figure = tmp_path / "overlay.png"
    compressai_plot(["-f", *files, "-m", "psnr", "-o", str(figure)])
    with Image.open(figure) as image:
        assert image.width > 1000


# What is committed


@pytest.fixture(scope="module")
def table():
    return mae_viz.results()


def test_results_are_tidy(table):
    assert list(table.columns) == list(collected.COLUMNS)
    assert set(table["kind"]) == {"model", "classical", "published", "paper"}
    key = ["codec", "dataset", "image", "lmbda", "quality", "bpp", "psnr_db"]
    assert not table.duplicated(key).any()
    assert table[["bpp", "psnr_db"]].notna().all().all()
    means, kinds = table[table["image"] == "mean"], table["kind"]
    assert table.loc[kinds.isin(["model", "classical"]), "ms_ssim_db"].notna().all()
    assert means.loc[means["kind"] != "paper", "db_of_mean_ms_ssim"].notna().all()
    assert table.loc[table["image"] != "mean", "db_of_mean_ms_ssim"].isna().all()
    # what others publish is of one kind, what the paper draws of an unknown one: neither is in the others' column
    assert table.loc[kinds.isin(["published", "paper"]), "ms_ssim_db"].isna().all()
    assert table.loc[kinds == "paper", "ms_ssim_db_as_drawn"].notna().all()
    assert table.loc[kinds != "paper", "ms_ssim_db_as_drawn"].isna().all()
    assert table["provenance"].str.len().gt(20).all()
    assert table.loc[table["kind"] == "model", ["lmbda", "estimated_bpp"]].notna().all().all()
    assert table.loc[table["kind"] == "classical", "quality"].notna().all()
    assert table.loc[table["kind"] != "model", "estimated_bpp"].isna().all()
    assert table.loc[table["kind"].isin(["published", "paper"]), "image"].eq("mean").all()


def test_every_model_that_ships_is_measured_on_kodak(table):
    for name in mae_viz.available():
        card = checkpoints.card(name)
        rows = table[(table["codec"] == name) & (table["dataset"] == "kodak") & table["trained"]]
        assert set(rows["lmbda"]) == set(card["lmbdas"])
        assert rows.groupby("lmbda")["image"].nunique().eq(25).all()  # 24 images and their mean
        for dataset in ("kodak", "gallery"):
            path = checkpoints.folder() / name / f"rd-{dataset}.json"
            assert json.loads(path.read_text())["fingerprint"] == card["sha256"], f"measure {name} anew on {dataset}."


def test_every_classical_codec_is_measured_on_kodak(table):
    for name, found in CLASSICAL.items():
        rows = table[(table["codec"] == name) & (table["dataset"] == "kodak")]
        assert sorted(set(rows["quality"])) == [quality.value for quality in found.axis.listed]
        assert rows.groupby("quality")["image"].nunique().eq(25).all()
        means = rows[rows["image"] == "mean"].sort_values("quality")
        assert means["bpp"].is_monotonic_increasing
        assert means["psnr_db"].is_monotonic_increasing


def test_committed_means_are_the_means_of_the_committed_rows(table):
    measured = table[table["kind"].isin(["model", "classical"])].fillna({"lmbda": 0, "quality": 0})
    groups = measured.groupby(["codec", "dataset", "lmbda", "quality"])
    assert len(groups) > 60
    for _, rows in groups:
        mean, single = rows[rows["image"] == "mean"], rows[rows["image"] != "mean"]
        for key in ("bpp", "psnr_db", "ms_ssim_db"):
            assert mean[key].item() == pytest.approx(single[key].mean(), abs=1e-5)
        value = np.mean([1 - 10 ** (-db / 10) for db in single["ms_ssim_db"]])
        assert mean["db_of_mean_ms_ssim"].item() == pytest.approx(-10 * math.log10(1 - value), abs=1e-5)


def test_files_of_before_get_the_second_kind_of_ms_ssim_on_reading(document, tmp_path):
    before = {key: value for key, value in document.items() if key != "file"}
    before["means"] = [{k: v for k, v in mean.items() if k != "db_of_mean_ms_ssim"} for mean in before["means"]]
    (tmp_path / "rd.json").write_text(json.dumps(before))
    old, new = collected.read(tmp_path / "rd.json"), collected.read(document["file"])
    assert old.equals(new)
    assert old["db_of_mean_ms_ssim"].notna().sum() == 2


@pytest.mark.parametrize(
    ("name", "points"), [("mae", [64, 4096]), ("bottleneck-scaling", [64]), ("jpeg", [50]), ("webp", [50])]
)
def test_measuring_again_gives_the_committed_numbers(name, points, tmp_path):
    """To the byte on the machine that measured; elsewhere a latent that lies next to a tie may round otherwise."""
    path = next(
        path for path in collected.files() if json.loads(path.read_text())["codec"] == name and "gallery" in path.stem
    )
    committed = json.loads(path.read_text())
    same = committed["machine"] == machine() and committed["versions"] == software()
    chelsea = gallery()["chelsea"].path
    rate_key = "lmbda" if name in mae_viz.available() else "quality"
    anew = evaluate(name, [chelsea], tmp_path / "rd.json", "gallery", points)["measurements"]
    for point, again in zip(points, anew, strict=True):
        (row,) = [r for r in committed["measurements"] if (r["image"], r[rate_key]) == ("chelsea", point)]
        assert again["bytes"] == pytest.approx(row["bytes"], rel=0 if same else 1e-3)
        assert again["psnr_db"] == pytest.approx(row["psnr_db"], abs=0.01)
        assert again["ms_ssim_db"] == pytest.approx(row["ms_ssim_db"], abs=0.01)


def test_real_files_cost_little_more_than_the_estimate(table):
    kodak = table[(table["kind"] == "model") & (table["dataset"] == "kodak") & (table["image"] == "mean")]
    overhead = kodak["bpp"] / kodak["estimated_bpp"] - 1
    assert overhead.between(0, 0.02).all()


def test_published_numbers_are_the_published_ones(table):
    def at(codec, dataset, rank):
        rows = table[(table["codec"] == codec) & (table["dataset"] == dataset)].sort_values("bpp")
        return rows.iloc[rank][["bpp", "psnr_db", "db_of_mean_ms_ssim", "ms_ssim_db_as_drawn"]].tolist()

    assert at("published-bmshj2018-factorized", "kodak", 0)[:2] == pytest.approx([0.1226, 26.9088], abs=1e-4)
    assert at("published-jpeg2000-tensorflow", "kodak", 0)[0] == pytest.approx(0.1, abs=1e-3)
    values = at("paper-mae", "clic-professional-test", -1)
    assert [values[i] for i in (0, 1, 3)] == [0.9761, 36.242, 19.863]
    # the value 0.9100 of the first point in dB
    assert at("published-bmshj2018-factorized", "kodak", 0)[2] == pytest.approx(-10 * math.log10(0.0900), abs=0.01)


def test_our_jpeg_is_the_published_one_in_smaller_files(table):
    """Two programs, two versions of one library: PSNR within 0.15 dB; ours has tables for each picture."""
    ours, theirs = (collected.curves(table, "kodak")[name] for name in ("jpeg", "published-jpeg"))
    assert ours[2][:18] == pytest.approx(theirs[2][:18], abs=0.15)
    assert (np.array(ours[1][:18]) < 0.97 * np.array(theirs[1][:18])).all()


@pytest.mark.parametrize(
    ("ours", "theirs", "low", "high"),
    [
        ("jpeg", "published-jpeg", -15, -8),  # theirs has the standard Huffman tables
        ("jpeg2000", "published-jpeg2000", -25, 0),  # ours takes the 9/7 wavelet, OpenJPEG's default is the 5/3
        ("webp", "published-webp", -12, 0),  # ours takes the slowest method
        ("avif", "published-av1", 0, 20),  # theirs is the reference encoder at full effort, ours takes half a second
        ("hevc-intra-444", "published-bpg-444", 0, 20),  # ours has a container, theirs a header of a few bytes
    ],
)
def test_classical_codecs_are_set_as_well_as_others_set_them(table, ours, theirs, low, high):
    """A codec set badly (no colour transform, tuned for the eye) would lie far outside."""
    difference = collected.bd_table(theirs, frame=table).set_index("curve").loc[ours, "bd_rate_percent"]
    assert low <= difference <= high


def test_a_codec_of_one_s_own_appears(tmp_path, monkeypatch):
    (tmp_path / "kodak").mkdir()
    theirs = {
        "name": "Mine",
        "description": "a test",
        "results": {"bpp": [0.2, 0.4, 0.6, 0.8], "psnr": [28, 31, 33, 34]},
    }
    (tmp_path / "kodak" / "mine.json").write_text(json.dumps(theirs))
    monkeypatch.setenv("MAE_VIZ_RESULTS", str(tmp_path))
    table = collected.bd_table("jpeg").set_index("curve")
    assert table.loc["mine", "title"] == "Mine"
    assert table.loc["mine", ["from_db", "to_db"]].tolist() == [28, 34]


def theirs(bpp=(0.2, 0.4, 0.6, 0.8), **measured) -> dict:
    return {"name": "Mine", "description": "a test", "results": {"bpp": bpp, **measured}}


PSNR = [28, 31, 33, 34]
ODD = {
    "other.json": b'{"version": 3}',
    "list.json": b"[]",
    "empty.json": b"",
    "._mac.json": b"\0\5\x16\7\0\2\0\0Mac OS X",
    "latin.json": '{"name": "é"}'.encode("latin-1"),
    "zero.json": json.dumps(theirs((0, 0.4, 0.6, 0.8), psnr=PSNR)).encode(),
    "twice.json": json.dumps(theirs(psnr=[28, 31, 31, 34])).encode(),
    "short.json": json.dumps(theirs(psnr=[28, 31, 33])).encode(),
    "no-points.json": json.dumps(theirs((), psnr=[])).encode(),
    "no-quality.json": json.dumps(theirs(encoding_time=[1, 2, 3, 4])).encode(),
    "per-image.json": b'{"source": "kodim01", "name": "mbt2018", "bpp": 0.4, "psnr-rgb": 31.0}',
    "text.json": json.dumps(theirs(psnr=["good", "better", "best", "lossless"])).encode(),
}
GOOD = {
    "bom.json": b"\xef\xbb\xbf" + json.dumps(theirs(psnr=PSNR)).encode(),
    "utf16.json": json.dumps(theirs(psnr=PSNR)).encode("utf-16"),
    "lossless.json": json.dumps(theirs(psnr=[28, 31, 33, float("inf")])).encode(),
    "value.json": json.dumps(theirs(**{"ms-ssim-rgb": [0.9, 0.95, 0.97, 0.99]})).encode(),
    "decibels.json": json.dumps(theirs(msssim=[10, 13.0103, 15.2288, 20])).encode(),
}


def test_of_a_folder_all_that_are_results_load_and_the_others_are_named(tmp_path, monkeypatch, caplog):
    (tmp_path / "mine").mkdir()
    for name, data in (ODD | GOOD).items():
        (tmp_path / "mine" / name).write_bytes(data)
    monkeypatch.setenv("MAE_VIZ_RESULTS", str(tmp_path))
    table = mae_viz.results()
    left_out = table.attrs["left_out"]
    assert sorted(line.split(" is no result file")[0] for line in left_out) == sorted(
        str(tmp_path / "mine" / name) for name in ODD
    )
    assert caplog.messages == left_out
    assert all("\n" not in line and line.endswith("It is left out.") for line in left_out)
    mine = table[table["dataset"] == "mine"]
    assert {f"{name}.json" for name in mine["curve"]} == set(GOOD)
    curves = collected.curves(table, "mine")
    assert curves["lossless"][2] == [28, 31, 33]
    similar = collected.curves(table, "mine", "ms-ssim")
    assert similar["value"][2] == pytest.approx(similar["decibels"][2], abs=1e-3)
    assert collected.bd_table("bom", "mine", frame=table).set_index("curve").loc["utf16", "bd_rate_percent"] == 0


def test_a_result_named_like_another_stays_a_curve_of_its_own(tmp_path, monkeypatch):
    for folder in ("kodak", "8bit/kodak"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "jpeg.json").write_text(json.dumps(theirs(psnr=PSNR)))
        (tmp_path / folder / "mine.json").write_text(json.dumps(theirs(psnr=PSNR)))
    shipped = checkpoints.folder()
    for name in ("mae", "independent-4096", "independent-64"):
        (tmp_path / f"{name}.json").write_bytes((shipped / name / "rd-kodak.json").read_bytes())
    before = collected.curves(mae_viz.results(), "kodak")
    monkeypatch.setenv("MAE_VIZ_RESULTS", str(tmp_path))
    after = collected.curves(mae_viz.results(), "kodak")
    assert {name: after[name] for name in before} == before
    own = {name: len(curve[1]) for name, curve in after.items() if name not in before}
    independent = f"independent ({tmp_path.name})"
    named = {"jpeg (kodak/jpeg)": 4, "jpeg (8bit/kodak/jpeg)": 4, "mine": 4, "mine (kodak/mine)": 4, independent: 2}
    assert own == named | {"mae (mae)": len(before["mae"][1])}
    assert after["jpeg (kodak/jpeg)"][0] == "Mine (kodak/jpeg)"


def test_models_for_one_rate_each_make_one_curve(table):
    rows = table[table["codec"] == "independent-4096"]
    assert set(rows["curve"]) == {"independent"}
    assert set(rows["title"]) == {"Independent models"}
    assert codec("independent-4096").title == "Independent model, λ = 4096"
