"""Numbers as text, as pages and their sentences write them: thousands apart, a true minus sign, and before a unit a
narrow space that no line is broken at. The viewer's are in js/numbers.js.

``form`` is a format specification of Python's `format`, for the number itself.
"""

import math
import re

NARROW = "\u202f"
"""A narrow space that no line is broken at: between thousands, and before units."""

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def grouped(number: float, form: str = ",") -> str:
    """A number with its thousands apart (where ``form`` has a comma) and a true minus sign; 0.0 has no sign."""
    text = f"{number:{form}}"
    if not text.strip("+-0."):  # it is, or rounds to, nothing
        text = text.lstrip("+-")
    return text.replace(",", NARROW).replace("-", "−")


def prose(text: str) -> str:
    """A text written with commas between thousands, with narrow spaces there."""
    return re.sub(r"(?<=\d),(?=\d{3}\b)", NARROW, text)


def number(value: float) -> str:
    """Three significant digits: "8 622", "0.0425", "2.49·10⁻⁶", "n/a"."""
    if not math.isfinite(value):
        return "n/a" if math.isnan(value) else "∞"
    size = abs(value)
    if 0 < size < 1e-4 or size >= 1e6:
        return power(value, 2)
    return grouped(value, ",.0f" if size >= 100 else ".1f" if size >= 10 else ".3g")


def power(value: float, digits: int = 0) -> str:
    """A number as a power of ten, with so many digits after the point: "7·10⁻⁸"."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    times = "" if mantissa == "1" else f"{grouped(float(mantissa), f'.{digits}f')}·"
    return f"{times}10{str(int(exponent)).translate(_RAISED)}"


def percent(share: float, form: str = ".0f") -> str:
    """A share, 1 for all, in per cent: "12 %"; with "+.1f" as a change: "−7.1 %"."""
    return f"{grouped(100 * share, form)}{NARROW}%"


def share(part: float) -> str:
    """A share 0…1 in per cent: "0 %" only where it is nothing."""
    return f"under {percent(0.01)}" if 0 < part < 0.005 else percent(part)


def decibels(value: float, form: str = ".2f") -> str:
    return f"{grouped(value, form)}{NARROW}dB"


def in_bpp(value: float, form: str = ".3f") -> str:
    return f"{grouped(value, form)}{NARROW}bpp"


def in_bits(count: float, form: str = ",.0f") -> str:
    return f"{grouped(count, form)}{NARROW}bits"


def in_bytes(count: float, form: str = ",.0f") -> str:
    return f"{grouped(count, form)}{NARROW}bytes"
