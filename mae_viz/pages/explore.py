"""Page *Explore*: one λ drives the pictures, the files, the bottleneck's maps and their ratio."""

import numpy as np
import streamlit as st

from mae_viz import codec, ladder, probe, rates, viewer
from mae_viz.pages import subject, work
from mae_viz.pages.work import Picture
from mae_viz.viewer import streamlit_host

MODELS = {"mae": "MAE", "bottleneck-scaling": "Bottleneck scaling"}
START = 512.0
LOWEST = rates.grid_index(rates.LMBDA_MIN)

PRESETS = {
    "Pictures": [("original", "picture"), ("mae", "picture"), ("bottleneck-scaling", "picture")],
    "Pictures and ratios": [(model, layer) for layer in ("picture", "ratio") for model in MODELS],
    "Maps of the MAE": [("mae", "y"), ("mae", "y at 64"), ("mae", "ratio"), ("bottleneck-scaling", "ratio")],
    "Maps of bottleneck scaling": [
        ("bottleneck-scaling", "y"),
        ("bottleneck-scaling", "y at 64"),
        ("bottleneck-scaling", "ratio"),
        ("mae", "ratio"),
    ],
    "What is lost": [(model, layer) for layer in ("difference", "bits") for model in MODELS],
}


def page() -> None:
    st.title("One network, every rate")
    st.markdown(
        "Drag **λ**: the modulated autoencoder (MAE) re-weights the channels of *every* layer, bottleneck scaling only "
        "those of the last. Watch the low end: at equal λ the MAE's file is smaller, because it can drop detail "
        "that a fixed encoder keeps."
    )
    picture = subject.choose_picture()
    if picture is None:
        return
    shown = choose_crop(picture)
    preset = PRESETS[st.segmented_control("Show", PRESETS, default="Pictures", required=True)]
    released = st.session_state.get("viewer", {}).get("view")
    index = released["index"] if released else rates.grid_index(START)
    maps = any(layer in ("y", "ratio") for _, layer in preset)
    channel = choose_channel(shown) if maps else None
    manifest = viewer.manifest(
        ladder.shared(), shown.image, picture.name, START, panes=[pane(*about, channel) for about in preset]
    )
    streamlit_host.viewer(manifest, key="viewer")
    if maps:
        explain_ratio(shown, index, channel)
    show_files(picture, index, cropped=shown is not picture)
    explain_numbers()


def pane(model: str, layer: str, channel: int | None) -> dict:
    """One pane of the viewer, as its manifest describes it."""
    if layer == "y at 64":
        return {"codec": model, "layer": "y", "channel": channel, "follow": "own", "own": LOWEST}
    return {"codec": model, "layer": layer, "channel": channel}


def choose_channel(shown: Picture) -> int:
    """A channel of the bottleneck, those that cost the MAE most first: one order for all λ, so that the list holds."""
    bits = work.latents(shown, "mae", rates.grid_index(START))[1].sum(axis=(1, 2))
    return st.selectbox(
        f"Channel, sorted by the MAE's bits at λ = {START:.0f}",
        np.argsort(-bits, kind="stable").tolist(),
        format_func=lambda c: f"channel {c}: {100 * bits[c] / bits.sum():.1f} % of the bits",
        key="channel",
    )


def choose_crop(picture: Picture) -> Picture:
    """The picture itself, or of a large one the part that the viewer scrubs through."""
    width, height = picture.image.size
    if width * height <= ladder.MAX_PIXELS:
        return picture
    scale = (ladder.MAX_PIXELS / (width * height)) ** 0.5
    crop_width, crop_height = int(width * scale), int(height * scale)
    st.caption(
        f"{width} × {height} pixels are too many to scrub through: the viewer shows a part of {crop_width} × "
        f"{crop_height}. Move it here; the files below are those of the whole picture."
    )
    across, down = st.columns(2)
    left = across.slider("Part: from left to right", 0, width - crop_width, (width - crop_width) // 2, step=16)
    top = down.slider("Part: from top to bottom", 0, height - crop_height, (height - crop_height) // 2, step=16)
    return Picture(picture.name, picture.image.crop((left, top, left + crop_width, top + crop_height)))


def explain_ratio(shown: Picture, index: int, channel: int) -> None:
    """What the ratio of y at λ to y at 64 says, for the channel on show."""
    lines = []
    for model, title in MODELS.items():
        high, low = (work.latents(shown, model, k)[0][channel] for k in (index, LOWEST))
        lines.append(f"- **{title}**: {explain(model, probe.ratio(high, low))}")
    st.markdown(
        f"The ratio y(λ = {rates.at_index(index):.0f}) / y(λ = 64) of channel {channel}, place by place:\n\n"
        + "\n".join(lines)
        + "\n\nUnder **bottleneck scaling** it is s(λ) / s(64): all that λ can do is to stretch the same map before "
        "rounding. Under the **MAE** it varies from place to place: λ changes *what* is encoded, not only how finely "
        "(the paper's Fig. 4 shows this for λ = 4096 against 64)."
    )


def explain(model: str, ratio: probe.Ratio) -> str:
    masked = f"{100 * ratio.masked_share:.0f} % of the places masked, where |y(64)| is under 5 % of its largest"
    if np.isnan(ratio.mean):
        return f"the channel is switched off at λ = 64, there is nothing to divide by ({masked})."
    if model == "bottleneck-scaling":
        return f"constant, {ratio.mean:.4f} everywhere (it varies by {ratio.constancy:.0e}); {masked}."
    return f"{ratio.mean:.3f} on average, varying by {100 * ratio.constancy:.0f} % of that; {masked}."


@st.fragment
def show_files(picture: Picture, index: int, cropped: bool) -> None:
    """The real files at the λ released: to save, and for a cropped picture the whole one's numbers."""
    columns = st.columns(len(MODELS))
    lmbda = rates.at_index(index)
    for column, (model, title) in zip(columns, MODELS.items(), strict=True):
        with column:
            if cropped:
                with st.spinner(f"Coding all of it: {title} …", show_time=True):
                    coded = work.coded(picture, model, index)
                ms_ssim = "n/a" if coded.ms_ssim_db is None else f"{coded.ms_ssim_db:.2f} dB"
                st.markdown(
                    f"**{title}**, whole picture: {len(coded.stream):,} bytes · {coded.bpp:.3f} bpp (estimate "
                    f"{coded.estimated_bpp:.3f}) · PSNR {coded.psnr_db:.2f} dB · MS-SSIM {ms_ssim}"
                )
            st.download_button(
                f"Save as .mae: {title}, λ = {lmbda:.0f}",
                lambda model=model: codec.compress(picture.image, model, lmbda),
                f"{picture.name}-{model}-{lmbda:.0f}.mae",
                key=f"save {model}",
                on_click="ignore",
            )


def explain_numbers() -> None:
    with st.expander("What these numbers are"):
        st.markdown(
            "**λ** weighs the error against the rate: the networks minimise bits per pixel + λ · mean squared error of "
            "values in [0, 1] (for 0-255 divide λ by 65025). It moves on the grid that a file can name, 1/64 octave "
            "apart. Each picture is what `decompress(compress(image, λ))` returns, shown losslessly. **Bytes** are "
            "the length of that file; **bpp** is 8 × bytes over the pixels of the original, header included. "
            "**PSNR** and **MS-SSIM** (as −10 log₁₀(1 − MS-SSIM); n/a under 161 pixels a side) are taken on 8-bit RGB."
        )
