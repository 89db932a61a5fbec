"""Page *Laboratory*, the one that opens: one λ drives pictures, files, maps, gains and curve, in one window.

What it shows lies in the address: ``lambda``, and ``show``, the name of an arrangement
(`mae_viz.viewer.arrangements`), or what differs from the first of them: ``panes`` (`mae_viz.viewer.pane_text`),
``mode`` and ``panels``; and ``match``, what all codecs are compared at (`mae_viz.app.parts.matching`). Each release of
λ and each choice is one step of the browser's history.
"""

from functools import partial

import streamlit as st

from mae_viz import viewer
from mae_viz.app import address, computed, lessons, site
from mae_viz.app.computed import Picture
from mae_viz.app.parts import blind, controls, matching, part, subject
from mae_viz.app.parts.literal import literal
from mae_viz.codecs.interface import LambdaAxis
from mae_viz.codecs.registry import absent, codec
from mae_viz.coding.weights import how_to_get
from mae_viz.images import gallery
from mae_viz.ladders import ladder
from mae_viz.numbers import NARROW, in_bits, percent
from mae_viz.rates import Rate
from mae_viz.viewer import pane_text, streamlit_host
from mae_viz.viewer.arrangements import ARRANGEMENTS, MODES, PANELS, laboratory
from mae_viz.viewer.sweep import kinds

START = Rate.near(128)
"""λ at first: low enough to see what the two models lose."""

FIRST = next(iter(ARRANGEMENTS.values()))

HERE = site.TITLES["laboratory"][1]
"""The page's icon, which links to other pages have by themselves."""

QUESTIONS: tuple[tuple[str, str, str, dict[str, str | float]], ...] = (
    ("From which λ on is bottleneck scaling as good as the MAE on this photograph?", "laboratory",
     f"{HERE} Laboratory, panel “Who pays”", {"panels": "price,curve"}),
    ("Why does the ratio map of bottleneck scaling have one colour, and what varies in the MAE's?", "feature-maps",
     "Feature maps", {"lambda_": 4096}),
    ("Where does the MAE spend its bits at λ = 64?", "laboratory", f"{HERE} Laboratory, “Bits”",
     {"show": "bits", "lambda_": 64}),
    ("What happens to a channel that is off, and does the file jump where it wakes?", "bits", "Where the bits go",
     {"lambda_": 4096, "base": 64}),
    ("What does twice the λ cost in bytes?", "bits", "Where the bits go", {"lambda_": 2048, "base": 64}),
    ("What does λ do inside each layer, and is the decoder's gain the inverse of the encoder's?", "gains", "Gains",
     {"lambda_": 700}),
    ("What does λ = 700 use, and why does the file say 700.9?", "how", "How it works, step 10",
     {"lambda_": 700, "step": 10}),
    ("How good is it beside JPEG, AVIF, BPG and other networks?", "curves", "R-D curves", {}),
    ("What is in a file, byte by byte, and can it break?", "file", "File", {"lambda_": 512}),
    ("How does all of it work, from the start?", "how", "How it works, step by step", {"lambda_": 512}),
)  # fmt: skip


def page() -> None:
    with site.bar():
        with st.container(key="heading"):
            st.html("<h1>Laboratory</h1>")
        picture = subject.choose()
    if picture is None:
        return
    shown, place = part.choose(picture)
    if blind.running():
        blind.page(shown)
        return
    rate, panes, mode, panels = what_the_address_says()
    whole = None if shown is picture else picture.image
    manifest = viewer.manifest(
        ladder.shared(),
        shown.image,
        picture.name,
        rate,
        panes=panes,
        whole=whole,
        part=place,
        laboratory=laboratory(mode, panels),
    )
    streamlit_host.viewer(manifest, key="viewer", on_change=keep_what_was_released)
    subject.caption()
    explain()

    matching.controls(shown, rate, panes, lambda two: address.turn_to(named(two, "wipe", panels)))
    blind.offer()
    say_what_is_absent()
    save_files(picture, rate)
    save_sweep(picture, (*place, place[0] + shown.image.width, place[1] + shown.image.height), panes)
    explain_numbers()
    where_to_go()
    show_lessons()


def what_the_address_says() -> tuple[Rate, list[dict], str, list[str]]:
    """λ, panes, mode and panels; where the address names what there is not, a sentence says so and the first
    arrangement holds."""
    rate, panes, mode, panels = START, pane_text.read(FIRST.panes), FIRST.mode, list(FIRST.panels)
    try:
        rate = Rate.near(float(address.read("lambda", str(START))))
        arrangement = ARRANGEMENTS.get(address.read("show"), FIRST)
        mode = _one_of(MODES, address.read("mode", arrangement.mode))
        told = address.read("panels", ",".join(arrangement.panels))
        panels = [_one_of(PANELS, name) for name in told.split(",") if name]
        panes = pane_text.read(address.read("panes", arrangement.panes))
    except ValueError as error:
        st.warning(f"The address asks for what cannot be shown: {literal(str(error))}")
    return rate, panes, mode, list(dict.fromkeys(panels))


def _one_of(known: tuple[str, ...] | dict[str, str], name: str) -> str:
    if name not in known:
        raise ValueError(f"there is no “{name[:40]}”: the laboratory has {', '.join(known)}.")
    return name


