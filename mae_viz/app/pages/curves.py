"""Page *R-D curves*: the paper's Fig. 3 on measured files, every codec, BD-rates, and from a point to its picture."""

from typing import TYPE_CHECKING

import streamlit as st

from mae_viz import metrics
from mae_viz.app import address, site
from mae_viz.app.parts import plots
from mae_viz.app.parts.literal import literal
from mae_viz.app.parts.rd_plot import at, none, plot
from mae_viz.app.parts.results import against_peers, bd_rates, measurements
from mae_viz.app.parts.text_table import table
from mae_viz.architectures import FACTS
from mae_viz.codecs.registry import histories
from mae_viz.figures import style
from mae_viz.further import FURTHER
from mae_viz.measured import collected, datasets, intervals
from mae_viz.measured.between import between, rate_at, sentence
from mae_viz.numbers import NARROW, decibels, grouped, in_bpp, number, percent, prose

if TYPE_CHECKING:
    import pandas as pd

ABOUT = {
    "kodak": "24 photographs of 768 × 512: what this project measured on real files, beside the curves that others "
    "published for the same images.",
    "gallery": "the photographs of this app, measured on real files: click a point of a model to see its pictures.",
    "clic2020-professional": "curves that CompressAI published for another set of photographs; this project has "
    "measured nothing on it.",
}
"""What the data sets are that come with the project; others are told by the number of their pictures."""

UNITS = {"PSNR": "psnr", "MS-SSIM": "ms-ssim", "MS-SSIM, mean of dB": "ms-ssim-mean-of-db"}
"""Qualities by what they are called here; further metrics join where they are measured."""
ANCHORS = ("jpeg", "published-jpeg")
"""What BD-rates are taken against at first: the first of these that is there."""
FIRST = (*style.PAPERS, *style.OTHERS)
"""Curves shown unless the address says otherwise; where none of them exists, all."""


def page() -> None:
    st.title("R-D curves")
    st.markdown(
        "Up and to the left is better. **Follow MAE and bottleneck scaling from right to left**: how far they lie "
        "apart is told below the plot. Click a point of a model to see its pictures in the laboratory."
    )
    frame = measurements()
    for why in frame.attrs["left_out"]:
        st.text(why)
    places = data_sets(frame)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    name = row.selectbox("Data set", list(places), **address.held("dataset", next(iter(places)), places), width=240)
    dataset = places[name]
    units = qualities(frame, dataset)
    quality = row.segmented_control("Quality", units, required=True, **address.held("quality", "PSNR", units))
    log = row.toggle(
        "Logarithmic rate", **address.held("log", False, None, lambda text: text == "true", lambda _: "true")
    )
    metric = units[quality]
    kind = collected.metric_named(metric)
    st.caption(f"**{literal(name)}**: {about(frame, dataset)} {kind.title} of a curve's point is the {kind.averaging}.")
    drawn = measured(frame, dataset, metric)
    titles = named(drawn)
    if not titles:
        st.info(f"No curve has {quality} on this data set: choose another quality.")
        return
    first = [title for title, curve in titles.items() if curve in FIRST] or list(titles)
    shown = st.multiselect(
        "Codecs",
        list(titles),
        placeholder="choose the curves to draw",
        **address.held_all(f"codecs-{dataset}", first, titles),
    )
    chosen = {titles[title]: title for title in shown}
    draw(drawn[drawn["curve"].isin(chosen)], chosen, kind, log, dataset)
    say_what_lambda_buys(drawn, kind)
    say_between(frame, dataset)
    say_of_its_kind(frame, dataset, metric)
    show_bd_rates(frame, dataset, metric, titles)
    show_papers(frame, metric, log)
    show_numbers(drawn, dataset)


def data_sets(frame: "pd.DataFrame") -> dict[str, str]:
    """Data sets by what they are called, those that come with the project first; the paper's where it was measured."""
    there = set(frame.loc[frame["kind"] != "paper", "dataset"])
    order = [*(name for name in ABOUT if name in there), *sorted(there - set(ABOUT))]
    return {datasets.title(name): name for name in order}


