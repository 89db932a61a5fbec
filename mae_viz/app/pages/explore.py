"""Page *Explore*: one λ drives the pictures, the files and the bottleneck's maps of any codecs, side by side.

What the viewer shows lies in the address: ``lambda``, and ``preset`` or ``panes`` (`mae_viz.viewer.pane_text`). Each
release of λ and each choice is one step of the browser's history.
"""

from functools import partial

import streamlit as st

from mae_viz import viewer
from mae_viz.app import address, computed
from mae_viz.app.computed import Picture
from mae_viz.app.parts import blind, controls, matching, subject
from mae_viz.ladders import ladder
from mae_viz.ladders.frame import middle, sources
from mae_viz.rates import Rate
from mae_viz.viewer import pane_text, streamlit_host

START = Rate.near(512)

PRESETS = {
    "pictures": ("Pictures", "original,mae,bottleneck-scaling"),
    "schemes": ("All three schemes", "original,independent,bottleneck-scaling,mae"),
    "ratios": ("Pictures and ratios", "mae,bottleneck-scaling,mae:ratio,bottleneck-scaling:ratio"),
    "maps-mae": ("Maps of the MAE", "mae:y,mae:y@64,mae:ratio,bottleneck-scaling:ratio"),
    "maps-scaling": (
        "Maps of bottleneck scaling",
        "bottleneck-scaling:y,bottleneck-scaling:y@64,bottleneck-scaling:ratio,mae:ratio",
    ),
    "lost": (
        "What is lost",
        "mae:difference,bottleneck-scaling:difference,mae:bits,bottleneck-scaling:bits",
    ),
    "hyperprior": (
        "With hyperprior",
        f"mae,{controls.HYPERPRIOR},mae:bits,{controls.HYPERPRIOR}:bits",
    ),
    "classical": ("Against classical codecs", "mae,jpeg,webp,avif"),
}
"""By name in the address: title, panes."""


def page() -> None:
    st.title("One network, every rate")
    st.markdown(
        "Drag **λ** and **look at the low end**: the modulated autoencoder (MAE) re-weights the channels of *every* "
        "layer, bottleneck scaling only those of the last, so that at equal λ the MAE's file is smaller: it can drop "
        "detail that a fixed encoder keeps."
    )
    picture = subject.choose_picture()
    if picture is None:
        return
    shown, part = choose_part(picture)
    if blind.running():
        blind.page(shown)
        return
    rate, panes = what_the_address_says()
    choose_preset(panes)
    whole = None if shown is picture else picture.image
    manifest = viewer.manifest(ladder.shared(), shown.image, picture.name, rate, panes=panes, whole=whole, part=part)
    streamlit_host.viewer(manifest, key="viewer", on_change=keep_what_was_released)
    explain_maps(panes)
    matching.controls(
        shown, rate, panes, lambda found: address.turn_to({"panes": pane_text.write(found), "preset": None})
    )
    blind.offer()
    save_files(picture, rate)
    explain_numbers()


def what_the_address_says() -> tuple[Rate, list[dict]]:
    """λ and panes; where the address names what there is not, a sentence says so and the defaults hold."""
    rate, panes = START, pane_text.read(PRESETS["pictures"][1])
    try:
        rate = Rate.near(float(address.read("lambda", str(START))))
        _, preset = PRESETS.get(address.read("preset"), PRESETS["pictures"])
        panes = pane_text.read(address.read("panes") or preset)
    except ValueError as error:
        st.warning(f"The address asks for what cannot be shown: {error}")
    return rate, panes


def keep_what_was_released() -> None:
    view = st.session_state["viewer"]["view"]
    panes = pane_text.write(view["panes"])
    preset = preset_of(view["panes"])
    named = {"preset": None if preset == "pictures" else preset, "panes": None if preset else panes}
    address.turn_to({"lambda": str(Rate(view["index"])), **named})


def preset_of(panes: list[dict]) -> str | None:
    """The preset that these panes are, whichever channel their maps show."""
    text = pane_text.write([{**pane, "channel": None} for pane in panes])
    return next((name for name, (_, preset) in PRESETS.items() if preset == text), None)


def choose_preset(panes: list[dict]) -> None:
    def choose() -> None:
        if name := st.session_state["preset"]:
            address.turn_to({"preset": None if name == "pictures" else name, "panes": None})

    st.session_state["preset"] = preset_of(panes)
    here = sources()
    offered = [name for name, (_, text) in PRESETS.items() if all(p.split(":")[0] in here for p in text.split(","))]
    st.segmented_control("Show", offered, format_func=lambda name: PRESETS[name][0], key="preset", on_change=choose)


def choose_part(picture: Picture) -> tuple[Picture, tuple[int, int]]:
    """The picture itself, or of a large one the part that the viewer scrubs through, and where that lies."""
    width, height = picture.image.size
    part = middle(picture.image)
    if part is picture.image:
        return picture, (0, 0)
    st.caption(
        f"{width} × {height} pixels are too many to scrub through: λ moves in a part of {part.width} × {part.height}. "
        "Move it here; the viewer's button “Whole picture” shows all of it at the λ released."
    )
    across, down = st.columns(2)
    room = (width - part.width, height - part.height)
    left = across.slider("Part: from left to right", 0, max(1, room[0]), room[0] // 2, step=1, disabled=not room[0])
    top = down.slider("Part: from top to bottom", 0, max(1, room[1]), room[1] // 2, step=1, disabled=not room[1])
    box = (left, top, left + part.width, top + part.height)
    return Picture(picture.name, picture.image.crop(box)), (left, top)


def explain_maps(panes: list[dict]) -> None:
    if any(pane["layer"] == "ratio" for pane in panes):
        st.markdown(
            "**The ratio** divides y by y at λ = 64, place by place. Under bottleneck scaling it is s(λ) / s(64), one "
            "number: all that λ can do is to stretch the same map before rounding. Under the MAE it varies from place "
            "to place: λ changes *what* is encoded, not only how finely (the paper's Fig. 4, λ = 4096 against 64)."
        )


def save_files(picture: Picture, rate: Rate) -> None:
    """The real files at the λ released, of the whole picture; coded when someone asks for one."""
    lmbda = rate.lmbda
    with st.container(horizontal=True):
        for model in controls.models():
            st.download_button(
                f"Save as .mae: {controls.title(model)}, λ = {lmbda:.0f}",
                partial(computed.stream, picture, model, rate),
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
