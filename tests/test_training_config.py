"""Configurations: the ones that ship, and what is refused."""

import pytest

from mae_viz.training import config
from mae_viz.training.config import Config


@pytest.mark.parametrize("name", config.names())
def test_what_ships_loads(name):
    loaded = config.load(name)
    assert loaded.channels == (128 if name == "tiny" else 192)
    hyper = name.endswith("hyperprior")
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
        ("steps = 0.5", "steps = 0.5 must be a int"),
        ('steps = "many"', "must be a int"),
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
