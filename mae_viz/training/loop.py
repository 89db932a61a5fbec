"""A training from its configuration to a checkpoint: one code path for a laptop and for many GPUs.

In ``out`` lie ``state.pt`` (to go on from, exactly), ``tensorboard/``, ``validation.jsonl``, and at the end, or after a
short annealed branch, a checkpoint that every command takes as ``--model``. Of a configuration with several stretches
that is the last one; those before lie in ``out/stretch-1``, …, each a run of its own that begins at the checkpoint of
the one before.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mae_viz.coding import checkpoints
from mae_viz.training import data, machine, state
from mae_viz.training.config import Config
from mae_viz.training.report import Means, Report
from mae_viz.training.run import Run


def train(
    config: Config,
    out: Path,
    name: str,
    source: str = "",
    anneal: int = 0,
    devices: str = "auto",
    nodes: int = 1,
    stop_at: int | None = None,
    then: Sequence[Config] = (),
) -> Path | None:
    """Train as configured in the folder ``out``, going on where a run was interrupted there.

    ``name``: of the checkpoint to write. ``source``: a checkpoint to start from. ``anneal``: instead of going on, a
    branch of so many steps whose rates fall to 0; the run itself stays as it is. ``stop_at``: save and return at this
    step. ``then``: further stretches. Returns the last checkpoint's folder, or None where the run was stopped before
    its end.
    """
    fabric = machine.fabric(devices, nodes)
    configs = (config, *then)
    folders = [*(out / f"stretch-{k + 1}" for k in range(len(then))), out]
    begun = [k for k, folder in enumerate(folders) if (folder / "state.pt").is_file()]
    earlier: dict | None = None
    try:
        for k, (stretch, folder) in enumerate(zip(configs, folders, strict=True)):
            target = folder / name
            if anneal and k == (begun[-1] if begun else 0):
                return _stretch(fabric, stretch, folder, name, source, anneal, None, earlier)
            finished = k < len(then) and (target / "card.json").is_file()
            if not finished and not _stretch(fabric, stretch, folder, name, source, 0, stop_at, earlier):
                return None
            source, earlier = str(target.resolve()), checkpoints.card(str(target.resolve()))
        return target
    finally:
        machine.leave()


def _stretch(
    fabric: machine.Processes,
    config: Config,
    out: Path,
    name: str,
    source: str,
    anneal: int,
    stop_at: int | None,
    earlier: dict | None,
) -> Path | None:
    """One stretch, as `train` describes it."""
    speaks = fabric.is_global_zero
    path = out / "state.pt"
    saved = state.load(path) if path.is_file() else None
    if anneal and saved is None:
        raise ValueError(f"there is no run in {out} to branch from: train first, without --anneal.")
    where = data.BUNDLED if config.data == "bundled" else Path(config.data)
    if not config.data:
        raise ValueError("there is nothing to train on: give --data with a folder or a zip of photographs.")
    first = saved["step"] if saved else 0
    last = sys.maxsize if config.minutes else config.steps
    last = first + anneal if anneal else min(last, stop_at or last)
    folder = out / f"annealed-{first}" if anneal else out
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(folder, config.lmbdas, first, last, config.batch, speaks)
    try:
        with fabric.rank_zero_first():
            pictures = data.open_pictures(where, config.scales, report.say)
        if saved:
            config = config.changed(knots=config.knots or saved["config"].get("knots", ()))
            _say_changes(saved["config"], config, report.say)
        run = Run(config, pictures, fabric, report.say)
        run.begin(source, saved, earlier)
        done = _steps(run, last, path, report, anneal)
        if not done or (not anneal and run.done(run.step) < 1):
            return None
        note = f"; last {anneal} steps annealed" if anneal else ""
        if speaks:
            target = run.export(name, folder, note).resolve()
            report.say(f"{target} is written: use it as --model {target}")
        fabric.barrier()
        return folder / name
    finally:
        report.close()


def _steps(run: Run, last: int, path: Path, report: Report, anneal: int) -> bool:
    """Train up to step ``last`` or the end. A branch (``anneal``) saves nothing. False where it was stopped before."""
    config, fabric, first = run.config, run.fabric, run.step
    means, saved_at = Means(config.lmbdas), time.monotonic()
    stopped, reported, validated = False, first, -1

    def tell() -> None:
        nonlocal reported
        reported = run.step
        facts = {"learning_rate": factor, "skipped": run.skipped}
        report.train(run.step, means.take(machine.summed(means.sums, fabric)), facts)

    def validate() -> None:
        nonlocal validated
        validated = run.step
        report.validation(run.step, run.validate(), run.reconstructions())

    with state.asked_to_stop() as asked:
        if first == 0:
            validate()
        began = time.monotonic()
        for batch in run.batches.ahead(first, last):
            if not anneal and run.done(run.step) >= 1:
                break
            factor = run.factor(run.step)
            if anneal:
                factor = run.factor(first) * 0.5 * (1 + math.cos(math.pi * (run.step - first) / anneal))
            bpp, mse, loss = run.train_step(batch, factor)
            means.add(bpp, mse, loss, batch.lmbda, batch.trained)
            run.seconds += time.monotonic() - began
            if config.minutes:
                run.seconds = machine.agreed(run.seconds, fabric)
            report.step(run.step)
            if run.step % config.log_every == 0:
                tell()
            if run.step % config.validate_every == 0:
                validate()
            if not anneal and fabric.is_global_zero and time.monotonic() - saved_at > 60 * config.save_minutes:
                state.save(path, run.state())
                saved_at = time.monotonic()
            if stopped := machine.any_process(asked.is_set(), fabric, run.step):
                break
            began = time.monotonic()  # what was validated or saved meanwhile is no training time
        if not stopped and run.step > reported:
            tell()
        if not stopped and run.step > validated:
            validate()
        if not anneal and fabric.is_global_zero:
            state.save(path, run.state())
        if stopped:
            kept = "nothing of this branch is kept" if anneal else f"go on with the same command; {path} is saved"
            report.say(f"stopped at step {run.step}: {kept}")
    return not stopped


def _say_changes(before: dict, config: Config, say: Callable[[str], None]) -> None:
    """Settings that differ from the ones a run was begun with: said, or refused where the state would not fit."""
    now = config.as_dict()
    for key, value in now.items():
        was = before.get(key, getattr(Config, key))  # a run may be older than a setting
        if was == value or (isinstance(value, tuple) and tuple(was) == value):
            continue
        if key in ("architecture", "channels", "outer_channels", "lmbdas", "knots", "optimizer"):
            raise ValueError(f"the run was begun with {key} = {was}, not {value}: give another --out.")
        say(f"going on with {key} = {value} instead of {was}")
