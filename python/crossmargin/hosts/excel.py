"""Excel: the registry's functions as xlwings UDFs, and the VBA module that calls them.

An answer crosses two borders. Python hands COM a list of rows, in which an error is a *marker*:
one private-use character followed by the error's sign. The VBA wrapper walks the rows and
replaces each marker by ``CVErr``, because COM cannot carry an error value out of Python inside
an array. The other way, the wrapper hands over ``Value2`` arrays, in which COM turns an error
cell into an integer; numbers arrive as floats, so the two cannot be mistaken for each other.

Importing this module does not import xlwings. Of xlwings only the BSD licensed part is used.
"""

from __future__ import annotations

import inspect
import logging
import math
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from crossmargin.cells import CellContent, SheetError

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

__all__ = [
    "CATEGORY",
    "ERROR_BY_CODE",
    "MARKER",
    "MISSING",
    "UDF_MODULE",
    "Registry",
    "define",
    "from_excel",
    "one_line",
    "to_excel",
    "vba_module",
]

logger = logging.getLogger(__name__)

#: How COM shows an error cell (VT_ERROR) to Python.
ERROR_BY_CODE = {
    -2146826288: "#NULL!",
    -2146826281: "#DIV/0!",
    -2146826273: "#VALUE!",
    -2146826265: "#REF!",
    -2146826259: "#NAME?",
    -2146826252: "#NUM!",
    -2146826246: "#N/A",
    -2146826245: "#GETTING_DATA",
    -2146826243: "#SPILL!",
    -2146826242: "#CONNECT!",
    -2146826241: "#BLOCKED!",
    -2146826239: "#FIELD!",
    -2146826238: "#CALC!",
}

_FIRST_ERROR_CODE, _LAST_ERROR_CODE = -2146828288, -2146762753  # all that COM keeps for Excel

#: How COM shows an argument that was left out.
MISSING = -2147352572

#: First character of an error on its way to VBA; no font draws it and no keyboard types it.
MARKER = "\ue0c3"

#: The group of our functions in Excel's list, one among those of Excel itself.
CATEGORY = "Crypto margin"

#: The module of UDFs that comes with the package.
UDF_MODULE = "crossmargin.hosts.excel_udfs"

_FORMULA = MARKER + "formula"  # first cell of the row in which CmCell hands over a formula

_LONGEST_TEXT = 32767  # of a cell; a longer text makes Excel refuse the whole array
_LONGEST_HELP = 255  # of a description in the function wizard
_SERIAL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - serials of a sheet have no zone
_SECONDS_PER_DAY = 86400.0
_AS_THEY_ARE = frozenset({float, str, bool, type(None)})


class Registry(Protocol):
    """What this module uses of `crossmargin.registry`."""

    def records(self) -> tuple[Any, ...]:
        """Return the records of all functions."""

    def call(self, sheet_name: str, cells: Sequence[object]) -> object:
        """Return what the function answers to the cells; never raise."""


def define(
    namespace: MutableMapping[str, Any],
    xlwings: Any = None,
    registry: Registry | None = None,
) -> None:
    """Put one xlwings UDF per record of the registry into a module's namespace.

    Parameters
    ----------
    namespace
        The ``globals()`` of a flat module, which is where xlwings looks for functions.
    xlwings
        The module whose decorators are used; left out, xlwings is imported.
    registry
        The functions; left out, `crossmargin.registry`.
    """
    if xlwings is None:
        import xlwings  # noqa: PLC0415 - an optional extra, needed here only
    registry = registry or _own_registry()
    for record in registry.records():
        function = _worksheet_function(record, registry.call)
        function.__module__ = namespace.get("__name__", __name__)
        # "raw" keeps every converter of xlwings away from the data: they turn error cells
        # into None, and an error cell must not look like an empty one.
        for argument in record.arguments:
            help_text = one_line(argument.doc)
            function = xlwings.arg(argument.name, "raw", doc=help_text)(function)
        function = xlwings.ret("raw")(function)
        namespace[record.sheet_name] = xlwings.func(category=CATEGORY)(function)


def from_excel(value: object) -> object:
    """Return an argument as the registry takes it.

    Parameters
    ----------
    value
        What COM handed over: a scalar, a row, or rows; errors as integers.

    Returns
    -------
    object
        None where the argument was left out, a cell, a list of rows of cells, or the content of
        a cell with its formula; errors as their signs, every other number as a float, a date as
        its serial.
    """
    if isinstance(value, (tuple, list)):
        if value and value[0] == _FORMULA:
            return _content(*value[1:])
        # a one-row array constant such as {1,2,3} has one dimension only
        rows = value if value and isinstance(value[0], (tuple, list)) else (value,)
        return [
            [cell if type(cell) in _AS_THEY_ARE else _cell(cell) for cell in row] for row in rows
        ]
    return _cell(value)


