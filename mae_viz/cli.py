"""`mae-viz`: everything from the command line.

Heavy imports stay inside the commands, so that --help answers at once. Errors are one line on stderr and exit
code 2.
"""

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mae_viz.rates import Rate
from mae_viz.storage import shipped, write_whole

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

    from mae_viz.codecs.refined import RefinedCodec

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mae-viz {metadata.version('mae-viz')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="say it, and end")
    ] = False,
) -> None:
    """Variable-rate image compression with a modulated autoencoder: compress, inspect, teach."""


_Report = Callable[..., None]
"""Hears the fraction done, 0…1, and perhaps a text."""

Model = Annotated[str, typer.Option(help="a model that ships (mae, bottleneck-scaling, …) or a checkpoint's folder")]
Csv = Annotated[Path | None, typer.Option("--csv", help="write the numbers into this file too")]
Lmbda = Annotated[float, typer.Option("--lambda", help="64 (small file) … 4096 (good picture)")]
Device = Annotated[
    str,
    typer.Option(
        help="where models compute: cpu, or a GPU as cuda, cuda:1; every file decodes to the same symbols on all"
    ),
]


@app.command()
def compress(
    images: Annotated[list[Path], typer.Argument(help="pictures, or folders of them; - is standard input")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .mae file; a folder for several; - is stdout")],
    model: Model = "mae",
    lmbda: Annotated[float | None, typer.Option("--lambda", help="64 (small file) … 4096 (good picture)")] = None,
    size: Annotated[
        int | None, typer.Option("--bytes", help="instead of λ: the largest file of at most so many")
    ] = None,
    bpp: Annotated[float | None, typer.Option(help="the same budget in bits per pixel")] = None,
    psnr: Annotated[float | None, typer.Option(help="instead of λ: the smallest file of at least so many dB")] = None,
    effort: Annotated[
        int,
        typer.Option(
            min=0,
            max=4,
            help="refine the latents for 20, 40, 80 or 160 steps (1 to 4): smaller files for the same decoder",
        ),
    ] = 0,
    objective: Annotated[str, typer.Option(help="what --effort works for: mse, ms-ssim, mixture")] = "mse",
    importance: Annotated[
        Path | None, typer.Option(help="a picture of the same size for --effort: where it is white, errors count more")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Compress pictures to .mae files, at λ = 512 unless --lambda or a target says otherwise.

    With --effort Ctrl-C ends the refinement of a file, or the search for its λ, and the best so far is written.
    """
    from mae_viz.codecs import registry, search
    from mae_viz.coding import coder
    from mae_viz.formats import SUFFIXES
    from mae_viz.images import open_rgb

    targets = [value for value in (size, bpp, psnr) if value is not None]
    if len(targets) + (lmbda is not None) > 1:
        raise ValueError("--lambda, --bytes, --bpp and --psnr exclude one another: give one of them.")
    wanted = 512.0 if lmbda is None else lmbda
    refined = _refined(model, effort, objective, importance, device)

    def coded(image: Path, progress: _Report) -> tuple[bytes, str]:
        source, quality, pains = _read(image) if image == _STANDARD else image, "", ""
        if targets:
            codec = refined or registry.codec(model, device)
            found = search.compress_to(source, codec, bytes=size, bpp=bpp, psnr_db=psnr, progress=progress)
            stream, quality = found.stream, f", {found.psnr_db:.2f} dB"
            if not found.whole:
                pains = "; stopped: the best file so far within the target" + (
                    ", coded in one pass" if found.codec is not refined else ""
                )
        elif refined:
            spent = refined.spend(open_rgb(source), refined.rate(wanted), progress)
            stream, quality, pains = spent.best.stream, f", {spent.best.psnr_db:.2f} dB", f"; {spent}"
        else:
            stream = coder.compress(source, model, wanted, progress, device)
        facts = coder.info(stream)
        return stream, f"{facts['bytes']} bytes, {facts['bpp']:.4f} bpp{quality}, λ = {facts['lmbda']:.1f}{pains}"

    _each("compressing", _pairs(images, output, SUFFIXES, ".mae"), coded)


def _refined(model: str, effort: int, objective: str, importance: Path | None, device: str) -> "RefinedCodec | None":
    """What an effort above 0 codes with. Raises ValueError for settings that only count with one."""
    if not effort:
        if objective != "mse" or importance:
            raise ValueError("--objective and --importance say what an effort is for: add --effort 3.")
        return None
    import numpy as np

    from mae_viz.codecs import registry
    from mae_viz.images import open_rgb
    from mae_viz.refining.effort import STEPS

    weights = np.asarray(open_rgb(importance).convert("L"), np.float32) / 255 if importance else None
    return registry.codec(model, device).refined(STEPS[effort], objective, weights)


@app.command()
def decompress(
    files: Annotated[list[Path], typer.Argument(help=".mae files, or folders of them; - is standard input")],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="the picture: .png, .webp, .tiff without loss, .jpg, .avif with some; a folder for several (PNG); "
            "- is stdout",
        ),
    ],
    model: Annotated[
        str | None, typer.Option(help="a checkpoint's folder, for files made with one of your own")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Decompress .mae files to pictures. Between two devices a pixel may differ by a grey level."""
    from mae_viz.coding import coder

    pairs = _pairs(files, output, frozenset([".mae"]), ".png")
    forms = {file: _written(target) for file, target in pairs}

    def decoded(file: Path, progress: _Report) -> tuple[bytes, str]:
        picture, (form, options), data = (
            coder.decompress(_read(file), model, progress, device),
            forms[file],
            io.BytesIO(),
        )
        picture.save(data, form, **options)
        return data.getvalue(), f"{picture.width} × {picture.height}"

    _each("decompressing", pairs, decoded)


def _pairs(sources: list[Path], output: Path, suffixes: frozenset[str], suffix: str) -> list[tuple[Path, Path]]:
    """Files to read, each with the one to write: one with ``output``, several and those in folders with files in it.

    Raises ValueError before anything is written where two would be written to one file, or one over its source.
    """
    from mae_viz.images import names_in

    if len(sources) == 1 and not sources[0].is_dir() and not output.is_dir():
        pairs = [(sources[0], output)]
    else:
        found = []
        for source in sources:
            if source.is_dir():
                found += [(source / name, name) for name in names_in(source, suffixes)]
            else:
                found.append((source, source.name))
        pairs = [(file, (output / name).with_suffix(suffix)) for file, name in found]
    if not pairs:
        raise ValueError(f"there is nothing to read in {', '.join(map(str, sources))}.")
    read: dict[Path, Path] = {}
    for file, target in pairs:
        if file.is_file() and target.is_file() and target.samefile(file):
            raise ValueError(f"{target} is what is to be read: name another file to write.")
        if read.setdefault(target, file) != file:
            raise ValueError(f"{read[target]} and {file} would both become {target}: rename one.")
    return pairs


def _each(task: str, pairs: list[tuple[Path, Path]], made: Callable[[Path, "_Report"], tuple[bytes, str]]) -> None:
    """Write what is made of each file. Of several, one that fails is told of and the others go on; the exit code is 2
    then."""
    failed = 0
    with _progress(task) as progress:
        for done, (file, target) in enumerate(pairs):
            try:
                data, said = made(file, lambda part, text="", at=done: progress((at + part) / len(pairs), text))
                if len(pairs) > 1:
                    target.parent.mkdir(parents=True, exist_ok=True)
                _write(target, data, said)
            except (ValueError, OSError) as error:
                if len(pairs) == 1:
                    raise
                failed += 1
                typer.echo(f"{file}: {' '.join(str(error).split())}", err=True)
    if len(pairs) > 1:
        typer.echo(f"{len(pairs) - failed} of {len(pairs)} files written.")
    if failed:
        raise typer.Exit(2)


def _written(output: Path) -> tuple[str, dict]:
    """The format that a name stands for, and how pictures are saved in it."""
    formats: dict[str, tuple[str, dict]] = {
        ".png": ("PNG", {}),
        ".webp": ("WEBP", {"lossless": True}),
        **dict.fromkeys((".tif", ".tiff"), ("TIFF", {"compression": "tiff_adobe_deflate"})),
        **dict.fromkeys((".jpg", ".jpeg"), ("JPEG", {"quality": 95, "subsampling": "4:4:4"})),
        ".avif": ("AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    }
    if output == _STANDARD or (output.exists() and not output.is_file()):  # a FIFO, a device
        return formats.get(output.suffix.lower(), formats[".png"])
    if output.suffix.lower() not in formats:
        raise ValueError(f"{output} names no format: let it end with {', '.join(formats)}.")
    return formats[output.suffix.lower()]


@app.command()
def info(file: Annotated[Path, typer.Argument(help="a .mae file; - is standard input")]) -> None:
    """Print what the header of a .mae file says, as JSON. Whether the rest is intact, decompress finds out."""
    from mae_viz.coding import bitstream, coder

    if file.is_file():
        with file.open("rb") as opened:
            facts = coder.info_of_header(opened.read(bitstream.HEADER_BYTES), file.stat().st_size)
    else:  # what has no length is read to its end
        facts = coder.info(_read(file))
    typer.echo(json.dumps(facts, indent=2))


@app.command()
def evaluate(
    names: Annotated[list[str], typer.Argument(help="models, checkpoint folders, jpeg, mozjpeg, webp, avif, …")],
    out: Annotated[Path, typer.Option(help="FILE.json; for several codecs {name} in it, else FILE-<name>.json each")],
    images: Annotated[Path | None, typer.Option(help="a folder of pictures, searched recursively; else Kodak")] = None,
    dataset: Annotated[str | None, typer.Option(help="what to call the pictures: else the folder's name")] = None,
    lambdas: Annotated[str | None, typer.Option(help="λ of the models, such as 64,512: else the trained ones")] = None,
    per_octave: Annotated[
        int | None, typer.Option(min=1, help="further λ in equal steps: 4 for quarter octaves")
    ] = None,
    qualities: Annotated[str | None, typer.Option(help="of the classical codecs, such as 10,50: else all")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="processes, of one thread each")] = os.cpu_count() or 1,
    scheduler: Annotated[
        str, typer.Option(help="a Dask cluster whose workers measure instead, such as tcp://10.0.0.1:8786")
    ] = "",
    restart: Annotated[bool, typer.Option(help="measure anew what FILE already holds")] = False,
    metric: Annotated[
        list[str] | None, typer.Option(help="also: ssimulacra2, vmaf (pip install mae_viz[metrics]); repeat for more")
    ] = None,
    effort: Annotated[int, typer.Option(min=0, max=4, help="of models: as for compress")] = 0,
    objective: Annotated[str, typer.Option(help="what the effort is for: mse, ms-ssim, mixture")] = "mse",
    device: Device = "cpu",
    csv: Csv = None,
) -> None:
    """Measure rate and distortion of models and classical codecs; an interrupted run goes on where it was.

    --csv has a row for each image and rate, and those of the means (image "mean"). On a GPU pictures of one size go
    through the transforms together; the entropy coder and the metrics stay on the CPU, so --jobs counts there too.
    """
    from mae_viz.codecs import registry
    from mae_viz.codecs.interface import LambdaAxis
    from mae_viz.measured import collected, kodak, records
    from mae_viz.measured import evaluate as evaluation
    from mae_viz.refining.effort import STEPS

    dataset = dataset or (images.resolve().name.lower() if images else "kodak")
    pictures = evaluation.pictures_in(images) if images else {path.stem: path for path in kodak.images()}
    tables = []
    for name in names:
        codec = registry.codec(name, device)
        if effort:
            codec = codec.refined(STEPS[effort], objective)
        axis = codec.axis
        points = _numbers(lambdas if isinstance(axis, LambdaAxis) else qualities)
        if per_octave and isinstance(axis, LambdaAxis):
            points = [*(points or []), *evaluation.lmbdas_per_octave(axis, per_octave)]
        file = evaluation.file_for(out, codec.file_name, len(names) > 1)
        with _progress(f"measuring {codec.file_name}") as progress:
            document = evaluation.evaluate(
                codec.name, pictures, file, dataset, points, jobs, progress, restart, metric or (), scheduler, device
            )
        typer.echo(f"{file}:\n{records.means_text(document)}")
        tables.append(collected.read(file))
    if csv:
        import pandas as pd

        _save_table(pd.concat(tables, ignore_index=True), csv)


@app.command()
def bd_rate(
    anchor: Annotated[str, typer.Argument(help="the curve to compare with: jpeg, mae, published-bpg-444, …")],
    dataset: Annotated[str, typer.Option(help="kodak, or whatever was measured")] = "kodak",
    metric: Annotated[
        str, typer.Option(help="psnr, ms-ssim (dB of the images' mean), ms-ssim-mean-of-db, ssimulacra2, vmaf")
    ] = "psnr",
    csv: Csv = None,
) -> None:
    """Compare every measured and published curve with one of them, as a table with 95 % intervals."""
    from mae_viz.measured import collected

    frame = collected.results()
    typer.echo(collected.bd_text(anchor, dataset, metric, frame))
    if csv:
        _save_table(collected.bd_table(anchor, dataset, metric, frame), csv)


@app.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help="kodak; clic or tecnick: where to get them")],
) -> None:
    """Fetch a data set to measure on, once, with checksums; or say where to get it and how to name it."""
    from mae_viz.measured import datasets

    typer.echo(datasets.fetch(dataset))


@app.command()
def report(
    name: Annotated[str | None, typer.Argument(help="of one table: else all")] = None,
    write: Annotated[
        bool, typer.Option(help="bring checkpoints/README.md and the checksums beside it up to date")
    ] = False,
) -> None:
    """Print the tables of checkpoints/README.md, computed from the result files."""
    from mae_viz.coding import checkpoints, weights
    from mae_viz.measured import collected
    from mae_viz.measured import report as tables

    results = collected.results()
    if write:
        file = checkpoints.folder() / "README.md"
        write_whole(file, tables.write(_read(file).decode("utf-8"), results).encode("utf-8"))
        weights.write_manifest(checkpoints.folder())
        return
    if name and name not in tables.TABLES:
        raise ValueError(f"there is no table {name!r}: choose one of {', '.join(tables.TABLES)}.")
    typer.echo("\n\n".join(tables.TABLES[key](results) for key in ([name] if name else tables.TABLES)))


@app.command()
def export(
    image: Annotated[str, typer.Argument(help="a picture, or the name of a bundled photograph (china, flower, …)")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .html file to write")],
    codecs: Annotated[
        str, typer.Option(help="models and codecs to compare, such as mae,jpeg,avif")
    ] = "mae,bottleneck-scaling",
    lmbda: Lmbda = 512.0,
    title: Annotated[str | None, typer.Option(help="the page's heading: else the picture's name")] = None,
) -> None:
    """Write one HTML file in which a picture can be explored at every rate, offline and without Python."""
    from mae_viz.ladders import ladder
    from mae_viz.viewer import html

    picture, name = _scrubbed(image)
    with _progress("coding the picture at every rate") as progress:
        page = html.lesson(ladder.Ladders(), picture, title or name, Rate.near(lmbda), _words(codecs), progress)
    write_whole(output, page.encode())
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command()
def export_onnx(
    names: Annotated[list[str], typer.Argument(help="models that ship, or checkpoints' folders")],
    out: Annotated[Path, typer.Option(help="folder to write into")] = Path("exported"),
) -> None:
    """Write a model's transforms as ONNX with λ as an input, and its entropy tables beside them."""
    from mae_viz.browser import export
    from mae_viz.coding import checkpoints

    for name in names:
        for _, file, data in export.files(checkpoints.open_checkpoint(name)):
            out.mkdir(parents=True, exist_ok=True)
            write_whole(out / file, data)
            typer.echo(f"{out / file}: {len(data) / 1e6:.1f} MB")


@app.command()
def sweep(
    image: Annotated[str, typer.Argument(help="a picture, or the name of a bundled photograph (china, flower, …)")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .webp, .gif or .mp4 file to write")],
    codecs: Annotated[str, typer.Option(help="models to show side by side")] = "mae,bottleneck-scaling",
) -> None:
    """Write a film for slides: a picture by one or more models while λ runs up and down."""
    from mae_viz.ladders import ladder
    from mae_viz.viewer import sweep as films

    picture, _ = _scrubbed(image)
    with _progress("coding the picture at every rate") as progress:
        film = films.sweep(ladder.Ladders(), picture, _words(codecs), output.suffix.lower(), progress)
    write_whole(output, film)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command()
def prepare(
    codecs: Annotated[str, typer.Option(help="models and codecs, separated by commas")] = "mae,bottleneck-scaling,jpeg",
) -> None:
    """Compute the ladders of the bundled photographs, so that the app shows them at once."""
    from mae_viz.codecs.registry import ORIGINAL
    from mae_viz.images import gallery, open_rgb
    from mae_viz.ladders import ladder

    ladders = ladder.Ladders()
    names = [ORIGINAL.name, *_words(codecs)]
    with _progress("coding the bundled photographs at every rate") as progress:
        opened = [ladders.open(open_rgb(photo.path), name) for photo in gallery().values() for name in names]
        ladders.wait(opened, progress)
    typer.echo(f"{len(opened)} ladders in {ladders.folder}")


@app.command()
def lessons(
    out: Annotated[
        Path | None, typer.Option(help="folder: else lessons, where the app finds them when it is started here")
    ] = None,
) -> None:
    """Write one offline HTML file for each bundled photograph, as `mae-viz export` does for one picture."""
    from mae_viz.app import lessons as files

    with _progress("coding the bundled photographs at every rate") as progress:
        written = files.write(out or files.folder(), progress)
    for path in written:
        typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@app.command()
def figure(
    which: Annotated[str, typer.Argument(help="fig1, fig2, fig3, fig4, table1, several with commas, or all")] = "all",
    out: Annotated[Path, typer.Option(help="folder to write into")] = Path("figures"),
    form: Annotated[str, typer.Option("--format", help="csv and tex: table1, numbers of fig3")] = "pdf,svg,png,csv,tex",
    image: Annotated[str, typer.Option(help="fig4: a bundled photograph's name, or a file")] = "chelsea",
    channels: Annotated[str | None, typer.Option(help="fig4: such as 0,7; else those with the most bits")] = None,
    lambdas: Annotated[str | None, typer.Option(help="fig4: the two λ of the ratio, such as 4096,64")] = None,
    crop: Annotated[str | None, typer.Option(help="fig4: LEFT,TOP,WIDTH,HEIGHT in pixels")] = None,
    model: Annotated[str, typer.Option(help="fig4: a MAE that ships, or a checkpoint's folder")] = "mae",
    dataset: Annotated[str, typer.Option(help="fig3: kodak, gallery, or whatever was measured")] = "kodak",
) -> None:
    """Regenerate the paper's figures and Table I from committed results and weights, with a caption beside each."""
    from mae_viz.figures import output

    two, box = _numbers(lambdas), _numbers(crop)
    if (two and len(two) != 2) or (box and len(box) != 4):
        raise ValueError("write two λ, such as --lambdas 4096,64, and a crop as --crop LEFT,TOP,WIDTH,HEIGHT.")
    chosen = [int(channel) for channel in _numbers(channels) or []]
    pair = (two[0], two[1]) if two else None
    rectangle = (int(box[0]), int(box[1]), int(box[2]), int(box[3])) if box else None
    for path in output.write(_words(which), out, _words(form), image, chosen, pair, rectangle, model, dataset):
        typer.echo(path)


@app.command()
def train(
    config: Annotated[str, typer.Argument(help="mae, independent, bottleneck-scaling, tiny, …, or a TOML file")],
    data: Annotated[Path | None, typer.Option(help="a folder (searched recursively) or a zip of photographs")] = None,
    out: Annotated[Path | None, typer.Option(help="the run's folder: else runs/<name>")] = None,
    source: Annotated[str, typer.Option("--from", help="a model that ships, or a checkpoint's folder")] = "",
    validation: Annotated[Path | None, typer.Option(help="a text file: names of pictures to hold out, by line")] = None,
    lmbda: Annotated[float | None, typer.Option("--lambda", help="of an independent model")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="another setting, such as steps=2000")] = None,
    anneal: Annotated[int, typer.Option(min=0, help="a branch of so many steps to rate 0; the run stays")] = 0,
    devices: Annotated[str, typer.Option(help="how many GPUs or CPU processes")] = "auto",
    nodes: Annotated[int, typer.Option(min=1, help="how many machines, under a cluster's launcher")] = 1,
) -> None:
    """Train a model; the same command goes on where a run was interrupted. Ctrl-C saves."""
    from mae_viz.training import config as configs
    from mae_viz.training import loop

    chosen = configs.parse_settings(settings or [])
    if data:
        chosen["data"] = str(data)
    if validation:
        chosen["validation"] = configs.parse_names(_read(validation))
    if lmbda:
        chosen["lmbdas"] = [lmbda]
    first, *then = configs.stretches(config, bool(source), **chosen)
    name = Path(config).stem + (f"-{first.lmbdas[0]:g}" if len(first.lmbdas) == 1 else "")
    loop.train(first, out or Path("runs") / name, name, source, anneal, devices, nodes, then=then)


@app.command()
def pack(
    folder: Annotated[Path, typer.Argument(help="photographs, searched recursively")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .zip file to write")],
    limit: Annotated[str, typer.Option(help="how large it may become")] = "45MB",
) -> None:
    """Make a small training set to carry to another machine: one zip of AVIF files, as good as the limit allows."""
    from mae_viz.training import pack as packing

    def say(text: str) -> None:
        typer.echo(text, err=True)

    with _progress("packing") as progress:
        quality = packing.pack(folder, output, packing.parse_size(limit), say, progress)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, AVIF 4:4:4 of quality {quality}")


@app.command(name="app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def open_app(context: typer.Context, device: Device = "") -> None:
    """Open the interactive app in a browser; further options go to Streamlit (--server.port 8600)."""
    from mae_viz.codecs import registry
    from mae_viz.coding import devices

    os.environ["MAE_VIZ_DEVICE"] = devices.named(device or None)
    import_module("streamlit")
    registry.names()  # a module of one's own that cannot be imported is told of here, not on every page
    script = str(shipped("app.py"))  # beside it lies .streamlit/config.toml, which Streamlit finds there
    # -P: nothing in the folder at hand takes the place of a library
    os.execv(sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", script, *context.args])


@app.command()
def notebooks(
    out: Annotated[Path, typer.Argument(help="the folder to put them into")],
    force: Annotated[bool, typer.Option(help="write over notebooks that are there")] = False,
) -> None:
    """Copy the lessons that came along, executed, into a folder of your own: open them there with JupyterLab."""
    found = sorted(path for path in shipped("notebooks").iterdir() if path.suffix in (".ipynb", ".json"))
    if (there := [path.name for path in found if (out / path.name).exists()]) and not force:
        raise ValueError(
            f"{out} has {there[0]} already, perhaps with work of yours in it: name another folder, or --force."
        )
    out.mkdir(parents=True, exist_ok=True)
    for path in found:
        write_whole(out / path.name, path.read_bytes())
        typer.echo(out / path.name)
    if not find_spec("jupyterlab"):
        typer.echo("They need JupyterLab and more: pip install 'mae-viz[app,notebooks]'")


@app.command()
def weights(
    source: Annotated[
        str | None,
        typer.Argument(help="a folder with weights, such as checkpoints of a clone, or an address (https://…)"),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="take the address that this release or MAE_VIZ_WEIGHTS names")
    ] = False,
) -> None:
    """Say which models' weights are here; given a folder or an address, bring those that are missing.

    They are compared with checksums and kept in the cache folder.
    """
    from mae_viz.coding import checkpoints
    from mae_viz.coding import weights as files

    if fetch:
        source = source or files.address()
        if not source:
            raise ValueError(
                "no address of this release's weights is known: give a folder or an address, mae-viz weights DIR|URL, "
                "or name one in MAE_VIZ_WEIGHTS."
            )
    if source is not None:
        wanted = checkpoints.to_fetch()
        with _progress("weights") as progress:
            found = files.fetch(source, wanted, progress)
        for each in found:
            typer.echo(f"{each.name}: {each.bytes / 1e6:.1f} MB, checksum compared, in {each.target}")
        typer.echo(
            f"{len(found)} of {len(wanted)} missing models came from {source}." if wanted else "Nothing is missing."
        )
        return
    for name in checkpoints.known():
        path = checkpoints.weights_file(name)
        typer.echo(f"{name:28} {path if path.is_file() else 'missing'}")
    if lacking := checkpoints.to_fetch():
        size = sum(each.bytes for each in lacking) / 1e6
        known = files.address()
        typer.echo(f"{len(lacking)} missing, {size:.0f} MB. Get them: mae-viz weights {known or 'DIR|URL'}")
        if not known:
            typer.echo("A clone of the repository has all of them: name its folder, or an address where they lie.")


def _scrubbed(image: str) -> "tuple[Image.Image, str]":
    """A bundled photograph or a picture's file, its middle where it is too large for a ladder, and its name."""
    from mae_viz.images import bundled_or_file
    from mae_viz.ladders.frame import middle

    whole, name = bundled_or_file(image)
    picture = middle(whole)
    if picture is not whole:
        typer.echo(f"the picture is large: shown is its middle, {picture.width} × {picture.height} pixels.")
    return picture, name


@contextmanager
def _progress(task: str) -> Iterator["_Report"]:
    """A progress bar on stderr that appears where there is more than one step, and only on a terminal.

    It is told how much is done, and perhaps a text to stand beside it.
    """
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    row = bar.add_task(task, total=1.0)

    def report(done: float, text: str = "") -> None:
        if done < 1 and not bar.live.is_started and bar.console.is_terminal:
            bar.start()
        bar.update(row, completed=done, description=f"{task}: {text}" if text else task)

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()


def _save_table(table: "pd.DataFrame", file: Path) -> None:
    """A table as CSV, without columns that have no value."""
    write_whole(file, table.dropna(axis="columns", how="all").to_csv(index=False, lineterminator="\n").encode())
    typer.echo(f"{file}: {len(table)} rows")


def _words(text: str) -> list[str]:
    """What commas separate, without the space around it."""
    return [word for part in text.split(",") if (word := part.strip())]


def _numbers(text: str | None) -> list[float] | None:
    """The numbers in "64,512", None for None."""
    try:
        return None if text is None else [float(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{text!r} is no list of numbers: write 64,512,4096.") from None


_STANDARD = Path("-")
"""Standard input, or output."""


def _read(path: Path) -> bytes:
    if path == _STANDARD:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None


def _write(path: Path, data: bytes, said: str) -> None:
    """A file, or standard output; what is said about it goes to standard error then."""
    if path == _STANDARD:
        sys.stdout.buffer.write(data)
    else:
        write_whole(path, data)
    typer.echo(f"{path}: {said}", err=path == _STANDARD)


def _extra_with(module: str) -> str:
    """The extra of mae-viz that brings a package; empty for one that no extra brings."""
    name = module.partition(".")[0].replace("_", "-")
    for line in metadata.requires("mae-viz") or []:
        if found := re.match(rf"{re.escape(name)}\b(?!-).*extra == ['\"](\w+)['\"]", line):
            return found[1]
    return ""


def _fail(sentence: str) -> None:
    print(f"mae-viz: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(2)


def main() -> None:
    """Entry point: turns expected errors into one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # λ on a console that has none is no reason to fail
    try:
        app()
    except (ValueError, OSError) as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        extra = _extra_with(error.name or "")
        if not extra:
            raise
        _fail(f"this needs {error.name}, which is not installed: type `pip install 'mae-viz[{extra}]'`.")
    except KeyboardInterrupt:
        sys.exit(130)
