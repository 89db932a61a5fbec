"""Facts of each architecture that a checkpoint's card may name: what it is called, what it has. No torch.

The networks themselves are `mae_viz.models.ARCHITECTURES`, by the same names.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """One architecture."""

    title: str
    short: str
    """A title for where there is little room."""
    modulated: bool = False
    """λ sets a gain for every channel of every layer (paper, section III)."""
    hyperprior: bool = False
    """Side information tells the width of every latent (Ballé et al. 2018)."""
    single: bool = False
    """Serves one λ alone."""
    between: str = ""
    """What happens between two trained λ, in words."""
    group: str = ""
    """Where models of one λ each stand for one curve together: the name of all of them,"""
    group_title: str = ""
    group_short: str = ""
    peers: tuple[str, ...] = ()
    """Published curves of networks of its kind, one network for each rate; the nearest first, which for models without
    hyperprior has the same transform."""


_FACTORIZED = ("published-balle2017", "published-bmshj2018-factorized")
_HYPERPRIOR = ("published-bmshj2018-hyperprior", "published-balle2018-hyperprior")

FACTS = {
    "MAE": Architecture(
        "MAE",
        "MAE",
        modulated=True,
        between="between trained λ: entropy model interpolated, gains not",
        peers=_FACTORIZED,
    ),
    "MAEHyperprior": Architecture(
        "MAE + hyperprior",
        "MAE + hyper",
        modulated=True,
        hyperprior=True,
        between="between trained λ: entropy model interpolated, gains not",
        peers=_HYPERPRIOR,
    ),
    "BottleneckScaling": Architecture(
        "Bottleneck scaling",
        "Scaling",
        between="between trained λ: s(λ) and entropy model interpolated",
        peers=_FACTORIZED,
    ),
    "Independent": Architecture(
        "Independent model",
        "Independent",
        single=True,
        group="independent",
        group_title="Independent models",
        group_short="Independent",
        peers=_FACTORIZED,
    ),
    "IndependentHyperprior": Architecture(
        "Independent model + hyperprior",
        "Indep. + hyper",
        hyperprior=True,
        single=True,
        group="independent-hyperprior",
        group_title="Independent models + hyperprior",
        group_short="Indep. + hyper",
        peers=_HYPERPRIOR,
    ),
}
"""In the order in which lists show them."""
