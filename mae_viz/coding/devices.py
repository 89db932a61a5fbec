"""Where a model computes: on the CPU, or on a GPU by CUDA.

What a file holds does not depend on it. The encoder may compute latents anywhere, for their symbols are whatever it
wrote; all that a decoder must agree on is integer arithmetic on the CPU, so that a file from a GPU decodes to the same
symbols everywhere. Between two devices a latent near a tie may be rounded otherwise, which changes a file by a few
bytes, and a decoded pixel may differ by a grey level: sums are rounded in another order.

`MAE_VIZ_DEVICE` names the device of codecs that are asked for without one: so `mae-viz app --device` tells the app, and
so commands without that option, such as `mae-viz prepare`, are told.
"""

import os

CPU = "cpu"


def named(device: str | None = None) -> str:
    """The full name of a device, "cpu" or "cuda:0", from "cpu", "cuda" or "cuda:0"; None stands for what
    `MAE_VIZ_DEVICE` says, else for the CPU.

    Raises ValueError for a device that there is not here, and for kinds of devices that models do not compute on.
    """
    asked = device or os.environ.get("MAE_VIZ_DEVICE") or CPU
    if asked == CPU:
        return CPU
    import torch

    kind, _, number = asked.partition(":")
    if kind == "mps":
        raise ValueError("device mps: gains are folded in float64, which Apple's GPUs do not have. Leave --device out.")
    if kind != "cuda" or not (number.isdecimal() or asked == kind):
        raise ValueError(f"there is no device {asked!r}: choose cpu, cuda, or one of several GPUs as cuda:1.")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        raise ValueError(f"device {asked}: torch finds no GPU here that it can use. Leave --device out.")
    if int(number or 0) >= count:
        raise ValueError(f"device {asked}: there are {count} GPUs here, cuda:0 to cuda:{count - 1}.")
    return f"{kind}:{int(number or 0)}"


def described(device: str) -> str:
    """What the hardware of a device is called, "NVIDIA H200"; "" for the CPU."""
    if device == CPU:
        return ""
    import torch

    return torch.cuda.get_device_name(device)


def compute_exactly(device: str) -> None:
    """Have a GPU compute convolutions in float32 and by algorithms that give the same numbers each time.

    Torch's own choice is TF32, whose 10 bits would change latents that reach hundreds. Training sets what suits it
    (`mae_viz.training.machine`). Nothing changes for the CPU.
    """
    if device != CPU:
        import torch

        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
