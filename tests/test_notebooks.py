"""The lessons: all run from top to bottom in a kernel of their own, and what they plot is what was measured."""

import asyncio
import base64
import json
import os
import shutil
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
import zmq
import zmq.asyncio
from chromium import TIMEOUT_MS, canvas_pixels, jupyterlab, set_off
from jupyter_client.session import Session
from playwright.sync_api import expect

import mae_viz
from mae_viz import rates
from mae_viz.coding import checkpoints
from mae_viz.images import gallery
from mae_viz.measured import collected
from mae_viz.numbers import grouped
from mae_viz.rates import Rate

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = [path.stem for path in sorted(FOLDER.glob("[0-9][0-9]_*.py"))]

SMALLEST = 'PHOTOGRAPH = "chelsea"\n'
QUICK = {
    "01_tour": SMALLEST,
    "05_train_your_own": SMALLEST,
    "07_refined_latents": SMALLEST + "STEPS = 10",
}
"""Settings with which a lesson takes a fraction of its time; the committed notebooks have those of their scripts."""

PLOTTED = """
import json
from matplotlib.figure import Figure
def drawn(figure):
    return [{line.get_label(): line.get_xydata().tolist() for line in axes.lines} for axes in figure.axes]
print(json.dumps({name: drawn(value) for name, value in globals().items() if isinstance(value, Figure)}))
"""
"""Runs behind the last cell of a lesson: the points of every line of the figures that are still there."""


