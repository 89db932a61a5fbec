"""Table I: how many parameters each scheme needs, counted from the real models."""

import csv
import io

HEAD = ("Method", "Without hyperprior", "With hyperprior")

CAPTION = (
    "Table I. Parameters of the transforms and of what serves the rates (modulation, scales); entropy tables are not "
    "counted. Independent models: one for each of {without} λ, with a hyperprior for each of {with_} λ."
)


def counts() -> dict[str, tuple[int, int | None]]:
    """Parameters by method: (without hyperprior, with it), None where the paper has no such model."""
    from mae_viz.models import MAE, BottleneckScaling, Independent, IndependentHyperprior, MAEHyperprior
    from mae_viz.models import count_parameters as count
    from mae_viz.rates import LMBDAS, LMBDAS_HYPERPRIOR

    return {
        "Independent models": (
            len(LMBDAS) * count(Independent()),
            len(LMBDAS_HYPERPRIOR) * count(IndependentHyperprior()),
        ),
        "Bottleneck scaling": (count(BottleneckScaling()), None),
        "MAE": (count(MAE()), count(MAEHyperprior())),
    }


def millions(n: int | None) -> str:
    return "–" if n is None else f"{n / 1e6:.2f} M"


def text(found: dict) -> str:
    rows = [HEAD, *((name, *map(millions, pair)) for name, pair in found.items())]
    return "".join(f"{a:<20} {b:>18} {c:>16}\n" for a, b, c in rows)


def to_csv(found: dict) -> str:
    """The exact counts; an empty cell where there is no such model."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["method", "parameters_without_hyperprior", "parameters_with_hyperprior"])
    writer.writerows((name, *pair) for name, pair in found.items())
    return out.getvalue()


def to_tex(found: dict) -> str:
    """A LaTeX tabular (booktabs)."""
    lines = [" & ".join(HEAD) + r" \\", r"\midrule"]
    for name, pair in found.items():
        cells = (millions(n).replace("–", "--").replace(" M", r"\,M") for n in pair)
        lines.append(" & ".join((name, *cells)) + r" \\")
    return "\n".join([r"\begin{tabular}{lrr}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""])


def caption() -> str:
    from mae_viz.rates import LMBDAS, LMBDAS_HYPERPRIOR

    return CAPTION.format(without=len(LMBDAS), with_=len(LMBDAS_HYPERPRIOR))
