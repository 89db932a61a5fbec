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
# # 3. Fig. 4: modulated feature maps
#
# **Goal.** After this notebook you can explain what the paper's Fig. 4 shows: the latents of the MAE at two λ are *not*
# scaled copies of one another, and those of bottleneck scaling are.

# %% Settings
PHOTOGRAPH = "chelsea"
HIGH, LOW = 4096.0, 64.0
CHANNELS = None  # such as [0, 7]; None: those that cost the most bits at the higher λ

# %%
import matplotlib.pyplot as plt
import numpy as np

import mae_viz
from mae_viz import probe, rates
from mae_viz.coding import checkpoints
from mae_viz.figures import fig4, output
from mae_viz.figures.inline import jpeg
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import Rate
from mae_viz.viewer.notebook import show

photograph = gallery()[PHOTOGRAPH]
original = open_rgb(photograph.path)

# %% [markdown]
# ## The figure
#
# $g_a$ maps the picture to 192 channels at 1/16 of its resolution. We look at the latents $y$ before they are rounded,
# at two λ, and divide one by the other, element by element.

# %%
view = fig4.look(original, CHANNELS, (HIGH, LOW))
jpeg(fig4.draw(view), dpi=145)

# %%
print(output.wrapped(fig4.caption(view, photograph.title)))

# %% [markdown]
# ## Step by step
#
# The ratio of two latents means nothing where the divisor is nearly zero. Such places are masked: where $|y|$ at the
# lower λ is under 5 % of its largest in that channel.

# %%
channel = view.channels[-1]
y_high, y_low = view.mae[HIGH][channel], view.mae[LOW][channel]
kept = np.abs(y_low) >= 0.05 * np.abs(y_low).max()
ratio = y_high[kept] / y_low[kept]
weights = y_low[kept] ** 2
mean = np.average(ratio, weights=weights)
constancy = np.sqrt(np.average((ratio - mean) ** 2, weights=weights)) / abs(mean)
library = probe.ratio(y_high, y_low)
assert np.isclose(constancy, library.constancy, rtol=1e-4)
print(f"channel {channel}: mean ratio {mean:.3f}, constancy score {constancy:.4f}, {1 - kept.mean():.1%} masked")

# %% [markdown]
# If λ only scaled this channel, all points below would lie on one line through the origin. The spread about it is what
# the *nonlinear* layers add: a gain before a GDN changes how strongly each place is divided by its surroundings.

# %%
like = view.likes[-1][0]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for axis, maps, c, name in ((axes[0], view.mae, channel, "mae"), (axes[1], view.scaling, like, "bottleneck-scaling")):
    x, y = maps[LOW][c].ravel(), maps[HIGH][c].ravel()
    axis.plot(x, y, ".", markersize=3, color=mae_viz.codec(name).colour)
    slope = probe.ratio(maps[HIGH][c], maps[LOW][c]).mean
    ends = np.array([x.min(), x.max()])
    axis.plot(ends, slope * ends, color="black", linewidth=0.8)
    axis.set(title=f"{mae_viz.codec(name).title}, channel {c}", xlabel=f"y at λ = {LOW:g}", ylabel=f"y at λ = {HIGH:g}")
    axis.grid(alpha=0.3)

# %% [markdown]
# **Question 1.** A gain $m_1$ before the first GDN multiplies the convolution's output $u$ by a constant per channel.
# Why is the GDN's output not simply multiplied by a constant?
#
# <details><summary>Answer</summary>
#
# GDN divides: $v_i = u_i / \sqrt{\beta_i + \sum_j \gamma_{ij} u_j^2}$. Where the sum is large against β, a common gain
# cancels; where it is small, it passes through. What happens depends on the activity at each place, so the ratio does
# too.
# </details>
#
# ## All channels
#
# The *constancy score* is the coefficient of variation of the ratio over the places that are not masked. For bottleneck
# scaling it is zero but for rounding in the seventh digit, by construction: $y = s(\lambda) \odot z$ with the same $z$.

