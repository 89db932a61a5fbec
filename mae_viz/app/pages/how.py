"""Page *How it works*: the method in eleven steps, all but the last with a figure of the chosen picture and λ.

The text of all steps is on the page at once; the figures (`mae_viz.app.parts.how_figures`) follow one after the other.
``step`` in the address is the step that a link lands on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mae_viz.app import address, site
from mae_viz.app.computed import Picture
from mae_viz.app.parts import controls, how_figures, landing, subject
from mae_viz.ladders.frame import middle
from mae_viz.rates import Rate


@dataclass(frozen=True)
class Step:
    """One step of the lesson."""

    title: str
    text: str
    equations: tuple[str, ...]
    figure: Callable[[how_figures.Look], None]
    links: dict[str, tuple[str, dict]] = field(default_factory=dict)  # page → label and further state


STEPS = (
    Step(
        "A bargain: bits against error",
        "A codec may spend bits to be exact, or save them and err. The network minimises both at once, and **λ sets "
        "the price of error**: R is bits per pixel, D the mean squared error of values in [0, 1]. Look at the bytes: "
        "from left to right the same network is paid more and more for being exact.",
        (r"\mathcal{L} = R + \lambda\, D",),
        how_figures.bargain,
        {"laboratory": ("Drag λ yourself", {})},
    ),
    Step(
        "The encoder: 192 maps of numbers",
        "Three convolutions with strides 4, 2, 2 turn the picture x into **y: 192 maps, each with one number for every "
        "16 × 16 pixels**. Here are the four that cost most bits. Look for what each answers to: brightness, an edge's "
        "direction, a colour.",
        (r"\mathbf{y} = g_a(\mathbf{x};\,\theta)",),
        how_figures.maps,
        {"feature-maps": ("All 192 channels", {})},
    ),
    Step(
        "Between the convolutions: GDN",
        "Instead of ReLU each layer divides a channel by the activity of all channels at the same place "
        "(generalised divisive normalisation). **Small values pass, large ones are compressed**, and what is "
        "left over is less dependent: cheaper to code one by one. Look how far the points leave the straight line.",
        (r"v_i = \frac{u_i}{\sqrt{\beta_i + \sum_j \gamma_{ij}\, u_j^2}}",),
        how_figures.gdn,
    ),
    Step(
        "Rounding: coarser numbers, fewer bits",
        "A file can hold integers only, so y is rounded. (The encoder has lost something before that: 192 numbers "
        "stand for the 768 of 16 × 16 pixels. Step 6 says how much.) **Touch it**: scale one map before rounding and "
        "see how few different integers are left, and what they would cost at least.",
        (r"\mathbf{q} = \lfloor \mathbf{y} \rceil", r"\text{in training: } \tilde{\mathbf{y}} = \mathbf{y} + "
         r"\mathcal{U}(-\tfrac12, \tfrac12)"),
        how_figures.rounding,
    ),
    Step(
        "The entropy model: what an integer costs",
        "A likely integer gets a short code, an unlikely one a long code: −log₂ p bits. Each channel has a **learned "
        "prior p**, the same for every place and every picture. Look how closely the line follows the bars: each "
        "difference costs bits.",
        (r"R = -\frac{1}{HW} \sum_i \log_2 p(q_i)",),
        how_figures.prior,
        {"bits": ("Where the bits go", {"base": "64"})},
    ),
    Step(
        "The decoder, and the error",
        "Three transposed convolutions with the inverse of GDN make a picture of q again. The error is what rounding "
        "and the two transforms have lost: **look where it is large**, and whether you would have noticed.",
        (r"\hat{\mathbf{x}} = g_s(\mathbf{q};\,\phi)",
         r"D = \tfrac{1}{3HW}\lVert \mathbf{x} - \hat{\mathbf{x}} \rVert^2"),
        how_figures.error,
        {"laboratory": ("The difference, enlarged", {"panes": "original,mae:difference"})},
    ),
    Step(
        "Many rates: the cost of a network for each",
        "A network is trained for one λ. Seven rates would mean seven networks on every telephone. Both answers below "
        "keep **one network**, and add almost nothing. Look at the parameters.",
        (r"\{\theta_\lambda, \phi_\lambda\}\ \text{for every}\ \lambda \in \Lambda",),
        how_figures.parameters,
    ),
    Step(
        "Bottleneck scaling: one number for each channel",
        "The simple answer (Theis et al. 2017): train for λ = 4096 alone, then multiply the channels by s(λ) before "
        "rounding. **The map stays the same whatever λ is; only its steps grow.** Encoder and decoder were made for "
        "the finest picture and know nothing of the bargain at λ = 64. What that costs here is counted below.",
        (r"\mathbf{q} = \lfloor \mathbf{z} \odot s(\lambda) \rceil",
         r"\hat{\mathbf{x}} = g_s(\mathbf{q} \odot 1/s(\lambda))"),
        how_figures.scaling,
        {"curves": ("The whole curves", {}), "feature-maps": ("Its constant ratio, channel by channel", {})},
    ),
    Step(
        "The MAE: λ reaches every layer",
        "A perceptron turns λ into gains m(λ) for the encoder, another into d(λ) for the decoder, **in every "
        "layer**. Because GDN follows, gains that shrink one channel let others through: λ changes *what* is encoded. "
        "Look for lines that fall off to the left: channels that low λ lets go.",
        (r"m_k(\lambda) = \exp\!\big(W_2\,\mathrm{relu}(W_1 \lambda/\lambda_{\max} + b_1) + b_2\big)",
         r"\text{encoder: } f\big(m_k(\lambda) \odot \mathrm{conv}(\cdot)\big)",
         r"\text{decoder: } \mathrm{deconv}\big(f(d_k(\lambda) \odot \cdot)\big)"),
        how_figures.gains,
        {"gains": ("Every layer's gains", {}), "feature-maps": ("What λ changes in a map", {})},
    ),
    Step(
        "Any λ, and the file",
        "Seven λ are trained, the slider knows hundreds. Gains come from λ itself; the **entropy model is mixed of "
        "the tables of two λ around it** (25 λ have their own), in the logits of its cumulative distribution, which "
        "stays one. A range coder then writes the integers, within a fraction of a per cent of the estimate.",
        (r"\ell_\lambda = (1-w)\,\ell_{\lambda_0} + w\,\ell_{\lambda_1},\ \ell = \mathrm{logit}\,P",
         r"w = \log_2(\lambda / \lambda_0) \,/\, \log_2(\lambda_1 / \lambda_0)"),
        how_figures.between,
        {"file": ("The file, byte by byte", {}), "bits": ("Priors between trained λ", {"at": "700"})},
    ),
    Step(
        "What the decoder can do, and what the encoder finds",
        "The encoder treats all pictures alike. For the picture at hand **better integers can be searched by "
        "gradient**, for the same decoder and the same file format: fewer bits, or less error. That tells two kinds of "
        "loss apart: if a model's disadvantage goes away when its integers are searched, its encoder was to blame; if "
        "it stays, its decoder. Look at which of the two it is for bottleneck scaling.",
        (r"\min_{\mathbf{q}}\; R_\lambda(\mathbf{q}) + \lambda\, D\big(\mathbf{x}, g_s(\mathbf{q};\,\phi)\big)",),
        how_figures.refined,
        {"laboratory": ("Press Refine on a pane, and watch", {"panes": "mae,mae:difference"})},
    ),
)  # fmt: skip


def page() -> None:
    with site.bar():
        picture = subject.choose()
    st.title("How it works")
    st.markdown(
        "Eleven steps, for readers who know what convolution and entropy are. Every figure but the last is computed by "
        "the real models on the picture and at the λ chosen here: **change λ, and see which figures answer and which "
        "do not.**"
    )
    if picture is None:
        return
    subject.caption()
    part = middle(picture.image)
    if part is not picture.image:
        st.caption(f"The picture is large: the figures show its middle, {part.width} × {part.height} pixels.")
        picture = Picture(picture.name, part)
    rate = controls.choose_rate("λ", 512.0, "lambda")
    contents()
    slots = [layout(number, step, rate) for number, step in enumerate(STEPS, 1)]
    look = how_figures.Look(picture, rate)
    for slot, step in zip(slots, STEPS, strict=True):
        with slot, st.spinner("Computing this figure …", show_time=True):
            step.figure(look)


def contents() -> None:
    """A list of the steps, and the way to the one that the address names (``step``)."""
    with st.container(horizontal=True, gap="small"):
        for number, step in enumerate(STEPS, 1):
            site.link("how", f"{number}. {step.title.partition(':')[0]}", **address.carried("lambda"), step=number)
    named = address.read("step")
    landing.at(f"step-{named}" if named in map(str, range(1, len(STEPS) + 1)) else None)


def layout(number: int, step: Step, rate: Rate) -> DeltaGenerator:
    """A step's text, equations and links; returns the place for its figure."""
    st.subheader(f"{number}. {step.title}", anchor=f"step-{number}")
    left, right = st.columns([2, 3], gap="medium")  # a narrow window has the figure below the text
    with left:
        st.markdown(step.text)
        for equation in step.equations:
            st.latex(equation)
        for name, (label, state) in step.links.items():
            site.link(name, label, **{"lambda_": rate, **state})
    return right
