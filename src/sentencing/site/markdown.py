"""Text and HTML inside MyST Markdown, so that nothing in them is taken for markup."""

import re

from markupsafe import Markup


def plain(text: str) -> Markup:
    """A text on one line that MyST shows as it stands: every sign that may be markup has a backslash before it."""
    return Markup(re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(str(text).split())))


def raw(markup: str) -> Markup:
    """Markup as a part of a page of its own, on one line, so that none of it can end the fence around it."""
    line = " ".join(str(markup).split()).replace("`", "&#96;")
    return Markup(f"\n```{{raw}} html\n{line}\n```\n")
