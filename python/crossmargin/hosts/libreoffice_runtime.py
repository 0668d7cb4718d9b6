"""Runs inside LibreOffice: the object whose methods are the sheet functions."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import uno
import unohelper

from crossmargin import registry
from crossmargin.cells import SheetError
from crossmargin.hosts.libreoffice_cells import plain_rows, read_range
from crossmargin.hosts.libreoffice_names import (
    INTERFACE,
    MODULE_PATH,
    SERVICE,
    is_reference,
    method_name,
    returns_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossmargin.registry import Argument, Record

__all__ = ["error_number", "implementation", "incoming", "outgoing"]

_ADDIN: Final = "com.sun.star.sheet.AddIn"
_CODES: Final = {"#N/A": 32767, "#VALUE!": 519, "#NUM!": 503}
_QUIET_NAN: Final = 0x7FF8_0000_0000_0000


def error_number(sign: str) -> float:
    """Return the number that Calc shows as an error.

    Calc keeps an error in the payload of a NaN, and the payload survives the way from here into
    the cell, alone and within a table: the cell then holds a true error with this sign.
    """
    (number,) = struct.unpack("<d", struct.pack("<Q", _QUIET_NAN | _CODES[sign]))
    return float(number)


def incoming(argument: Argument, value: Any, names: Mapping[str, str]) -> object:
    """Return a cell for the registry from what LibreOffice handed over.

    A reference to one empty cell arrives as 0.0 and cannot be told from a zero. Zero is no text,
    no setting and no key, so there it counts as left out; where numbers are asked for it is zero.
    """
    if value is None:
        return None
    if is_reference(argument):
        return read_range(value, names)
    if isinstance(value, tuple):
        return plain_rows(value)
    numbers = argument.kind == "number" or argument.element == "number"
    if value == 0.0 and isinstance(value, float) and not numbers:
        return None
    return value


def outgoing(record: Record, result: object) -> object:
    """Return what LibreOffice puts into the cells for a result of the registry."""
    if isinstance(result, list):
        return tuple(tuple(map(_one, row)) for row in result)
    value = _one(result)
    return ((value,),) if returns_rows(record) else value


def _one(value: object) -> object:
    return error_number(value.sign) if isinstance(value, SheetError) else value


def _method(record: Record, names: Mapping[str, str]) -> Callable[..., object]:
    def answer(_: object, *values: object) -> object:
        try:
            cells = [
                incoming(argument, value, names)
                for argument, value in zip(record.arguments, values, strict=True)
            ]
            result: object = registry.call(record.sheet_name, cells)
        except Exception as problem:  # noqa: BLE001  # the range could not be read
            result = SheetError("#VALUE!", f"LibreOffice did not hand over the cells: {problem}")
        return outgoing(record, result)

    return answer


def implementation(functions: str) -> Any:
    """Return what LibreOffice's Python loader looks for in the add-in's module.

    Parameters
    ----------
    functions
        The module whose import registers the functions.
    """
    contract = uno.getClass(".".join((*MODULE_PATH, INTERFACE)))
    information = uno.getClass("com.sun.star.lang.XServiceInfo")
    services = (_ADDIN, SERVICE)
    records = {method_name(record.sheet_name): record for record in registry.records(functions)}
    names = {method.upper(): record.sheet_name for method, record in records.items()}
    members: dict[str, object] = {
        method: _method(record, names) for method, record in records.items()
    }
    members |= {
        "__init__": lambda _self, _context: None,
        "getImplementationName": lambda _self: SERVICE,
        "supportsService": lambda _self, name: name in services,
        "getSupportedServiceNames": lambda _self: services,
    }
    addin = type("Functions", (unohelper.Base, contract, information), members)
    helper = unohelper.ImplementationHelper()
    helper.addImplementation(addin, SERVICE, services)
    return helper
