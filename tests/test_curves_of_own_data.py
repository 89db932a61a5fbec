"""R-D curves of a data set of one's own: in the lists, on the page, and compared like the others."""

import json
import re
import sys

import pytest
from chromium import serve, settled, visit
from playwright.sync_api import expect

from mae_viz.app.pages import curves as page_of_curves
from mae_viz.figures import fig3, output
from mae_viz.measured import collected


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Two codecs on a data set called mine, the second with 10 % more rate, as CompressAI's files."""
    (tmp_path / "mine").mkdir()
    for name, factor in (("one", 1.0), ("two", 1.1)):
        measured = {"bpp": [factor * rate for rate in (0.2, 0.5, 0.9, 1.2)], "psnr-rgb": [28.5, 31.9, 34.8, 36]}
        document = {"name": name.title(), "description": "measured at home", "results": measured}
        (tmp_path / "mine" / f"{name}.json").write_text(json.dumps(document))
    monkeypatch.setenv("MAE_VIZ_RESULTS", str(tmp_path))
    return tmp_path


def test_it_is_offered_and_the_paper_s_is_not(results):
    frame = collected.results()
    offered = page_of_curves.data_sets(frame)
    assert list(offered.values())[:2] == ["kodak", "gallery"]
    assert offered["mine"] == "mine"
    assert "clic-professional-test" not in offered.values()
    assert list(page_of_curves.qualities(frame, "mine")) == ["PSNR", "MS-SSIM", "MS-SSIM, mean of dB"]
    assert page_of_curves.about(frame, "gallery").startswith("the photographs of this app")


@pytest.mark.slow
def test_its_figure_takes_names_as_they_are(results):
    document = json.loads((results / "mine" / "one.json").read_text()) | {"name": r"$\nothing$ \input{x} 10 % ~"}
    (results / "mine" / "one.json").write_text(json.dumps(document))
    frame = collected.results()
    assert rb"$\nothing$" in output.render(fig3.draw(frame, "mine"), "svg")
    tex = fig3.points_to_tex(fig3.points(frame, "mine"))
    assert r"\$\textbackslash{}nothing\$ \textbackslash{}input\{x\} 10 \% \textasciitilde{}" in tex


HOSTILE = "![i](https://evil.example/a.png) <img src=https://evil.example/b.png> $x$ **b** `c` | [l](https://d) ~e~"


def test_its_page_compares_what_was_measured(results, profile, tmp_path):
    (results / "mine" / "notes.json").write_text('{"of": "something else"}')
    named = json.loads((results / "mine" / "one.json").read_text()) | {"name": HOSTILE, "description": HOSTILE}
    (results / "mine" / "hostile.json").write_text(json.dumps(named))
    command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
    environment = {"MAE_VIZ_CACHE": str(tmp_path / "cache"), "MAE_VIZ_RESULTS": str(results)}
    with (
        serve(command, "/_stcore/health", **environment) as url,
        visit(profile, f"{url}/curves?dataset=mine", viewport={"width": 1440, "height": 1200}) as page,
    ):
        row = page.get_by_role("row", name=re.compile("^Two"))
        expect(row.get_by_role("cell", name="+10.0")).to_be_visible()
        settled(page)
        expect(page.get_by_text("notes.json is no result file")).to_be_visible()
        assert page.locator("[data-testid=stException]").count() == 0
        expect(page.get_by_role("cell", name=HOSTILE, exact=True).first).to_be_visible()
        expect(page.locator(".legendtext", has_text=HOSTILE).first).to_be_visible()
        page.get_by_text("The numbers behind the curves").click()
        expect(page.get_by_text(f"{HOSTILE}: {HOSTILE}").first).to_be_visible()
        expect(page.get_by_text("PSNR of a curve's point is the mean of the images' dB")).to_be_visible()
        page.get_by_role("radio", name="MS-SSIM", exact=True).click()
        expect(page.get_by_text("No curve has MS-SSIM on this data set")).to_be_visible()
