"""A match ends: for every arrangement, any λ, every kind of target."""

import pytest
from PIL import Image

from mae_viz.app.computed import Picture
from mae_viz.app.parts import matching
from mae_viz.codecs.registry import ORIGINAL, codec
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


@pytest.mark.parametrize("unit", matching.KINDS)
@pytest.mark.parametrize("lmbda", [65, 100, 181, 700, 3000])
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_a_match_ends_with_files_that_meet_the_target(picture, arrangement, lmbda, unit):
    rate = Rate.near(lmbda)
    panes = [pane for pane in pane_text.read(ARRANGEMENTS[arrangement].panes) if codec(pane["codec"]) is not ORIGINAL]
    lead = codec(matching.lead(panes)["codec"])
    now = matching.shown(picture, lead.name, lead.axis.at(rate.at))
    typed = {"bytes": now.bytes, "bpp": 8 * now.bytes / (48 * 32), "psnr_db": now.psnr_db}[unit]
    for target in (None, typed):
        states, text = matching.match(picture, rate, panes, unit, target)
        found = matching.shown(picture, lead.name, lead.axis.at(states[lead.name]["own"]))
        assert found.psnr_db >= now.psnr_db if unit == "psnr_db" else found.bytes <= now.bytes
        assert all(codec(pane["codec"]).title in text for pane in panes)
