"""What builder and runtime of the LibreOffice add-in must agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from crossmargin.registry import Argument, Record

__all__ = [
    "INTERFACE",
    "MODULE_PATH",
    "SERVICE",
    "is_reference",
    "method_name",
    "parameter_name",
    "returns_rows",
]

MODULE_PATH: Final = ("org", "crossmargin", "sheet")
INTERFACE: Final = "XFunctions"
SERVICE: Final = "org.crossmargin.sheet.Functions"


def method_name(sheet_name: str) -> str:
    """Return the method of a sheet function: `CM_BOOK` is `cmBook`."""
    first, *others = sheet_name.lower().split("_")
    return first + "".join(part.capitalize() for part in others)


def parameter_name(name: str) -> str:
    """Return the IDL name of an argument: `as_of` is `asOf`."""
    return method_name(name)


def is_reference(argument: Argument) -> bool:
    """Return whether LibreOffice hands over the range itself and not its values."""
    return argument.kind in {"block", "cell"} and not argument.optional and not argument.literal


def returns_rows(record: Record) -> bool:
    """Return whether the result travels as rows, be it one cell."""
    return record.returns in {"table", "cell"}
