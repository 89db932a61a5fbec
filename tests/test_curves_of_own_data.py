"""R-D curves of a data set of one's own: in the lists, on the page, and compared like the others."""

import json
import re
import sys

import pytest
from chromium import serve, settled, visit
from playwright.sync_api import expect

from mae_viz.app.pages import curves as page_of_curves
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


def test_its_page_compares_what_was_measured(results, browser, tmp_path):
    (results / "mine" / "notes.json").write_text('{"of": "something else"}')
    command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
    environment = {"MAE_VIZ_CACHE": str(tmp_path / "cache"), "MAE_VIZ_RESULTS": str(results)}
    with (
        serve(command, "/_stcore/health", **environment) as url,
        visit(browser, f"{url}/curves?dataset=mine", viewport={"width": 1440, "height": 1200}) as page,
    ):
        row = page.get_by_role("row", name=re.compile("^Two"))
        expect(row.get_by_role("cell", name="+10.0")).to_be_visible()
        settled(page)
        expect(page.get_by_text("notes.json is no result file")).to_be_visible()
        assert page.locator("[data-testid=stException]").count() == 0
        expect(page.get_by_text("PSNR of a curve's point is the mean of the images' dB")).to_be_visible()
        page.get_by_role("radio", name="MS-SSIM", exact=True).click()
        expect(page.get_by_text("No curve has MS-SSIM on this data set")).to_be_visible()
