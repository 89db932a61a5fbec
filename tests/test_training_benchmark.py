"""The benchmark of training: what it checks on a GPU holds here too, as far as a CPU has a twin of it."""

import importlib.util
from pathlib import Path

import pytest
import torch

from mae_viz.training import config

pytestmark = pytest.mark.slow

FILE = Path(__file__).parent.parent / "benchmarks" / "training.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("training_benchmark", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    changes = {"channels": 48, "batch": 2, "crop": 64, "validation_crop": 64, "precision": "float32", "warmup": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAE_VIZ_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield config.load("tiny").changed(**changes, entropy_steps=1)


TWINS = ["batches", "blocks", "orthogonalising", "resuming", "not_finite", "files", "rows"]


def test_all_checks_are_run_on_a_gpu(benchmark):
    """Those that are not tried here record a step, or train by the clock."""
    names = [check.__name__.removeprefix("check_") for check in benchmark.CHECKS]
    assert names == [*TWINS[:3], "recording", *TWINS[3:5], "minutes", *TWINS[5:]]


@pytest.mark.parametrize("name", TWINS)
def test_what_a_gpu_is_checked_for_holds_on_a_cpu(benchmark, settings, name, photograph, tmp_path, monkeypatch):
    small = {part: tmp_path / f"{part}.png" for part in benchmark.PICTURES}
    for file in small.values():
        photograph.crop((200, 100, 296, 164)).save(file)
    monkeypatch.setattr(benchmark, "PICTURES", small)
    getattr(benchmark, f"check_{name}")(settings, torch.device("cpu"))


def test_a_check_that_fails_is_told_of_and_counted(benchmark, settings, monkeypatch, capsys):
    def check_wrong(settings, device):
        """Two numbers are one."""
        benchmark.same(torch.tensor([1.0]), torch.tensor([1.1]), 0.01)

    monkeypatch.setattr(benchmark, "CHECKS", (check_wrong, benchmark.check_batches))
    assert benchmark.check(settings, torch.device("cpu")) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert "FAILS: ValueError: differs by 0.091" in first
    assert "holds" in second


def test_both_loops_take_steps_on_the_same_crops(benchmark, settings):
    run = benchmark.as_is(benchmark.run_of(settings))
    step = benchmark.compressai_step(48, torch.device("cpu"))
    batch = run.batches(0)
    step(batch.x)
    operations, speed = benchmark.limit(run, batch)
    assert 1e8 < operations < 1e10
    assert speed > 1e8
