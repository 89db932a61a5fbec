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
# # 7. Refined latents
#
# **Goal.** After this notebook you can tell apart what a *decoder* can do and what an *encoder* finds, and say which of
# the two a model's loss comes from.
#
# The encoder maps every picture with the same three convolutions. For the picture at hand that is not the best there
# is: other integers, sent to the same decoder, may cost fewer bits, or look better, or both. Here they are searched by
# gradient, through the decoder and the prior. File format, decoder and weights stay as they are.

# %% Settings
PHOTOGRAPH = "coffee"
LMBDA = 256
STEPS = 40

# %%
import io

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

import mae_viz
from mae_viz import probe
from mae_viz.codecs.search import compress_to
from mae_viz.coding import checkpoints
from mae_viz.figures.inline import pictures
from mae_viz.images import gallery, open_rgb
from mae_viz.measured import collected, findings, refinement, report
from mae_viz.rates import Rate

original = open_rgb(gallery()[PHOTOGRAPH].path)
rate = Rate.near(LMBDA)
checkpoint = checkpoints.open_checkpoint("mae")
COLOUR = mae_viz.codec("mae").colour

# %% [markdown]
# ## One picture
#
# Each latent is drawn between the two integers around it; which of them becomes likely is what the gradient moves
# (stochastic Gumbel annealing, Yang, Bamler and Mandt 2020). Every ten steps the latents are rounded, and the real file
# is written and decoded.

# %%
moments = list(mae_viz.codec("mae").refined(STEPS).moments(original, rate))
plain, best = moments[0].best, moments[-1].best
figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
axes[0].plot([STEPS * moment.done for moment in moments], [moment.now.cost for moment in moments], ".-", color=COLOUR)
axes[0].set(xlabel="steps", ylabel="R + λ·MSE of the real file")
axes[1].plot([moment.now.bpp for moment in moments], [moment.now.psnr_db for moment in moments], ".-", color=COLOUR)
axes[1].plot(plain.bpp, plain.psnr_db, "o", color=COLOUR, label="one pass")
axes[1].plot(best.bpp, best.psnr_db, "*", markersize=11, color=COLOUR, label=f"refined, {STEPS} steps")
axes[1].set(xlabel="bits per pixel", ylabel="PSNR [dB]")
axes[1].legend()
for axis in axes:
    axis.grid(alpha=0.3)
print(f"{len(plain.stream):,} → {len(best.stream):,} bytes, {plain.psnr_db:.2f} → {best.psnr_db:.2f} dB")

# %% [markdown]
# At equal bytes the gain is easier to read. Rate control finds the λ at which coding in one pass makes a file as long:

# %%
same = compress_to(original, "mae", bytes=len(best.stream))
print(f"one pass, λ = {same.lmbda:.0f}: {same.bytes:,} bytes, {same.psnr_db:.2f} dB")
print(f"refined,  λ = {LMBDA}: {len(best.stream):,} bytes, {best.psnr_db:.2f} dB")
bits = {"one pass": probe.cost(checkpoint, plain.stream).places, "refined": probe.cost(checkpoint, best.stream).places}
change = bits["refined"] - bits["one pass"]
reach = np.abs(change).max()
figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
figure.colorbar(axes[0].imshow(bits["one pass"], cmap="viridis"), ax=axes[0], label="bits per place, one pass")
figure.colorbar(axes[1].imshow(change, cmap="RdBu_r", vmin=-reach, vmax=reach), ax=axes[1], label="bits that moved")
for axis in axes:
    axis.set_axis_off()

# %% [markdown]
# Walk through the looks: what changes in the picture while the file keeps its size?

# %%
looked = ipywidgets.SelectionSlider(options=[round(STEPS * moment.done) for moment in moments], description="step")
seen, told = ipywidgets.Image(format="png"), ipywidgets.HTML()


def tell(step):
    now = moments[looked.options.index(step)].now
    buffer = io.BytesIO()
    mae_viz.decompress(now.stream).save(buffer, "png")
    seen.value = buffer.getvalue()
    told.value = f"{len(now.stream):,} bytes, {now.psnr_db:.2f} dB"


