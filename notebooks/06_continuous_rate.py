# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6. Continuous rate
#
# **Goal.** After this notebook you can explain what happens at a λ between two trained ones, in the transforms and in
# the entropy model, and hit a target size exactly as closely as the format allows.

# %% Settings
PHOTOGRAPH = "coffee"
CHANNEL = 1
BETWEEN = 660.0  # a λ between the trained 512 and 1024
TARGETS_KB = (4, 8, 16, 32)

# %%
import json
from itertools import pairwise
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch

import mae_viz
from mae_viz import probe, rates
from mae_viz.codecs import search
from mae_viz.coding import checkpoints
from mae_viz.coding.coder import to_tensor
from mae_viz.figures.inline import pictures
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import Rate

original = open_rgb(gallery()[PHOTOGRAPH].path)
checkpoint = checkpoints.open_checkpoint("mae")
model = checkpoint.model
COLOUR = mae_viz.codec("mae").colour

# %% [markdown]
# ## λ between the trained ones
#
# The gains are smooth functions of λ, so the transforms need no rule: any λ from 64 to 4096 goes in. A file names λ in
# steps of 1/64 octave; other values are moved to the nearest, at most 0.55 % away.

# %%
print(f"{BETWEEN} becomes {Rate.near(BETWEEN).lmbda:.3f}, number {Rate.near(BETWEEN).index} of {rates.LAST_INDEX + 1}")
results = mae_viz.results()
rows = results[(results["codec"] == "mae") & (results["dataset"] == "gallery") & (results["image"] == PHOTOGRAPH)]
rows = rows.sort_values("lmbda")
trained = rows[rows["trained"]]
figure, axes = plt.subplots(1, 3, figsize=(10, 3.1), layout="constrained")
for axis, key, label in ((axes[0], "bpp", "bits per pixel"), (axes[1], "psnr_db", "PSNR [dB]")):
    axis.plot(rows["lmbda"], rows[key], ".-", color=COLOUR, linewidth=0.8)
    axis.plot(trained["lmbda"], trained[key], "o", color=COLOUR)
    axis.set(xlabel="λ", ylabel=label)
    axis.set_xscale("log", base=2)
axes[2].plot(rows["bpp"], rows["psnr_db"], ".-", color=COLOUR, linewidth=0.8, label="every quarter octave")
axes[2].plot(trained["bpp"], trained["psnr_db"], "o", color=COLOUR, label="trained λ")
axes[2].set(xlabel="bits per pixel", ylabel="PSNR [dB]")
axes[2].legend()
for axis in axes:
    axis.grid(alpha=0.3)

# %% [markdown]
# **Question 1.** Do the small points lie on the curve through the large ones (right panel)? Does it matter if λ maps to
# the rate unevenly (left panel)?
#
# <details><summary>Answer</summary>
#
# The right panel is what counts: points between trained λ should lie on the curve or hardly below. Where the left panel
# has steps, a given λ buys a little more or less than its neighbours, but rate control searches for bytes anyway.
# </details>
#
# ## Channels that wake
#
# At λ = 64 most of the 192 channels sleep: they are 0 everywhere and cost nothing. Each must wake somewhere on the way
# up. Training had them wake *just below the next trained λ*, all at once, because only there the loss asked for them;
# the files of the MAE that shipped before show it as a staircase. In today's weights a quarter of them wakes at each
# quarter octave (by setting the perceptrons' hidden units; at the trained λ nothing changed), and the prior has tables
# of its own there.

# %%
pavilion = open_rgb(gallery()["china"].path)
asleep, awake = (probe.latents(checkpoint, pavilion, Rate.near(lmbda))[1].sum(axis=(1, 2)) for lmbda in (64, 128))
waking = np.flatnonzero((asleep < 1) & (awake >= 1))
before = json.loads(Path("before_waking.json").read_text(encoding="utf-8"))
assert set(map(str, waking)) == set(before["relative_gains"])
layer = next(layer for layer in probe.layers(model) if layer.name == "m3")
gains = probe.gains(layer.modulation, [*before["lmbdas"], 4096.0])[:, waking]
figure, axes = plt.subplots(1, 3, figsize=(10, 3.1), layout="constrained", width_ratios=(1, 1, 1.2))
drawn = {"before": np.array(list(before["relative_gains"].values())).T, "now": gains[:-1] / gains[-1]}
for axis, (when, values) in zip(axes, drawn.items(), strict=False):
    axis.loglog(before["lmbdas"], np.maximum(values, 1e-4), linewidth=0.8)
    axis.set(title=f"m3 of {len(waking)} channels, {when}", xlabel="λ", ylim=(1e-4, 2))
    axis.set_xscale("log", base=2)
files = {"before": {float(lmbda): size for lmbda, size in before["bytes"].items()}}
ours = results[(results["codec"] == "mae") & (results["dataset"] == "gallery") & (results["image"] == "china")]
ours = ours.sort_values("lmbda")
files["now"] = dict(
    zip(ours["lmbda"], (ours["bpp"] * pavilion.width * pavilion.height / 8).round().astype(int), strict=True)
)
for when, sizes in files.items():
    steps = [100 * (b / a - 1) for a, b in pairwise(sizes.values())]
    axes[2].plot(list(sizes)[1:], steps, ".-", label=when)
    print(f"{when:6}: from λ = 108 to 128 the file of the pavilion grows by {steps[3]:.0f} %")
axes[2].set(title="growth of the file in a quarter octave [%]", xlabel="λ")
axes[2].set_xscale("log", base=2)
axes[2].legend()
for axis in axes:
    axis.grid(alpha=0.3)

# %% [markdown]
# The pictures and their files on the way up:

