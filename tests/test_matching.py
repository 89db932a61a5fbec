"""Every codec at one target: asking ends, whatever is on show, and the winner is the best of real files."""

import numpy as np
import pytest
from chromium import plain
from PIL import Image

from mae_viz import metrics
from mae_viz.app.computed import Picture
from mae_viz.app.parts import matching
from mae_viz.app.parts.literal import literal
from mae_viz.app.parts.matching import OutOfReach, Row, Target
from mae_viz.codecs.registry import ORIGINAL, codec, names
from mae_viz.ladders import ladder
from mae_viz.rates import Rate
from mae_viz.viewer import pane_text
from mae_viz.viewer.arrangements import ARRANGEMENTS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def picture(photograph, tmp_path_factory):
    """A small picture, whose ladders are the app's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAE_VIZ_CACHE", str(tmp_path_factory.mktemp("cache")))
        ladder.shared.cache_clear()
        yield Picture("small", photograph.crop((200, 120, 264, 168)).resize((48, 32), Image.Resampling.BICUBIC))
        ladder.shared.cache_clear()


@pytest.fixture(scope="module")
def ask(picture):
    kept = {}

    def ask(name, target):
        key = name, target
        if key not in kept:
            kept[key] = matching._answer(picture.key, picture, name, codec(name).identity, target)
        return kept[key]

    return ask


def on_show(picture, panes: list[dict], unit: str) -> Target:
    """What the pane that leads has at a λ between those trained."""
    return Target(unit, matching.now_shown(picture, Rate.near(181), matching.lead(panes), unit))


@pytest.mark.parametrize("unit", matching.KINDS)
def test_what_is_on_show_can_be_asked_of_every_codec_of_an_arrangement(picture, ask, unit):
    for arrangement in ARRANGEMENTS.values():
        panes = [pane for pane in pane_text.read(arrangement.panes) if codec(pane["codec"]) is not ORIGINAL]
        target = on_show(picture, panes, unit)
        assert isinstance(ask(matching.lead(panes)["codec"], target), Row)
        assert all(ask(pane["codec"], target) for pane in panes)


@pytest.mark.parametrize("target", [Target("bytes", 700), Target("bpp", 3.5), None], ids=str)
def test_every_codec_answers_and_the_winner_is_the_best_of_them(picture, ask, target):
    target = target or on_show(picture, pane_text.read("mae"), "psnr_db")  # much of which has been answered already
    answers = [ask(name, target) for name in names()]
    rows = [row for row in answers if isinstance(row, Row)]
    assert len(rows) >= 3
    by_psnr = target.unit == "psnr_db"
    for row in rows:
        decoded = codec(row.codec).reconstruct(picture.image, codec(row.codec).encode(picture.image, row.rate))
        assert row.psnr_db == pytest.approx(metrics.psnr_db(np.asarray(decoded), picture.pixels))
        assert row.psnr_db >= target.value if by_psnr else getattr(row, target.unit) <= target.value
    best = min(rows, key=lambda row: row.bytes if by_psnr else -row.psnr_db)
    assert (
        f"**{literal(codec(best.codec).title)}** has the {'smallest file' if by_psnr else 'highest PSNR'}"
        in matching.winners(rows, target)
    )
    starred = [line for line in matching.table(rows, target).splitlines() if "★" in line]
    assert starred[0].startswith(f"| {literal(codec(best.codec).title)} |")
    said = matching.out_of_reach(answers, target)
    assert all(literal(codec(one.codec).title) in said for one in answers if isinstance(one, OutOfReach))


def test_of_what_is_out_of_reach_a_sentence_says_how_far_it_goes(ask):
    target = Target("psnr_db", 70)
    said = matching.out_of_reach([ask("mae", target)], target)
    assert plain(said).startswith("MAE cannot be brought to 70.00 dB: it can give ")


@pytest.mark.parametrize("text", ["", "bpp", "bpp@", "bpp@no", "bpp@-1", "bpp@inf", "bpp@nan", "furlongs@3", "@3", "@"])
def test_what_is_no_target_in_an_address_asks_for_nothing(text):
    assert Target.read(text) is None


def test_a_target_is_found_again_in_its_text():
    assert Target.read(Target("psnr_db", 31.25).text) == Target("psnr_db", 31.25)
