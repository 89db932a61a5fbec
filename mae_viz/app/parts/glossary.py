"""The words that the pages use, each explained once; every page has them in its bar."""

import streamlit as st

from mae_viz.numbers import in_bits, percent

WORDS = {
    "λ": "the price of error. The networks minimise bits per pixel + λ · mean squared error of values in [0, 1]. Low: "
    "small file; high: good picture. Trained: 64, 128, … 4096; any number between works, and a file names it in steps "
    f"of 1/64 octave, about {percent(0.01)}.",
    "octave": "a doubling. From λ = 64 to 4096 there are six.",
    "rate, bpp": "bits of the real file, header included, over pixels of the original.",
    "saved": f"what the file lacks of {in_bits(24)} per pixel.",
    "PSNR": "10 log₁₀(255² / mean squared error), in dB, over all three colours. What these models were trained for.",
    "MS-SSIM": "similarity of structure at five scales, here as −10 log₁₀(1 − MS-SSIM) in dB. For pictures of 161 "
    "pixels a side and more.",
    "R-D curve": "rate against distortion: what quality so many bits buy.",
    "BD-rate": "how many more bits one curve needs than another for the same quality, averaged over the range of "
    "quality that they share.",
    "encoder g_a, decoder g_s": "the two halves of the autoencoder: picture → latents, latents → picture.",
    "latents y, channel, place": "what is rounded and stored: 192 maps (channels) of one number for every 16 × 16 "
    "pixels (a place).",
    "bottleneck": "the layer that gives y, where all that the decoder will know must pass.",
    "GDN, IGDN": "what stands between the convolutions instead of ReLU: it divides a channel by the activity of all "
    "channels at the same place; the decoder multiplies.",
    "modulation, gains m(λ), d(λ)": "the paper's idea: a small perceptron turns λ into a factor for every channel of "
    "every layer, m in the encoder, d in the decoder.",
    "MAE": "the autoencoder with these gains, one network for all λ.",
    "bottleneck scaling, s(λ)": "the rival: an encoder that never changes, whose latents are multiplied by s(λ) before "
    "they are rounded, and divided after.",
    "independent models": "one network for each λ: the yardstick, at seven times the parameters.",
    "prior": "the learned probability of every integer in every channel. A likely one costs few bits: −log₂ p.",
    "hyperprior, z, σ": "a second, small file in the file, z, that tells the decoder how wide the latents are at every "
    "place: their σ.",
    "off, awake, alive": "a channel that costs under one bit in all is off: its symbols are 0 everywhere. Else it is "
    "awake. Alive, on Feature maps: |y| reaches ½ somewhere, before anything is rounded.",
    "ratio map": "y at one λ divided by y at another, place by place. One value under bottleneck scaling, s(λ₁)/s(λ₂).",
    "hatched, masked": "places where the divisor is too near 0 to divide by.",
    "constancy score": "standard deviation of a ratio map over its |mean|; 0 where it has one value.",
    "match": "other codecs brought to the same bytes, bits per pixel or PSNR: the only fair comparison of pictures.",
}
"""By what they are called on the pages."""


def show() -> None:
    st.markdown("\n".join(f"- **{word}**: {meaning}" for word, meaning in WORDS.items()))
