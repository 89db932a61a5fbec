"""Page *Explore*: one λ drives the pictures, the files, the bottleneck's maps and their ratio."""

import numpy as np
import streamlit as st

from mae_viz import figures, probe, rates
from mae_viz.images import ImageError, gallery
from mae_viz.pages import work
from mae_viz.pages.work import Coded, Picture

MODELS = {"mae": "MAE", "bottleneck-scaling": "Bottleneck scaling"}
LOWEST = rates.grid_index(rates.LMBDA_MIN)


def page() -> None:
    st.title("One network, every rate")
    st.markdown(
        "Move **λ**: the modulated autoencoder (MAE) re-weights the channels of *every* layer, bottleneck scaling only "
        "those of the last. Watch the low end: at equal λ the MAE's file is smaller, because it can drop detail "
        "that a fixed encoder keeps."
    )
    picture = choose_picture()
    if picture is None:
        return
    index = choose_rate()
    with st.spinner("Coding the picture …", show_time=True):
        show_pictures(picture, index)
    with st.spinner("Reading the bottleneck …", show_time=True):
        show_maps(picture, index)


def choose_picture() -> Picture | None:
    """Gallery or upload; None (and a sentence) where an upload is no picture."""
    photographs = gallery()
    chooser, upload = st.columns(2, gap="large")
    with chooser:
        name = st.selectbox("Photograph", photographs, format_func=lambda key: photographs[key].title)
        photograph = photographs[name]
        st.caption(f"Look for {photograph.look_for}. Photograph: {photograph.credit}.")
    with upload:
        file = st.file_uploader(
            "… or your own (it stays on this computer)",
            type=["png", "jpg", "jpeg", "webp", "avif", "tif", "tiff", "bmp"],
        )
    try:
        if file is not None:
            return work.picture_from(file.name, file.getvalue())
        return work.picture_from(photograph.title, photograph.path.read_bytes())
    except ImageError as error:
        st.error(f"{file.name if file else name}: {error}")
        return None


def choose_rate() -> int:
    """The λ control: logarithmic, on exactly the grid that a file can name. Returns the rate index."""

    def go_to_trained() -> None:
        if st.session_state.trained is not None:
            st.session_state.rate = rates.grid_index(st.session_state.trained)
            st.session_state.trained = None

    index = st.select_slider(
        "λ, the weight of the error against the rate",
        options=range(rates.LAST_INDEX + 1),
        value=rates.grid_index(512),
        format_func=lambda k: f"λ = {rates.at_index(k):.0f}",
        key="rate",
        help="The network minimises bits per pixel + λ · mean squared error (of values in [0, 1]; for 0-255 divide "
        "λ by 65025). The scale is logarithmic, in steps of 1/64 octave.",
    )
    lmbda = rates.at_index(index)
    between = (
        "a λ it was trained for" if lmbda in rates.LMBDAS else "between trained λ: gains and entropy model interpolate"
    )
    st.pills(
        "Trained λ",
        [int(v) for v in rates.LMBDAS],
        key="trained",
        on_change=go_to_trained,
        label_visibility="collapsed",
    )
    st.caption(f"λ = {lmbda:.1f} ({lmbda / 65025:.5f} for 0-255), {between}.")
    return index


def show_pictures(picture: Picture, index: int) -> None:
    columns = st.columns(1 + len(MODELS), gap="small")
    with columns[0]:
        st.subheader("Original", anchor=False)
        show_image(work.to_png(picture.image), f"Original: {picture.name}")
        st.caption(f"{picture.image.width} × {picture.image.height}, 24 bpp uncompressed")
    for column, (model, title) in zip(columns[1:], MODELS.items(), strict=True):
        with column:
            coded = work.coded(picture, model, index)
            st.subheader(title, anchor=False)
            show_image(coded.png, f"{title} at λ = {rates.at_index(index):.0f}")
            st.markdown(numbers(coded))
            st.download_button(
                "Save the .mae file", coded.stream, f"{picture.name}-{model}-{rates.at_index(index):.0f}.mae", key=model
            )
    with st.expander("What these numbers are"):
        st.markdown(
            "Each picture is what `decompress(compress(image, λ))` returns, shown without further compression. "
            "**Bytes** are the length of that file, **bpp** is 8 × bytes over the pixels of the original, the header's "
            "35 bytes included; *estimate* is the entropy model's own prediction. **PSNR** and **MS-SSIM** (as "
            "−10 log₁₀(1 − MS-SSIM); n/a under 161 pixels a side) are taken on 8-bit RGB."
        )


def show_image(png: bytes, caption: str) -> None:
    """A picture shown losslessly, its name readable by a screen reader."""
    st.image(work.data_url(png), caption=caption, width="stretch")


def numbers(coded: Coded) -> str:
    ms_ssim = "n/a" if coded.ms_ssim_db is None else f"{coded.ms_ssim_db:.2f} dB"
    return (
        f"**{len(coded.stream):,} bytes** · {coded.bpp:.3f} bpp (estimate {coded.estimated_bpp:.3f}) · "
        f"PSNR **{coded.psnr_db:.2f} dB** · MS-SSIM {ms_ssim}"
    )


def show_maps(picture: Picture, index: int) -> None:
    st.header("The bottleneck, channel by channel", anchor=False)
    here, low = f"λ = {rates.at_index(index):.0f}", "λ = 64"
    bits = work.latents(picture, "mae", index)[1].sum(axis=(1, 2))
    share = bits / bits.sum()
    channel = st.selectbox(
        f"Channel, sorted by the MAE's bits at {here}",
        [int(c) for c in np.argsort(-bits, kind="stable")],
        format_func=lambda c: f"channel {c}: {100 * share[c]:.1f} % of the bits",
        key="channel",
    )
    for model, title in MODELS.items():
        y_here, y_low = (work.latents(picture, model, k)[0][channel] for k in (index, LOWEST))
        ratio = probe.ratio(y_here, y_low)
        st.subheader(title, anchor=False)
        show_map, show_low, show_ratio = st.columns(3)
        for column, y, name in ((show_map, y_here, here), (show_low, y_low, low)):
            label = f"y at {name}: {y.min():.2f} … {y.max():.2f}".replace("-", "−")
            column.plotly_chart(figures.map_figure(y, label), config=_PLAIN, key=f"{model} y {column is show_low}")
        label = f"ratio y({here}) / y({low})"
        show_ratio.plotly_chart(figures.ratio_figure(ratio.values, label), config=_PLAIN, key=f"{model} ratio")
        show_ratio.caption(explain(model, ratio))
    st.markdown(
        "For **bottleneck scaling** the ratio is one constant per channel, s(λ) / s(64): all that λ can do is to "
        "stretch the same map before rounding. For the **MAE** it varies from place to place: λ changes *what* is "
        "encoded, not only how finely (the paper's Fig. 4 shows this for λ = 4096 against 64)."
    )


def explain(model: str, ratio: probe.Ratio) -> str:
    masked = f"{100 * ratio.masked_share:.0f} % of the places masked (|y(64)| under 5 % of its largest)"
    if np.isnan(ratio.mean):
        return f"The channel is switched off at λ = 64: there is nothing to divide by ({masked})."
    if model == "bottleneck-scaling":
        return f"Constant: **{ratio.mean:.4f}** everywhere (variation {ratio.constancy:.0e}); {masked}."
    return f"Mean {ratio.mean:.3f}, varying by **{100 * ratio.constancy:.0f} %** of it; {masked}."


_PLAIN = {"displayModeBar": False}