looked.observe(lambda event: tell(event["new"]), "value")
tell(looked.value)
ipywidgets.VBox([looked, told, seen])

# %% [markdown]
# **Question 1.** The decoder is the same. Why does the encoder not find these integers by itself?
#
# <details><summary>Answer</summary>
#
# It was trained to do well on the average of all pictures, with one forward pass and a fixed number of weights; what is
# best for one picture is more than it can compute (the *amortisation gap*). Besides, it rounds each latent by itself,
# although the decoder sees them together.
# </details>
#
# ## Kodak
#
# Real files of the 24 photographs, at the trained λ. The refined curve is one of its own: the published networks coded
# their latents in one pass.

# %%
results = mae_viz.results()
measured = collected.curves(results, "kodak")
refined = "mae-refined-80"
figure, axis = plt.subplots(figsize=(7, 3.4), layout="constrained")
for name in ("mae", refined):
    title, bpp, db = measured[name]
    axis.plot(bpp, db, "*:" if name == refined else "o-", color=COLOUR, label=title)
axis.set(xlabel="bits per pixel", ylabel="PSNR [dB]", xlim=0)
axis.legend()
axis.grid(alpha=0.3)
for metric, title in (("psnr", "PSNR"), ("ms-ssim", "MS-SSIM")):
    (row,) = collected.bd_table("mae", metric=metric, frame=results, only=(refined,)).itertuples()
    print(f"{row.title} against the MAE: BD-rate {collected.percent(row)} by {title}")

# %% [markdown]
# ## Whose loss is it?
#
# Bottleneck scaling pays more at low λ than the MAE. Is that its *encoder's* fault, which was made for λ = 4096 and
# picks latents badly? Then refining both would close the gap. Or is it the *decoder's*, which no choice of latents
# helps? The same question for the networks of one λ each. What follows is measured, on eight Kodak photographs; the
# brackets are 95 % intervals over them.

# %%
rows = refinement.rows()
print(findings.effort(rows))
for model in ("bottleneck-scaling", "independent"):
    print()
    print("\n".join(findings.whose_loss(rows, model)))

# %% [markdown]
# ## Does refinement wake channels that sleep?

# %%
for model in ("mae", "bottleneck-scaling"):
    print(findings.waking(rows, model))

# %% [markdown]
# ## Asked for something else
#
# Nothing says that the error must be squared. Refinement lowers R + λ·D for any D: for MS-SSIM, or with weights where
# something matters. On Kodak, at equal rates, files refined for MS-SSIM have:

# %%
Markdown(report.refined(results))

# %% [markdown]
# Where do the bits go then? And what does a part gain that is said to be important?

# %%
print(findings.moved(rows))
print(findings.painted(rows))

# %%
inner = refinement.middle(*original.size)
painted = compress_to(original, mae_viz.codec("mae").refined(STEPS, importance=inner), bytes=len(plain.stream))
shown = {
    f"one pass\n{len(plain.stream):,} bytes": mae_viz.decompress(plain.stream),
    f"the middle important\n{painted.bytes:,} bytes": mae_viz.decompress(painted.stream),
}
top, left = (int(np.flatnonzero(inner.any(axis=axis)).min()) for axis in (1, 0))
bottom, right = (int(np.flatnonzero(inner.any(axis=axis)).max()) + 1 for axis in (1, 0))
pictures(
    [("original\n", original.crop((left, top, right, bottom)))]
    + [(title, picture.crop((left, top, right, bottom))) for title, picture in shown.items()]
)

# %% [markdown]
# **Question 2.** A file refined for MS-SSIM has a lower PSNR than the plain one of as many bytes. Is that a fault?
#
# <details><summary>Answer</summary>
#
# No: it was asked for something else. PSNR counts every squared error alike; MS-SSIM asks whether structure and
# contrast are kept, and forgives errors where there is much of both. One decoder serves either wish, because the wish
# is in the integers.
# </details>
