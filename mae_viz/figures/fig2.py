"""Fig. 2: the architecture of the MAE, its layer sizes read from the model itself."""

from typing import TYPE_CHECKING

from mae_viz.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mae_viz.models import MAE, Convolution

CAPTION = (
    "Fig. 2. The modulated autoencoder. conv k×k / s: kernel k, stride s, {channels} channels; ⊙: one gain for each "
    "channel. Every gain is a function of λ alone, {hidden} hidden units and an exponential; the prior has tables "
    "of its own at {knots} λ and is interpolated between them. The decoder's order, gain, IGDN, deconvolution, is "
    "that of the paper's text; its own Fig. 2 and the authors' released code put IGDN before the gain. Q rounds; AE "
    "and AD are the arithmetic coder."
)

_TOP, _TALL = 1.62, (1.02, 0.86, 0.72)  # height of the signal's line; of the boxes of layers 1, 2, 3
_GAINS = 0.62  # height of the perceptrons' centres


def draw(model: "MAE | None" = None) -> "Figure":
    """The drawing of a model without hyperprior; without one, of the paper's."""
    from matplotlib import rc_context

    from mae_viz.models import MAE

    model = model or MAE()
    with rc_context(style.RC):
        figure, axes = style.drawing(style.PAGE_IN, 2.5)
        _encoder(axes, model)
        _coder(axes)
        _decoder(axes, model)
        _rate(axes, model)
    return figure


def caption(model: "MAE | None" = None) -> str:
    from mae_viz.models import MAE

    model = model or MAE()
    return CAPTION.format(channels=model.channels, hidden=_hidden(model), knots=len(model.knots))


def _hidden(model: "MAE") -> int:
    first = model.g_a[0].modulation
    assert first
    return first.hidden


_STEP, _FIRST, _GAP = 0.90, 0.47, 0.25
_ENCODER = [_FIRST + _STEP * k for k in range(3)]
"""Where the encoder's convolutions are; ⊙ follows at _GAP, GDN at twice that."""

_DECODER = [style.PAGE_IN - x - 2 * _GAP for x in reversed(_ENCODER)]
"""Where the decoder's gains are; IGDN follows at _GAP, the deconvolution at twice that."""

_MIDDLE = style.PAGE_IN / 2


def _size(conv: "Convolution") -> str:
    kernel, stride = conv.kernel_size[0], conv.stride[0]
    return f"{kernel}×{kernel} / {stride}"


def _encoder(axes: "Axes", model: "MAE") -> None:
    axes.text(0.13, _TOP, "$x$", ha="center", va="center", size=10)
    last, reduced = 0.19, 1
    for x, layer, tall in zip(_ENCODER, model.g_a, _TALL, strict=True):
        gain, gdn = x + _GAP, x + 2 * _GAP
        style.arrow(axes, (last, _TOP), (x - 0.1, _TOP))
        style.box(axes, x, _TOP, 0.2, tall, f"conv {_size(layer.conv)}", style.ENCODER, turned=True)
        style.arrow(axes, (x, _TOP), (gain, _TOP), head=False)
        style.times(axes, gain, _TOP)
        style.arrow(axes, (gain, _TOP), (gdn - 0.1, _TOP))
        style.box(axes, gdn, _TOP, 0.2, tall, "GDN", style.ENCODER, turned=True)
        last, reduced = gdn, reduced * layer.conv.stride[0]
        _resolution(axes, gain, tall, layer.conv.out_channels, reduced)
    axes.text(_ENCODER[1] + _GAP, 2.37, r"analysis $g_a(x, \lambda)$", ha="center", size=8.5, color=style.ENCODER[1])
    style.arrow(axes, (last, _TOP), (_MIDDLE - 0.38, _TOP))


