"""What refined latents show, in sentences whose signs and words come from what was measured (`refinement`).

Each holds for the pictures measured: where an interval has 0 inside, the sentence says that nothing is seen.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mae_viz.measured import refinement
from mae_viz.measured.refinement import LMBDAS, Mean
from mae_viz.numbers import NARROW

if TYPE_CHECKING:
    import pandas as pd

TITLES = {"mae": "the MAE", "bottleneck-scaling": "bottleneck scaling", "independent": "the network of that λ alone"}
"""What sentences call the models."""


def effort(table: "pd.DataFrame") -> str:
    """What refinement saves."""
    saved = ", ".join(f"{refinement.saved(table, 'mae', lmbda):+.1f}{NARROW}% at λ = {lmbda:g}" for lmbda in LMBDAS)
    pictures = refinement.saved(table, "mae", LMBDAS[0]).pictures
    return (
        f"{refinement.STEPS} steps change the MAE's R + λ·MSE by {saved} "
        f"(mean of {pictures} Kodak photographs, 95{NARROW}% interval)."
    )


def whose_loss(table: "pd.DataFrame", model: str) -> list[str]:
    """Whether what separates a model from the MAE is its encoder's or its decoder's, λ by λ."""
    return [_whose(table, model, lmbda) for lmbda in LMBDAS]


def _whose(table: "pd.DataFrame", model: str, lmbda: float) -> str:
    plain, refined = (refinement.gap(table, model, lmbda, way) for way in (refinement.PLAIN, refinement.REFINED))
    closed = refinement.closed(table, model, lmbda)
    said = (
        f"λ = {lmbda:g}: coded in one pass, R + λ·MSE of {TITLES[model]} {_side(plain)}; with both refined it "
        f"{_side(refined)}. "
    )
    if not closed.sign:
        why = ": its loss is its decoder's" if plain.sign > 0 else ""
        return f"{said}Refinement changes nothing that could be seen between the two{why}."
    more = "more" if closed.value > 0 else "less"
    said += f"Better latents help it by {abs(closed.value):.1f} points {more} than the MAE"
    if not plain.sign:
        return f"{said}."
    share = min(closed.value / plain.value, 1.0)
    part = "all" if share > 0.995 else f"{100 * share:.0f}{NARROW}%"
    if plain.sign > 0:
        rest = "" if part == "all" else ", the rest its decoder's"
        blame = f"{part} of its loss is its encoder's{rest}" if share > 0 else "its loss is its decoder's"
        return f"{said}: {blame}."
    lead = f"{part} of its lead is its encoder's" if share > 0 else "its lead grows"
    return f"{said}: {lead}."


def _side(gap: Mean) -> str:
    if not gap.sign:
        return f"cannot be told from the MAE's ({gap:+.1f}{NARROW}%)"
    return f"lies {abs(gap.value):.1f}{NARROW}% {'above' if gap.value > 0 else 'below'} the MAE's ({gap:+.1f}{NARROW}%)"


def waking(table: "pd.DataFrame", model: str) -> str:
    """Whether refinement wakes channels that sleep."""
    said = []
    for lmbda in LMBDAS:
        woken = refinement.woken(table, model, lmbda)
        what = {1: "it wakes", -1: "it puts to sleep", 0: "no change that could be seen"}[woken.sign]
        number = f" {abs(woken.value):.1f} channels" if woken.sign else ""
        said.append(f"at λ = {lmbda:g} {what}{number} ({woken:+.1f})")
    return f"Refining {TITLES[model]}: {'; '.join(said)}."


def moved(table: "pd.DataFrame") -> str:
    """Where bits go when MS-SSIM is asked for."""
    said = []
    for lmbda in LMBDAS:
        least, most = (refinement.moved(table, lmbda, quarter) for quarter in (0, 3))
        said.append(
            f"λ = {lmbda:g}: the quarter of places with the least detail {_share(least)}, "
            f"that with the most {_share(most)}"
        )
    return "; ".join(said) + "."


def _share(change: Mean) -> str:
    if not change.sign:
        return f"keeps its share of the bits ({change:+.1f} points)"
    return f"{'gains' if change.value > 0 else 'gives up'} {abs(change.value):.1f} points of the bits ({change:+.1f})"


def painted(table: "pd.DataFrame") -> str:
    """What an important middle gains."""
    inside, outside = (refinement.painted(table, where) for where in ("inside", "outside"))
    return (
        f"With the middle fifth important, a file no longer than the plain one at λ = {refinement.PAINTED_AT:g} has "
        f"{inside:+.2f}{NARROW}dB there and {outside:+.2f}{NARROW}dB elsewhere."
    )


def all_of(table: "pd.DataFrame") -> Sequence[str]:
    """Every sentence, in the order of the questions."""
    return [
        effort(table),
        *whose_loss(table, "bottleneck-scaling"),
        *whose_loss(table, "independent"),
        waking(table, "mae"),
        waking(table, "bottleneck-scaling"),
        moved(table),
        painted(table),
    ]
