"""Reads a numpydoc docstring: the summary, and what is said about each parameter."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["parameters", "section", "summary", "text"]

_SECTION = re.compile(r"(?m)^(?P<title>[A-Z][A-Za-z ]+)\n-{3,}$")
_PARAMETER = re.compile(r"(?P<names>\*{0,2}\w+(?:, *\*{0,2}\w+)*)(?: *:.*)?")
_END_OF_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*(\"'])")

MAXIMUM_SUMMARY: Final = 255


def text(function: Callable[..., object]) -> str:
    """Return the docstring without its indentation; empty if there is none."""
    return inspect.cleandoc(function.__doc__ or "")


def summary(docstring: str) -> str:
    """Return the first sentence on one line.

    Raises
    ------
    ValueError
        If there is none, or if it is longer than the help of a spreadsheet can show.
    """
    paragraph = " ".join(docstring.split("\n\n", 1)[0].split())
    sentence = _END_OF_SENTENCE.split(paragraph, maxsplit=1)[0]
    if not sentence:
        raise ValueError("the docstring must begin with a sentence")
    if len(sentence) > MAXIMUM_SUMMARY:
        raise ValueError(
            f"the first sentence must have at most {MAXIMUM_SUMMARY} characters, "
            f"was {len(sentence)}"
        )
    return sentence


def parameters(docstring: str) -> dict[str, str]:
    """Return each documented parameter with its description on one line, in order."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section(docstring, "Parameters").splitlines():
        if not line.strip():
            continue
        heading = None if line[0].isspace() else _PARAMETER.fullmatch(line.rstrip())
        if heading:
            names = [name.strip() for name in heading["names"].split(",")]
            found.update(dict.fromkeys(names, ""))
        else:
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def section(docstring: str, title: str) -> str:
    """Return the lines under a heading such as Returns; empty if there is none."""
    sections = list(_SECTION.finditer(docstring))
    for number, found in enumerate(sections):
        if found["title"] == title:
            end = sections[number + 1].start() if number + 1 < len(sections) else len(docstring)
            return docstring[found.end() : end]
    return ""
