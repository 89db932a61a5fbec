"""Where models compute. What needs a GPU is tried on one where there is one; on all machines the same code runs with
weights that say they lie on a GPU, which shows that all it computes with lies there."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

import mae_viz
from mae_viz import probe
from mae_viz.codecs.neural import ModelCodec
from mae_viz.codecs.registry import codec
from mae_viz.coding import bitstream, checkpoints, coder, devices
from mae_viz.measured.evaluate import TOGETHER, Task, evaluate, measure, together
from mae_viz.models import MAE, MAEHyperprior, RateModel
from mae_viz.refining.latents import ModelLatents
from mae_viz.refining.refine import refine_latents
from mae_viz.training import blocks, data, objective, optimizer
from mae_viz.training.config import Config

ON_GPU = pytest.mark.skipif(
    not torch.cuda.is_available(),
    reason="torch finds no GPU here: run this file, and benchmarks/training.py --gpu-check, where there is one",
)


@pytest.fixture(scope="module")
def png(tmp_path_factory, crop):
    path = tmp_path_factory.mktemp("device") / "crop.png"
    crop.save(path)
    return path


def test_on_the_cpu_is_what_happens_without_the_option(png, run, tmp_path):
    plain, named = tmp_path / "plain.mae", tmp_path / "named.mae"
    run("compress", png, "-o", plain)
    run("compress", png, "-o", named, "--device", "cpu")
    assert plain.read_bytes() == named.read_bytes()
    run("decompress", plain, "-o", tmp_path / "plain.png")
    run("decompress", named, "-o", tmp_path / "named.png", "--device", "cpu")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "named.png").read_bytes()
    assert mae_viz.load("mae", device="cpu") is mae_viz.load("mae")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here, which these commands would use")
def test_where_there_is_no_gpu_a_sentence_says_so(png, run, tmp_path):
    file = tmp_path / "crop.mae"
    commands = (
        ("compress", png, "-o", file),
        ("compress", png, "-o", file, "--effort", 1),
        ("compress", png, "-o", file, "--bytes", 3000),
        ("decompress", png, "-o", tmp_path / "crop.png"),
        ("evaluate", "mae", "--images", png.parent, "--out", tmp_path / "rd.json"),
        ("app",),
    )
    file.write_bytes(mae_viz.compress(png))
    before = file.read_bytes()
    for command in commands:
        command = [file if part == png and command[0] == "decompress" else part for part in command]
        said = run(*command, "--device", "cuda:1", code=2).err
        assert said == "mae-viz: device cuda:1: torch finds no GPU here that it can use. Leave --device out.\n"
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crop.mae"]


@pytest.mark.parametrize(("name", "sentence"), [("mps", "float64"), ("tpu", "choose cpu, cuda"), ("cuda:x", "choose")])
def test_other_devices_are_refused(name, sentence):
    with pytest.raises(ValueError, match=sentence):
        devices.named(name)


def test_codecs_asked_for_without_a_device_take_the_environment_s(monkeypatch):
    monkeypatch.setenv("MAE_VIZ_DEVICE", "mps")
    with pytest.raises(ValueError, match="float64"):
        codec("mae")
    assert codec("mae", "cpu").device == "cpu"
    assert mae_viz.load("mae").device == torch.device("cpu")  # a library has no settings but its arguments


# The code of a GPU with tensors that say where they lie and hold nothing: an operation on two devices fails


def fake_numpy(tensor: torch.Tensor, real=torch.Tensor.numpy) -> np.ndarray:
    if not isinstance(tensor, FakeTensor):
        return real(tensor)
    if tensor.device.type != "cpu":
        raise TypeError(f"a tensor on {tensor.device} is no array")  # as torch says it
    return np.zeros(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))


def fake_item(tensor: torch.Tensor, real=torch.Tensor.item) -> float:
    return 0.0 if isinstance(tensor, FakeTensor) else real(tensor)


@pytest.fixture
def fakes(monkeypatch) -> FakeTensorMode:
    """Inside it, tensors hold nothing and know their device."""
    monkeypatch.setattr(torch.Tensor, "numpy", fake_numpy)
    monkeypatch.setattr(torch.Tensor, "item", fake_item)
    return FakeTensorMode(allow_non_fake_inputs=True)


def move_to_gpu(model: RateModel, fakes: FakeTensorMode) -> None:
    with fakes:
        for module in model.modules():
            for held in (module._parameters, module._buffers):
                held.update({key: torch.empty_like(t, device="cuda") for key, t in held.items() if t is not None})


def checkpoint_on_gpu(name: str, fakes: FakeTensorMode) -> checkpoints.Checkpoint:
    checkpoint = checkpoints.open_checkpoint(name)
    model = copy.deepcopy(checkpoint.model)
    move_to_gpu(model, fakes)
    return replace(checkpoint, model=model)


@pytest.mark.parametrize("name", ["mae", "bottleneck-scaling", "mae-hyperprior"])
def test_what_is_computed_is_computed_where_the_weights_lie(name, crop, fakes, monkeypatch):
    checkpoint, rate = checkpoint_on_gpu(name, fakes), codec(name).axis.near(512)
    model = checkpoint.model
    monkeypatch.setattr(coder, "TILE", 64)  # several tiles
    with fakes:
        assert model.device.type == "cuda"
        first, second = coder.encode_together([crop, crop], checkpoint, rate)
        assert first.stream == second.stream
        y_hat = coder.decode_y_hat(checkpoint, bitstream.parse(first.stream))
        assert y_hat.device.type == "cpu"
        assert coder.decode_picture(checkpoint, y_hat, rate, crop.height, crop.width).size == crop.size
        assert probe.cost(checkpoint, first.stream).y.shape == y_hat.shape[1:]
        assert probe.latents(checkpoint, crop, rate)[0].shape == y_hat.shape[1:]
        assert probe.prior_pmf(model, rate, 5).shape == (192, 11)
        assert probe.medians(model, rate).shape == (192,)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
        monkeypatch.setattr(torch.Tensor, "backward", lambda loss: None)  # its threads ask for the real GPU
        moments = [*refine_latents(crop, ModelLatents(crop, checkpoint, rate), 512.0, 1)]
        assert moments[-1].now.stream


@pytest.mark.parametrize("architecture", [MAE, MAEHyperprior])
def test_a_training_step_asks_for_nothing_elsewhere(architecture, fakes):
    """What it computes forward, and what moves the weights; gradients are those of the same operations."""
    torch.manual_seed(0)
    model = architecture(12)
    x, lmbda = torch.zeros(2, 3, 64, 64, dtype=torch.uint8), torch.tensor([64.0, 4096.0])
    batch = data.Batch(x, lmbda, torch.tensor([True, True]), (1, 2))
    rules = optimizer.build(model, Config(architecture=architecture.__name__, channels=12, start="random"), batch)
    move_to_gpu(model, fakes)
    blocks.use_blocks(model, both=True)
    lagrangian = objective.Lagrangian(model, quantisation="mixed")
    with fakes:
        bpp, mse, x_hat = lagrangian(x.to("cuda"), lmbda.to("cuda"), batch.seeds)
        assert {bpp.device.type, mse.device.type, x_hat.device.type} == {"cuda"}
        assert objective.loss_of(bpp, mse, lmbda.to("cuda"), model.lmbdas, "inverse-sqrt").device.type == "cuda"
        model.prior.update_medians()
        rules.factor = torch.ones((), device="cuda")
        for group in rules.param_groups:
            for place, p in enumerate(group["params"]):
                moved = torch.empty_like(p, device="cuda")
                moved.grad = torch.empty_like(moved)
                rules.state[moved] = {key: torch.empty_like(t, device="cuda") for key, t in rules.state.pop(p).items()}
                group["params"][place] = moved
        rules.step()


def test_pictures_measured_together_give_the_rows_of_each(tmp_path, photograph, crop):
    pictures = {"a": crop, "b": photograph.crop((300, 100, 427, 199)), "c": photograph.crop((0, 0, 200, 180))}
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    for model, lmbda in (("mae", 300), ("independent-hyperprior", 1024), ("jpeg", 40)):
        rate = codec(model).rate(lmbda)
        tasks = [Task(name, tmp_path / f"{name}.png", rate) for name in pictures]
        each = [row for task in tasks for row in measure(model, [task])]
        for row, alone in zip(measure(model, tasks), each, strict=True):
            seconds = {key: row[key] for key in ("encode_s", "decode_s")}
            assert row == alone | seconds


def test_a_gpu_takes_pictures_of_one_rate_together(tmp_path):
    low, high = codec("mae").axis.first, codec("mae").axis.last
    tasks = [Task(str(number), tmp_path, rate) for rate in (low, high) for number in range(TOGETHER + 1)]
    assert together(tasks, "cpu") == [[task] for task in tasks]
    batches = together(tasks, "cuda:0")
    assert [len(batch) for batch in batches] == [TOGETHER, 1, TOGETHER, 1]
    assert [task for batch in batches for task in batch] == tasks


# On a GPU


@ON_GPU
@pytest.mark.parametrize("name", ["mae", "bottleneck-scaling", "mae-hyperprior"])
def test_a_file_from_a_gpu_decodes_to_its_symbols_on_the_cpu(name, photograph):
    gpu, cpu = (ModelCodec(name, device) for device in ("cuda", "cpu"))
    assert gpu.identity != cpu.identity
    for rate in (cpu.axis.first, cpu.axis.near(700), cpu.axis.last):
        x = coder.to_pixels(photograph, gpu.checkpoint.model.stride)
        written = coder.quantise(gpu.checkpoint, coder.encode_latents(gpu.checkpoint, x, rate), rate)
        stream = gpu.encode(photograph, rate)
        for symbols, read in zip(written, coder.decode_symbols(cpu.checkpoint, bitstream.parse(stream)), strict=True):
            np.testing.assert_array_equal(symbols, read)
        assert len(stream) == pytest.approx(len(cpu.encode(photograph, rate)), rel=1e-3)
        a, b = (np.asarray(c.decode(stream), np.int16) for c in (gpu, cpu))
        assert np.abs(a - b).max() <= 1


@ON_GPU
def test_rows_from_a_gpu_are_those_of_the_cpu(tmp_path, photograph):
    photograph.save(tmp_path / "a.png")
    photograph.transpose(1).save(tmp_path / "b.png")
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    found = {
        device: evaluate("mae", files, tmp_path / f"{device}.json", "two", [64, 4096], device=device)
        for device in ("cpu", "cuda")
    }
    assert found["cuda"]["machine"]["device"] == torch.cuda.get_device_name(0)
    assert "device" not in json.loads((tmp_path / "cpu.json").read_text())["machine"]
    for cpu, gpu in zip(*(document["measurements"] for document in found.values()), strict=True):
        assert gpu["bpp"] == pytest.approx(cpu["bpp"], rel=1e-3)
        assert gpu["psnr_db"] == pytest.approx(cpu["psnr_db"], abs=0.01)
