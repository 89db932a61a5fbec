"""Page *File*: a `.mae` made, taken apart byte by byte, damaged on purpose, and decoded."""

import html
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from mae_viz.app import computed, site
from mae_viz.app.computed import Picture
from mae_viz.app.pages.bits import which_tables
from mae_viz.app.parts import controls, plots, subject
from mae_viz.app.parts.controls import title
from mae_viz.app.parts.literal import literal
from mae_viz.app.parts.text_table import table
from mae_viz.coding import bitstream, coder
from mae_viz.coding.bitstream import Part, StreamError
from mae_viz.numbers import NARROW, grouped, in_bytes, percent
from mae_viz.rates import Rate

MEANING = {
    "magic": "says that this is a .mae file; the first byte is no ASCII, so that nobody takes it for text",
    "version": "of the format",
    "model": "fingerprint of the weights and entropy tables: another model would decode noise, so it refuses",
    "rate index": "λ in steps of 1/64 octave: all that the decoder needs to find gains and entropy tables",
    "width": "pixels",
    "height": "pixels",
    "payload words": f"length of the payload, in words of {in_bytes(4)}",
    "escape bytes": "length of the escape section",
    "CRC-32 of the symbols": "what the entropy decoder must arrive at; model, λ and size are part of it",
    "CRC-32 of the file": "over all other bytes: a single flipped bit never passes",
    "payload": "the symbols of all channels, range-coded with the tables of this λ; with a hyperprior z's and then y's",
    "escape section": "symbols beyond the end of their table, in LEB128",
}
COLOURS = ("#bcd7ea", "#f6d7a7", "#cfe3b4", "#e9c3d3", "#d3cdea", "#c2e3dc", "#f3e39b", "#e3d0bd", "#f2bcb4", "#c9d2da")


def page() -> None:
    with site.bar():
        picture = subject.choose()
    st.title("File")
    st.markdown(
        "A `.mae` file is a header of a few bytes and a payload of entropy-coded integers. **Look at how little says "
        "which λ it was**: two bytes are enough, because encoder and decoder compute every gain from λ themselves."
    )
    if picture is None:
        return
    subject.caption()
    with controls.row():
        rate = controls.choose_rate("λ", 512.0, "lambda")
        names = {title(model): model for model in controls.models()}
        model = names[controls.choose("Model", {name: name for name in names}, title("mae"), "model")]
    with st.spinner(f"Coding {literal(picture.name)} …", show_time=True):
        data = computed.stream(picture, model, rate)
    size = picture.image.width * picture.image.height
    st.markdown(
        f"**{literal(picture.name)}, {title(model)}, λ = {rate}**: {in_bytes(len(data))}, "
        f"{8 * len(data) / size:.4f}{NARROW}bits per pixel; uncompressed it has {in_bytes(3 * size)}, "
        f"{3 * size / len(data):.1f} times as many."
    )
    st.download_button(
        "Save this file", data, f"{picture.name}-{model}-{rate}.mae", "application/octet-stream",
        on_click="ignore",
    )  # fmt: skip
    parts = bitstream.anatomy(data)
    show_parts(parts, data)
    say_what_it_costs(picture, model, rate, data, parts)
    damage(data, parts, picture.large)
    decode()
    with controls.row():
        site.link("laboratory", "See this λ in the laboratory", lambda_=rate, **controls.preset(model))
        site.link("bits", "Where its bits go", lambda_=rate, mae=model)
        site.link("how", "How it was made", lambda_=rate)


def show_parts(parts: list[Part], data: bytes) -> None:
    """The file as a bar, the header as a bar and in hexadecimal, and what each field means."""
    st.subheader("Its anatomy")
    header = [part for part in parts if part.name not in ("payload", "escape section")]
    length = sum(part.size for part in header)
    rest = parts[len(header) :]
    whole = [Part("header", 0, length, in_bytes(length)), *rest]
    st.html(bar(whole, ["#bcd7ea", "#dfe3e8", "#f2bcb4"], "The whole file, to scale"))
    st.html(bar(header, COLOURS, f"The header's {in_bytes(length)}, to scale"))
    st.html(hexadecimal(header, data, rest[0].size))
    rows = [
        {
            "offset": grouped(part.offset),
            "bytes": grouped(part.size),
            "field": part.name,
            "value": part.value if part in header else in_bytes(part.size),
            "meaning": MEANING.get(part.name, ""),
        }
        for part in parts
    ]
    with st.container(key="anatomy"):
        table(rows, numbers=("offset", "bytes"))


