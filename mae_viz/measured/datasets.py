"""Sets of photographs that codecs are measured on: what they are called, and how to get them."""

from mae_viz.measured import kodak

PAPERS = "clic-professional-test"
"""The paper's own, to which its points belong."""

TITLES = {
    "kodak": "Kodak",
    "gallery": "Bundled photographs",
    "clic2020-professional": "CLIC 2020 (published)",
    PAPERS: "CLIC professional test",
}

ELSEWHERE = {
    "clic": (
        "CLIC is not fetched from here: its servers have moved more than once, and its pictures' licences ask to take "
        "them from the source. Get the professional test set of https://clic.compression.cc (the paper measured 44 "
        f"pictures of it), unpack it into a folder, and run: mae-viz evaluate mae --images FOLDER --dataset {PAPERS} "
        f"--out results/{PAPERS}/mae.json"
    ),
    "tecnick": (
        "Tecnick is not fetched from here: get the archive SAMPLING of https://testimages.org (100 pictures, 1200 × "
        "1200, 8 bits, RGB), unpack it into a folder, and run: mae-viz evaluate mae --images FOLDER --dataset tecnick "
        "--out results/tecnick/mae.json"
    ),
}
"""What to do for the sets that no address with checksums is known for."""


def title(name: str) -> str:
    return TITLES.get(name, name)


def fetch(name: str) -> str:
    """Fetch a data set into the user's cache, once, and say where it lies; or say how to get it.

    Raises ValueError for an unknown name, ConnectionError where nothing can be fetched.
    """
    if name in ELSEWHERE:
        return f"{ELSEWHERE[name]}; MAE_VIZ_RESULTS=results then shows it beside the rest."
    if name != "kodak":
        raise ValueError(f"there is no data set {name!r} to fetch: choose kodak, {', '.join(ELSEWHERE)}.")
    home = kodak.folder()
    return f"{home}: the {len(kodak.SHA256)} Kodak images, checksums compared; mae-viz evaluate takes them by itself."
