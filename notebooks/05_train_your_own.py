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
# # 5. Train your own
#
# **Goal.** After this notebook you have trained a small MAE from a classical start in some minutes, know what its
# loss weighs, and have drawn its own rate-distortion curve from real files.

# %% Settings
import os
from pathlib import Path

RUN = Path(os.environ.get("MAE_VIZ_TINY_RUN", "runs/tiny"))  # a finished run there is used; delete it to train anew
CONFIG = "tiny"
PHOTOGRAPH = "astronaut"  # none that the small model is trained on
DETAIL = (170, 10, 300, 120)

# %%
import json
import re
import subprocess
import sys

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

import mae_viz
from mae_viz import metrics, rates
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.coding import checkpoints
from mae_viz.figures.inline import pictures
from mae_viz.images import gallery, open_rgb
from mae_viz.training import config

settings = config.load(CONFIG)
original = open_rgb(gallery()[PHOTOGRAPH].path)

# %% [markdown]
# ## The objective
#
# Equation (8) of the paper: minimise the sum over the trained λ of $R(\lambda) + \lambda D(\lambda)$ over the
# transforms,
# the perceptrons that make gains from λ, and the entropy model, all at once. Rounding has no gradient, so training
# adds uniform noise instead; the rate is the entropy estimate. Each crop of a batch gets a λ of its own, half of
# them between the trained ones.
#
# The configuration is one file; these are its settings:

# %%
for name in ("architecture", "channels", "lmbdas", "data", "batch", "crop", "steps", "weights", "start", "optimizer"):
    print(f"{name:14} {getattr(settings, name)}")

# %% [markdown]
# ## Train
#
# The same as `mae-viz train tiny` on a command line, which is what runs below. It starts from a classical codec written
# into the kernels (block transforms), so that some minutes are enough to see learning. The bar moves with the steps; a
# run that is finished is not run again.

# %%
bar = ipywidgets.IntProgress(max=settings.steps, description="training", layout={"width": "60%"})
line = ipywidgets.HTML()
display(ipywidgets.VBox([bar, line]))
if not (RUN / CONFIG / "card.json").is_file():
    command = [sys.executable, "-m", "mae_viz", "train", CONFIG, "--out", str(RUN)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for text in process.stderr:
            if step := re.match(r"step (\d+)", text):
                bar.value, line.value = int(step[1]), text
    assert process.returncode == 0, f"training ended early: {text}"
model = str((RUN / CONFIG).resolve())
print(checkpoints.card(model)["training"])

# %%
log = {row["step"]: row for row in map(json.loads, (RUN / "validation.jsonl").read_text().splitlines())}
steps = sorted(log)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.plot(steps, [log[step]["score"] for step in steps], marker="o")
left.set(xlabel="step", ylabel="validation: mean of R + λD, weighted")
shades = plt.get_cmap("viridis")(np.linspace(0.85, 0.1, len(steps)))
for step, shade in zip(steps, shades, strict=True):
    right.plot(log[step]["bpp"], log[step]["psnr"], marker=".", color=shade, label=f"step {step}")
right.set(xlabel="rate [bits per pixel], estimated", ylabel="PSNR [dB]")
right.legend(fontsize=7)
for axis in (left, right):
    axis.grid(alpha=0.3)

# %% [markdown]
# **Question 1.** The left curve sums over λ with weights λ^-½. What would the plain sum of equation (8) look at most?
#
# <details><summary>Answer</summary>
#
# At high λ: there λD is large, so a small relative gain at λ = 4096 outweighs a large one at λ = 64. The weights even
# this out; `--set weights=uniform` trains with the paper's sum.
# </details>
#
# ## Its own rate-distortion curve
#
# What was saved is a codec like those that ship: it makes real files. The photograph below was not among the training
# pictures.

# %%
pixels = np.asarray(original)


def curve(encode, decode, points):
    """(bpp, dB) of real files at several rates."""
    out = []
    for point in points:
        data = encode(point)
        psnr = metrics.psnr_db(pixels, np.asarray(decode(data)))
        out.append((metrics.bpp(len(data), original.height, original.width), psnr))
    return np.array(out)


def coded_by(name):
    return curve(
        lambda lmbda: mae_viz.compress(original, name, lmbda),
        lambda data: mae_viz.decompress(data, name),
        rates.LMBDAS,
    )


jpeg = CLASSICAL["jpeg"]
mine, shipped = coded_by(model), coded_by("mae")
classical = curve(lambda quality: jpeg.encode(original, quality), jpeg.decode, jpeg.axis.listed)

figure, axis = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
axis.plot(*shipped.T, color=mae_viz.codec("mae").colour, marker="o", label="MAE that ships: 192 channels, hours")
axis.plot(*mine.T, color="#b07d00", marker="X", label=f"yours: {settings.channels} channels, {settings.steps} steps")
axis.plot(*classical.T, color=jpeg.colour, linestyle=":", label=jpeg.title)
axis.set(xlabel="rate [bits per pixel]", ylabel="PSNR [dB]", xlim=(0, 1.1 * mine[:, 0].max()))
axis.set_ylim(mine[:, 1].min() - 1, shipped[:, 1].max() + 1)
axis.legend()
axis.grid(alpha=0.3)
assert (np.diff(mine[:, 1]) > 0).all(), "quality should rise with λ"

# %%
shown = [("original\n", original.crop(DETAIL))]
for name, title in ((model, "yours"), ("mae", "the MAE that ships")):
    data = mae_viz.compress(original, name, 256)
    shown.append((f"{title}, λ = 256\n{len(data):,} bytes", mae_viz.decompress(data, name).crop(DETAIL)))
pictures(shown)

# %% [markdown]
# The same detail at other λ:

# %%
choice = ipywidgets.SelectionSlider(options=[f"{v:g}" for v in rates.LMBDAS], value="256", description="λ")
picture = ipywidgets.Image(format="png", width=520)


def code(event):
    data = mae_viz.compress(original, model, float(event["new"]))
    detail = mae_viz.decompress(data, model).crop(DETAIL)
    picture.value = detail.resize((4 * detail.width, 4 * detail.height), 0)._repr_png_()


choice.observe(code, "value")
ipywidgets.VBox([choice, picture])

# %% [markdown]
# **Question 2.** Your curve has the same λ as the one that ships. Do equal λ give equal rates? Should they?
#
# <details><summary>Answer</summary>
#
# No: λ fixes the *slope* $-dD/dR = 1/\lambda$ at which each codec works, not the rate. A worse codec reaches that
# slope elsewhere on its own curve.
# </details>
#
# **Going on.** `mae-viz train mae --data FOLDER` trains the full model on your photographs; `--set steps=2000`
# changes a
# setting; the same command goes on where a run was interrupted. `mae-viz evaluate RUN/NAME --out rd.json` measures it.