def about(frame: "pd.DataFrame", dataset: str) -> str:
    images = frame.loc[(frame["dataset"] == dataset) & (frame["image"] != "mean"), "image"].nunique()
    return ABOUT.get(dataset, f"{images} photographs, measured on real files.")


def qualities(frame: "pd.DataFrame", dataset: str) -> dict[str, str]:
    """`UNITS`, and further metrics that some curve on the data set has."""
    there = frame[frame["dataset"] == dataset]
    return UNITS | {FURTHER[name].title: name for name in FURTHER if name in there and there[name].notna().any()}


def measured(frame: "pd.DataFrame", dataset: str, metric: str | collected.Metric) -> "pd.DataFrame":
    """The means on a data set, by curve and rising rate, where they have that metric and their λ was trained."""
    kind = metric if isinstance(metric, collected.Metric) else collected.metric_named(metric)
    means = frame[(frame["image"] == "mean") & (frame["dataset"] == dataset) & frame["trained"]]
    means = means[means[kind.column].notna()]
    return means.sort_values(["kind", "curve", "bpp"], kind="stable")


def named(drawn: "pd.DataFrame") -> dict[str, str]:
    """Curves by title: models first, then what this project measured, then what others published."""
    order = {"model": 0, "group": 0, "other": 1, "classical": 2, "published": 3}
    found = drawn.drop_duplicates("curve").sort_values("kind", key=lambda kind: kind.map(order), kind="stable")
    titles: dict[str, str] = {}
    for curve, title in zip(found["curve"], found["title"], strict=True):
        titles[title if title not in titles else f"{title}: {curve}"] = curve
    return titles


def draw(drawn: "pd.DataFrame", titles: dict[str, str], kind: collected.Metric, log: bool, dataset: str) -> None:
    """The curves, and a link for the point that was clicked."""
    if not titles:
        st.info("No codec is chosen: choose some above.")
        return
    figure = plot(drawn, titles, kind, log)
    event = st.plotly_chart(
        figure,
        key=f"curves of {dataset}",
        on_select="rerun",
        selection_mode="points",
        config=plots.CONFIG,
        alt=f"{kind.title} against bits per pixel, one line for each codec",
    )
    points = event.selection.points if event else []
    if points:
        open_point(*points[0]["customdata"])
    else:
        st.caption("Click a point: what it is, and the way to its pictures, appear here.")


def open_point(
    curve: str,
    codec: str,
    title: str,
    lmbda: float | None,
    quality: float | None,
    bpp: float,
    psnr: float | None,
    ms_ssim: float | None,
) -> None:
    """A point's numbers, and for a model the link to its pictures."""
    similar = "" if ms_ssim is None else f", MS-SSIM {decibels(ms_ssim)} (of the images' mean)"
    similar = similar if psnr is None else f", PSNR {decibels(psnr)}{similar}"
    st.markdown(f"**{literal(title)}, {at(lmbda, quality)}**: {in_bpp(bpp, '.4f')}{similar} (means over the images).")
    if lmbda is not None and not curve.startswith("paper-"):
        site.link("laboratory", f"Open λ = {lmbda:g} in the laboratory", lambda_=f"{lmbda:g}")


def say_what_lambda_buys(drawn: "pd.DataFrame", kind: collected.Metric) -> None:
    """What a doubling of λ costs and buys, and how far bottleneck scaling is from the MAE: from the curves."""
    column, unit = kind.column, kind.unit or "points"
    ours, theirs = (drawn[drawn["curve"] == name].sort_values("bpp") for name in ("mae", "bottleneck-scaling"))
    if len(ours) < 2:
        return
    steps = list(zip(ours.itertuples(), ours.iloc[1:].itertuples(), strict=False))
    growth = [b.bpp / a.bpp - 1 for a, b in steps]
    gains = [getattr(b, column) - getattr(a, column) for a, b in steps]
    steepest = steps[growth.index(max(growth))]
    lines = [
        f"- **Twice the λ** costs the MAE {100 * min(growth):.1f} to {percent(max(growth), '.1f')} more bytes (most "
        f"from λ = {steepest[0].lmbda:g} to {steepest[1].lmbda:g}) and buys {number(min(gains))} to "
        f"{number(max(gains))}{NARROW}{unit} of {kind.title}."
    ]
    behind = [
        f"{percent(row.bpp / same - 1, '+.1f')} at λ = {row.lmbda:g}"
        for row in theirs.itertuples()
        if (same := float(rate_at(ours["bpp"], ours[column], getattr(row, column)))) == same
    ]
    if behind:
        low, floor = theirs["bpp"].iloc[0], ours["bpp"].iloc[0]
        lines.append(
            f"- **Bottleneck scaling's** bytes beside the MAE's for the same {kind.title}: {', '.join(behind)}; and "
            f"its file at λ = {theirs['lmbda'].iloc[0]:g}, {in_bpp(low)}, has {low / floor:.2f} times the bytes of the "
            f"MAE's ({in_bpp(floor)})."
        )
    st.markdown("\n".join(lines))


