"""Pictures for training: what is read, what is held out, what a batch is made of."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from made import encoded
from PIL import Image

from mae_viz.images import gallery, open_rgb
from mae_viz.training import data
from mae_viz.training.config import Config, load, parse_names
from mae_viz.training.pack import pack, parse_size


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MAE_VIZ_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three photographs, one in a folder below, beside a broken one and files that are no pictures."""
    home = tmp_path / "photos"
    (home / "deeper").mkdir(parents=True)
    shutil.copy(gallery()["china"].path, home / "china.jpg")
    shutil.copy(gallery()["rocket"].path, home / "deeper" / "rocket.jpg")
    Image.new("RGB", (300, 200), (10, 200, 30)).save(home / "green.png")
    (home / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no more of it")
    (home / "cut.jpg").write_bytes(gallery()["china"].path.read_bytes()[:5000])
    (home / "licences.csv").write_text("all mine")
    (home / ".hidden.png").write_bytes(b"")
    return home


def opened(source, scales=(1.0, 0.5)):
    said = []
    return data.open_pictures(source, scales, said.append), said


def test_a_folder_is_read_to_its_depth_and_broken_files_are_named(folder):
    pictures, said = opened(folder)
    assert [p.name for p in pictures.pictures] == ["china.jpg", "deeper/rocket.jpg", "green.png"]
    assert [name for name, _ in pictures.skipped] == ["broken.png", "cut.jpg"]
    assert sum(line.startswith("skipped") for line in said) == 2
    china = np.asarray(open_rgb(folder / "china.jpg"))
    offset, height, width = pictures.pictures[0].copies[0]
    assert (height, width) == china.shape[:2]
    np.testing.assert_array_equal(pictures.cut((offset, height, width), 30, 40, 64), china[30:94, 40:104])
    assert pictures.pictures[2].copies[1][1:] == (100, 150)
    green = pictures.cut(pictures.pictures[2].copies[1], 0, 0, 100)
    assert (green == [10, 200, 30]).all()


def test_decoding_happens_once_and_again_when_a_file_changes(folder):
    _, said = opened(folder)
    assert any("decoding" in line for line in said)
    _, said = opened(folder)
    assert not any("decoding" in line for line in said)
    Image.new("RGB", (300, 200), "red").save(folder / "another.png")
    pictures, said = opened(folder)
    assert any("decoding" in line for line in said)
    assert len(pictures.pictures) == 4


def test_a_zip_gives_the_same_pictures(folder, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    (a, _), (b, said) = opened(folder), opened(archive)
    assert a.pictures == b.pictures
    np.testing.assert_array_equal(a._bytes, b._bytes)
    assert sum(line.startswith("skipped") for line in said) == 2


def test_entries_of_a_zip_that_cannot_be_read_are_skipped_with_a_reason(tmp_path, caplog):
    """Each is patched where the zip's directory describes it: flags, method and size."""
    archive = tmp_path / "photos.zip"
    names = ["encrypted.png", "deflate64.png", "giant.png", "damaged.png", "good.png", "._good.png", "__MACOSX/._a.png"]
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.writestr(name, encoded(Image.new("RGB", (40, 30))))
        damaged = file.getinfo("damaged.png").header_offset + 60
    raw = bytearray(archive.read_bytes())
    raw[damaged] ^= 1
    entry = {name: raw.rindex(name.encode()) - 46 for name in names}
    raw[entry["encrypted.png"] + 8] |= 1
    raw[entry["deflate64.png"] + 10] = 9
    raw[entry["giant.png"] + 24 : entry["giant.png"] + 28] = (1 << 31).to_bytes(4, "little")
    archive.write_bytes(raw)
    pictures, said = opened(archive, scales=(1.0,))
    assert [p.name for p in pictures.pictures] == ["good.png"]
    reasons = {"damaged": "Bad CRC-32", "deflate64": "method is not supported", "encrypted": "is encrypted"}
    reasons |= {"giant": "more than 1.1 GB"}
    skipped = [line for line in said if line.startswith("skipped")]
    assert len(skipped) == 4
    for line, (name, reason) in zip(skipped, reasons.items(), strict=True):
        assert line.startswith(f"skipped {name}.png: ")
        assert reason in line
    assert caplog.messages[-1].startswith("skipped 2 files such as ._good.png: macOS's notes")


def test_sources_with_nothing_in_them_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no folder or zip"):
        opened(tmp_path / "nowhere")
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(ValueError, match="neither a folder nor a zip"):
        opened(tmp_path / "text.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no pictures"):
        opened(tmp_path / "empty")
    (tmp_path / "empty" / "a.png").write_text("no picture")
    with pytest.raises(ValueError, match="none of the 1 pictures"):
        opened(tmp_path / "empty")


def test_validation_is_held_out_by_name(folder):
    pictures, _ = opened(folder)
    for name in ("rocket.jpg", "deeper/rocket.avif", "rocket"):
        training, held = pictures.split((name,))
        assert [p.name for p in held] == ["deeper/rocket.jpg"]
        assert [p.name for p in training] == ["china.jpg", "green.png"]
    with pytest.raises(ValueError, match="not in the data: nobody"):
        pictures.split(("rocket", "nobody.png"))
    training, held = pictures.split(())
    assert len(held) == 1
    assert len(training) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_validation_names_one_a_line(tmp_path, encoding):
    names = ["München 1.2", "IMG.2024.png", "b"]
    for name in ("Mu\u0308nchen 1.2.jpg", "night/IMG.2024.jpg", "b.png", "c.d.png", "c.png"):  # an accent by itself
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    pictures, _ = opened(tmp_path, scales=(1.0,))
    listed = parse_names("\r\n".join([*names, "", "  "]).encode(encoding))
    assert listed == names
    training, held = pictures.split(tuple(listed))
    assert [p.name for p in held] == ["Mu\u0308nchen 1.2.jpg", "b.png", "night/IMG.2024.jpg"]
    assert [p.name for p in training] == ["c.d.png", "c.png"]
    with pytest.raises(ValueError, match=r"not in the data: IMG\.2025"):
        pictures.split((*listed, "IMG.2025"))
    with pytest.raises(ValueError, match="is empty"):
        parse_names(b"\n")


def test_validation_crops_depend_on_the_picture_alone(folder):
    pictures, _ = opened(folder)
    _, held = pictures.split(("china", "rocket"))
    crops = pictures.validation_crops(held, 96)
    assert crops.shape == (3, 3, 96, 96)  # a smaller copy of every second one
    alone = pictures.validation_crops(held[:1], 96)
    assert (crops[0] == alone[0]).all()
    with pytest.raises(ValueError, match="validation_crop"):
        pictures.validation_crops(held, 4096)


@pytest.fixture
def batches(folder):
    pictures, _ = opened(folder)
    config = Config(batch=14, crop=48)
    training, _ = pictures.split(("green",))
    return lambda **more: data.Batches(pictures, training, config.changed(**more.pop("settings", {})), **more)


def test_a_batch_follows_from_its_step_alone(batches):
    first, again = batches()(7), batches()(7)
    assert (first.x == again.x).all()
    assert first.seeds == again.seeds
    assert len({batches()(step).seeds for step in (-7, 6, 7, 8)}) == 4
    ahead = list(batches().ahead(5, 8))
    assert (ahead[2].x == first.x).all()


def test_batches_cut_in_the_device_s_memory_are_the_loader_s(folder):
    """Byte for byte, here in this machine's memory, whatever shares them."""
    pictures, _ = opened(folder)
    training, _ = pictures.split(("green",))
    config = Config(batch=14, crop=48)
    for share in ((0, 1), (1, 2)):
        loaded = data.Batches(pictures, training, config, share)
        held = data.DeviceBatches(pictures, training, config, share, torch.device("cpu"))
        for step in (0, 7):
            ours, theirs = held(step), loaded(step)
            assert (ours.x == theirs.x).all()
            assert (ours.lmbda == theirs.lmbda).all()
            assert ours.seeds == theirs.seeds


def test_processes_share_the_batch_that_one_would_have(batches):
    whole, parts = batches()(3), [batches(share=(rank, 2))(3) for rank in (0, 1)]
    for name in ("x", "lmbda", "trained"):
        joined = np.concatenate([getattr(part, name).numpy() for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name).numpy())
    assert parts[0].seeds + parts[1].seeds == whole.seeds
    with pytest.raises(ValueError, match="cannot share a batch of 14"):
        batches(share=(0, 4))


def test_crops_are_pieces_of_the_pictures_some_mirrored(batches, folder):
    whole = {p: np.asarray(open_rgb(folder / p)) for p in ("china.jpg", "deeper/rocket.jpg")}
    mirrored = 0
    for x in batches(settings={"scales": [1.0]})(0).x.permute(0, 2, 3, 1).numpy():
        for candidate, flip in ((x, 0), (x[:, ::-1], 1)):
            for picture in whole.values():
                places = np.argwhere((picture[:-47, :-47] == candidate[0, 0]).all(axis=2))
                if any(np.array_equal(picture[r : r + 48, c : c + 48], candidate) for r, c in places):
                    mirrored += flip
    assert mirrored > 0


def test_half_of_the_rates_are_trained_ones_and_the_rest_lies_between(batches):
    config = Config()
    seen, extremes = set(), []
    for step in range(50):
        batch = batches()(step)
        assert int(batch.trained.sum()) == 7
        assert set(batch.lmbda[batch.trained].tolist()) <= set(config.lmbdas)
        octaves = np.log2(batch.lmbda[~batch.trained].numpy() / 64)
        assert octaves.min() >= 0
        assert octaves.max() <= 6
        extremes += [np.abs(octaves - np.round(octaves)).max()]
        seen |= set(batch.lmbda[batch.trained].tolist())
    assert seen == set(config.lmbdas)
    assert 0.45 < max(extremes) <= 0.5


@pytest.mark.parametrize("trained", [(64.0, 256.0, 1024.0, 4096.0), (64.0, 128.0, 2048.0, 4096.0)])
def test_rates_reach_half_way_to_the_next_trained_one_however_far_that_is(trained):
    """No quarter of an octave is left out."""
    rng = np.random.default_rng(0)
    drawn = [data.draw_lmbdas(rng, 64, trained, 0.5) for _ in range(200)]
    octaves = np.log2(np.concatenate([lmbda[~is_trained] for lmbda, is_trained in drawn]) / 64)
    counts, _ = np.histogram(octaves, bins=np.arange(0, 6.01, 0.25))
    assert counts.min() > 40
    nearest = np.abs(octaves[:, None] - np.log2(np.array(trained) / 64)).min(axis=1)
    assert nearest.max() == pytest.approx(max(np.diff(np.log2(trained))) / 2, abs=0.02)


def test_a_crop_larger_than_every_picture_is_refused(batches):
    with pytest.raises(ValueError, match="smaller than a crop of 4096"):
        batches(side=4096)


def test_the_bundled_photographs_are_small_free_and_not_in_the_gallery(tmp_path):
    import json

    credits = json.loads((data.BUNDLED / "credits.json").read_text())
    files = {path.name for path in data.BUNDLED.iterdir()} - {"credits.json"}
    assert {c["file"] for c in credits.values()} == files
    assert all("CC0" in c["credit"] for c in credits.values())
    assert sum((data.BUNDLED / name).stat().st_size for name in files) < 1_500_000
    assert not set(credits) & set(gallery())
    pictures, _ = opened(data.BUNDLED)
    pictures.split(load("tiny").validation)


@pytest.mark.slow
def test_packing_keeps_pictures_names_and_credits(folder, tmp_path):
    for name in ("china.jpg", "deeper/rocket.jpg"):
        open_rgb(folder / name).reduce(3).save(folder / name, quality=95)
    said, output = [], tmp_path / "small.zip"
    quality = pack(folder, output, 40_000, said.append)
    assert output.stat().st_size <= 40_000
    assert 50 <= quality <= 95
    assert len(said) == 2
    assert "licences.csv" in zipfile.ZipFile(output).namelist()
    pictures, _ = opened(output)
    assert [p.name for p in pictures.pictures] == ["china.avif", "deeper/rocket.avif", "green.avif"]
    copy, original = pictures.pictures[0].copies[0], np.asarray(open_rgb(folder / "china.jpg")).astype(float)
    error = pictures.cut(copy, 0, 0, 140) - original[:140, :140]
    assert np.sqrt(np.mean(error**2)) < 6
    best = pack(folder, output, 10_000_000, said.append)
    assert best == 95


def test_a_limit_too_small_says_so_and_writes_nothing(tmp_path):
    (tmp_path / "photos").mkdir()
    open_rgb(gallery()["china"].path).crop((0, 0, 64, 64)).save(tmp_path / "photos" / "china.png")
    with pytest.raises(ValueError, match="raise --limit"):
        pack(tmp_path / "photos", tmp_path / "small.zip", 300, print)
    assert not list(tmp_path.glob("*small.zip*"))


@pytest.mark.parametrize(
    ("text", "size"), [("45MB", 45_000_000), ("500 kB", 500_000), ("1234", 1234), ("1.5gb", 1.5e9)]
)
def test_sizes(text, size):
    assert parse_size(text) == size


def test_a_wrong_size():
    with pytest.raises(ValueError, match="write 45MB"):
        parse_size("much")
