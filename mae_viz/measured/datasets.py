"""Sets of photographs that codecs are measured on: what they are called, and how to get them."""

from mae_viz.measured import kodak

PAPERS = "clic-professional-test"
"""The paper's own, to which its points belong."""

TITLES = {
    "kodak": "Kodak",
    "gallery": "Bundled photographs",
    "held-out": "Held-out photographs",
    "clic2020-professional": "CLIC 2020 (published)",
    PAPERS: "CLIC professional test",
}
"""What data sets are called in figures and on pages, by their names in result files."""

ELSEWHERE = {
    "clic": (
        "CLIC is not fetched, for there are no checksums of it here. Its home is https://clic.compression.cc; the "
        "paper measured 44 pictures of its professional test set.",
        PAPERS,
    ),
    "tecnick": (
        "Tecnick's TESTIMAGES are not fetched, for there are no checksums of them here. Their home is "
        "https://testimages.org; the files are at https://sourceforge.net/projects/testimages/files/, those of "
        "1200 × 1200, 8 bits, RGB in SAMPLING and OLD/OLD_SAMPLING.",
        "tecnick",
    ),
}
"""Sets without checksums: where to get them, and what to call them."""


def title(name: str) -> str:
    """What a data set is called; one that nobody has named is called as in its result files."""
    return TITLES.get(name, name)


def fetch(name: str) -> str:
    """Fetch a data set into the user's cache, once, and say where it lies; or say how to get it.

    Raises ValueError for an unknown name, ConnectionError where nothing can be fetched.
    """
    if name in ELSEWHERE:
        where, called = ELSEWHERE[name]
        return (
            f"{where} Unpack them into a folder, and run\n"
            f"  mae-viz evaluate mae --images FOLDER --dataset {called} --out results/{called}/mae.json\n"
            f"  MAE_VIZ_RESULTS=results mae-viz figure fig3 --dataset {called}"
        )
    if name != "kodak":
        raise ValueError(f"there is no data set {name!r} to fetch: choose kodak, {', '.join(ELSEWHERE)}.")
    home = kodak.folder()
    return f"{home}: the {len(kodak.SHA256)} Kodak images, checksums compared; mae-viz evaluate takes them by itself."
