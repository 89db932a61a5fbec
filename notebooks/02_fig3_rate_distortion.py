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
# where it is not defined, and read the paper's Fig. 3 with its caveats.

# %% Settings
PHOTOGRAPH = "chelsea"  # coded live below, at every trained λ
MODEL = "mae"
METRIC = "psnr"  # or "ms-ssim"

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from scipy.interpolate import PchipInterpolator

import mae_viz
from mae_viz import metrics, rates
from mae_viz.figures import fig3, output
from mae_viz.figures.inline import jpeg
from mae_viz.images import gallery, open_rgb
from mae_viz.measured import collected

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
axis.plot(*zip(*live, strict=True), color="#c0392b", marker="o", label=f"MAE, {PHOTOGRAPH}, live")
for name, colour in (("jpeg", "#8a8a8a"), ("hevc-intra-444", "#3d3d3d")):
    rows = results[(results["codec"] == name) & (results["dataset"] == "gallery") & (results["image"] == PHOTOGRAPH)]
    rows = rows.sort_values("bpp")
    axis.plot(rows["bpp"], rows["psnr_db"], color=colour, linestyle="--", label=rows["title"].iloc[0])
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
# smallest files this is about one per cent, on the largest less than a thousandth. The result files hold both
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
# **Question 2.** Bottleneck scaling's curve begins at a much higher rate than the MAE's. Does its BD-rate say so?
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
