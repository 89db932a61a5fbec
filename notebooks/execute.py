"""Executes the lessons: NN_name.py, the sources (jupytext percent scripts) → NN_name.ipynb with outputs.

    python notebooks/execute.py            # all, in order
    python notebooks/execute.py 02 06      # some of them

What is written is the same for the same results and weights as far as that is possible: no times, no widget state,
cells numbered in order. Where a widget stands, the file has a line that says so; the pictures beside it are static.
The notebooks' metadata name the weights that they were executed with.
"""

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
WIDGET = "application/vnd.jupyter.widget-view+json"
NOTE = "▶ *Interactive: run this cell to use it. The pictures and tables around it show the same without.*"


def sources(*wanted: str) -> list[Path]:
    """The lessons' sources whose names start with one of ``wanted``; all of them without."""
    found = sorted(HERE.glob("[0-9][0-9]_*.py"))
    return [path for path in found if path.name.startswith(wanted)] if wanted else found


def execute(source: Path, after: str = "") -> nbformat.NotebookNode:
    """Run a lesson from top to bottom in a kernel of its own; ``after`` is code to run behind its last cell.

    Raises nbclient.exceptions.CellExecutionError where a cell fails.
    """
    notebook = jupytext.read(source)
    if after:
        notebook.cells.append(nbformat.v4.new_code_cell(after))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, timeout=3600, resources={"metadata": {"path": str(HERE)}}).execute()
    return cleaned(notebook)


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without times, ids made up by chance, and references to widgets that no longer live."""
    from mae_viz import checkpoints

    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        cell.metadata.pop("execution", None)
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


def main() -> None:
    for source in sources(*sys.argv[1:]):
        print(source.name, flush=True)
        notebook = execute(source)
        nbformat.write(notebook, source.with_suffix(".ipynb"))


if __name__ == "__main__":
    main()
