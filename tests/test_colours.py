"""One colour for a codec, on every page of the app, in every plot, and in an exported file."""

from chromium import settled, visit
from playwright.sync_api import Page

from mae_viz.codecs.registry import codec, names
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders.ladder import Ladders
from mae_viz.viewer import html

PICTURE = "chelsea"
SIZE = {"width": 1440, "height": 1000}
TITLES = {codec(name).title: codec(name).colour for name in names()}
PANES = "mae,independent,jpeg,avif"


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def in_the_viewer(page: Page) -> dict[str, set[str]]:
    """Colours of swatches, lines and legend, by the codec's name."""
    page.locator(".curve polyline").nth(3).wait_for(state="attached")
    found = page.locator(".mae-viewer").evaluate(
        """host => {
            const found = [];
            for (const pane of host.querySelectorAll(".pane")) {
                const name = pane.querySelector("[aria-label=Codec]").value;
                found.push([name, getComputedStyle(pane.querySelector(".swatch")).backgroundColor]);
            }
            for (const line of host.querySelectorAll(".curve polyline[data-codec]"))
                found.push([line.dataset.codec, getComputedStyle(line).stroke]);
            for (const entry of host.querySelectorAll(".curve .names li[data-codec]"))
                found.push([entry.dataset.codec, getComputedStyle(entry.querySelector(".swatch")).backgroundColor]);
            return found;
        }"""
    )
    by_name: dict[str, set[str]] = {}
    for name, colour in found:
        by_name.setdefault(name, set()).add(colour)
    return by_name


def in_plots(page: Page) -> list[tuple[str, str]]:
    """Names and colours of all traces of plotly on a page, and whether each plot that names several has a legend."""
    page.locator(".js-plotly-plot .plotly").first.wait_for()
    plots = page.evaluate(
        """() => [...document.querySelectorAll(".js-plotly-plot")].map(plot => ({
            traces: plot.data.map(t => [t.name ?? "", t.line?.color ?? t.marker?.color ?? ""]),
            legend: plot.layout.showlegend !== false && plot.querySelectorAll(".legendtext").length,
        }))"""
    )
    for plot in plots:
        named = {name for name, _ in plot["traces"] if name in TITLES}
        assert len(named) < 2 or plot["legend"] >= len(named), plot
    return [(name, colour) for plot in plots for name, colour in plot["traces"] if name in TITLES]


def test_the_viewer_in_the_app(profile, server):
    with visit(profile, f"{server}/?image={PICTURE}&panes={PANES}&mode=side", viewport=SIZE) as page:
        assert in_the_viewer(page) == {name: {rgb(codec(name).colour)} for name in PANES.split(",")}


def test_an_exported_file(browser, tmp_path):
    picture = open_rgb(gallery()[PICTURE].path).crop((100, 100, 196, 164))
    panes = [{"codec": name, "layer": "picture"} for name in PANES.split(",")]
    page = html.page(Ladders(tmp_path), picture, "x", codecs=PANES.split(","), panes=panes)
    (tmp_path / "x.html").write_text(page, encoding="utf-8")
    with visit(browser, (tmp_path / "x.html").as_uri(), allowed=("file:",)) as tab:
        assert in_the_viewer(tab) == {name: {rgb(codec(name).colour)} for name in PANES.split(",")}


def in_plots_as_in_the_file(page: Page) -> None:
    """What the page's plots draw of codecs has their colours."""
    drawn = in_plots(page)
    assert {name for name, _ in drawn} >= {"MAE", "Bottleneck scaling"}
    assert [(name, colour) for name, colour in drawn if colour != TITLES[name]] == []


def test_curves_of_another_data_set(profile, server):
    """The plots of Kodak and of *How it works* are looked at where those pages are, in test_pages_lesson.py."""
    with visit(profile, f"{server}/curves?dataset=Bundled+photographs", viewport=SIZE) as page:
        settled(page)
        in_plots_as_in_the_file(page)


def bars_as_in_the_file(page: Page) -> None:
    """For the page *Where the bits go*, in test_bits.py."""
    page.locator(".js-plotly-plot .plotly").first.wait_for()
    colours = page.evaluate(
        """() => [...document.querySelectorAll(".js-plotly-plot")].flatMap(plot =>
            plot.data.filter(t => t.type === "bar").map(t => t.marker.color))"""
    )
    assert {codec("mae").colour, codec("bottleneck-scaling").colour} <= set(colours)


def test_figures_read_the_same_file():
    from mae_viz.figures import style

    assert all(style.line(name, "")["color"] == codec(name).colour for name in style.PAPERS if name in names())