def to_excel(answer: object) -> list[list[float | str | bool]]:
    """Return an answer of the registry as rows for COM, errors as markers.

    Parameters
    ----------
    answer
        A number, a text, an error (with a `sign`), or rows of these.

    Returns
    -------
    list of list
        Rows of equal length, at least one cell. What is no answer (None, NaN, an empty table,
        an empty text on its own) is ``#N/A`` and an infinite number ``#NUM!``; neither may
        ever look like a number or an empty cell.
    """
    if not isinstance(answer, (list, tuple)):
        return [[_mark("#N/A") if answer == "" else _answer_cell(answer)]]
    rows = [[_answer_cell(cell) for cell in row] for row in answer]
    width = max(map(len, rows), default=0)
    if not width:
        return [[_mark("#N/A")]]
    return [row + [_mark("#N/A")] * (width - len(row)) for row in rows]


def vba_module(
    registry: Registry | None = None, *, module: str = UDF_MODULE, addin: bool = False
) -> str:
    """Return the source of the VBA module ``xlwings_udfs`` with one wrapper per function.

    The wrappers have the signatures and make the calls of those that xlwings generates, with
    two differences: arguments go through ``CmArg``, which hands over values in place of Range
    objects, and the answer through ``CmResult``, which turns markers into error values.
    A failure of the connection itself is ``#N/A``; xlwings would show the traceback as text.

    Parameters
    ----------
    registry
        The functions; left out, `crossmargin.registry`.
    module
        The Python module that holds the UDFs.
    addin
        True for an .xlam, whose functions work on the active workbook; False for an .xlsm.
    """
    registry = registry or _own_registry()
    workbook = "ActiveWorkbook" if addin else "ThisWorkbook"
    helpers = Path(__file__).with_name("excel.bas").read_text(encoding="utf-8")
    wrappers = [_vba_wrapper(record, module, workbook) for record in registry.records()]
    return "\n".join([helpers, *wrappers])


def one_line(text: str) -> str:
    """Return help for Excel: one line of at most 255 characters that cp1252 can write.

    Parameters
    ----------
    text
        The help.
    """
    return " ".join(text.split()).encode("cp1252", "replace").decode("cp1252")[:_LONGEST_HELP]


def _own_registry() -> Registry:
    from crossmargin import registry  # noqa: PLC0415 - a test may bring its own functions

    return registry


def _worksheet_function(
    record: Any,
    call: Callable[[str, Sequence[object]], object],
) -> Any:
    def worksheet_function(*cells: object) -> list[list[float | str | bool]]:
        try:
            return to_excel(call(record.sheet_name, [from_excel(cell) for cell in cells]))
        except BaseException:  # a panic of the core is no Exception, and none may reach a cell
            logger.exception("%s failed", record.sheet_name)
            return [[_mark("#VALUE!")]]

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter(
            argument.name, kind, default=None if argument.optional else inspect.Parameter.empty
        )
        for argument in record.arguments
    ]
    worksheet_function.__name__ = worksheet_function.__qualname__ = record.sheet_name
    worksheet_function.__doc__ = one_line(record.summary)
    worksheet_function.__annotations__ = {}  # xlwings would choose a converter by them
    worksheet_function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return worksheet_function


def _content(formula: str, value: object, arguments: object = None) -> CellContent:
    if not isinstance(arguments, (tuple, list)):
        return CellContent(from_excel(value), formula)
    return CellContent(from_excel(value), formula, tuple(map(from_excel, arguments)))


def _cell(value: object) -> object:
    if type(value) is int:
        if value == MISSING:
            return None
        if _FIRST_ERROR_CODE <= value <= _LAST_ERROR_CODE:
            return ERROR_BY_CODE.get(value, "#VALUE!")
        return float(value)
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, datetime):
        days = value.replace(tzinfo=None) - _SERIAL_EPOCH
        return days.days + (days.seconds + days.microseconds / 1e6) / _SECONDS_PER_DAY
    return float(value) if isinstance(value, Decimal) else "#VALUE!"


def _answer_cell(value: object) -> float | str | bool:
    if isinstance(value, str):
        # a pasted marker must not become an error that nobody computed
        return value.replace(MARKER, "\ufffd")[:_LONGEST_TEXT]
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        number = float(value)
        if math.isfinite(number):
            return number
        return _mark("#N/A" if math.isnan(number) else "#NUM!")
    return _mark(value.sign if isinstance(value, SheetError) else "#N/A")


def _mark(sign: str) -> str:
    return MARKER + sign


def _vba_wrapper(record: Any, module: str, workbook: str) -> str:
    name = record.sheet_name
    signature = ", ".join(
        f"Optional {argument.name}" if argument.optional else argument.name
        for argument in record.arguments
    )
    handed_over = ", ".join(
        f"{'CmCell' if argument.kind == 'cell' else 'CmArg'}({argument.name})"
        for argument in record.arguments
    )
    description = one_line(record.summary).replace('"', '""')
    call = (
        f'XLPy.CallUDF("{module}", "{name}", Array({handed_over}), {workbook}, Application.Caller)'
    )
    return f"""Function {name}({signature})
Attribute {name}.VB_Description = "{description}"
Attribute {name}.VB_ProcData.VB_Invoke_Func = " \\n14"
    If TypeOf Application.Caller Is Range Then On Error GoTo failed
    {name} = CmResult({call})
    Exit Function
failed:
    {name} = CmFailed("{name}")
End Function
"""