def committed(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def execute_in(environment: dict[str, str], name: str, out: Path) -> None:
    """A lesson as `notebooks/execute.py` runs it, for a fork of this process: what that loads is here already, and no
    browser's loop runs there."""
    warnings.resetwarnings()
    os.environ.update(environment)
    sys.path.insert(0, str(FOLDER))
    import execute

    nbformat.write(execute.execute(*execute.sources(name), after=PLOTTED, settings=QUICK.get(name, "")), out)


@pytest.fixture(scope="module")
def executed(tmp_path_factory, request):
    """name → (the executed lesson, what its figures plot); each lesson runs once, when it is first asked for."""
    folder, done = tmp_path_factory.mktemp("notebooks"), {}
    environment = {
        "MAE_VIZ_CACHE": str(folder / "cache"),
        "JUPYTER_RUNTIME_DIR": str(folder / "r"),
        "IPYTHONDIR": str(folder / "ipython"),
    }

    def execute(name: str):
        if name not in done:
            if name == "05_train_your_own":
                environment["MAE_VIZ_TINY_RUN"] = str(request.getfixturevalue("tiny_run"))
            out = folder / f"{name}.ipynb"
            process = get_context("fork").Process(target=execute_in, args=(environment, name, out))
            process.start()
            process.join(900)
            assert process.exitcode == 0, name  # what went wrong is on stderr
            notebook = nbformat.read(out, as_version=4)
            plotted = json.loads(text_of(notebook.cells.pop()))
            done[name] = notebook, plotted
        return done[name]

    return execute


def text_of(cell) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")


def test_a_reply_whose_announcement_was_swallowed_is_still_read(monkeypatch):
    """As it is when nbclient has answered a widget at the wrong moment; jupyter_client's own channel never sees it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    import execute

    session = Session(key=b"")

    async def wait() -> str:
        with zmq.asyncio.Context() as context, context.socket(zmq.DEALER) as here, zmq.Context() as other:
            port = here.bind_to_random_port("tcp://127.0.0.1")
            with other.socket(zmq.DEALER) as there, zmq.Socket.shadow(here.underlying) as shadow:
                there.connect(f"tcp://127.0.0.1:{port}")
                reply = asyncio.ensure_future(execute.LookingChannel(here, session).get_msg(timeout=60))
                for _ in range(20):  # turns of the loop, after which it waits
                    await asyncio.sleep(0)
                session.send(there, "execute_reply", {})
                deadline = time.monotonic() + 30
                while not shadow.get(zmq.EVENTS) & zmq.POLLIN:  # this takes the announcement
                    assert time.monotonic() < deadline
                return (await asyncio.wait_for(reply, 60))["msg_type"]

    with ThreadPoolExecutor(1) as elsewhere:  # where no browser's loop runs
        assert elsewhere.submit(asyncio.run, wait()).result() == "execute_reply"


def test_printed_text_is_kept_in_one_piece_and_in_its_place(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import execute

    def printed(text: str, name: str = "stdout"):
        return nbformat.v4.new_output("stream", name=name, text=text)

    kernel = {"name": "python3", "display_name": "Python 3"}
    picture = nbformat.v4.new_output("display_data", {"image/png": ""})
    cell = nbformat.v4.new_code_cell("")
    cell.outputs = [printed("a"), printed("b\n"), picture, printed("c"), printed("d", "stderr"), printed("e")]
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    (cleaned,) = execute.cleaned(notebook).cells
    assert [o.get("text", "picture") for o in cleaned.outputs] == ["ab\n", "picture", "c", "d", "e"]


def test_there_are_seven_lessons():
    assert [name[:2] for name in NAMES] == ["01", "02", "03", "04", "05", "06", "07"]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_from_top_to_bottom(executed, name):
    notebook, _ = executed(name)
    warned = [o.text for cell in notebook.cells for o in cell.get("outputs", []) if o.get("name") == "stderr"]
    assert warned == []
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and cell.source)


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_notebook_is_its_script_executed_with_these_weights(name):
    notebook, script = committed(name), jupytext.read(FOLDER / f"{name}.py")
    assert [(c.cell_type, c.source) for c in notebook.cells] == [(c.cell_type, c.source) for c in script.cells]
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and cell.source)
    assert not [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type == "error"]
    weights = {model: checkpoints.card(model)["sha256"][:16] for model in checkpoints.available()}
    assert notebook.metadata["mae_viz"]["weights"] == weights, "the weights changed: run make notebooks"


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_notebook_is_small_and_holds_no_widget_state(name):
    path = FOLDER / f"{name}.ipynb"
    assert path.stat().st_size < 3_000_000
    text = path.read_text(encoding="utf-8")
    assert "widget-state" not in text
    assert "widget-view" not in text
    assert "widgets" not in committed(name).metadata
    assert "iopub" not in text  # times of execution


@pytest.mark.parametrize("name", NAMES)
def test_a_static_picture_stands_by_every_widget(name):
    """In the cell before one, in the next, or in the one after that."""
    cells = [cell for cell in committed(name).cells if cell.cell_type == "code"]
    static = [
        any(key.startswith("image/") for o in cell.outputs for key in o.get("data", {}))
        or any(o.output_type == "stream" for o in cell.outputs)
        for cell in cells
    ]
    widgets = [i for i, cell in enumerate(cells) if "Interactive" in json.dumps(cell.outputs, ensure_ascii=False)]
    assert widgets, "a lesson has something to play with"
    for i in widgets:
        assert any(static[max(i - 1, 0) : i + 2]), f"nothing to see on paper beside cell {i}"


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_has_a_goal_one_settings_cell_and_folded_answers(name):
    cells = jupytext.read(FOLDER / f"{name}.py").cells
    assert "**Goal.**" in cells[0].source
    settings = [i for i, cell in enumerate(cells) if "Settings" in str(cell.metadata.get("title", ""))]
    assert settings == [1]
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert prose.count("**Question") >= 2
    assert prose.count("**Question") == prose.count("<details><summary>Answer</summary>") == prose.count("</details>")


def test_pictures_say_how_they_are_encoded():
    from mae_viz.figures import inline

    assert "JPEG" in inline.ENCODING
    outputs = [o.data for cell in committed("01_tour").cells for o in cell.get("outputs", []) if "data" in o]
    photographs = [base64.b64decode(data["image/jpeg"]) for data in outputs if "image/jpeg" in data]
    assert photographs
    assert all(data[:2] == b"\xff\xd8" for data in photographs)


def test_the_tour_works_in_jupyterlab(browser, tmp_path):
    (tmp_path / "lessons").mkdir()
    tour = committed("01_tour")
    for cell in tour.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    nbformat.write(tour, tmp_path / "lessons" / "01_tour.ipynb")
    shutil.copytree(FOLDER.parent / "docs", tmp_path / "docs")
    with jupyterlab(browser, tmp_path / "lessons" / "01_tour.ipynb", tmp_path / "settings") as page:

        def run_all() -> None:
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

        set_off(page, run_all)
        viewer = page.locator(".mae-viewer[data-busy=false]")
        viewer.wait_for(timeout=2 * TIMEOUT_MS)
        viewer.scroll_into_view_if_needed()
        expect(page.locator(".mae-viewer .pane")).to_have_count(3)
        first = canvas_pixels(page.locator(".mae-viewer .pane canvas").nth(1))
        assert first.std() > 10, "the decoded picture is blank"
        page.get_by_role("button", name="λ 64", exact=True).click()
        expect(page.get_by_text("You are looking at λ = 64.0.")).to_be_visible()
        page.locator(f".mae-viewer[data-index='{Rate.near(64).index}'][data-busy=false]").wait_for()
        assert not np.array_equal(canvas_pixels(page.locator(".mae-viewer .pane canvas").nth(1)), first)
        chelsea = gallery()["chelsea"]
        page.locator(".widget-dropdown select").select_option(chelsea.title)
        size = len(mae_viz.compress(chelsea.path, lmbda=64))
        expect(page.locator(".mae-viewer .pane").nth(1)).to_contain_text(grouped(size))


# What is plotted is what was measured


def gallery_points(picture: str) -> np.ndarray:
    """bpp and PSNR of the MAE at the trained λ, from the JSON beside the weights."""
    document = json.loads((checkpoints.folder() / "mae" / "rd-gallery.json").read_text(encoding="utf-8"))
    rows = [row for row in document["measurements"] if row["image"] == picture and row["lmbda"] in rates.LMBDAS]
    return np.array([(row["bpp"], row["psnr_db"]) for row in sorted(rows, key=lambda row: row["lmbda"])])


def test_02_codes_a_photograph_live_as_committed(executed):
    notebook, plotted = executed("02_fig3_rate_distortion")
    known = gallery_points("chelsea")
    live = np.array(plotted["figure"][0]["MAE, chelsea, live"])
    np.testing.assert_allclose(live[:, 0], known[:, 0], atol=5e-7)  # six digits are stored
    np.testing.assert_allclose(live[:, 1], known[:, 1], atol=0.01)
    printed = "\n".join(text_of(cell) for cell in notebook.cells if cell.cell_type == "code")
    assert printed.count("as committed") == 7


def test_02_draws_the_figure_of_the_results(executed):
    _, plotted = executed("02_fig3_rate_distortion")
    for axes, metric in ((0, "psnr"), (2, "ms-ssim")):
        for name, label in (("mae", "MAE"), ("bottleneck-scaling", "Bottleneck scaling"), ("jpeg", "JPEG (4:2:0)")):
            _, bpp, db = collected.curves(mae_viz.results(), "kodak", metric)[name]
            np.testing.assert_array_equal(plotted["kodak"][axes][label], np.column_stack([bpp, db]))


def test_02_ends_with_a_codec_of_ones_own_on_the_same_photograph(executed):
    _, plotted = executed("02_fig3_rate_distortion")
    curves = {name.partition(",")[0]: np.array(points) for name, points in plotted["own_figure"][0].items()}
    np.testing.assert_allclose(curves["MAE"][:, 0], gallery_points("chelsea")[:, 0], atol=5e-7)
    own = curves["Block DCT"]
    assert len(own) == 5
    assert (np.diff(own, axis=0) > 0).all()
    inside = (own[:, 0] > curves["MAE"][0, 0]) & (own[:, 0] < curves["MAE"][-1, 0])
    assert inside.sum() == 3
    assert (own[inside, 1] < np.interp(own[inside, 0], *curves["MAE"].T)).all()  # a linear transform is behind


def test_04_draws_the_ranges_of_the_results(executed):
    notebook, _ = executed("04_bottleneck_scaling_vs_mae")
    printed = "\n".join(text_of(cell) for cell in notebook.cells if cell.cell_type == "code")
    for name in ("mae", "bottleneck-scaling"):
        _, bpp, _ = collected.curves(mae_viz.results(), "kodak")[name]
        assert f"{bpp[0]:.3f} … {bpp[-1]:.3f} bpp" in printed
    gallery = mae_viz.results().query("codec == 'mae' and dataset == 'gallery' and image == 'astronaut'")
    for row in gallery[gallery["trained"]].itertuples():
        assert f"MAE {round(row.bpp * 512 * 512 / 8):7,} bytes" in printed


def test_05_ends_with_a_codec_whose_quality_rises_with_lambda(executed):
    _, plotted = executed("05_train_your_own")
    (label,) = [name for name in plotted["figure"][0] if name.startswith("yours")]
    mine = np.array(plotted["figure"][0][label])
    assert len(mine) == 7
    assert (np.diff(mine, axis=0) > 0).all()
    (shipped,) = [points for name, points in plotted["figure"][0].items() if "ships" in name]
    np.testing.assert_allclose(shipped, gallery_points("chelsea"), atol=0.01)


def test_06_meets_its_budgets(executed):
    notebook, _ = executed("06_continuous_rate")
    printed = "\n".join(text_of(cell) for cell in notebook.cells if cell.cell_type == "code")
    lines = [line for line in printed.splitlines() if "bytes asked" in line]
    assert len(lines) == 4
    for line in lines:
        asked, used = (
            int(part.split()[-1].replace(",", "")) for part in (line.split(" bytes asked")[0], line.split(" used")[0])
        )
        assert 0.95 * asked < used <= asked
