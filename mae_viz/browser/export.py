"""A checkpoint as files for other runtimes: a graph for each transform, and beside them what integers decide.

`NAME.g_a.onnx` and its like are what `mae_viz.browser.graphs` describes. `NAME.safetensors` holds the rest that a
decoder needs, tensors by the names that the checkpoint has them by: entropy tables (`tables.…`), with a hyperprior its
decoder in integers (`hyper.…`) and the weights of `h_s`; and `medians`, float32 (knots, C), of the prior at its knots.
Its metadata, one entry of JSON, say what the programs in js/ must know of the model: name, fingerprint, trained λ, and
in pixels or latents stride, latent and halos.
"""

import json
from collections.abc import Iterator

import numpy as np

from mae_viz.coding import coder
from mae_viz.coding.checkpoints import Checkpoint


def files(checkpoint: Checkpoint) -> Iterator[tuple[str, str, bytes]]:
    """What is in each file of a checkpoint (a transform, or "tables"), its name and its bytes.

    Raises ValueError where onnx is not installed.
    """
    try:
        from mae_viz.browser.graphs import graph
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ValueError("ONNX files need one package more: pip install mae_viz[onnx].") from None
    from safetensors.numpy import save

    about = {"name": checkpoint.name, **checkpoint.card}
    for part in checkpoint.model.parts:
        made = graph(checkpoint.model, part, about)
        yield part, f"{checkpoint.name}.{part}.onnx", made.SerializeToString(deterministic=True)
    yield (
        "tables",
        f"{checkpoint.name}.safetensors",
        save(_tensors(checkpoint), {"mae_viz": json.dumps(facts(checkpoint))}),
    )


def _tensors(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    model = checkpoint.model
    quantiles = model.prior.entropy_bottleneck.quantiles[:, 0, 1]
    medians = quantiles.reshape(len(model.knots), model.channels).numpy()
    tensors = {"medians": np.ascontiguousarray(medians)} | {
        f"tables.{k}": v for k, v in checkpoint.tables.arrays().items()
    }
    if checkpoint.hyper:
        tensors |= {f"hyper.{key}": v for key, v in checkpoint.hyper.arrays().items()}
        for name, parameter in model.named_parameters():
            if name.startswith("h_s.") and ".conv." in name:
                tensors[name] = (parameter.half() if name.endswith("weight") else parameter).numpy()
    return tensors


def facts(checkpoint: Checkpoint) -> dict:
    """What programs elsewhere must know of a model, for JSON."""
    model = checkpoint.model
    return {
        "name": checkpoint.name,
        "title": model.facts.title,
        "fingerprint": checkpoint.fingerprint.hex(),
        "channels": model.channels,
        "lmbdas": model.lmbdas,
        "parts": model.parts,
        "stride": model.stride,
        "latent": coder.LATENT,
        "analysis_halo": coder.ANALYSIS_HALO,
        "synthesis_halo": coder.SYNTHESIS_HALO,
    }
