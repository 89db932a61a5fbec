"""Names and texts that others wrote (result files, cards, files' names, addresses), shown as they are."""

import re


def literal(text: str) -> str:
    """A text as one line of markdown that shows it character by character: no link, no picture, no formula."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", re.sub(r"\s*[\r\n]+\s*", " ", text))
