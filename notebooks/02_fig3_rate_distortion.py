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
# # 2. Fig. 3: rate and distortion
#
# **Goal.** After this notebook you can draw a rate-distortion curve from real files, say what a BD-rate averages and
# where it is not defined, read the paper's Fig. 3 with its caveats, and put a codec of your own beside the others.

# %% Settings
PHOTOGRAPH = "chelsea"  # coded live below, at every trained λ
MODEL = "mae"
METRIC = "psnr"  # or "ms-ssim"

# %%
import warnings

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.fft import dct
from scipy.interpolate import PchipInterpolator
from torch import nn

import mae_viz
from mae_viz import metrics, rates
from mae_viz.codecs.compressai import CompressAICodec
from mae_viz.coding.coder import to_tensor
from mae_viz.figures import fig3, output
from mae_viz.figures.inline import jpeg
from mae_viz.images import gallery, open_rgb
from mae_viz.measured import collected
from mae_viz.viewer.notebook import show

results = mae_viz.results()

# %% [markdown]
# ## One photograph, live
#
# A point of the curve is a file: code the picture, count the bytes, decode, compare. We do it now at the seven trained
# λ and check the outcome against the numbers that ship beside the weights (`checkpoints/mae/rd-gallery.json`): the rate
# must be equal to the last bit.

# %%
original = open_rgb(gallery()[PHOTOGRAPH].path)
committed = results[
    (results["codec"] == MODEL) & (results["dataset"] == "gallery") & (results["image"] == PHOTOGRAPH)
].set_index("lmbda")

live = []
for lmbda in rates.LMBDAS:
    stream = mae_viz.compress(original, MODEL, lmbda)
    pixels = np.asarray(mae_viz.decompress(stream))
    bpp = metrics.bpp(len(stream), original.height, original.width)
    psnr = metrics.psnr_db(np.asarray(original), pixels)
    known = committed.loc[lmbda]
    assert round(bpp, 6) == round(known["bpp"], 6), f"λ = {lmbda}: {bpp} bpp now, {known['bpp']} committed"
    assert abs(psnr - known["psnr_db"]) < 0.01, f"λ = {lmbda}: {psnr} dB now, {known['psnr_db']} committed"
    live.append((bpp, psnr))
    print(f"λ = {lmbda:6g}   {len(stream):7,} bytes   {bpp:.4f} bpp   {psnr:.2f} dB   as committed")

# %%
figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
axis.plot(*zip(*live, strict=True), color=mae_viz.codec("mae").colour, marker="o", label=f"MAE, {PHOTOGRAPH}, live")
for name in ("jpeg", "hevc-intra-444"):
    rows = results[(results["codec"] == name) & (results["dataset"] == "gallery") & (results["image"] == PHOTOGRAPH)]
    rows = rows.sort_values("bpp")
    axis.plot(
        rows["bpp"], rows["psnr_db"], color=mae_viz.codec(name).colour, linestyle="--", label=rows["title"].iloc[0]
    )
axis.set(xlabel="rate [bits per pixel]", ylabel="PSNR [dB]", xlim=(0, 1.15 * live[-1][0]))
axis.set_ylim(live[0][1] - 2, live[-1][1] + 2)
axis.legend()
axis.grid(alpha=0.3)

# %% [markdown]
# **Question 1.** PSNR is computed on pixels rounded to 8 bits, and the rate from the bytes of the whole file. Papers
# often report the *entropy estimate* $-\log_2 p(\hat y)$ instead. Which is smaller, and by how much for a small file?
#
# <details><summary>Answer</summary>
#
# The estimate: it has no header (35 bytes here), and no cost for rounding the probabilities to integers. On the
# smallest files this is about one per cent, on the largest about a thousandth or less. The result files hold both
# (`bpp`, `estimated_bpp`).
# </details>
#
# ## From one picture to a data set
#
# A data set's point at a rate is the mean over pictures of bits per pixel and of decibels (not the decibels of the mean
# error: that would let the noisiest pictures decide). Below is the paper's Fig. 3: ours on the 24 Kodak images, the
# paper's own points on CLIC. The data sets differ, so they never share a panel; the table below the panels compares
# the *shapes*.

