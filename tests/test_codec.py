"""Pictures through real files: what comes back is what the network says, at the rate that the network says."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import KODAK, PHOTOGRAPHS
from PIL import Image

import mae_viz
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.images import open_rgb
from mae_viz.rates import Rate

CODED = [("mae", 64), ("mae", 300), ("bottleneck-scaling", 4096), ("independent-4096", 4096)]


@pytest.mark.parametrize(("name", "lmbda"), CODED)
@pytest.mark.parametrize("path", (KODAK or PHOTOGRAPHS)[:3], ids=lambda path: path.stem)
def test_files_hold_what_the_network_says_at_the_rate_that_it_says(path, name, lmbda):
    picture = open_rgb(path)
    checkpoint, model = checkpoints.open_checkpoint(name), mae_viz.load(name)
    stream = coder.compress(picture, name, lmbda)
    parsed = bitstream.parse(stream)
    rate = torch.tensor([parsed.lmbda])
    y_hat = coder.decode_y_hat(checkpoint, parsed)
    with torch.inference_mode():
        out = model(coder.to_tensor(picture, model.stride), rate)
        direct = coder.to_image(model.synthesis(y_hat, rate), picture.height, picture.width)
    # gains folded into kernels round sums in another order: only what lies at a tie may fall to the other side
    centred = out["y"] - model.prior.medians(rate)
    symbols = y_hat - model.prior.medians(rate)
    other = symbols.round() != centred.round()
    assert other.float().mean() < 1e-4
    assert ((centred - centred.floor() - 0.5).abs()[other] < 1e-3).all()
    off = np.abs(np.asarray(coder.decompress(stream)).astype(int) - np.asarray(direct))
    assert off.max() <= 1
    assert off.mean() < 1e-4
    estimate = -out["likelihoods"]["y"].log2().sum().item() / 8
    assert abs(len(stream) - bitstream.HEADER_BYTES - estimate) < 0.01 * estimate


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (15, 17), (16, 16), (17, 31), (160, 33)])
def test_any_size(size, noise):
    picture = Image.fromarray(noise(*size))
    decoded = mae_viz.decompress(mae_viz.compress(picture, lmbda=4096))
    assert decoded.size == picture.size
    assert decoded.mode == "RGB"


def test_a_flat_picture_stays_flat():
    decoded = np.asarray(mae_viz.decompress(mae_viz.compress(Image.new("RGB", (256, 256), (120, 80, 40)), lmbda=512)))
    assert np.abs(decoded.astype(int) - [120, 80, 40]).mean() < 4


def test_pictures_arrive_as_paths_bytes_arrays_and_images(photograph, tmp_path):
    crop = photograph.crop((0, 0, 48, 32))
    crop.save(tmp_path / "crop.png")
    data = (tmp_path / "crop.png").read_bytes()
    streams = {mae_viz.compress(source) for source in (tmp_path / "crop.png", data, np.asarray(crop), crop)}
    assert len(streams) == 1


def test_the_rate_is_snapped_to_the_grid_and_told(crop):
    told = mae_viz.info(mae_viz.compress(crop, lmbda=300))
    assert told["lmbda"] == Rate.near(300).lmbda != 300
    assert (told["width"], told["height"], told["model"]) == (crop.width, crop.height, "mae")


def test_same_bytes_every_time(crop):
    assert mae_viz.compress(crop, lmbda=700) == mae_viz.compress(crop, lmbda=700)


def test_tiles_give_what_the_whole_gives(photograph, monkeypatch):
    checkpoint = checkpoints.open_checkpoint("mae")
    picture = photograph.crop((0, 0, 437, 300))
    x, rate = coder.to_tensor(picture, 16), Rate.near(1024)
    with torch.inference_mode():
        whole = coder.encode_latents(checkpoint, x, rate)
        decoded = coder.decode_latents(checkpoint, whole.round(), rate)
        for tile in (64, 112, 256):
            monkeypatch.setattr(coder, "TILE", tile)
            done = []
            torch.testing.assert_close(
                coder.encode_latents(checkpoint, x, rate, done.append), whole, atol=1e-4, rtol=1e-4
            )
            torch.testing.assert_close(
                coder.decode_latents(checkpoint, whole.round(), rate), decoded, atol=1e-5, rtol=1e-4
            )
            assert done == sorted(done)
            assert done[-1] == 1


@pytest.mark.parametrize("name", ["mae", "bottleneck-scaling", "hyperprior"])
def test_tiles_give_the_same_symbols_at_sizes_around_their_borders(name, photograph, monkeypatch):
    """Every symbol but those of latents within 1e-4 of a tie, which are counted; pixels of equal symbols to 1e-5."""
    if name == "hyperprior":
        name = str(Path(__file__).parent / "golden" / name)
    checkpoint, rate = checkpoints.open_checkpoint(name), Rate.near(1024)
    stride, tile, at_ties = checkpoint.model.stride, 64, 0
    for side in (tile - 1, tile, tile + 1, 2 * tile - 16, 2 * tile + 1, 3 * tile + 17):
        x = coder.to_pixels(photograph.crop((200, 60, 200 + side, 60 + 3 * tile - side // 2)), stride)
        monkeypatch.setattr(coder, "TILE", 1024)
        y = coder.encode_latents(checkpoint, x, rate)
        whole = coder.quantise(checkpoint, y, rate)[-1]
        y_hat = torch.from_numpy(whole)[None].float()
        x_hat = coder.decode_latents(checkpoint, y_hat, rate)
        monkeypatch.setattr(coder, "TILE", tile)
        tiled = coder.quantise(checkpoint, coder.encode_latents(checkpoint, x, rate), rate)[-1]
        centred = y[0] - (0 if checkpoint.hyper else checkpoint.model.prior.medians(rate.tensor())[0])
        tie = ((centred - centred.floor() - 0.5).abs() < 1e-4).numpy()
        at_ties += int((whole != tiled).sum())
        assert not (whole != tiled)[~tie].any()
        scale = float(x_hat.abs().max())
        torch.testing.assert_close(coder.decode_latents(checkpoint, y_hat, rate), x_hat, atol=1e-5 * scale, rtol=0)
    assert at_ties <= 2


# What is wrong is said in one kind of exception


def test_damaged_files_are_refused(crop):
    stream = mae_viz.compress(crop)
    generator = np.random.default_rng(1)
    for position in [*range(bitstream.HEADER_BYTES), *generator.integers(35, len(stream), 60).tolist()]:
        broken = bytearray(stream)
        broken[position] ^= 1 << int(generator.integers(8))
        with pytest.raises(mae_viz.StreamError):
            mae_viz.decompress(bytes(broken))
    for broken in (b"", stream[:20], stream[:-1], stream + b"x", b"\x89PNG" + stream[4:]):
        with pytest.raises(mae_viz.StreamError):
            mae_viz.decompress(broken)


def _repacked(stream: bytes, **changes) -> bytes:
    parsed = bitstream.parse(stream)
    return bitstream.Stream(**{f: getattr(parsed, f) for f in parsed.__dataclass_fields__} | changes).pack()


def test_a_file_of_an_unknown_model_is_refused(crop):
    with pytest.raises(mae_viz.StreamError, match="which is not here"):
        mae_viz.decompress(_repacked(mae_viz.compress(crop), fingerprint=b"?" * 8))


def test_a_file_decoded_with_another_models_tables_is_refused(crop):
    other = checkpoints.fingerprint_of("bottleneck-scaling")
    with pytest.raises(mae_viz.StreamError, match=r"checksum|contradict"):
        mae_viz.decompress(_repacked(mae_viz.compress(crop), fingerprint=other))


def test_symbols_are_checked_too(crop):
    with pytest.raises(mae_viz.StreamError, match="do not match their checksum"):
        mae_viz.decompress(_repacked(mae_viz.compress(crop), symbols_crc=1))


def test_a_rate_that_the_model_does_not_have_is_refused_in_both_directions(crop):
    with pytest.raises(ValueError, match="λ = 4096 alone"):
        mae_viz.compress(crop, "independent-4096", 512)
    with pytest.raises(mae_viz.StreamError, match="does not fit its model"):
        mae_viz.decompress(_repacked(mae_viz.compress(crop, "independent-4096", 4096), rate_index=0))


def test_a_model_of_ones_own_needs_its_folder(crop, tmp_path):
    from mae_viz.models import MAE

    torch.manual_seed(0)
    path = str(checkpoints.save(MAE(8), "own", "random weights", into=tmp_path))
    stream = mae_viz.compress(crop, path, 200)
    with pytest.raises(mae_viz.StreamError, match="which is not here"):
        mae_viz.decompress(stream)
    assert mae_viz.decompress(stream, model=path).size == crop.size


def test_pictures_that_are_none_are_refused():
    with pytest.raises(mae_viz.ImageError, match="no picture"):
        mae_viz.compress(b"not a picture")
    data = io.BytesIO()
    Image.new("RGB", (64, 64)).save(data, "PNG")
    with pytest.raises(mae_viz.ImageError, match=r"damaged or cut off|no picture"):
        mae_viz.compress(data.getvalue()[:60])
