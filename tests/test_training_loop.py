"""Runs: exact resume, branches, interruptions, what is reported, and several processes."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from mae_viz.coding import checkpoints
from mae_viz.models import MAE
from mae_viz.storage import cache_folder
from mae_viz.training import config, data, loop, machine, state
from mae_viz.training.run import QUANTISATION, Run

pytestmark = pytest.mark.slow

SMALL = {
    "channels": 48,
    "batch": 4,
    "crop": 64,
    "steps": 20,
    "entropy_steps": 3,
    "precision": "float32",
    "warmup": 5,
    "validate_every": 10,
    "log_every": 5,
    "median_every": 4,
    "validation_crop": 64,
}


def small(**more):
    return config.load("tiny").changed(**SMALL | more)


@pytest.fixture(scope="module", autouse=True)
def one_thread(tmp_path_factory):
    """Sums are then taken in one order, and the test does not disturb what else runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAE_VIZ_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
    torch.set_num_threads(before)


def begun(settings, saved=None, source="") -> Run:
    pictures = data.open_pictures(data.BUNDLED, settings.scales, lambda text: None)
    run = Run(settings, pictures, machine.fabric(), lambda text: None)
    run.begin(source, saved)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Twenty steps in one go."""
    out = tmp_path_factory.mktemp("whole")
    assert loop.train(small(), out, "small") == out / "small"
    return out


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def test_ten_steps_resumed_for_ten_more_are_twenty(whole, tmp_path):
    assert loop.train(small(), tmp_path, "small", stop_at=10) is None
    assert state.load(tmp_path / "state.pt")["step"] == 10
    assert not (tmp_path / "small").exists()
    torch.rand(7)  # whatever else draws random numbers meanwhile
    assert loop.train(small(), tmp_path, "small") == tmp_path / "small"
    a, b = (state.load(folder / "state.pt") for folder in (whole, tmp_path))
    assert a["step"] == 20
    assert [key for key in a if key != "seconds" and not same(a[key], b[key])] == []
    cards = [json.loads((folder / "small" / "card.json").read_text()) for folder in (whole, tmp_path)]
    assert cards[0]["sha256"] == cards[1]["sha256"]


def test_a_run_says_what_it_did(whole):
    rows = [json.loads(line) for line in (whole / "validation.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 10, 20]
    assert rows[-1]["score"] < rows[0]["score"]
    assert len(rows[0]["psnr"]) == 7
    card = json.loads((whole / "small" / "card.json").read_text())
    assert "20 steps of 4 crops of 64² from 5 photographs, started from a classical codec" in card["training"]

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(whole / "tensorboard"))
    board.Reload()
    tags = board.Tags()
    assert {"train/R", "train/D", "train/loss", "validation/score", "train_psnr/512"} <= set(tags["scalars"])
    assert tags["images"]
    assert [event.step for event in board.Scalars("train/R")] == [5, 10, 15, 20]


def test_a_branch_is_annealed_and_leaves_the_run_alone(whole):
    before = (whole / "state.pt").read_bytes()
    target = loop.train(small(steps=100), whole, "small", anneal=6)
    assert target == whole / "annealed-20" / "small"
    assert (whole / "state.pt").read_bytes() == before
    card = json.loads((target / "card.json").read_text())
    assert "26 steps" in card["training"]
    assert "last 6 steps annealed" in card["training"]
    assert card["sha256"] != json.loads((whole / "small" / "card.json").read_text())["sha256"]
    checkpoints.open_checkpoint(str(target))


def test_a_branch_takes_another_precision_where_one_is_asked_for(whole):
    saved = state.load(whole / "state.pt")
    assert begun(small(precision="bfloat16"), saved).precision == "bfloat16"
    assert begun(small(precision="measured"), saved).precision == "float32"


def test_a_precision_is_measured_once_and_the_next_run_follows_it():
    batch = data.Batch(torch.zeros(2, 3, 32, 32, dtype=torch.uint8), torch.full((2,), 512.0), torch.ones(2), (0, 1))

    def chosen() -> str:
        return machine.precision(MAE(8), "measured", batch, machine.fabric())

    first = chosen()
    (kept,) = cache_folder().glob("training/precision-*")
    assert kept.read_text() == first
    other = {"float32": "bfloat16", "bfloat16": "float32"}[first]
    kept.write_text(other)  # what another moment of a busy machine may have measured
    assert chosen() == other
    kept.write_text("")
    assert chosen() == kept.read_text() != ""


def test_only_a_run_can_be_branched_from(tmp_path):
    with pytest.raises(ValueError, match="no run in"):
        loop.train(small(), tmp_path, "small", anneal=5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_finishes_the_step_and_saves(tmp_path, monkeypatch, number):
    step = Run.train_step

    def stop_in_the_third(self, batch, factor):
        if self.step == 2:
            os.kill(os.getpid(), number)
        return step(self, batch, factor)

    monkeypatch.setattr(Run, "train_step", stop_in_the_third)
    handler = signal.getsignal(number)
    assert loop.train(small(), tmp_path, "small") is None
    assert state.load(tmp_path / "state.pt")["step"] == 3
    assert signal.getsignal(number) == handler


def test_a_step_that_is_not_finite_moves_nothing_and_is_counted():
    run = begun(small())
    spoil = run.model.g_s[1].conv.weight.register_hook(lambda gradient: gradient * float("nan"))
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    run.train_step(run.batches(0), 1.0)
    assert (run.step, run.skipped) == (1, 1)
    after = run.model.state_dict()
    assert [key for key in before if "quantiles" not in key and not torch.equal(before[key], after[key])] == []
    spoil.remove()
    run.train_step(run.batches(1), 1.0)
    assert (run.step, run.skipped) == (2, 1)
    assert not torch.equal(before["g_s.1.conv.weight"], run.model.state_dict()["g_s.1.conv.weight"])
    run.model.g_s[1].conv.weight.register_hook(lambda gradient: gradient * float("inf"))
    for step in range(2, 21):
        run.train_step(run.batches(step), 1.0)
    assert run.skipped == 20
    with pytest.raises(ValueError, match="20 steps in a row"):
        run.train_step(run.batches(21), 1.0)


def test_a_damaged_state_says_what_to_do(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"PK\x03\x04 nothing of use")
    with pytest.raises(ValueError, match=r"state\.pt is damaged .* delete it to begin the run again"):
        loop.train(small(), tmp_path, "small")


def test_no_flipped_bit_of_a_state_passes(tmp_path):
    path, random_ = tmp_path / "state.pt", random.Random(0)
    intact = {"step": 7, "model": {"weight": torch.arange(200.0)}}
    state.save(path, intact)
    data, refused = path.read_bytes(), 0
    for _ in range(200):
        damaged = bytearray(data)
        damaged[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
        path.write_bytes(damaged)
        try:
            found = state.load(path)
        except ValueError:
            refused += 1
        else:
            assert same(found, {"format": 1, **intact})  # what was flipped is padding, which means nothing
    assert refused > 100


def test_another_model_is_not_continued(whole):
    with pytest.raises(ValueError, match="begun with channels = 48, not 64"):
        loop.train(small(channels=64), whole, "small")


KNOTS = [64.0, 90.5, 128.0, 181.0, 256.0, 362.0, 512.0, 724.1, 1024.0, 1448.2, 2048.0, 2896.3, 4096.0]


def test_stretches_follow_one_another_and_an_interrupted_one_goes_on(tmp_path):
    """Noise; rounded latents with more rows of the prior; channels that wake, and the prior alone."""
    first = small(steps=4, validate_every=4)
    second = first.changed(quantisation="mixed", knots=KNOTS, peak=0.5)
    third = second.changed(quantisation="round", parts=["prior"], wake=True)

    def train(out, **more):
        return loop.train(first, out, "small", then=(second, third), **more)

    assert train(tmp_path, stop_at=2) is None  # in the first
    assert state.load(tmp_path / "stretch-1" / "state.pt")["step"] == 2
    assert loop.train(first, tmp_path / "stretch-1", "small") is not None
    assert train(tmp_path, stop_at=2) is None  # in the second
    assert state.load(tmp_path / "stretch-2" / "state.pt")["config"]["quantisation"] == "mixed"
    annealed = train(tmp_path, anneal=2)
    assert annealed == tmp_path / "stretch-2" / "annealed-2" / "small"
    assert checkpoints.card(str(annealed))["steps"] == 4 + 2 + 2
    target = train(tmp_path)
    assert target == tmp_path / "small"
    card = checkpoints.card(str(target))
    assert card["steps"] == 12
    assert card["knots"] == KNOTS
    assert card["quantisation"] == ", then ".join(QUANTISATION[kind] for kind in ("noise", "mixed", "round"))
    assert card["training"].count("4 steps of 4 crops") == 3
    assert card["training"].count("started from") == 1
    assert "made to wake one after another" in card["training"]
    before, after = (
        checkpoints.load(str(folder / "small")).state_dict() for folder in (tmp_path / "stretch-2", tmp_path)
    )
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved <= {"prior", "g_a", "g_s"}
    assert torch.equal(before["g_a.2.conv.weight"], after["g_a.2.conv.weight"])
    with torch.inference_mode():
        x = torch.rand(1, 3, 64, 64)
        assert torch.equal(
            *(
                checkpoints.load(str(f / "small")).g_a[0](x, torch.tensor([64.0]))
                for f in (tmp_path, tmp_path / "stretch-2")
            )
        )
    whole = train(tmp_path / "whole")
    assert checkpoints.card(str(whole))["sha256"] == card["sha256"]


def test_by_the_clock_rates_fall_with_time_and_the_run_ends(tmp_path):
    settings = small(minutes=0.02, steps=1, validate_every=1000)
    target = loop.train(settings, tmp_path, "small")
    saved = state.load(tmp_path / "state.pt")
    assert saved["seconds"] >= 1.2
    assert saved["step"] > 1
    assert f"{saved['step']} steps" in checkpoints.card(str(target))["training"]
    run = begun(settings)
    assert run.factor(5) == 1
    run.seconds = 0.6
    assert run.factor(5) == pytest.approx(0.51)
    run.seconds = 5.0
    assert (run.done(5), run.factor(5)) == (1, pytest.approx(0.02))
    assert loop.train(settings, tmp_path, "small") == target  # nothing is left to do
    assert state.load(tmp_path / "state.pt")["step"] == saved["step"]


def test_waking_needs_weights():
    with pytest.raises(ValueError, match="give --from"):
        begun(small(wake=True, knots=KNOTS))


def test_rates_fall_as_configured():
    run = begun(small(steps=1000, warmup=10, last_rate=0.1))
    assert run.factor(0) == pytest.approx(0.1, rel=0.01)
    assert run.factor(500) == pytest.approx(0.55, rel=0.01)
    assert run.factor(1000) == pytest.approx(0.1)
    run.config = small(steps=550, warmup=0, schedule="halved")
    assert [run.factor(step) for step in (0, 399, 400, 549)] == [1, 1, 0.5, 0.5]


def test_bottleneck_scaling_trains_its_scales_and_tables_and_nothing_else(monkeypatch):
    monkeypatch.setattr("mae_viz.training.start._SCALE_CROPS", 12)  # enough to go through the search
    settings = small(architecture="BottleneckScaling", channels=192, steps=3, median_every=1)
    run = begun(settings, source="independent-4096")
    frozen = checkpoints.load("independent-4096").state_dict()
    start = {key: value.clone() for key, value in run.model.state_dict().items()}
    for step in range(3):
        run.train_step(run.batches(step), 1.0)
    assert run.skipped == 0
    after = run.model.state_dict()
    moved = {key for key in start if not torch.equal(start[key], after[key])}
    assert {key.split(".")[0] for key in moved} == {"scale", "prior"}
    assert "scale.log_scale" in moved
    for key, value in frozen.items():
        if key.startswith(("g_a", "g_s")):
            assert torch.equal(after[key], value), key
    with pytest.raises(ValueError, match="give --from independent-4096"):
        begun(settings)


@pytest.mark.parametrize("architecture", ["MAEHyperprior", "IndependentHyperprior"])
def test_hyperprior_models_train(architecture):
    lmbdas = [512] if architecture.startswith("Independent") else [64, 512, 4096]
    run = begun(small(architecture=architecture, lmbdas=lmbdas, crop=64, steps=12, warmup=0))
    before = run.validate()["score"]
    for step in range(12):
        run.train_step(run.batches(step), 1.0)
    assert run.skipped == 0
    assert run.validate()["score"] < before


def test_with_few_outer_channels_a_run_goes_on_and_ends_in_a_whole_model(tmp_path):
    settings = small(architecture="MAEHyperprior", lmbdas=[64, 512, 4096], outer_channels=16, steps=6, validate_every=6)
    assert loop.train(settings, tmp_path, "few", stop_at=3) is None
    assert state.load(tmp_path / "state.pt")["model"]["g_a.1.conv.weight"].shape == (48, 16, 5, 5)
    target = loop.train(settings, tmp_path, "few")
    assert "16 channels between the outermost layers" in checkpoints.card(str(target))["training"]
    assert checkpoints.load(str(target)).g_a[1].conv.weight.shape == (48, 48, 5, 5)
    whole = small(architecture="MAEHyperprior", lmbdas=[64, 512, 4096])
    assert begun(whole, source=str(target)).validate()["score"] == pytest.approx(
        begun(settings, state.load(tmp_path / "state.pt")).validate()["score"], rel=0.01
    )
    assert begun(settings, source=str(target)).model.g_a[1].conv.weight.shape == (48, 16, 5, 5)
    with pytest.raises(ValueError, match="outer_channels = 12 would drop what"):
        begun(settings.changed(outer_channels=12), source=str(target))
    with pytest.raises(ValueError, match="begun with outer_channels = 16, not 0"):
        loop.train(whole, tmp_path, "few")


def test_without_a_compiler_training_goes_on(monkeypatch):
    import torch._inductor.cpp_builder as builder

    def none(*arguments, **more):
        raise builder.exc.InvalidCxxCompiler

    torch._dynamo.reset()
    monkeypatch.setattr(builder, "get_cpp_compiler", none)
    monkeypatch.setenv("TORCHINDUCTOR_FORCE_DISABLE_CACHES", "1")
    said = []
    settings = small(compile=True)
    pictures = data.open_pictures(data.BUNDLED, settings.scales, said.append)
    run = Run(settings, pictures, machine.fabric(), said.append)
    run.begin()
    assert any(line.startswith("not compiled") for line in said)
    run.train_step(run.batches(0), 1.0)
    assert run.skipped == 0
    assert torch._dynamo.config.recompile_limit == machine.COMPILED


BARE = """
import sys
from importlib.machinery import PathFinder
from pathlib import Path