# %%
kodak = fig3.draw(results)
jpeg(kodak)

# %%
print(output.wrapped(fig3.caption(results)))

# %% [markdown]
# How the curves came about, in a line each:

# %%
for name in ("mae", "independent", "bottleneck-scaling", "mae-hyperprior", "independent-hyperprior"):
    print(mae_viz.codec(name).history)

# %% [markdown]
# The same curves to play with: choose a data set and a metric.


# %%
def draw(dataset="kodak", metric="psnr"):
    _, axis = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    for name, (title, bpp, db) in collected.curves(results, dataset, metric).items():
        axis.plot(bpp, db, marker=".", label=title, linestyle="--" if name.startswith("published") else "-")
    axis.set(xlabel="rate [bits per pixel]", ylabel=f"{metric} [dB]", xlim=(0, 2))
    axis.legend(fontsize=6, ncols=2)
    axis.grid(alpha=0.3)
    plt.show()


ipywidgets.interactive(draw, dataset=sorted(set(results["dataset"])), metric=list(collected.METRICS))

# %% [markdown]
# ## BD-rate, by hand
#
# A BD-rate says: averaged over the quality range that both curves cover, how much more rate does one need than the
# other *at equal quality*? Interpolate log rate as a function of quality for each curve, integrate the difference over
# the common interval, divide by its length, and turn the mean log ratio into per cent.


# %%
def bd_rate_by_hand(anchor, test):
    """Anchor and test: (bpp, dB) by rising quality. Per cent."""
    low = max(anchor[1][0], test[1][0])
    high = min(anchor[1][-1], test[1][-1])
    area = [PchipInterpolator(db, np.log10(bpp)).integrate(low, high) for bpp, db in (anchor, test)]
    return 100 * (10 ** ((area[1] - area[0]) / (high - low)) - 1)


measured = collected.curves(results, "kodak", METRIC)
by_hand = {}
for name in ("bottleneck-scaling", "jpeg", "jpeg2000", "hevc-intra-444"):
    title, bpp, db = measured[name]
    by_hand[name] = bd_rate_by_hand(measured["mae"][1:], (bpp, db))
    by_package = metrics.bd_rate(*measured["mae"][1:], bpp, db).percent
    assert abs(by_hand[name] - by_package) < 0.01
    print(f"{title:20} {by_hand[name]:+6.1f} % against the MAE (package bjontegaard: {by_package:+6.1f} %)")

# %% [markdown]
# **Question 2.** In the paper's panel bottleneck scaling's curve begins at almost three times the MAE's lowest rate.
# Does its BD-rate say so?
#
# <details><summary>Answer</summary>
#
# No. The average runs over the *common* quality interval, and what lies below it does not count: a codec can have a
# mild BD-rate and still be useless at low rates. State the interval and the lowest rate beside every BD-rate
# (`mae-viz bd-rate mae` prints both).
# </details>
#
# **Question 3.** Why is there no BD-rate for a codec with a single point?
#
# <details><summary>Answer</summary>
#
# One point covers no interval of quality, so there is nothing to average over: n/a is the honest answer.
# </details>
#
# ## A codec of your own
#
# Anything that turns pictures into bytes and back can join: an object with `encode` and `decode`, or a torch module
# with the interface of [CompressAI](https://github.com/InterDigitalInc/CompressAI). Here is one of the latter without
# any training: $g_a$ is a 16 × 16 DCT of three colour axes written into one convolution, $g_s$ its transpose, and the
# entropy model a Gaussian for each coefficient, as wide as in the other photographs. A `scale` before rounding sets the
# rate.


# %%
with warnings.catch_warnings():  # what CompressAI imports uses parts of torch that are to go
    warnings.simplefilter("ignore")
    from compressai.entropy_models import GaussianConditional


