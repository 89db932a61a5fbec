"""What pages of the site take from the code: Markdown, made of docstrings, tables and the commands themselves."""

import re
from collections.abc import Callable
from itertools import takewhile

PLACE = re.compile(r"<!-- from the code: (?P<name>[\w-]+) -->")


def words() -> str:
    """The app's glossary."""
    from mae_viz.app.parts.glossary import WORDS

    return "\n".join(f"{word}\n: {meaning[0].upper()}{meaning[1:]}\n" for word, meaning in WORDS.items())


def further() -> str:
    """Metrics beside PSNR and MS-SSIM."""
    from mae_viz.further import FURTHER

    return "\n".join(f"{found.title} (`{name}`)\n: {found.definition}\n" for name, found in FURTHER.items())


def result_files() -> str:
    """What each number in a result file is."""
    from mae_viz.measured.records import DEFINITIONS

    return "\n".join(f"`{name}`\n: {meaning}\n" for name, meaning in DEFINITIONS.items())


def intervals() -> str:
    """How a BD-rate is taken, and its interval."""
    from mae_viz.measured.intervals import METHOD
    from mae_viz.metrics import BDRate

    return f"{BDRate.method}.\n\n{METHOD}."


def commands() -> str:
    """`mae-viz` and its commands, as they describe themselves, a heading each."""
    import typer.main
    from typer.cli import get_docs_for_click

    from mae_viz.cli import app

    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="mae-viz")
    for name, each in command.commands.items():  # in the list its first line, and not cut
        text = text.replace(f"* `{name}`: {each.get_short_help_str()}\n", f"* `{name}`: {each.help.splitlines()[0]}\n")
    return text.partition("\n")[2]  # the page has a heading of its own


def configurations() -> str:
    """What `mae-viz train` is given by name: each configuration and what it says of itself."""
    from mae_viz.training import config

    lines = []
    for path in sorted(config.FOLDER.glob("*.toml")):
        comment = takewhile(lambda line: re.match("# [^ ]", line), path.read_text(encoding="utf-8").splitlines())
        lines.append(f"`{path.stem}`\n: {' '.join(line.removeprefix('# ') for line in comment)}\n")
    return "\n".join(lines)


def arrangements() -> str:
    """What the laboratory can be opened with."""
    from mae_viz.viewer.arrangements import ARRANGEMENTS, PANELS

    return "\n".join(
        f"{made.title} (`?show={name}`)\n: {made.mode.replace('side', 'side by side')} of "
        f"`{made.panes.replace(',', '`, `')}`; beside it {', '.join(PANELS[panel] for panel in made.panels)}\n"
        for name, made in ARRANGEMENTS.items()
    )


FROM_THE_CODE: dict[str, Callable[[], str]] = {
    "words": words,
    "further": further,
    "result-files": result_files,
    "bd-rate": intervals,
    "commands": commands,
    "configurations": configurations,
    "arrangements": arrangements,
}
"""By the name that a page asks for them with."""
