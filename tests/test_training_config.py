"""Configurations: the ones that ship, and what is refused."""

import pytest

from mae_viz.coding import checkpoints
from mae_viz.training import config
from mae_viz.training.config import Config


@pytest.mark.parametrize("name", config.names())
def test_what_ships_loads(name):
    loaded = config.load(name)
    assert loaded.channels == (128 if name == "tiny" else 192)
    hyper = "hyperprior" in name
    assert loaded.architecture.endswith("Hyperprior") == hyper
    if "independent" not in name:
        assert loaded.lmbdas == ((64, 256, 1024, 4096) if hyper else (64, 128, 256, 512, 1024, 2048, 4096))


def test_the_configurations_asked_for_are_there():
    needed = {"mae", "mae-hyperprior", "independent", "independent-hyperprior", "bottleneck-scaling", "tiny"}
    assert needed <= set(config.names())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step = 5", "no setting 'step'"),
        ("steps = 0.5", "steps = 0.5 must be a whole number"),
        ('steps = "many"', "must be a whole number"),
        ("lmbdas = [512, 64]", "rising order"),
        ("lmbdas = [32]", "outside the trained range"),
        ('architecture = "VGG"', "is none of 'MAE'"),
        ('architecture = "Independent"', "one λ"),
        ("crop = 100", "multiple of 16"),
        ('architecture = "MAEHyperprior"\ncrop = 96', "multiple of 64"),
        ("channels = 32", "48 or more"),
        ("outer_channels = 32", "with hyperprior only"),
        ('architecture = "MAEHyperprior"\nouter_channels = 200', "between 12 and 192"),
        ("between = 2", "between 0 and 1"),
        ("scales = [1.5]", r"\(0, 1\]"),
        ("minutes = -1", "minutes = -1.0 must be 0"),
        ("peak = 0", "peak = 0.0 must be above 0"),
        ('architecture = "MAEHyperprior"\nwake = true', "for the MAE without hyperprior"),
        ("then = 3", r"write \[\[then\]\]"),
        ("[[then]]\nstep = 3", "no setting 'step'"),
        ("steps = = 2", "not valid TOML"),
    ],
)
def test_mistakes_are_sentences(tmp_path, text, message):
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        config.load(str(path))


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(ValueError, match=r"choose .*tiny"):
        config.load("huge")


def test_settings_from_the_command_line():
    settings = config.parse_settings(["steps=2000", "lmbdas=[512]", "optimizer=adam", "kernel_rate=5e-3"])
    changed = Config(architecture="Independent", lmbdas=(64.0,)).changed(**settings)
    assert (changed.steps, changed.lmbdas, changed.optimizer, changed.kernel_rate) == (2000, (512.0,), "adam", 0.005)
    with pytest.raises(ValueError, match="--set steps=VALUE"):
        config.parse_settings(["steps"])


def test_rates_are_lower_from_a_checkpoint(tmp_path):
    begun, continued = (config.load("mae", from_checkpoint=value) for value in (False, True))
    assert continued.kernel_rate < begun.kernel_rate
    assert continued.architecture == begun.architecture
    path = tmp_path / "own.toml"
    path.write_text("[from_checkpoint]\nstep = 2\n")
    with pytest.raises(ValueError, match="no setting 'step'"):
        config.load(str(path))


def test_a_state_keeps_settings_that_make_the_same_configuration():
    made = config.load("tiny")
    assert Config().changed(**made.as_dict()) == made


def test_stretches_go_on_with_the_settings_of_the_one_before(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text("""
batch = 7
wake = true
knots = [64, 90.5, 4096]
[from_checkpoint]
steps = 5
[[then]]
quantisation = "mixed"
[[then]]
parts = ["prior"]
batch = 3
""")
    first, second, third = config.stretches(str(path), from_checkpoint=True, crop=96)
    assert [s.quantisation for s in (first, second, third)] == ["noise", "mixed", "mixed"]
    assert [s.wake for s in (first, second, third)] == [True, False, False]  # once is enough
    assert [(s.steps, s.crop, s.batch) for s in (first, second, third)] == [(5, 96, 7), (5, 96, 7), (5, 96, 3)]
    assert third.knots == (64.0, 64 * 2**0.5, 4096.0)
    (alone,) = config.stretches(str(path), **config.parse_settings(["then=[]"]))
    assert alone.batch == 7


@pytest.mark.parametrize("name", ["mae", "mae-minutes"])
def test_what_the_shipped_weights_had_is_what_a_new_training_does(name):
    """Their card tells of noise, of rounded latents with 25 rows of the prior, and of channels that wake."""
    stretches = config.stretches(name)
    assert [s.quantisation for s in stretches] == ["noise", "mixed", "round"]
    assert [s.wake for s in stretches] == [False, False, True]
    assert list(stretches[2].knots) == checkpoints.card("mae")["knots"]
    assert stretches[2].parts == ("prior",)
