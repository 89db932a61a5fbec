"""Writes the figures: which ones, into which folder, in which formats, with a caption beside each.

The same results and weights give the same bytes: no dates, fixed ids, nothing that depends on the machine's clock.
"""

import io
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mae_viz.storage import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = ("fig1", "fig2", "fig3", "fig4", "table1")
"""Of all figures, and of the table."""

PICTURES, TEXTS = ("pdf", "svg", "png"), ("csv", "tex")
"""Formats of figures, and of the numbers in table1 and behind fig3."""

_METADATA = {
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": "mae_viz", "Producer": None},
    "svg": {"Date": None, "Creator": "mae_viz"},
    "png": {"Software": "mae_viz"},
}


def write(
    which: Sequence[str],
    out: Path,
    formats: Sequence[str] = PICTURES + TEXTS,
    image: str = "chelsea",
    channels: Sequence[int] | None = None,
    lmbdas: tuple[float, float] | None = None,
    crop: tuple[int, int, int, int] | None = None,
    model: str = "mae",
    dataset: str = "kodak",
) -> list[Path]:
    """Write figures by name ("all" for every one) and their captions into a folder. Returns the files.

    ``dataset`` (any that was measured) is that of Fig. 3; ``image`` (a bundled photograph's name, or a file),
    ``channels``, ``lmbdas``, ``crop`` (left, top, width, height) and ``model`` (a MAE) are those of Fig. 4. Raises
    ValueError for an unknown name, format or data set, or a crop outside the picture.
    """
    wanted = [name for name in NAMES if name in which or "all" in which]
    if unknown := [name for name in which if name not in (*NAMES, "all")]:
        raise ValueError(f"there is no {unknown[0]}: choose {', '.join(NAMES)} or all.")
    if unknown := [form for form in formats if form not in PICTURES + TEXTS]:
        raise ValueError(f"{unknown[0]!r} is no format of figures: choose {', '.join(PICTURES + TEXTS)}.")
    out.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
        "fig1": lambda: _fig1(formats),
        "fig2": lambda: _fig2(formats),
        "fig3": lambda: _fig3(formats, dataset),
        "fig4": lambda: _fig4(formats, image, channels, lmbdas, crop, model),
        "table1": lambda: _table1(formats),
    }
    written = []
    for name in wanted:
        for file, data in makers[name]():
            write_whole(out / file, data)
            written.append(out / file)
    return written


def render(figure: "Figure", form: str) -> bytes:
    """A figure as the bytes of a PDF, SVG or PNG (300 dots per inch)."""
    from matplotlib import rc_context

    from mae_viz.figures import style

    data = io.BytesIO()
    with rc_context(style.RC):
        figure.savefig(data, format=form, dpi=300, metadata=_METADATA[form])
    return data.getvalue()


def _rendered(name: str, figure: "Figure", formats: Sequence[str], caption: str) -> Iterator[tuple[str, bytes]]:
    for form in PICTURES:
        if form in formats:
            yield f"{name}.{form}", render(figure, form)
    yield f"{name}.txt", wrapped(caption).encode()


def wrapped(caption: str) -> str:
    """The first paragraph in lines of 100 characters; a table below it stays as it is."""
    head, gap, rest = caption.strip().partition("\n\n")
    return "\n".join(textwrap.wrap(head, 100)) + gap + rest + "\n"


def _fig1(formats: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    from mae_viz.figures import fig1

    return _rendered("fig1", fig1.draw(), formats, fig1.CAPTION)


def _fig2(formats: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    from mae_viz.figures import fig2

    return _rendered("fig2", fig2.draw(), formats, fig2.caption())


def _fig3(formats: Sequence[str], dataset: str) -> Iterator[tuple[str, bytes]]:
    from mae_viz.figures import fig3
    from mae_viz.measured import collected

    results = collected.results()
    yield from _rendered("fig3", fig3.draw(results, dataset), formats, fig3.caption(results, dataset))
    points, differences = fig3.points(results, dataset), fig3.bd_rates(results, dataset)
    if "csv" in formats:
        yield "fig3.csv", points.to_csv(index=False, lineterminator="\n").encode()
        yield "fig3-bd-rate.csv", differences.to_csv(index=False, lineterminator="\n").encode()
    if "tex" in formats:
        yield "fig3.tex", fig3.points_to_tex(points).encode()
        yield "fig3-bd-rate.tex", fig3.to_tex(differences, dataset).encode()


def _fig4(
    formats: Sequence[str],
    image: str,
    channels: Sequence[int] | None,
    lmbdas: tuple[float, float] | None,
    crop: tuple[int, int, int, int] | None,
    model: str,
) -> Iterator[tuple[str, bytes]]:
    from mae_viz.figures import fig4
    from mae_viz.images import bundled_or_file

    picture, title = bundled_or_file(image)
    if crop:
        left, top, width, height = crop
        if (
            min(left, top) < 0
            or min(width, height) < 1
            or left + width > picture.width
            or top + height > picture.height
        ):
            raise ValueError(
                f"the crop {left},{top},{width},{height} leaves the picture, which has {picture.width} × "
                f"{picture.height} pixels: write LEFT,TOP,WIDTH,HEIGHT."
            )
        picture = picture.crop((left, top, left + width, top + height))
    view = fig4.look(picture, channels, lmbdas or fig4.LMBDAS, model)
    return _rendered("fig4", fig4.draw(view), formats, fig4.caption(view, title))


def _table1(formats: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    from mae_viz.figures import table1

    found = table1.counts()
    yield "table1.txt", f"{table1.text(found)}\n{wrapped(table1.caption())}".encode()
    if "csv" in formats:
        yield "table1.csv", table1.to_csv(found).encode()
    if "tex" in formats:
        yield "table1.tex", table1.to_tex(found).encode()
