"""Text that somebody else wrote, made safe to be looked at. Standard library only."""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "LONGEST_CELL",
    "LONGEST_SENTENCE",
    "cut",
    "for_a_cell",
    "guarded",
    "unguarded",
    "visible",
    "well_formed",
]

LONGEST_SENTENCE: Final = 900
"""Characters of a sentence about an error; a symbol may be far longer."""
LONGEST_CELL: Final = 32_767
"""Characters that a cell holds in Excel, which counts units of UTF-16."""
_LARGEST_OF_ONE_UNIT: Final = 0xFFFF
_LINE_END: Final = re.compile(r"\r\n?")
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # in XML
_FORMULA: Final = re.compile(
    "'*[ \xa0\ufeff]*[=+\\-@\t\r\n|%＝＋－＠]"  # noqa: RUF001  # full-width forms count too
)


def visible(text: str) -> str:
    r"""Return text with every character spelled out that does not print but moves or hides others.

    Control characters, marks of direction, odd blanks and lone surrogates become such as `\x1b`,
    so that a symbol can neither move a terminal's cursor nor reverse a sentence.

    Examples
    --------
    >>> print(visible("BTC\x1b[2J"))
    BTC\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _spelled(one) for one in text)


def _spelled(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004  # Python's own spelling
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LARGEST_OF_ONE_UNIT else f"\\U{code:08x}"


def cut(text: str, longest: int) -> str:
    """Return at most that many units of UTF-16 of a text; what was cut ends with an ellipsis."""
    if len(text) * 2 <= longest or _units(text) <= longest:
        return text
    kept, units = 0, 1  # the ellipsis is one
    for kept, character in enumerate(text):  # noqa: B007  # the count after the loop is used
        units += _units(character)
        if units > longest:
            break
    return text[:kept] + "\N{HORIZONTAL ELLIPSIS}"


def _units(text: str) -> int:
    return len(text) + sum(ord(one) > _LARGEST_OF_ONE_UNIT for one in text)


def well_formed(text: str) -> str:
    """Return text with a replacement character for every lone half of a surrogate pair.

    Two halves that a host handed over side by side become the one character that they stand for.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def for_a_cell(text: str) -> str:
    """Return text as a cell of a workbook file can hold it.

    Ends of lines become one character, what no XML may hold is spelled out, and beyond 32,767
    units the text is cut. Everything else is kept as it is: a cell that holds a text shows it.
    """
    text = _LINE_END.sub("\n", well_formed(text))
    return cut(_FORBIDDEN.sub(lambda one: _spelled(one[0]), text), LONGEST_CELL)


def guarded(text: str) -> str:
    """Return a text of a CSV file that no spreadsheet takes for a formula.

    A file of text has no types, so a text that a spreadsheet would calculate gets an apostrophe in
    front, as a person types it. :func:`unguarded` takes it away again, and nothing else, so that
    our own files come back as they were; a text that has such an apostrophe already gets another.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Return the text of which :func:`guarded` made this one."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
