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
# # 1. Tour: one codec, one number
#
# **Goal.** After this notebook you can say what λ does in a learned image codec, read the facts of a compressed file,
# and tell by eye which artefacts grow as λ falls.
#
# A learned codec is a pair of networks: the analysis transform $g_a$ turns a picture $x$ into latents $y$; these are
# rounded and entropy-coded into a file; the synthesis transform $g_s$ turns them back into a picture $\hat x$. Usually
# each point between a small file and a good picture needs networks of its own. The *modulated autoencoder* (MAE;
# [Yang et al. 2020](https://arxiv.org/abs/1912.05526)) serves all of them with one network that takes λ as an input.

# %% Settings
PHOTOGRAPH = "coffee"  # one of the bundled ones: list(gallery()) names them
LMBDAS = (64, 512, 4096)
DETAIL = (225, 150, 355, 230)  # left, top, right, bottom: a part to look at closely

# %%
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import SVG, Markdown, display

import mae_viz
from mae_viz import metrics
from mae_viz import viewer as the_viewer
from mae_viz.figures.inline import pictures
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders.frame import middle
from mae_viz.ladders.ladder import shared
from mae_viz.rates import Rate
from mae_viz.storage import shipped
from mae_viz.viewer.notebook import show

photograph = gallery()[PHOTOGRAPH]
original = open_rgb(photograph.path)

# %% [markdown]
# ## What λ weighs
#
# Training minimises $R + \lambda D$: bits per pixel plus λ times the mean squared error (of pixel values between 0 and
# 1). A small λ makes bits expensive, so files are small and pictures plain; a large one makes errors expensive. Here is
# one photograph at three λ. Every size below is that of a real file, header included.

# %%
files = {lmbda: mae_viz.compress(original, lmbda=lmbda) for lmbda in LMBDAS}
decoded = {lmbda: mae_viz.decompress(stream) for lmbda, stream in files.items()}


def facts(lmbda):
    size = len(files[lmbda])
    bpp = metrics.bpp(size, original.height, original.width)
    psnr = metrics.psnr_db(np.asarray(original), np.asarray(decoded[lmbda]))
    return f"λ = {lmbda}: {size:,} bytes\n{bpp:.3f} bits per pixel, {psnr:.2f} dB"


pictures([(facts(lmbda), decoded[lmbda]) for lmbda in LMBDAS])

# %% [markdown]
# And a part of it, every pixel enlarged without smoothing:

# %%
pictures(
    [("original\n", original.crop(DETAIL))] + [(facts(lmbda), decoded[lmbda].crop(DETAIL)) for lmbda in LMBDAS],
    columns=2,
)

# %% [markdown]
# **Question 1.** The uncompressed picture has 24 bits per pixel. By what factor does each of the three files shrink it?
#
# <details><summary>Answer</summary>
#
# Divide 24 by the bits per pixel above each picture: the smallest file is a few hundred times smaller, the largest
# some twenty times. The factor depends on the picture: try `PHOTOGRAPH = "china"`, which is full of detail.
# </details>
#
# ## Try it
#
# Drag λ: the viewer holds the picture coded at 25 rates and shows the decoder's exact pixels. `W` wipes, `B` blinks,
# `1` shows pixels at 100 %, `?` lists the keys. The menu above it changes the photograph; the line below it says what
# you last let go of.

# %%
widget = show(original, photograph.title, lmbda=512)
menu = ipywidgets.Dropdown(
    options=[(p.title, name) for name, p in gallery().items()], value=PHOTOGRAPH, description="Picture"
)
said = ipywidgets.HTML("Move λ and let go.")


def change(event):
    chosen, lmbda = gallery()[event["new"]], widget.view.get("lmbda", 512)
    picture = middle(open_rgb(chosen.path))
    widget.manifest = the_viewer.manifest(shared(), picture, chosen.title, Rate.near(lmbda))


def report(event):
    if view := event["new"]:
        said.value = f"You are looking at λ = {view['lmbda']:.1f}."


menu.observe(change, "value")
widget.observe(report, "view")
ipywidgets.VBox([menu, widget, said])

# %% [markdown]
# The same without the viewer: size and quality at λ in steps of an octave.

# %%
sweep = [64.0 * 2**k for k in range(7)]
sizes, quality = [], []
for lmbda in sweep:
    stream = mae_viz.compress(original, lmbda=lmbda)
    sizes.append(len(stream) / 1000)
    quality.append(metrics.psnr_db(np.asarray(original), np.asarray(mae_viz.decompress(stream))))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
for axis, values, label in ((left, sizes, "file [kB]"), (right, quality, "PSNR [dB]")):
    axis.plot(sweep, values, color=mae_viz.codec("mae").colour, marker="o")
    axis.set_xscale("log", base=2)
    axis.set(xlabel="λ", ylabel=label, xticks=sweep, xticklabels=[f"{v:g}" for v in sweep])
    axis.grid(alpha=0.3)

# %% [markdown]
# **Question 2.** Over most of the range PSNR climbs by a nearly equal amount per octave of λ. Theory for fine
# quantisation says that the best step Δ makes the error $\Delta^2/12$ fall in proportion to $1/\lambda$, which would be
# 3 dB per octave. Why is it less here?
#
# <details><summary>Answer</summary>
#
# The law holds where every coefficient is quantised finely. At these rates most latents round to zero: their error is
# their own variance, whatever Δ is. Only the few that are coded gain the full 3 dB. (At the largest λ something else
# limits it too: what the transform itself cannot carry.)
# </details>
#
# ## What is in a file
#
# A `.mae` file names the model by a fingerprint of its weights, λ on a grid of 1/64 octave, and the size of the
# picture; the rest is the entropy-coded latents.

# %%
mae_viz.info(files[LMBDAS[0]])

# %% [markdown]
# ## Three ways to serve many rates
#
# *Independent models* train one network per rate. *Bottleneck scaling* trains one network for the best quality and
# quantises its latents more coarsely for the others. The *MAE* changes the gain of every channel in every layer. The
# drawing counts what each needs; notebooks 3 and 4 show why the difference matters.

# %%
display(SVG(filename=str(shipped("docs/fig1.svg"))))

# %% [markdown]
# **Question 3.** Bottleneck scaling and the MAE have nearly the same number of parameters. What does the MAE pay for
# its gains, and what does it not pay?
#
# <details><summary>Answer</summary>
#
# Six perceptrons (1 → 50 → 192), 1.5 % more parameters, run once per picture: the time is that of the plain
# autoencoder. It pays in training: the network has to be good at all λ at once instead of at one.
# </details>

# %%
Markdown(f"Photograph: {photograph.credit}.")