def bar(parts: list[Part], colours: Sequence[str], caption: str) -> str:
    """Parts side by side (HTML), as wide as they have bytes; what is narrower than a line is drawn as one."""
    cells = "".join(
        f'<div title="{html.escape(f"{part.name}: {part.value} ({in_bytes(part.size)})")}" style="flex:{part.size} 0 0;'
        f"min-width:2px;background:{colours[i % len(colours)]};color:#14181d;overflow:hidden;white-space:nowrap;"
        f'padding:0.35rem 0;text-indent:0.25rem">{html.escape(part.name)}</div>'
        for i, part in enumerate(parts)
        if part.size
    )
    said = html.escape(", ".join(f"{part.name} {grouped(part.size)}" for part in parts))
    return (
        f'<figure style="margin:0"><div role="img" aria-label="Bytes: {said}" '
        f'style="display:flex;font-size:0.75rem;border-radius:4px;overflow:hidden">{cells}</div>'
        f'<figcaption style="font-size:0.875rem;padding-top:0.25rem">{html.escape(caption)}: {said}.</figcaption>'
        "</figure>"
    )


def hexadecimal(header: list[Part], data: bytes, payload: int) -> str:
    """The header's bytes (HTML) in the colours of its bar, and the first of the payload."""
    cells = []
    for i, part in enumerate(header):
        for k in range(part.offset, part.offset + part.size):
            cells.append(
                f'<span title="{html.escape(part.name)}, byte {k}" style="background:{COLOURS[i % len(COLOURS)]};'
                f'color:#14181d;padding:0.1rem 0.3rem">{data[k]:02x}</span>'
            )
    end = header[-1].offset + header[-1].size
    cells += [f'<span style="padding:0.1rem 0.3rem">{byte:02x}</span>' for byte in data[end : end + min(13, payload)]]
    cells.append("<span>…</span>")
    return (
        '<div style="font-family:monospace;display:flex;flex-wrap:wrap;gap:2px;max-width:38rem;font-size:0.875rem" '
        f'role="img" aria-label="The header in hexadecimal: {data[:end].hex(" ")}">{"".join(cells)}</div>'
    )


def say_what_it_costs(picture: Picture, model: str, rate: Rate, data: bytes, parts: list[Part]) -> None:
    """The entropy estimate against the real bytes, and the tables they were coded with."""
    from mae_viz import probe

    st.subheader("Estimated and real")
    cost = computed.cost(picture, model, rate)
    estimate, side = cost.bits / 8, ""
    if cost.z is not None:
        bits = float(cost.z.sum(dtype="float64"))
        side = (
            f" (of these {grouped(bits / 8, ',.0f')}, {percent(bits / cost.bits, '.1f')}, for the side information z)"
        )
    coded = sum(part.size for part in parts if part.name in ("payload", "escape section"))
    below, above, weight = probe.prior_mix(computed.checkpoint(model).model, rate)
    st.markdown(
        f"The model's entropy estimate, −log₂ p of every symbol, is **{in_bytes(estimate)}**{side}; payload "
        f"and escapes have **{grouped(coded)}** ({percent(coded / estimate - 1, '+.2f')}: the range coder's tables "
        f"hold probabilities as 16-bit integers, and its last word is filled up), the header adds {len(data) - coded}. "
        f"{which_tables(model, rate, below, above, weight)}"
    )
    if rate.octave <= 5:
        once = rate.higher(1)
        with st.spinner("Coding at twice the λ …"):
            twice = len(computed.stream(picture, model, once))
        st.markdown(
            f"**Twice the λ**, {once}, makes a file of {in_bytes(twice)}: {in_bytes(twice - len(data), '+,')}, "
            f"{percent(twice / len(data) - 1, '+.0f')}."
        )