class BlockDCT(nn.Module):
    downsampling_factor = 16

    def __init__(self, photographs):
        super().__init__()
        waves = torch.from_numpy(dct(np.eye(16), axis=0, norm="ortho")).float()
        colours = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]])
        colours /= colours.norm(dim=1, keepdim=True)
        kernels = torch.einsum("pc,uy,vx->puvcyx", colours, waves, waves).reshape(768, 3, 16, 16)
        self.g_a = nn.Conv2d(3, 768, 16, stride=16, bias=False)
        self.g_s = nn.ConvTranspose2d(768, 3, 16, stride=16, bias=False)
        self.g_a.weight.data = self.g_s.weight.data = kernels
        y = torch.cat([self.g_a(to_tensor(photograph, 16) - 0.5).flatten(2) for photograph in photographs], dim=2)
        self.register_buffer("sigma", y.detach().pow(2).mean((0, 2)).sqrt()[None, :, None, None])
        self.gaussian_conditional = GaussianConditional(None)
        self.gaussian_conditional.update_scale_table(np.geomspace(0.11, 256, 64))

    def forward(self, x, scale):
        y = self.g_a(x - 0.5) * scale
        y_hat, likelihoods = self.gaussian_conditional(y, (self.sigma * scale).expand_as(y))
        return {"x_hat": self.g_s(y_hat / scale) + 0.5, "likelihoods": {"y": likelihoods}}

    def indexes(self, shape, scale):
        return self.gaussian_conditional.build_indexes(self.sigma * scale).expand(1, -1, *shape)

    def compress(self, x, scale):
        y = self.g_a(x - 0.5) * scale
        shape = y.shape[2:]
        return {"strings": [self.gaussian_conditional.compress(y, self.indexes(shape, scale))], "shape": shape}

    def decompress(self, strings, shape, scale):
        y_hat = self.gaussian_conditional.decompress(strings[0], self.indexes(shape, scale))
        return {"x_hat": self.g_s(y_hat / scale) + 0.5}


others = [open_rgb(photograph.path) for name, photograph in gallery().items() if name != PHOTOGRAPH]
mine = mae_viz.register(
    CompressAICodec(
        "block-dct",
        BlockDCT(others),
        title="Block DCT",
        qualities=(0.5, 1.0, 2.0, 4.0, 8.0),
        arguments=lambda quality: {"scale": quality},
        unit="scale",
    )
)

# %% [markdown]
# From here on its name, `"block-dct"`, works like any other: `mae_viz.compress_to` finds the scale for a size, the
# viewer shows its latents.

# %%
own = []
for rate in mine.axis.listed:
    data = mine.encode(original, rate)
    bpp = metrics.bpp(len(data), original.height, original.width)
    own.append((bpp, metrics.psnr_db(np.asarray(original), np.asarray(mine.decode(data)))))

own_figure, axis = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
axis.plot(*zip(*live, strict=True), color=mae_viz.codec("mae").colour, marker="o", label=f"MAE, {PHOTOGRAPH}, live")
axis.plot(*zip(*own, strict=True), color=mine.colour, marker="s", label=f"{mine.title}, scale 0.5 … 8")
axis.set(xlabel="rate [bits per pixel]", ylabel="PSNR [dB]")
axis.legend()
axis.grid(alpha=0.3)

small = mae_viz.compress_to(original, "block-dct", bytes=len(mae_viz.compress(original, MODEL, 512)))
print(f"as large as the MAE's file at λ = 512: {small.bytes:,} bytes at scale {small.rate}, {small.psnr_db:.2f} dB")

# %%
show(
    original,
    PHOTOGRAPH,
    codecs=["mae", "block-dct"],
    panes=[{"codec": "mae"}, {"codec": "block-dct"}, {"codec": "block-dct", "layer": "bits"}],
)

# %% [markdown]
# **Question 4.** The block DCT rounds scaled latents: it is bottleneck scaling. Why does a coarse step do less harm to
# it than to a network?
#
# <details><summary>Answer</summary>
#
# Its transform is orthonormal: the picture's error is the latents' error at every step, and a coarse step only leaves
# out the waves that weigh little. The network's decoder was trained with fine steps alone; what coarse ones leave of
# its latents is nothing that it has seen.
# </details>
