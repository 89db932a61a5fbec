"""The command line: what it writes, prints and refuses. `test_project.py` starts it as a person does."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import mae_viz
from mae_viz import metrics
from mae_viz.coding import bitstream, checkpoints
from mae_viz.images import gallery, open_rgb

CHELSEA = str(gallery()["chelsea"].path)


def test_round_trip_and_info(run, tmp_path):
    file, picture = tmp_path / "chelsea.mae", tmp_path / "chelsea.png"
    run("compress", CHELSEA, "-o", file, "--lambda", "300")
    facts = json.loads(run("info", file).out)
    size = file.stat().st_size
    assert (facts["model"], facts["width"], facts["height"], facts["bytes"]) == ("mae", 451, 300, size)
    assert facts["header_bytes"] + facts["payload_bytes"] + facts["escape_bytes"] == size
    assert facts["bpp"] == pytest.approx(8 * size / (451 * 300))
    assert facts["lmbda"] == pytest.approx(300, rel=0.0055)
    run("decompress", file, "-o", picture)
    expected = mae_viz.decompress(mae_viz.compress(CHELSEA, lmbda=300))
    assert np.array_equal(np.asarray(Image.open(picture)), np.asarray(expected))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chelsea.mae", "chelsea.png"]


def test_info_reads_the_header_alone(run, crop, tmp_path):
    """Of a file with eight gigabytes of payload, none of them on the disk."""
    intact = bitstream.parse(mae_viz.compress(crop, lmbda=512))
    with (tmp_path / "vast.mae").open("wb") as file:
        head = bytearray(intact.pack()[: bitstream.HEADER_BYTES])
        head[19:27] = struct.pack("<II", 1 << 31, 5)
        file.write(head)
        file.truncate(len(head) + (1 << 33) + 5)
    facts = json.loads(run("info", tmp_path / "vast.mae").out)
    assert (facts["model"], facts["lmbda"], facts["width"], facts["height"]) == ("mae", 512, *crop.size)
    assert (facts["payload_bytes"], facts["escape_bytes"], facts["bytes"]) == (1 << 33, 5, (1 << 33) + 40)
    head[15:17] = bytes(2)
    (tmp_path / "narrow.mae").write_bytes(head[:19] + bytes(8) + head[27:])
    assert "a size that does not exist" in run("info", tmp_path / "narrow.mae", code=2).err


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        (["--bytes", "9000"], lambda size, psnr: 8910 <= size <= 9000),
        (["--bpp", "0.5"], lambda size, psnr: 0.495 <= 8 * size / (451 * 300) <= 0.5),
        (["--psnr", "31"], lambda size, psnr: 31 <= psnr < 31.1),
    ],
    ids=["bytes", "bpp", "psnr"],
)
def test_a_target_instead_of_a_rate(run, target, holds, tmp_path):
    file = tmp_path / "chelsea.mae"
    run("compress", CHELSEA, "-o", file, *target)
    data = file.read_bytes()
    psnr = metrics.psnr_db(np.asarray(mae_viz.decompress(data)), np.asarray(open_rgb(CHELSEA)))
    assert holds(len(data), psnr)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["compress", CHELSEA, "-o", "OUT", "--bytes", "9000", "--psnr", "30"], "exclude one another"),
        (["compress", CHELSEA, "-o", "OUT", "--bytes", "90"], "90 bytes is out of reach"),
        (["compress", "nothing.png", "-o", "OUT"], "there is no file nothing.png"),
        (["compress", __file__, "-o", "OUT"], "this is no picture"),
        (["compress", CHELSEA, "-o", "OUT", "--lambda", "5000"], "choose 64 ≤ λ ≤ 4096"),
        (["compress", CHELSEA, "-o", "OUT", "--model", "nothing"], "no model named 'nothing'"),
        (["decompress", "nothing.mae", "-o", "OUT.png"], "nothing.mae cannot be read"),
        (["decompress", __file__, "-o", "OUT.png"], "this is no .mae file"),
        (["decompress", __file__, "-o", "OUT.gif"], "names no format: let it end with .png"),
        (["compress", CHELSEA, "-o", CHELSEA], "is what is to be read: name another file"),
        (["compress", CHELSEA, "-o", "OUT.png"], "let its name end with .mae"),
        (["report", "--write"], "is in none."),
        (["bd-rate", "jpeg", "--dataset", "nothing"], "nothing is measured on 'nothing': choose"),
        (["info", __file__], "this is no .mae file"),
    ],
)
def test_errors_are_one_line_and_leave_nothing_behind(run, arguments, sentence, tmp_path, monkeypatch):
    if arguments == ["report", "--write"]:
        monkeypatch.setenv("MAE_VIZ_CHECKPOINTS", str(tmp_path))
    done = run(*(a.replace("OUT", str(tmp_path / "out")) for a in arguments), code=2)
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "form", "psnr_db"),
    [("png", "PNG", 99), ("webp", "WEBP", 99), ("tif", "TIFF", 99), ("jpg", "JPEG", 35), ("avif", "AVIF", 35)],
)
def test_a_decoded_picture_in_the_format_that_its_name_says(run, suffix, form, psnr_db, crop, tmp_path):
    stream = mae_viz.compress(crop, lmbda=512)
    (tmp_path / "crop.mae").write_bytes(stream)
    run("decompress", tmp_path / "crop.mae", "-o", tmp_path / f"out.{suffix}")
    with Image.open(tmp_path / f"out.{suffix}") as written:
        assert written.format == form
        assert metrics.psnr_db(np.asarray(written.convert("RGB")), np.asarray(mae_viz.decompress(stream))) > psnr_db


def test_output_goes_where_it_is_told(run, crop, tmp_path):
    crop.save(tmp_path / "crop.png")
    expected = mae_viz.compress(tmp_path / "crop.png", lmbda=512)
    (tmp_path / "real.mae").write_bytes(b"before")
    (tmp_path / "real.mae").chmod(0o600)
    (tmp_path / "link.mae").symlink_to("real.mae")
    run("compress", tmp_path / "crop.png", "-o", tmp_path / "link.mae")
    assert (tmp_path / "link.mae").is_symlink()
    assert (tmp_path / "real.mae").read_bytes() == expected
    assert (tmp_path / "real.mae").stat().st_mode & 0o777 == 0o600
    os.mkfifo(tmp_path / "fifo")
    reader = subprocess.Popen(["cat", tmp_path / "fifo"], stdout=subprocess.PIPE)
    run("compress", tmp_path / "crop.png", "-o", tmp_path / "fifo")
    assert reader.communicate(timeout=300)[0] == expected


def test_folders_and_several_files(run, crop, tmp_path):
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    for name in ("a.png", "deeper/b.webp"):
        crop.save(tmp_path / "in" / name, lossless=True)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    (tmp_path / "in" / "._a.png").write_bytes(b"\0\5\x16\7")  # macOS's notes on a.png
    said = run("compress", tmp_path / "in", "-o", tmp_path / "out")
    assert said.out.endswith("2 of 2 files written.\n")
    expected = mae_viz.compress(crop, lmbda=512)
    coded = [tmp_path / "out" / name for name in ("a.mae", "deeper/b.mae")]
    assert [file.read_bytes() for file in coded] == [expected, expected]
    coded[1].write_bytes(b"damaged")
    said = run("decompress", *coded, "-o", tmp_path / "back", code=2)
    assert "deeper/b.mae: the file has 7 bytes" in said.err
    assert said.out.endswith("1 of 2 files written.\n")
    assert np.array_equal(open_rgb(tmp_path / "back" / "a.png"), mae_viz.decompress(expected))
    assert not (tmp_path / "back" / "b.png").exists()


def test_folders_are_made_and_what_cannot_be_written_is_told_of(run, crop, tmp_path):
    (tmp_path / "in").mkdir()
    crop.save(tmp_path / "in" / "a.png")
    run("compress", tmp_path / "in", "-o", tmp_path / "one" / "folder")
    coded = tmp_path / "one" / "folder" / "a.mae"
    assert coded.read_bytes() == mae_viz.compress(crop, lmbda=512)
    run("decompress", coded, "-o", tmp_path / "back" / "a.png")
    assert np.array_equal(open_rgb(tmp_path / "back" / "a.png"), mae_viz.decompress(coded.read_bytes()))
    said = run("decompress", coded, "-o", coded / "a.png", code=2)
    assert said.err == f"mae-viz: {coded} is a file, where a folder is needed: name another.\n"
    (tmp_path / "back" / "rd.json").mkdir()
    said = run("evaluate", "jpeg", "--images", tmp_path / "in", "--out", tmp_path / "back" / "rd.json", code=2)
    assert said.err == f"mae-viz: {tmp_path / 'back' / 'rd.json'} is a folder, where a file is needed: name another.\n"


def test_two_files_never_become_one(run, crop, tmp_path):
    for name in ("a.png", "a.webp"):
        crop.save(tmp_path / name)
    said = run("compress", tmp_path, "-o", tmp_path / "out", code=2)
    assert "would both become" in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_pipes_and_consoles_of_few_characters(crop, tmp_path):
    """λ is in what is said; where a console has none, that is no reason to fail."""
    crop.save(tmp_path / "crop.png")

    def said(*arguments, data=b"", encoding="ascii"):
        command = [sys.executable, "-m", "mae_viz", *arguments]
        return subprocess.run(command, input=data, env=os.environ | {"PYTHONIOENCODING": encoding}, capture_output=True)

    coded = said("compress", "-", "-o", "-", data=(tmp_path / "crop.png").read_bytes())
    assert coded.stdout == mae_viz.compress(crop, lmbda=512)
    assert coded.stderr.startswith(b"-: ")
    assert coded.returncode == 0
    for encoding in ("ascii", "cp1252"):
        helped = said("compress", "--help", encoding=encoding)
        assert helped.returncode == 0
        assert b"--lambda" in helped.stdout
    refused = said("compress", "λ.png", "-o", "x")
    assert refused.returncode == 2
    assert b"there is no file" in refused.stderr


def test_a_damaged_file_writes_nothing(run, tmp_path):
    stream = bytearray(mae_viz.compress(CHELSEA, lmbda=64))
    stream[100] ^= 4
    (tmp_path / "damaged.mae").write_bytes(stream)
    done = run("decompress", tmp_path / "damaged.mae", "-o", tmp_path / "out.png", code=2)
    assert "damaged" in done.err
    assert not (tmp_path / "out.png").exists()


VERBS = {
    "compress": ["photo.png", "-o", "out.mae", "--model", "{name}"],
    "evaluate": ["{name}", "--images", ".", "--out", "rd.json", "--lambdas", "64", "--jobs", "1"],
    "figure": ["fig4", "--image", "photo.png", "--model", "{name}", "--format", "png"],
    "export": ["photo.png", "-o", "out.html", "--codecs", "{name}, jpeg"],
}


@pytest.mark.parametrize("how", ["shipped", "relative", "absolute"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_every_kind_of_name(run, verb, how, crop, tmp_path, monkeypatch):
    crop.crop((0, 0, 64, 64)).save(tmp_path / "photo.png")
    folder = tmp_path / "runs" / "mae" / "mae"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(checkpoints.find("mae"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAE_VIZ_CACHE", str(tmp_path / "cache"))
    name = {"shipped": "mae", "relative": "runs/mae/mae", "absolute": str(folder)}[how]
    run(verb, *(argument.format(name=name) for argument in VERBS[verb]))
    made = {"compress": "out.mae", "evaluate": "rd.json", "figure": "figures/fig4.png", "export": "out.html"}[verb]
    assert (tmp_path / made).stat().st_size > 100


def test_a_package_of_an_extra_that_is_missing_is_named_with_its_extra(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    said = run("app", code=2).err
    assert said == "mae-viz: this needs streamlit, which is not installed: type `pip install 'mae-viz[app]'`.\n"
