"""Numbers as text, the same on all pages."""

NARROW = "\u202f"
"""A narrow space that no line is broken at: between thousands, and before units."""


def grouped(number: float, form: str = ",") -> str:
    """A number with its thousands apart, and a true minus sign. ``form``: as of `format`, with a comma."""
    return f"{number:{form}}".replace(",", NARROW).replace("-", "−")


def in_bytes(number: float, form: str = ",") -> str:
    """The same with its unit."""
    return f"{grouped(number, form)}{NARROW}bytes"
