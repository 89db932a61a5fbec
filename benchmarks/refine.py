"""Seconds and saving of refined files over steps, beside the plain loop that CompressAI's users would write.

    python benchmarks/refine.py [--steps 20,40,80] [--lambda 256] [--crop 768x512]

The plain loop is stochastic Gumbel annealing as its authors published it, on the network's own modules: float32,
autograd through g_s and through the learned prior at every draw. Both take the same steps on the same picture, in turn
in one run. Beside them stands what the arithmetic alone takes: three passes of g_s. As refinement runs it, g_s forward
and backward is timed in float32 and bfloat16, and the type that it takes on this machine is named: bfloat16 is quicker
only where the processor has instructions for it.
"""

import argparse
import time

import torch

from mae_viz.coding import coder
from mae_viz.coding.checkpoints import open_checkpoint
from mae_viz.coding.folding import transform
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import Rate
from mae_viz.refining import refine, sampling, synthesis
from mae_viz.refining.latents import ModelLatents
from mae_viz.refining.objectives import OBJECTIVES


def plain_loop(checkpoint, picture, rate: Rate, steps: int) -> tuple[float, list]:
    """Seconds a step, and the symbols that it ends with."""
    model, lmbda = checkpoint.model, rate.tensor()
    x = coder.to_tensor(picture, model.stride)
    with torch.no_grad():
        medians = model.prior.medians(lmbda)
        v = model.analysis(x, lmbda) - medians
    v, noise = v.requires_grad_(), torch.Generator().manual_seed(0)
    adam = torch.optim.Adam([v], lr=refine._RATE)
    start = time.perf_counter()
    for step in range(steps):
        drawn = sampling.draw(v, sampling.temperature(step, steps), noise)
        bits = -torch.log2(model.prior.likelihood(drawn, lmbda)).sum()
        x_hat = model.synthesis(drawn + medians, lmbda)
        loss = bits / (picture.width * picture.height) + rate.lmbda * ((x_hat - x) ** 2).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return (time.perf_counter() - start) / steps, [v.detach().round()[0].int().numpy()]


def ours(checkpoint, picture, rate: Rate, steps: int) -> tuple[float, refine.Moment, refine.Moment]:
    """Seconds a step, looks and files included, and the moments at both ends."""
    start = time.perf_counter()
    first, *_, last = refine.refine(picture, checkpoint, rate, steps)
    return (time.perf_counter() - start) / steps, first, last


def pass_of_g_s(checkpoint, picture, rate: Rate, dtype: torch.dtype | None = None) -> float:
    """Seconds of the decoder's g_s forward; with a type those of refinement's g_s in it, forward and backward."""
    forward = transform(checkpoint.model, "g_s", rate)
    y = torch.randn(1, checkpoint.model.channels, -(-picture.height // 16), -(-picture.width // 16))
    both = None if dtype is None else synthesis.synthesis(checkpoint.model, rate, dtype)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        if both is None:
            with torch.inference_mode():
                forward(y)
        else:
            both(y.clone().requires_grad_()).sum().backward()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", default="20,40,80")
    parser.add_argument("--lambda", dest="lmbda", type=float, default=256.0)
    parser.add_argument("--crop", default="512x384", help="of the bundled photograph china")
    arguments = parser.parse_args()
    width, height = map(int, arguments.crop.split("x"))
    picture = open_rgb(gallery()["china"].path).resize((width, height))
    checkpoint, rate = open_checkpoint("mae"), Rate.near(arguments.lmbda)
    latents = ModelLatents(picture, checkpoint, rate)
    whole = refine._Refinement(picture, latents, rate.lmbda, OBJECTIVES["mse"], None, 0)
    print(f"{width} × {height}, λ = {rate}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    arithmetic = 3 * pass_of_g_s(checkpoint, picture, rate)
    print(f"three passes of g_s: {arithmetic:.3f} s")
    full, half = (pass_of_g_s(checkpoint, picture, rate, dtype) for dtype in (torch.float32, torch.bfloat16))
    taken = str(synthesis.fast_type()).removeprefix("torch.")
    print(f"g_s forward and backward: float32 {full:.3f} s, bfloat16 {half:.3f} s; taken here: {taken}")
    ours(checkpoint, picture, rate, 2), plain_loop(checkpoint, picture, rate, 2)  # what is made once is not counted
    for steps in map(int, arguments.steps.split(",")):
        seconds, first, last = ours(checkpoint, picture, rate, steps)
        theirs, symbols = plain_loop(checkpoint, picture, rate, steps)
        end = whole.candidate(symbols[0])
        start = first.best.cost
        print(
            f"{steps:4} steps: ours {seconds:.3f} s a step, {100 * (last.best.cost / start - 1):+.2f} % of R + λ·MSE; "
            f"plain loop {theirs:.3f} s a step, {100 * (end.cost / start - 1):+.2f} %; "
            f"ratio {theirs / seconds:.2f}; against the arithmetic {seconds / arithmetic:.2f}"
        )


if __name__ == "__main__":
    main()
