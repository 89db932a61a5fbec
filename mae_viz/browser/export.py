"""A checkpoint as files for other runtimes: a graph for each transform, and beside them what integers decide.

`NAME.g_a.onnx` and its like are what `mae_viz.browser.graphs` describes, `NAME.h_s.onnx` what
`mae_viz.browser.integers` does. `NAME.safetensors` holds the rest that a decoder needs, tensors by the names that the
checkpoint has them by: entropy tables (`tables.…`), with a hyperprior the integers that its decoder takes (`hyper.…`);
`medians`, float32 (knots, C), of the prior at its knots; and what a layer's gains are computed from: its perceptron
`gains.m1.fc1.weight` …, or `gains.s.octaves` and `gains.s.log_scale`. Its metadata, one entry of JSON, say what the
programs in js/ must know of the model: name, fingerprint, trained λ, layers that λ modulates, and in pixels or latents
stride, latent and halos.
"""

import json
from collections.abc import Iterator
from typing import cast

import numpy as np

from mae_viz import probe
from mae_viz.coding import coder
from mae_viz.coding.checkpoints import Checkpoint
from mae_viz.models import BottleneckScaling, HyperpriorModel, RateModel


def files(checkpoint: Checkpoint, takes_gains: bool = False) -> Iterator[tuple[str, str, bytes]]:
    """What is in each file of a checkpoint (a transform, or "tables"), its name and its bytes.

    ``takes_gains``: the graphs take gains in place of λ. Raises ValueError where onnx is not installed.
    """
    try:
        from mae_viz.browser.graphs import graph
        from mae_viz.browser.integers import graph as graph_of_integers
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ValueError("ONNX files need one package more: pip install mae_viz[onnx].") from None
    from safetensors.numpy import save

    about = {"name": checkpoint.name, **checkpoint.card}
    for part in checkpoint.model.parts:
        made = graph(checkpoint.model, part, about, takes_gains)
        yield part, f"{checkpoint.name}.{part}.onnx", made.SerializeToString(deterministic=True)
    if checkpoint.hyper:
        shifts = checkpoint.hyper.shifts.tolist()
        made = graph_of_integers(cast(HyperpriorModel, checkpoint.model), shifts, about)
        yield "h_s", f"{checkpoint.name}.h_s.onnx", made.SerializeToString(deterministic=True)
    yield (
        "tables",
        f"{checkpoint.name}.safetensors",
        save(_tensors(checkpoint), {"mae_viz": json.dumps(facts(checkpoint))}),
    )


def _tensors(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    model = checkpoint.model
    quantiles = model.prior.entropy_bottleneck.quantiles[:, 0, 1]
    medians = quantiles.reshape(len(model.knots), model.channels).numpy()
    tensors = {"medians": np.ascontiguousarray(medians), **_gains(model)} | {
        f"tables.{k}": v for k, v in checkpoint.tables.arrays().items()
    }
    if checkpoint.hyper:
        tensors |= {f"hyper.{key}": v for key, v in checkpoint.hyper.arrays().items()}
    return tensors


def _gains(model: RateModel) -> dict[str, np.ndarray]:
    found = {
        f"gains.{layer.name}.{name}": parameter.detach().numpy()
        for layer in probe.layers(model)
        for name, parameter in layer.modulation.named_parameters()
    }
    if isinstance(model, BottleneckScaling):
        found |= {
            "gains.s.octaves": model.scale.octaves.numpy(),
            "gains.s.log_scale": model.scale.log_scale.detach().numpy(),
        }
    return found


def facts(checkpoint: Checkpoint) -> dict:
    """What programs elsewhere must know of a model, for JSON."""
    model = checkpoint.model
    return {
        "name": checkpoint.name,
        "title": model.facts.title,
        "fingerprint": checkpoint.fingerprint.hex(),
        "channels": model.channels,
        "lmbdas": model.lmbdas,
        "parts": [*model.parts, *(["h_s"] if checkpoint.hyper else [])],
        "layers": [layer.name for layer in probe.layers(model)] or ["s"] * isinstance(model, BottleneckScaling),
        "stride": model.stride,
        "latent": coder.LATENT,
        "analysis_halo": coder.ANALYSIS_HALO,
        "synthesis_halo": coder.SYNTHESIS_HALO,
    }