# %%
climb = [(lmbda, mae_viz.compress(pavilion, "mae", lmbda)) for lmbda in (107.6, 117.4, 128)]
pictures(
    [(f"λ = {lmbda:g}: {len(stream):,} bytes", mae_viz.decompress(stream)) for lmbda, stream in climb],
)

# %% [markdown]
# ## The entropy model between two λ
#
# The prior has learned tables at 25 λ, every quarter octave. In between, the *cumulative logits* of the neighbours are
# interpolated, linearly in log λ. The logit of a cumulative distribution rises; a weighted mean of two rising functions
# rises; so the result is again a distribution, and it changes continuously with λ.

# %%
low, high, weight = probe.prior_mix(model, Rate.near(BETWEEN))
print(f"at λ = {BETWEEN:g}: {1 - weight:.2f} of the logits of {low:g}, {weight:.2f} of those of {high:g}")
reach = 12
k = np.arange(-reach, reach + 1)
figure, axis = plt.subplots(figsize=(7, 3.2), layout="constrained")
for lmbda, colour, marker in ((low, "#9ecae1", "v"), (BETWEEN, COLOUR, "o"), (high, "#2c7fb8", "^")):
    p = probe.prior_pmf(model, Rate.near(lmbda), reach)[CHANNEL]
    axis.semilogy(k, p, color=colour, marker=marker, markersize=4, label=f"λ = {lmbda:g}")
axis.set(xlabel=f"symbol of channel {CHANNEL}", ylabel="probability")
axis.legend()
axis.grid(alpha=0.3)

# %% [markdown]
# What would it cost to use the tables of a trained λ instead? We keep the latents at λ and only change the prior.

# %%
x = to_tensor(original, model.stride)


@torch.inference_mode()
def bpp_with(y, table_lmbda):
    """Entropy estimate of latents when the prior is that of some λ; bits per pixel."""
    at = torch.tensor([table_lmbda])
    centred = torch.round(y - model.prior.medians(at))
    return float(-torch.log2(model.prior.likelihood(centred, at)).sum()) / (original.width * original.height)


low, high = 512.0, 1024.0
inside = [low * 2.0**t for t in np.linspace(0, 1, 9)]
extra = {"tables of the lower λ": [], "tables of the upper λ": []}
for lmbda in inside:
    with torch.inference_mode():
        y = model.analysis(x, torch.tensor([lmbda]))
    own = bpp_with(y, lmbda)
    for title, table_lmbda in zip(extra, (low, high), strict=True):
        extra[title].append(100 * (bpp_with(y, table_lmbda) / own - 1))

figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
for (title, values), colour in zip(extra.items(), ("#9ecae1", "#2c7fb8"), strict=True):
    axis.plot(inside, values, marker=".", color=colour, label=title)
axis.axhline(0, color=COLOUR, label="interpolated")
axis.set(xlabel="λ", ylabel="extra rate [%]")
axis.legend()
axis.grid(alpha=0.3)

# %% [markdown]
# **Question 2.** Both curves are zero at one end. Why must a codec not simply switch tables halfway?
#
# <details><summary>Answer</summary>
#
# It could; it would cost what the plot shows, and the rate would jump there: a slightly larger λ could give a smaller
# file. Rate control relies on sizes that grow with λ.
# </details>
#
# ## Rate control
#
# "Make it fit into 8 kB." The size grows with λ, so the largest λ on the grid whose file fits can be searched; each
# probe codes the picture for real. What is left unused is the step of the grid.

# %%
found = {kb: search.compress_to(original, bytes=1000 * kb) for kb in TARGETS_KB}
for kb, hit in found.items():
    assert hit.bytes <= 1000 * kb
    print(
        f"{1000 * kb:6,} bytes asked: {hit.bytes:6,} used ({hit.left:.2%} left), λ = {hit.lmbda:7.2f}, "
        f"{hit.psnr_db:.2f} dB, coded {hit.coded} times"
    )

# %%
pictures(
    [
        (f"{hit.bytes:,} bytes\nλ = {hit.lmbda:.1f}, {hit.psnr_db:.2f} dB", mae_viz.decompress(hit.stream))
        for hit in found.values()
    ]
)

# %% [markdown]
# Or ask for a quality, or another budget:

# %%
budget = ipywidgets.BoundedIntText(value=10_000, min=1_000, max=200_000, step=500, description="bytes")
answer = ipywidgets.HTML()


def seek(event):
    try:
        hit = search.compress_to(original, bytes=event["new"])
        answer.value = f"λ = {hit.lmbda:.2f}: {hit.bytes:,} bytes, {hit.psnr_db:.2f} dB"
    except search.Unreachable as error:
        answer.value = str(error)


budget.observe(seek, "value")
ipywidgets.VBox([budget, answer])

# %%
for psnr in (27.0, 30.0):
    hit = search.compress_to(original, psnr_db=psnr)
    print(f"{psnr:g} dB asked: {hit.psnr_db:.3f} dB at λ = {hit.lmbda:.2f}, {hit.bytes:,} bytes")

# %% [markdown]
# **Question 3.** A seven-model codec has seven sizes per picture. By how much would it miss a budget, at worst and on
# average?
#
# <details><summary>Answer</summary>
#
# Neighbouring models differ by some 30 to 60 % in size here. A budget just below one of them wastes nearly that whole
# step; budgets spread evenly in log size waste about half of it. With 385 rates it is about one per cent.
# </details>

# %%
steps = np.diff(np.log2(trained["bpp"].to_numpy()))
print("sizes at neighbouring trained λ differ by", ", ".join(f"{100 * (2**s - 1):.0f} %" for s in steps))
