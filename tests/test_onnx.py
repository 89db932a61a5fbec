"""A model's transforms as ONNX: what they compute, at any size and λ, and what their files say."""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from mae_viz.browser import export
from mae_viz.coding import checkpoints, coder
from mae_viz.rates import Rate

NAMES = ["mae", "bottleneck-scaling", "mae-hyperprior", "independent-512", "independent-hyperprior-1024"]
"""One model that ships of each architecture."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Name → the folder that its files are in, each written once."""
    home, found = tmp_path_factory.mktemp("onnx"), {}

    def write(name: str):
        if name not in found:
            found[name] = home / name
            found[name].mkdir()
            for _, file, data in export.files(checkpoints.open_checkpoint(name)):
                (found[name] / file).write_bytes(data)
        return found[name]

    return write


def computed(file, inputs: dict[str, torch.Tensor]) -> np.ndarray:
    """What onnxruntime makes of the inputs that a graph has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {port.name: inputs[port.name].numpy() for port in session.get_inputs()})
    return y


@pytest.mark.parametrize("name", NAMES)
def test_graphs_compute_what_the_model_computes(name, written, photograph):
    """On a photograph, at three λ between the trained ones and at their ends, and at two sizes."""
    checkpoint = checkpoints.open_checkpoint(name)
    model, low, high = checkpoint.model, checkpoint.card["lmbdas"][0], checkpoint.card["lmbdas"][-1]
    boxes = [(60, 90, 60 + 128, 90 + 128), (150, 100, 150 + 192, 100 + 64)]
    for lmbda, box in zip(
        sorted({low, (low * high) ** 0.5 * 1.1, high}) if high > low else [low], boxes * 2, strict=False
    ):
        rate = Rate.near(lmbda)
        x = coder.to_tensor(photograph.crop(box), model.stride)
        with torch.inference_mode():
            y = model.analysis(x, rate.tensor())
            y_hat = torch.round(y)
            expected = {"g_a": y, "g_s": model.synthesis(y_hat, rate.tensor())}
            if model.facts.hyperprior:
                expected["h_a"] = model.hyper_analysis(y, rate.tensor())
        inputs = {"x": x, "y": y, "y_hat": y_hat, "lmbda": rate.tensor()}
        for part in model.parts:
            off = np.abs(computed(written(name) / f"{name}.{part}.onnx", inputs) - expected.pop(part).numpy()).max()
            assert off < (0.5 / 255 if part == "g_s" else 1e-3), part
        assert not expected


def test_the_graph_of_the_hyperprior_computes_the_same_integers(written):
    """Of side information like that of pictures, and of such that reaches every limit."""
    checkpoint, index = checkpoints.open_checkpoint("mae-hyperprior"), 221
    integers = checkpoint.hyper
    gains = integers._gains_at(index)
    for reach in (3, 3000):
        z = np.random.default_rng(reach).integers(-reach, reach + 1, (checkpoint.model.channels, 3, 5))
        v = np.clip(z * 2.0**12 + integers._medians_at(index)[:, None, None], -(2**24), 2**24)
        inputs = {"v": v[None]} | {f"gains_{number}": row.astype(np.float64) for number, row in enumerate(gains)}
        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        found = computed(written("mae-hyperprior") / "mae-hyperprior.h_s.onnx", tensors)
        for layer, row in zip(integers.layers, gains, strict=True):
            v = layer(v, row)
        assert np.array_equal(found[0], v)


@pytest.mark.parametrize("name", NAMES)
def test_graphs_hold_the_card_and_the_weights_as_the_checkpoint_has_them(name, written):
    checkpoint = checkpoints.open_checkpoint(name)
    for part in checkpoint.model.parts:
        made = onnx.load(written(name) / f"{name}.{part}.onnx")
        said = {entry.key: entry.value for entry in made.metadata_props}
        assert (said.pop("part"), said.pop("name")) == (part, name)
        for key, value in checkpoint.card.items():
            assert (value if isinstance(value, str) else json.loads(said[key])) == value
        assert said.keys() == checkpoint.card.keys()
        large = [tensor for tensor in made.graph.initializer if np.prod(tensor.dims) > 192 * 50]
        assert large
        assert {tensor.data_type for tensor in large} == {onnx.TensorProto.FLOAT16}
        # what every onnxruntime-web of the last years runs, in WebAssembly and by WebGPU
        assert {entry.domain for entry in made.opset_import} == {""}
        assert max(entry.version for entry in made.opset_import) <= 17


def test_the_command_writes_the_files_of_several_models(run, tmp_path):
    printed = run("export-onnx", "mae", "independent-512", "--out", tmp_path / "files").out
    names = [
        f"{name}.{kind}" for name in ("independent-512", "mae") for kind in ("g_a.onnx", "g_s.onnx", "safetensors")
    ]
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == names
    assert all(f"{name}: " in printed for name in names)
    assert "no model named 'mea'" in run("export-onnx", "mea", code=2).err


def test_without_onnx_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "mae_viz.browser.graphs", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match=r"pip install mae_viz\[onnx\]"):
        next(export.files(checkpoints.open_checkpoint("mae")))


def test_exports_are_the_same_bytes_each_time(written):
    again = {file: data for _, file, data in export.files(checkpoints.open_checkpoint("mae"))}
    assert {path.name: path.read_bytes() for path in written("mae").iterdir()} == again
