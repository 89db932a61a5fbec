"""Films over λ: each picture is that of the real file, λ rises and falls, every format opens."""

import io

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

import mae_viz
from mae_viz.ladders.ladder import Ladders
from mae_viz.rates import LMBDAS
from mae_viz.viewer import sweep

WIDTH, HEIGHT = 64, 48
COUNT = 2 * 25 - 2  # quarter octaves from 64 to 4096, and back without the ends


@pytest.fixture(scope="module")
def small(photograph) -> Image.Image:
    return photograph.crop((200, 120, 200 + WIDTH, 120 + HEIGHT))


@pytest.fixture(scope="module")
def ladders(tmp_path_factory) -> Ladders:
    return Ladders(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("kind", [".webp", ".gif"])
def test_lambda_rises_and_falls_over_the_pictures_of_real_files(ladders, small, kind):
    film = Image.open(io.BytesIO(sweep.sweep(ladders, small, ["mae", "bottleneck-scaling"], kind)))
    assert film.info["loop"] == 0
    shown = [np.asarray(frame.convert("RGB"), float) for frame in ImageSequence.Iterator(film)]
    assert len(shown) == COUNT
    for octave, lmbda in enumerate(LMBDAS):
        for k, model in enumerate(("mae", "bottleneck-scaling")):
            decoded = np.asarray(mae_viz.decompress(mae_viz.compress(small, model, lmbda)), float)
            left = k * (shown[0].shape[1] - WIDTH)
            for frame in {4 * octave, (COUNT - 4 * octave) % COUNT}:
                there = shown[frame][:HEIGHT, left : left + WIDTH]
                assert np.abs(there - decoded).mean() < 6  # neither format is lossless here
    assert not np.array_equal(shown[0][HEIGHT:], shown[24][HEIGHT:])  # what is written below changes with λ


def test_mp4_has_every_frame(ladders, small, tmp_path):
    (tmp_path / "film.mp4").write_bytes(sweep.sweep(ladders, small, ["mae"], ".mp4"))
    count, _ = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))
    assert count == COUNT + 2 * 4  # both ends stand five times as long


def test_what_cannot_be_a_film_is_said(ladders, small):
    with pytest.raises(ValueError, match=r"\.avi is no film that can be written here: choose \.webp"):
        sweep.sweep(ladders, small, ["mae"], ".avi")
    with pytest.raises(ValueError, match="has no λ to sweep over"):
        sweep.sweep(ladders, small, ["mae", "jpeg"])


def test_a_bundled_photograph_by_the_command_line(run, monkeypatch, tmp_path, small):
    monkeypatch.setenv("MAE_VIZ_CACHE", str(tmp_path / "cache"))
    small.save(tmp_path / "small.png")
    said = run("sweep", tmp_path / "small.png", "-o", tmp_path / "film.webp", "--codecs", "bottleneck-scaling")
    assert "film.webp: 0." in said.out
    with Image.open(tmp_path / "film.webp") as film:
        assert film.n_frames == COUNT
