"""Frames as they travel: the type in Python, the schema, and real listings say the same."""

import json
import math
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mae_viz.codecs.registry import ORIGINAL
from mae_viz.ladders import frame as frame_module
from mae_viz.ladders import ladder
from mae_viz.ladders.frame import Frame, Source, sources
from mae_viz.viewer import html

SCHEMA = json.loads((Path(frame_module.__file__).parent / "frame.schema.json").read_text(encoding="utf-8"))
FRAME = SCHEMA["$defs"]["frame"]


def check(listing: dict) -> None:
    """Raises where a listing, once it has been text, is not as the schema says."""
    jsonschema.validate(json.loads(json.dumps(listing, allow_nan=False)), SCHEMA)


def test_the_schema_has_the_fields_of_the_type():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert list(FRAME["properties"]) == [field.name for field in fields(Frame)]


@settings(deadline=None, max_examples=30)
@given(
    st.builds(
        Frame,
        at=st.integers(0, 384) | st.floats(0.1, 2.4),
        file=st.text(min_size=1),
        bytes=st.none() | st.integers(1),
        psnr_db=st.none() | st.floats(0, 99) | st.just(math.inf),
        ms_ssim_db=st.none() | st.floats(0, 99) | st.just(math.inf),
        further=st.none() | st.dictionaries(st.text(min_size=1), st.none() | st.floats(-99, 100)),
        rank=st.none() | st.lists(st.integers(0, 191)).map(tuple),
        extra=st.sampled_from([None, True]),
    )
)
def test_a_frame_comes_back_from_its_text(frame):
    text = json.dumps(frame.to_json(), allow_nan=False)
    assert Frame.from_json(json.loads(text)) == frame
    jsonschema.validate(json.loads(text), FRAME | {"$defs": SCHEMA["$defs"]})


@pytest.mark.parametrize(
    "wrong", [{"at": 0}, {"at": 0, "file": "x", "psnr_db": None}, {"at": 0, "file": "x", "psnr": 1}]
)
def test_what_is_no_frame_does_not_pass(wrong):
    with pytest.raises(jsonschema.ValidationError):
        check({"id": "x", "total": 1, "complete": True, "done": 0, "frames": [wrong]})


def test_listings_of_every_codec_are_as_the_schema_says(tmp_path, crop):
    ladders = ladder.Ladders(tmp_path)
    for name in sources():
        made = ladders.offer(crop, name)
        check(made.listing())
        ladders.frame(made, made.source.codec.axis.last)
        check(made.listing())
        assert len(made.listing()["frames"]) == 1
        assert {"psnr_db", "bpp"} <= made.listing()["frames"][0].keys() or name == ORIGINAL.name


def test_a_picture_without_loss_has_infinite_decibels(tmp_path):
    from PIL import Image

    ladders = ladder.Ladders(tmp_path)
    made = ladders.offer(Image.new("RGB", (16, 16), "grey"), "jpeg")
    frame = ladders.frame(made, made.source.codec.axis.last)
    assert frame.psnr_db == math.inf
    (told,) = made.listing()["frames"]
    assert told["psnr_db"] == "inf"
    check(made.listing())


def test_html_files_hold_frames_as_the_schema_says(tmp_path, crop):
    page = html.page(ladder.Ladders(tmp_path), crop.crop((0, 0, 64, 64)), "x", codecs=("mae",))
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert len(data["ladders"]) == len(data["manifest"]["codecs"]) == 2
    for listing in data["ladders"].values():
        check(listing)


def test_a_ladder_s_name_says_what_its_frames_depend_on(crop, monkeypatch):
    ids = {Source.of(name).ladder_id("pixels") for name in sources()}
    ids |= {Source.of_whole(name).ladder_id("pixels") for name in sources()}
    assert len(ids) == 2 * len(sources()) - 1  # the original is what it is
    monkeypatch.setenv("MAE_VIZ_METRICS", "vmaf")
    ids |= {Source.of(name).ladder_id("pixels") for name in sources()}
    assert len(ids) == 3 * len(sources()) - 1