def say_between(frame: "pd.DataFrame", dataset: str) -> None:
    """What the models of many λ cost between the trained ones, and how all models came about."""
    there = frame[(frame["dataset"] == dataset) & (frame["image"] == "mean") & (frame["kind"] == "model")]
    lines = [
        f"- {sentence(between(frame, name, dataset), literal(rows['title'].iloc[0]))}"
        for name, rows in there.groupby("codec", sort=False)
        if not rows["trained"].all() and rows["trained"].sum() > 1
    ]
    if lines:
        st.markdown("\n".join(lines))
    if said := histories(there["curve"].unique()):
        st.caption(literal(prose(said)))


def say_of_its_kind(frame: "pd.DataFrame", dataset: str, metric: str) -> None:
    """The MAEs against published networks of their kind, one for each rate, where there are such."""
    found = against_peers(frame, dataset, metric)
    modulated = frame.loc[frame["architecture"].isin([n for n, f in FACTS.items() if f.modulated]), "curve"]
    lines = [
        f"- **{literal(rows['title'].iloc[0])}** against networks of its kind, one for each rate: "
        + ", ".join(f"{collected.percent(row)} against {literal(row.peer_title)}" for row in rows.itertuples())
        + "."
        for curve in style.PAPERS
        if len(rows := found[(found["curve"] == curve) & found["curve"].isin(modulated)])
    ]
    if lines:
        st.markdown("\n".join(lines))
        st.caption(
            f"In brackets the {percent(0.95)} interval over this project's images alone, for the others are published "
            "as means; so it is wide. Ballé 2017 has the transform of the models without hyperprior."
        )


def show_bd_rates(frame: "pd.DataFrame", dataset: str, metric: str, titles: dict[str, str]) -> None:
    """BD-rates of all curves against one of them."""
    st.subheader("BD-rate: one number for a whole curve")
    curve_names = {curve: title for title, curve in titles.items()}
    offered = list(titles)
    first = next((curve_names[name] for name in ANCHORS if name in curve_names), offered[0])
    anchor = st.selectbox("Against", offered, **address.held(f"anchor-{dataset}", first, offered))
    found, kind = bd_rates(frame, titles[anchor], dataset, metric), collected.metric_named(metric)
    common = f"overlap [{kind.unit}]" if kind.unit else "overlap"
    interval = f"{percent(0.95)} interval"
    rows = []
    for row in found.sort_values("bd_rate_percent").itertuples():
        overlaps = row.bd_rate_percent == row.bd_rate_percent
        low, high = (grouped(end, "+.1f") for end in (row.low_percent, row.high_percent))
        between = f"{low}{NARROW}…{NARROW}{high}" if row.low_percent == row.low_percent else ""
        alone = f"{NARROW}*" if "alone" in row.interval_over else ""
        none_common = "none" if not row.interval_over else "other images"
        rows.append(
            {
                "codec": row.title,
                "BD-rate": collected.percent(row).partition(" [")[0],
                interval: between + alone,
                common: f"{row.from_db:.1f}{NARROW}…{NARROW}{row.to_db:.1f}" if overlaps else none_common,
                "lowest bpp": f"{row.lowest_bpp:.3f}",
            }
        )
    ours = [row.title for row in found.itertuples() if row.curve.split(",")[0] in style.PAPERS]
    table(rows, numbers=("BD-rate", interval, common, "lowest bpp"), bold=ours)
    st.caption(
        f"Below 0: fewer bits than {literal(anchor)} at equal quality, here the {kind.averaging}. Models enter with "
        f"the λ that they were trained for; “every λ” is the curve through all that were measured. "
        f"{metrics.BDRate.method}. "
        f"{intervals.METHOD}. * over one curve's images alone: wide, because other images need other rates, while the "
        "published means stand still."
    )
    st.download_button(
        "Save the BD-rates (CSV)", found.to_csv(index=False), f"bd-rate-{dataset}-{metric}.csv", "text/csv",
        on_click="ignore",
    )  # fmt: skip


