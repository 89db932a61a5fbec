"""Explore, teach and reproduce variable-rate image compression with modulated autoencoders.

    import mae_viz
    stream = mae_viz.compress("photo.png", lmbda=512)
    mae_viz.decompress(stream).save("decoded.png")

The names below load what they need on first use, so that importing the package costs no torch.
"""

from importlib import import_module

__version__ = "0.2.0"

_HOME = {
    "compress": "coding.coder",
    "compress_to": "codecs.search",
    "decompress": "coding.coder",
    "info": "coding.coder",
    "StreamError": "coding.bitstream",
    "CheckpointError": "coding.checkpoints",
    "available": "coding.checkpoints",
    "load": "coding.checkpoints",
    "codec": "codecs.registry",
    "register": "codecs.registry",
    "results": "measured.collected",
    "ImageError": "images",
    "gallery": "images",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mae_viz' has no attribute {name!r}")
    return getattr(import_module(f"mae_viz.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
