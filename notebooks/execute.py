"""Executes the lessons: NN_name.py, the sources (jupytext percent scripts) → NN_name.ipynb with outputs.

    python notebooks/execute.py            # all, in order
    python notebooks/execute.py 02 06      # some of them

What is written is the same for the same results and weights as far as that is possible: no times, no widget state,
cells numbered in order, printed lines in one piece however they arrived. Where a widget stands, the file has a line
that says so; the pictures beside it are static. The notebooks' metadata name the weights that they were executed with.
"""

import sys
import time
from pathlib import Path
from queue import Empty

import jupytext
import nbformat
import traitlets
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
WIDGET = "application/vnd.jupyter.widget-view+json"
NOTE = "▶ *Interactive: run this cell to use it. The pictures and tables around it show the same without.*"


def sources(*wanted: str) -> list[Path]:
    """The lessons' sources whose names start with one of ``wanted``; all of them without."""
    found = sorted(HERE.glob("[0-9][0-9]_*.py"))
    return [path for path in found if path.name.startswith(wanted)] if wanted else found


class LookingChannel(AsyncZMQSocketChannel):
    """A channel that looks for itself every 0.2 s.

    nbclient answers widgets on the socket where it waits for a cell's end, through a shadow of that socket; ZeroMQ
    announces a message once, and the shadow may swallow the announcement. Who only waits to be woken then waits for
    ever.
    """

    async def get_msg(self, timeout: float | None = None) -> dict:
        until = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return await super().get_msg(max(0.0, min(0.2, until - time.monotonic())))
            except Empty:
                if time.monotonic() >= until:
                    raise


class _Client(AsyncKernelClient):
    shell_channel_class = traitlets.Type(LookingChannel)


class _Manager(AsyncKernelManager):
    client_factory = traitlets.Type(_Client)


def execute(source: Path, after: str = "", settings: str = "") -> nbformat.NotebookNode:
    """Run a lesson from top to bottom in a kernel of its own, in its folder.

    ``source``: its script, or the notebook that it has become. ``settings``: code that changes its settings, run at the
    end of its first cell of code. ``after``: code that runs behind its last cell.

    Raises nbclient.exceptions.CellExecutionError where a cell fails.
    """
    notebook = jupytext.read(source)
    if settings:
        next(cell for cell in notebook.cells if cell.cell_type == "code").source += f"\n{settings}"
    if after:
        notebook.cells.append(nbformat.v4.new_code_cell(after))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    place = {"metadata": {"path": str(source.parent)}}
    NotebookClient(notebook, timeout=3600, resources=place, kernel_manager_class=_Manager).execute()
    return cleaned(notebook)


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without times, ids made up by chance, and references to widgets that no longer live."""
    from mae_viz.coding import checkpoints

    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
        for output in cell.get("outputs", []):
            if WIDGET in output.get("data", {}):
                output.data = {"text/markdown": NOTE}
    weights = {name: checkpoints.card(name)["sha256"][:16] for name in checkpoints.available()}
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": notebook.metadata["kernelspec"],
            "language_info": {"name": "python"},
            "jupytext": {"formats": "ipynb,py:percent"},
            "mae_viz": {"weights": weights},
        }
    )
    return notebook


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Printed text that follows on printed text, in one piece.

    nbclient's own coalesce_streams takes a time quadratic in the longest line: for a million characters, most of an
    hour.
    """
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def main() -> None:
    for source in sources(*sys.argv[1:]):
        print(source.name, flush=True)
        notebook = execute(source)
        nbformat.write(notebook, source.with_suffix(".ipynb"))


if __name__ == "__main__":
    main()