def show_papers(frame: "pd.DataFrame", metric: str, log: bool) -> None:
    """The paper's own points, in a panel of their own."""
    kind = collected.AS_DRAWN.get(metric, collected.AS_DRAWN["ms-ssim"])
    st.subheader("The paper's own points")
    st.markdown(
        f"These were read off the paper's Fig. 3 (to {in_bpp(0.001)} and {decibels(0.01)}), which was measured on "
        "44 images of the CLIC professional test set. They are never drawn over the curves above: other images need "
        "other rates for the same quality, so only the *shape* compares: how far bottleneck scaling lies from the MAE, "
        "and where it ends on the left. "
        + ("" if kind.column == "psnr_db" else f"Of MS-SSIM {kind.averaging}: no BD-rate is taken on it.")
    )
    drawn = measured(frame, datasets.PAPERS, kind)
    drawn = drawn[drawn["kind"] == "paper"]
    titles = {curve: title for title, curve in named(drawn).items()}
    st.plotly_chart(
        plot(drawn, titles, kind, log),
        key="curves of the paper",
        config=plots.CONFIG,
        alt=f"The paper's points: {kind.title} against bits per pixel on CLIC",
    )
    if kind.column == "psnr_db":
        theirs = bd_rates(frame, "paper-mae", datasets.PAPERS, metric)
        said = [
            f"{literal(row.title)} {collected.percent(row)}" for row in theirs.itertuples() if row.curve != "paper-mae"
        ]
        st.caption(f"BD-rates against the paper's MAE, with their reading error: {'; '.join(said)}.")


def measured_or_not(value: float) -> str:
    return "n/a" if value != value else f"{value:.2f}"


def show_numbers(drawn: "pd.DataFrame", dataset: str) -> None:
    """Every point as a table, with its source."""
    columns = ["title", "lmbda", "quality", "bpp", "estimated_bpp", "psnr_db", "db_of_mean_ms_ssim", "ms_ssim_db"]
    columns += [name for name in FURTHER if name in drawn]
    columns.append("provenance")
    with st.expander("The numbers behind the curves, and where they come from"):
        rows = [
            {
                "codec": row.title,
                "point": at(none(row.lmbda), none(row.quality)),
                "bpp": f"{row.bpp:.4f}",
                "PSNR [dB]": measured_or_not(row.psnr_db),
                "MS-SSIM [dB of mean]": measured_or_not(row.db_of_mean_ms_ssim),
                "MS-SSIM [mean of dB]": measured_or_not(row.ms_ssim_db),
            }
            for row in drawn.itertuples()
        ]
        with st.container(height=320):
            table(rows, numbers=("bpp", "PSNR [dB]", "MS-SSIM [dB of mean]", "MS-SSIM [mean of dB]"))
        sources = drawn.drop_duplicates("title")
        lines = [f"- {literal(f'{row.title}: {row.provenance}')}" for row in sources.itertuples()]
        st.markdown("\n".join(lines))
        st.markdown(
            "**bpp** is 8 × bytes of the whole file over the pixels, its mean over the images; PSNR and MS-SSIM "
            "(−10 log₁₀(1 − MS-SSIM)) are taken on 8-bit RGB. PSNR is the mean of the images' dB. MS-SSIM is the dB of "
            "the images' mean, as others publish it, and where images were measured here also the mean of their dB. "
            "HEVC-intra 4:4:4 (x265) stands in for BPG; curves named BPG are published data."
        )
    st.download_button(
        "Save the numbers (CSV)", drawn[columns].to_csv(index=False), f"rd-{dataset}.csv", "text/csv", on_click="ignore"
    )
