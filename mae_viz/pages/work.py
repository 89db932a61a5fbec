"""What pages compute, cached once for all browser sessions by (picture, model, rate index)."""

import base64
import hashlib
import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
from PIL import Image

from mae_viz import codec, metrics, probe, rates
from mae_viz.checkpoints import open_checkpoint
from mae_viz.images import open_rgb

MAX_UPLOAD_PIXELS = 16_000_000


@dataclass(frozen=True)
class Picture:
    """A picture on show; ``key`` identifies its pixels."""

    name: str
    image: Image.Image

    @cached_property
    def key(self) -> str:
        return hashlib.sha256(f"{self.image.size}".encode() + self.image.tobytes()).hexdigest()

    @cached_property
    def pixels(self) -> np.ndarray:
        return np.asarray(self.image)


@dataclass(frozen=True)
class Coded:
    """A picture after a real round trip through a file, and what that cost."""

    stream: bytes
    png: bytes
    bpp: float
    estimated_bpp: float
    psnr_db: float
    ms_ssim_db: float | None


@st.cache_data(max_entries=16, show_spinner=False)
def picture_from(name: str, source: bytes) -> Picture:
    """A file's bytes as a picture. Raises ImageError with a sentence."""
    return Picture(name, open_rgb(source, max_pixels=MAX_UPLOAD_PIXELS))


def coded(picture: Picture, model: str, index: int) -> Coded:
    """The picture after `decompress(compress(picture, λ))`, λ given as a rate index."""
    return _coded(picture.key, picture, model, index)


def latents(picture: Picture, model: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    """y before quantisation and bits of each place, (C, h, w) both, at a rate index."""
    return _latents(picture.key, picture, model, index)


@st.cache_data(max_entries=200, show_spinner=False)
def _coded(key: str, _picture: Picture, model: str, index: int) -> Coded:
    stream = codec.compress(_picture.image, model, rates.at_index(index))
    decoded = codec.decompress(stream)
    pixels = np.asarray(decoded)
    height, width = pixels.shape[:2]
    bits = float(latents(_picture, model, index)[1].sum())
    return Coded(
        stream,
        to_png(decoded),
        metrics.bpp(len(stream), height, width),
        bits / (height * width),
        metrics.psnr_db(pixels, _picture.pixels),
        metrics.ms_ssim_db(pixels, _picture.pixels),
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _latents(key: str, _picture: Picture, model: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    return probe.latents(open_checkpoint(model), _picture.image, rates.at_index(index))


def to_png(image: Image.Image) -> bytes:
    """A picture as PNG, quickly: it travels over the local network at most."""
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=1)
    return data.getvalue()


def data_url(png: bytes) -> str:
    """PNG bytes as a URL: `st.image` shows it as it is, where it would shrink wide pictures given as bytes."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