class Without(PathFinder):
    def find_spec(name, path=None, target=None):
        return None if name.split(".")[0] in {absent} else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
import torch
torch.set_num_threads(1)
from mae_viz.training import config, loop
settings = config.load("tiny", **{settings})
print(loop.train(settings, Path({out!r}), "bare"))
import runpy
benchmark = runpy.run_path({benchmark!r}, run_name="imported")
print(len(benchmark["CHECKS"]), benchmark["compressai_step"](8, torch.device("cpu")))
"""


def test_on_a_machine_with_torch_numpy_pillow_and_safetensors_alone_it_trains(tmp_path):
    """Nothing else that mae_viz depends on is found; the checkpoint opens here, and so does the check of a GPU."""
    needed = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    listed = [*needed["dependencies"], *needed["optional-dependencies"]["train"]]
    packages = {re.match(r"[\w-]+", entry)[0].replace("-", "_") for entry in listed}
    absent = packages - {"torch", "numpy", "pillow", "safetensors"} | {"rich", "pandas", "scipy", "tqdm"}
    assert {"lightning", "tensorboard", "compressai", "constriction", "typer", "distributed"} <= absent
    benchmark = str(Path(__file__).parent.parent / "benchmarks" / "training.py")
    program = BARE.format(absent=absent, settings=SMALL | {"steps": 2}, out=str(tmp_path), benchmark=benchmark)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    out, benchmark = done.stdout.splitlines()
    assert out == str(tmp_path / "bare")
    assert re.fullmatch(r"\d+ None", benchmark), "what a GPU is checked for can be checked there, but CompressAI's loop"
    assert "pip install tensorboard" in done.stderr
    assert "step 2, validation: score" in done.stderr
    assert checkpoints.load(str(tmp_path / "bare")).channels == 48


def gradients(out: Path) -> None:
    """One step on whatever processes there are; the first writes the gradients that it took the step with."""
    torch.set_num_threads(1)
    count = os.environ.get("WORLD_SIZE", "1")
    settings = small()
    fabric = machine.fabric(count)
    with fabric.rank_zero_first():
        pictures = data.open_pictures(data.BUNDLED, settings.scales, lambda text: None)
    run = Run(settings, pictures, fabric, lambda text: None)
    run.begin()
    run.train_step(run.batches(0), 1.0)
    result = run.validate()
    if fabric.is_global_zero:
        found = {name: p.grad for name, p in run.model.named_parameters() if p.grad is not None}
        weights = {name: p.detach() for name, p in run.model.named_parameters()}
        torch.save({"gradients": found, "weights": weights, "score": result["score"], "n": fabric.world_size}, out)
    machine.leave()


def test_two_processes_take_the_step_that_one_takes(tmp_path):
    gradients(tmp_path / "one.pt")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__]
    done = subprocess.run(
        [sys.executable, *command, str(tmp_path / "two.pt")],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = (torch.load(tmp_path / f"{name}.pt") for name in ("one", "two"))
    assert (one["n"], two["n"]) == (1, 2)
    assert one["gradients"].keys() == two["gradients"].keys()
    for name, gradient in one["gradients"].items():
        scale = float(gradient.abs().max()) + 1e-12
        torch.testing.assert_close(two["gradients"][name], gradient, rtol=1e-3, atol=1e-4 * scale, msg=name)
    assert two["score"] == pytest.approx(one["score"], rel=1e-4)


if __name__ == "__main__":
    gradients(Path(sys.argv[1]))