def keep_what_was_released() -> None:
    view = st.session_state["viewer"]["view"]
    address.turn_to({"lambda": str(Rate(view["index"])), **named(view["panes"], view["mode"], view["panels"])})


def named(panes: list[dict], mode: str, panels: list[str]) -> dict[str, str | None]:
    """What the address says of them: the arrangement that they are, whichever channel its maps show, or else how they
    differ from the first one."""
    plain = pane_text.write([{**pane, "channel": None} for pane in panes])
    for name, known in ARRANGEMENTS.items():
        if (plain, mode, tuple(panels)) == (known.panes, known.mode, known.panels):
            return {"show": None if known is FIRST else name, "panes": None, "mode": None, "panels": None}
    return {
        "show": None,
        "panes": None if plain == FIRST.panes else pane_text.write(panes),
        "mode": None if mode == FIRST.mode else mode,
        "panels": None if tuple(panels) == FIRST.panels else ",".join(panels),
    }


def explain() -> None:
    st.markdown(
        "**One network, every rate.** The modulated autoencoder (MAE) compresses a picture to *any* size: a single "
        "number, **λ**, sets a gain for every channel of *every* layer. **Bottleneck scaling** is the simple rival: "
        "its encoder never changes, λ only stretches the last layer's channels before they are rounded. So its ratio "
        "map has one value, s(λ₁) / s(λ₂), where the MAE's varies from place to place: λ changes *what* is encoded, "
        "not only how finely. Every picture above is a real file, decoded; the sentence on top is computed from the "
        "bytes and the quality of such files at 25 λ, with straight lines of log bytes over dB between them."
    )


def say_what_is_absent() -> None:
    """Models that the viewer cannot offer, because their weights are not here."""
    lacking = absent()
    if lacking:
        st.caption(
            f"Not among the codecs here: {' and '.join(lacking.values())}, whose weights did not come along; "
            f"{how_to_get()}."
        )


def save_files(picture: Picture, rate: Rate) -> None:
    """The real files at the λ released, of the whole picture; coded when someone asks for one."""
    with st.container(horizontal=True):
        for model in controls.models():
            st.download_button(
                f"Save as .mae: {controls.title(model)}, λ = {rate}",
                partial(computed.stream_of, picture.name, picture.source, model, rate),
                f"{picture.name}-{model}-{rate}.mae",
                key=f"save {model}",
                on_click="ignore",
            )


def save_sweep(picture: Picture, box: tuple[int, int, int, int], panes: list[dict]) -> None:
    """Films for slides of the models on the stage, on a part of the picture."""
    models = tuple(dict.fromkeys(p["codec"] for p in panes if isinstance(codec(p["codec"]).axis, LambdaAxis)))
    if not models:
        return
    named = " and ".join(controls.title(model) for model in models)
    with st.container(horizontal=True):
        for kind in kinds():
            st.download_button(
                f"Film over λ for slides ({kind[1:].upper().replace('WEBP', 'WebP')}): {named}",
                partial(computed.sweep_of, picture.name, picture.source, box, models, kind),
                f"{picture.name}-{'-'.join(models)}{kind}",
                key=f"film {kind}",
                on_click="ignore",
            )


def explain_numbers() -> None:
    with st.expander("What these numbers are"):
        st.markdown(
            "**λ** weighs the error against the rate: the networks minimise bits per pixel + λ · mean squared error"
            f" of values in [0, 1] (for 0-255 divide λ by 65025). A file names it in steps of 1/64 octave, about "
            f"{percent(0.01)}: asked for 700, it is 700.9. Each picture is what `decompress(compress(image, λ))` "
            "returns, shown losslessly. **Bytes** are the length of that file; **bpp** is 8 × bytes over the pixels of "
            f"the original, header included; **saved** is against {in_bits(24)} per pixel. **PSNR** and **MS-SSIM** "
            "(as −10 log₁₀(1 − MS-SSIM); n/a under 161 pixels a side) are taken on 8-bit RGB. **Refine** has a "
            "network's encoder think longer: the latents of this one picture are moved by gradient until its file is "
            "smaller or better, for the same decoder. It is a curve of its own and never the network's. Where "
            "something is painted, errors there count up to ten times as much, and λ is chosen anew so that the file "
            "is as long as the plain one."
        )


def where_to_go() -> None:
    st.subheader("Where to go for which question")
    left, right = st.columns(2, gap="large")
    for i, (question, target, label, state) in enumerate(QUESTIONS):
        with (left, right)[i % 2], st.container(gap=None):
            st.markdown(question)
            site.link(target, label, **state)


def show_lessons() -> None:
    """Links to the offline files, or how to make them."""
    st.subheader("Without this app")
    photographs = gallery()
    made = lessons.there()
    if made:
        links = " · ".join(
            f'<a href="{lessons.url(name)}" download="{name}.html">{photographs[name].title}</a> '
            f"({path.stat().st_size / 1e6:.0f}{NARROW}MB)"
            for name, path in made.items()
        )
        st.html(
            "<p>One file for each photograph, with every rate inside: it opens from a disk, offline, and serves a "
            f"lecture of any size. {links}</p>"
        )
    else:
        st.markdown(
            "For a large lecture, or a computer without Python, make one file for each photograph that holds every "
            "rate and opens offline: type `mae-viz lessons` where this app was started; the links appear here."
        )