@dataclass(frozen=True)
class Damage:
    """A file that is no longer what was written."""

    what: str
    data: bytes


def damages(data: bytes, parts: list[Part]) -> list[Damage]:
    """A file in the ways it may arrive."""
    places = {part.name: part for part in parts}
    ways = [
        Damage(f"one bit of the field “{name}” is flipped", flip(data, places[name].offset, 0))
        for name in ("magic", "version", "model", "width", "payload words")
    ]
    intact = bitstream.parse(data)
    other = replace(intact, fingerprint=bytes(byte ^ 255 for byte in intact.fingerprint)).pack()
    forged = replace(intact, payload=flip(intact.payload, 0, 0)).pack() if intact.payload else data[:-1]
    narrower = replace(intact, width=intact.width - 1).pack()
    return [
        *ways,
        Damage("another model wrote it", other),
        Damage("a bit of the payload is flipped and the file's checksum forged to match", forged),
        Damage("it claims to be a pixel narrower and its checksum is forged to match", narrower),
        Damage("the last hundred bytes are missing", data[:-100]),
        Damage("a byte follows", data + b"\0"),
        Damage("it is empty", b""),
        Damage("it is a PNG", b"\x89PNG\r\n\x1a\n" + bytes(64)),
    ]


def flip(data: bytes, position: int, bit: int) -> bytes:
    """The bytes with one bit changed."""
    changed = bytearray(data)
    changed[position] ^= 1 << bit
    return bytes(changed)


@st.fragment
def damage(data: bytes, parts: list[Part], large: bool) -> None:
    """Break the file on purpose: what the decoder answers."""
    st.subheader("Break it")
    st.markdown("The decoder never shows a picture that is not the one that was coded. Try to make it:")
    if st.button("Flip a random bit of the payload"):
        start = next(part for part in parts if part.name == "payload")
        position, bit = start.offset + random.randrange(max(1, start.size)), random.randrange(8)
        way = Damage(f"bit {bit} of byte {grouped(position)} is flipped", flip(data, min(position, len(data) - 1), bit))
        answer(way, large)
    ways = {way.what: way for way in damages(data, parts)}
    chosen = st.selectbox("Or suppose that …", list(ways), index=None, placeholder="choose what happened to the file")
    if chosen:
        answer(ways[chosen], large)


def answer(way: Damage, large: bool) -> None:
    """What the decoder says to a damaged file, of a large picture or not."""
    try:
        computed.run(coder.decompress, way.data, large=large)
    except StreamError as error:
        st.error(f"{way.what[0].upper()}{way.what[1:]}. The decoder says: {error}")
    else:
        st.warning(f"{way.what}, and the decoder did not notice.")


def decode() -> None:
    """Upload and decode a `.mae` file."""
    st.subheader("Decode one")
    file = st.file_uploader("A .mae file, from here or from the command line", type=["mae"], key="mae")
    if file is None:
        return
    try:
        with st.spinner("Decoding …", show_time=True):
            opened = computed.opened(file.getvalue())
    except StreamError as error:
        st.error(f"{literal(file.name)}: {error}")
        return
    facts = opened.facts
    st.markdown(
        f"**{literal(file.name)}**: {facts['width']} × {facts['height']} pixels, {title(facts['model'])}, "
        f"λ = {facts['lmbda']:.1f}, {in_bytes(facts['bytes'])}, {facts['bpp']:.4f}{NARROW}bits per pixel: header "
        f"{facts['header_bytes']}, payload {grouped(facts['payload_bytes'])}, escapes {grouped(facts['escape_bytes'])}."
    )
    st.html(
        plots.figure(computed.data_url(opened.png), f"The picture in {file.name}", "Decoded, lossless from here on.")
    )
    st.download_button("Save as PNG", opened.png, f"{file.name}.png", "image/png", on_click="ignore")
