"""Page *Start*: what this is, one live picture, and where to go for which question."""

import streamlit as st

from mae_viz import viewer
from mae_viz.app import address, computed, lessons, site
from mae_viz.images import gallery
from mae_viz.ladders import ladder
from mae_viz.rates import Rate
from mae_viz.viewer import streamlit_host

START = Rate.near(128)
"""λ of the picture at first: low enough to see what the two models lose."""

QUESTIONS: tuple[tuple[str, str, str, dict[str, float]], ...] = (
    ("How does a photograph, or one of my own, look at this rate?", "explore", "Explore", {"lambda_": 128}),
    ("What does one channel of the bottleneck hold, and what does λ change in it?", "feature-maps", "Feature maps",
     {"lambda_": 4096}),
    ("Where do the bits go, in the picture and among the channels?", "bits", "Where the bits go",
     {"lambda_": 4096, "base": 64}),
    ("Which entropy model does a λ between the trained ones use?", "how", "How it works, step 10", {"lambda_": 700}),
    ("What does λ do inside each layer?", "gains", "Gains", {"lambda_": 700}),
    ("How good is it beside JPEG, AVIF, BPG and other networks?", "curves", "R-D curves", {}),
    ("What is in a file, byte by byte, and can it break?", "file", "File", {"lambda_": 512}),
    ("How does all of it work, from the start?", "how", "How it works", {"lambda_": 512}),
)  # fmt: skip


def page() -> None:
    st.title("One network for every rate")
    photographs = gallery()
    name = address.read("image")
    photograph = photographs.get(name) or next(iter(photographs.values()))
    st.markdown(
        "This laboratory is about one neural network that compresses a picture to *any* size: the **modulated "
        "autoencoder (MAE)**, which turns a single number, **λ**, into a gain for every channel of every layer. Drag λ "
        "below the pictures: each pane beside the original is a real file, decoded, and **bottleneck scaling** is the "
        "simple rival, whose encoder never changes and whose result is only rounded more coarsely. Look at the bytes "
        f"and at {photograph.look_for}, and find the λ where the two part company."
    )
    picture = computed.picture_from(photograph.title, photograph.path.read_bytes())
    manifest = viewer.manifest(ladder.shared(), picture.image, picture.name, START)
    streamlit_host.viewer(manifest, key="start-viewer")
    st.caption(f"Photograph: {photograph.credit}.")
    st.subheader("Where to go for which question")
    left, right = st.columns(2, gap="large")
    for i, (question, target, label, state) in enumerate(QUESTIONS):
        with (left, right)[i % 2], st.container(gap=None):
            st.markdown(question)
            site.link(target, label, **state)
    show_lessons(photographs)


def show_lessons(photographs: dict) -> None:
    """Links to the offline files, or how to make them."""
    st.subheader("Without this app")
    made = lessons.there()
    if made:
        links = " · ".join(
            f'<a href="{lessons.url(name)}" download="{name}.html">{photographs[name].title}</a> '
            f"({path.stat().st_size / 1e6:.0f} MB)"
            for name, path in made.items()
        )
        st.html(
            "<p>One file for each photograph, with every rate inside: it opens from a disk, offline, and serves a "
            f"lecture of any size. {links}</p>"
        )
    else:
        st.markdown(
            "For a large lecture, or a computer without Python, make one file for each photograph that holds every "
            "rate and opens offline: type `make lessons` (or `mae-viz lessons`) where this app was started; the links "
            "appear here."
        )