# %%
order = np.argsort(-view.bits, kind="stable")[:32]
scores = {
    "MAE": probe.constancies(view.mae[HIGH], view.mae[LOW])[order],
    "Bottleneck scaling": np.sort(probe.constancies(view.scaling[HIGH], view.scaling[LOW]))[::-1][:32],
}
figure, axis = plt.subplots(figsize=(9, 3), layout="constrained")
axis.semilogy(
    scores["MAE"],
    "o",
    markersize=4,
    color=mae_viz.codec("mae").colour,
    label="MAE, channels by their bits at the lower λ",
)
axis.semilogy(
    scores["Bottleneck scaling"],
    "^",
    markersize=4,
    color=mae_viz.codec("bottleneck-scaling").colour,
    label="Bottleneck scaling, the 32 largest",
)
axis.set(xlabel="channel, in order", ylabel="constancy score")
axis.legend()
axis.grid(alpha=0.3)
assert np.nanmax(scores["Bottleneck scaling"]) < 1e-5 < np.nanmin(scores["MAE"])

# %% [markdown]
# ## Try it
#
# Three panes: the photograph, the ratio map of the MAE, and that of bottleneck scaling. Drag λ: the ratio is that of
# the λ you choose to the one in the pane's own menu. Hold the mouse over a map to read its values.

# %%
show(
    original,
    photograph.title,
    lmbda=HIGH,
    codecs=("mae", "bottleneck-scaling"),
    panes=[
        {"codec": "original", "layer": "picture"},
        {"codec": "mae", "layer": "ratio", "channel": view.channels[0], "base": Rate.near(LOW).index},
        {"codec": "bottleneck-scaling", "layer": "ratio", "channel": view.likes[0][0], "base": Rate.near(LOW).index},
    ],
)

# %% [markdown]
# ## The gains themselves
#
# What λ controls directly are the gains: one curve per channel and layer. Do those before the rounding (m3) and after
# it (d1) mirror each other? The correlation of log d1 with −log m3 over λ answers for each channel: 1 for a mirror, −1
# where both fall together. Channels that cost nothing at the lower λ are counted apart.

# %%
mae = checkpoints.open_checkpoint("mae").model
lmbdas = [Rate(i).lmbda for i in range(0, rates.LAST_INDEX + 1, 16)]
figure, axes = plt.subplots(2, 3, figsize=(9, 4.6), sharex=True, layout="constrained")
for axis, layer in zip(axes.flat, probe.layers(mae), strict=True):
    gains = probe.gains(layer.modulation, lmbdas)
    axis.loglog(
        lmbdas, gains / gains[-1], color="#27567d" if layer.part == "g_a" else "#9c5416", alpha=0.12, linewidth=0.7
    )
    axis.set_title(f"{layer.name}(λ) / {layer.name}(4096)", fontsize=9)
    axis.set_xscale("log", base=2)
before, after = (
    np.log2(probe.gains(layer.modulation, lmbdas)) for layer in probe.layers(mae) if layer.name in ("m3", "d1")
)
mirrored = np.array([np.corrcoef(-before[:, c], after[:, c])[0, 1] for c in range(before.shape[1])])
in_use = view.bits >= 1
for which, name in ((in_use, "in use"), (~in_use, "off")):
    print(f"{which.sum()} channels {name} at λ = {LOW:g}: median correlation {np.median(mirrored[which]):+.2f}")
for axis in axes[1]:
    axis.set(xlabel="λ", xticks=rates.LMBDAS, xticklabels=[f"{v:g}" for v in rates.LMBDAS])
    axis.tick_params(axis="x", labelsize=7)

# %% [markdown]
# **Question 2.** Which layer's gains vary most with λ, and which spread most from channel to channel? What would this
# plot look like for bottleneck scaling?
#
# <details><summary>Answer</summary>
#
# Read them off. m3 stands right before the rounding and sets the quantisation step; the gains before it change what
# each place is divided by. Bottleneck scaling has one such panel, s(λ), and its inverse in the decoder; all other
# panels would be flat lines at 1.
# </details>