def _decoder(axes: "Axes", model: "MAE") -> None:
    last, reduced = _MIDDLE + 0.38, model.stride
    for x, layer, tall in zip(_DECODER, model.g_s, reversed(_TALL), strict=True):
        gdn, conv = x + _GAP, x + 2 * _GAP
        style.arrow(axes, (last, _TOP), (x - 0.075, _TOP))
        _resolution(axes, gdn, tall, layer.conv.in_channels, reduced)
        style.times(axes, x, _TOP)
        style.arrow(axes, (x, _TOP), (gdn - 0.1, _TOP))
        style.box(axes, gdn, _TOP, 0.2, tall, "IGDN", style.DECODER, turned=True)
        style.arrow(axes, (gdn, _TOP), (conv - 0.1, _TOP), head=False)
        style.box(axes, conv, _TOP, 0.2, tall, f"deconv {_size(layer.conv)}", style.DECODER, turned=True)
        last, reduced = conv, reduced // layer.conv.stride[0]
    style.arrow(axes, (last, _TOP), (style.PAGE_IN - 0.19, _TOP))
    axes.text(style.PAGE_IN - 0.12, _TOP, r"$\hat{x}$", ha="center", va="center", size=10)
    label = r"synthesis $g_s(\hat{y}, \lambda)$"
    axes.text(_DECODER[1] + _GAP, 2.37, label, ha="center", size=8.5, color=style.DECODER[1])


def _resolution(axes: "Axes", x: float, tall: float, channels: int, reduced: int) -> None:
    """Channels and resolution between the boxes of a layer, above them."""
    shape = f"${channels} \\times \\frac{{H}}{{{reduced}}} \\times \\frac{{W}}{{{reduced}}}$"
    axes.text(x, _TOP + tall / 2 + 0.045, shape, ha="center", va="bottom", size=6.5, color="#505050")


def _coder(axes: "Axes") -> None:
    """Q, and down and up again through the arithmetic coder."""
    left, right, coder, prior = _MIDDLE - 0.28, _MIDDLE + 0.28, 1.24, 0.87
    style.box(axes, left, _TOP, 0.2, 0.2, "Q", size=8)
    axes.text(left - 0.19, _TOP + 0.06, "$y$", ha="center", size=8.5)
    axes.text(right + 0.12, _TOP + 0.06, r"$\hat{y}$", ha="center", size=8.5)
    style.box(axes, left, coder, 0.24, 0.2, "AE")
    style.box(axes, right, coder, 0.24, 0.2, "AD")
    style.arrow(axes, (left, _TOP - 0.1), (left, coder + 0.1))
    style.arrow(axes, (right, coder + 0.1), (right, _TOP), (right + 0.12, _TOP), head=False)
    style.arrow(axes, (left + 0.12, coder), (right - 0.12, coder))
    axes.text(_MIDDLE, coder + 0.05, "bits", ha="center", size=7)
    style.box(axes, _MIDDLE, prior, 0.82, 0.25, r"prior $p(\hat{y}; \lambda)$", size=7.5)
    for x in (left, right):
        style.arrow(axes, (x, prior + 0.125), (x, coder - 0.1))


def _rate(axes: "Axes", model: "MAE") -> None:
    """λ, the bus that carries it, and a perceptron for every layer."""
    red, bus, hidden = style.MODULATION[1], 0.17, _hidden(model)
    places = {f"m_{k}": x + _GAP for k, x in enumerate(_ENCODER, 1)} | {f"d_{k}": x for k, x in enumerate(_DECODER, 1)}
    style.arrow(axes, (min(places.values()), bus), (max(places.values()), bus), colour=red, head=False)
    for name, x in places.items():
        style.arrow(axes, (x, bus), (x, _GAINS - 0.17), colour=red)
        style.box(
            axes, x, _GAINS, 0.68, 0.34, f"FC {hidden}, ReLU\nFC {model.channels}, exp", style.MODULATION, size=6.5
        )
        style.arrow(axes, (x, _GAINS + 0.17), (x, _TOP - 0.075), colour=red)
        axes.text(x + 0.03, _GAINS + 0.245, f"${name}(\\lambda)$", size=7.5, color=red, va="center", ha="left")
    style.arrow(axes, (_MIDDLE, bus), (_MIDDLE, 0.745), colour=red)
    style.box(axes, _MIDDLE, bus, 0.22, 0.22, r"$\lambda$", style.MODULATION, size=9.5)
