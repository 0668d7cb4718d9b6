"""The one list of sheet functions: what each is called, takes and returns.

Excel's wrappers, the LibreOffice add-in, the command line and the reference pages are made from
these records and from nothing else. Standard library only: LibreOffice's Python has no other.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import types
from collections import OrderedDict
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

from crossmargin import _coerce
from crossmargin._declaration import Argument, Record, declare
from crossmargin._texts import well_formed
from crossmargin.cells import CellContent, SheetError, reason_of_none

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "Argument",
    "CellContent",
    "Record",
    "SheetError",
    "call",
    "last_errors",
    "record",
    "records",
    "register",
    "signature_of",
]

FUNCTIONS_MODULE: Final = "crossmargin.functions"
_MAXIMUM_ERRORS: Final = 1_000
_SIGNATURE_ROWS: Final = 64
_LONGEST_TEXT: Final = 300
_SHOWN_OF_LONG: Final = 60

AnyFunction = TypeVar("AnyFunction", bound="Callable[..., object]")
SheetResult = float | str | list[list[float | str | SheetError]] | SheetError


_records: dict[str, Record] = {}
_errors: OrderedDict[tuple[str, str], SheetError] = OrderedDict()
_errors_lock = Lock()


def register(
    sheet_name: str, *, category: str, example: str
) -> Callable[[AnyFunction], AnyFunction]:
    """Return a decorator that records a function and gives it back unchanged.

    Parameters
    ----------
    sheet_name
        The name in a formula: `CM_` and capitals.
    category
        The group in which help shows the function.
    example
        A formula that uses it; begins with `=` and the name.

    Returns
    -------
    Callable
        The decorator.

    Raises
    ------
    TypeError
        At import, if the documented parameters are not those of the signature, if an annotation
        says nothing about cells, or if a name cannot be used in a host.
    """

    def decorate(function: AnyFunction) -> AnyFunction:
        made = declare(sheet_name, function, category=category, example=example)
        known = _records.get(sheet_name)
        if known is not None and not _is_same(known.function, function):
            raise TypeError(f"{sheet_name} is registered twice")
        _records[sheet_name] = made
        return function

    return decorate


def records(module: str = FUNCTIONS_MODULE) -> tuple[Record, ...]:
    """Return the records of all sheet functions, sorted by name.

    Parameters
    ----------
    module
        The module whose import registers them; functions of other packages are left out.
    """
    importlib.import_module(module)
    package = module.partition(".")[0]
    return tuple(
        made
        for _, made in sorted(_records.items())
        if made.function.__module__.partition(".")[0] == package
    )


def record(sheet_name: str) -> Record:
    """Return the record of one sheet function.

    Parameters
    ----------
    sheet_name
        The name in a formula, in capitals or not.

    Raises
    ------
    KeyError
        If there is no such function.
    """
    name = sheet_name.upper()
    if name not in _records and importlib.util.find_spec(FUNCTIONS_MODULE):
        importlib.import_module(FUNCTIONS_MODULE)
    if name not in _records:
        raise KeyError(f"no sheet function is called {sheet_name!r}")
    return _records[name]


def call(sheet_name: str, cells: Sequence[object]) -> SheetResult:
    """Return what a cell shows for a formula; a refusal is returned, not raised.

    Parameters
    ----------
    sheet_name
        The name in a formula.
    cells
        The arguments by position, as a host hands them over: numbers, texts, None or an empty text
        for what was left out, rows of cells for a range, the text of an error (`#N/A`) for a cell
        that holds one, :class:`CellContent` for a reference.

    Returns
    -------
    float or str or list of list or SheetError
        A table has its header as first row; its cells may be a :class:`SheetError` of their own.

    Raises
    ------
    KeyboardInterrupt
        If the person at the terminal stops the work; nothing else is raised.
    """
    try:
        answer = _called(sheet_name, cells)
    except KeyboardInterrupt:
        raise
    except _coerce.Refusal as refusal:
        answer = refusal.error
    except BaseException as problem:  # noqa: BLE001  # a panic of the core is no Exception
        answer = _error_of(sheet_name, problem)
    _keep(sheet_name, cells, answer)
    return answer


def last_errors() -> Mapping[tuple[str, str], SheetError]:
    """Return the latest error of each function and its arguments, oldest first.

    Returns
    -------
    Mapping
        From (sheet name, arguments as text) to the error; a call that succeeds removes its own.
    """
    with _errors_lock:
        return types.MappingProxyType(dict(_errors))


def signature_of(cells: Sequence[object]) -> str:
    """Return arguments as text: scalars as they are, ranges by shape and a hash of their top.

    Of a long text its beginning and a hash stand for it, so that what is kept stays small.

    Parameters
    ----------
    cells
        The arguments by position.
    """
    return "; ".join(map(_signature_of_cell, cells)).rstrip("; ")


def _called(sheet_name: str, cells: Sequence[object]) -> SheetResult:
    """Return the answer; texts are looked through only where the core could not take one."""
    try:
        return _call(sheet_name, cells)
    except UnicodeEncodeError:
        return _call(sheet_name, [_well_formed(cell) for cell in cells])


def _well_formed(cell: object) -> object:
    if isinstance(cell, str):
        return well_formed(cell)
    if isinstance(cell, list | tuple):
        return [_well_formed(inner) for inner in cell]
    if isinstance(cell, CellContent):
        return replace(cell, value=_well_formed(cell.value), formula=well_formed(cell.formula))
    return cell


def _call(sheet_name: str, cells: Sequence[object]) -> SheetResult:
    try:
        called = record(sheet_name)
    except KeyError as unknown:
        return SheetError("#VALUE!", str(unknown.args[0]))
    if len(cells) > len(called.arguments):
        return SheetError(
            "#VALUE!",
            f"{called.sheet_name} takes at most {len(called.arguments)} arguments, "
            f"was {len(cells)}",
        )
    padded = [*cells, *[None] * (len(called.arguments) - len(cells))]
    values = {
        what.name: _coerce.argument(what, cell)
        for what, cell in zip(called.arguments, padded, strict=True)
    }
    # `list` is invariant: a table of plain cells is one of cells that may hold errors.
    reason_of_none()
    answer = called.function(**values)
    if answer is None:
        return SheetError("#N/A", reason_of_none() or "no answer exists for these arguments")
    return _coerce.result(answer, called.returns)


def _error_of(sheet_name: str, problem: BaseException) -> SheetError:
    sentence = " ".join(str(problem).split())
    if isinstance(problem, FileNotFoundError):  # a word where a range was meant
        return SheetError("#N/A", sentence)
    match getattr(problem, "sign", None):
        case "#N/A" | "#VALUE!" | "#NUM!" as sign:
            return SheetError(sign, sentence)
        case _:
            return SheetError(
                "#VALUE!",
                f"{sheet_name} failed, which is a defect of crossmargin and not of your data: "
                f"{type(problem).__name__}: {sentence}",
            )


def _keep(sheet_name: str, cells: Sequence[object], answer: SheetResult) -> None:
    with _errors_lock:
        if not isinstance(answer, SheetError) and not _errors:
            return
        place = (sheet_name.upper(), signature_of(cells))
        _errors.pop(place, None)
        if isinstance(answer, SheetError):
            _errors[place] = answer
        while len(_errors) > _MAXIMUM_ERRORS:
            _errors.popitem(last=False)


def _signature_of_cell(cell: object) -> str:
    if isinstance(cell, CellContent):
        return _short(cell.formula) or _signature_of_cell(cell.value)
    if isinstance(cell, list | tuple):
        top = repr(cell[:_SIGNATURE_ROWS]).encode(errors="replace")
        width = len(cell[0]) if cell and isinstance(cell[0], list | tuple) else 1
        return f"{len(cell)}x{width}:{hashlib.blake2b(top, digest_size=8).hexdigest()}"
    if isinstance(cell, float):
        return _coerce.text_of_number(cell)
    return "" if cell is None else _short(str(cell))


def _short(text: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return text
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()
    return f"{text[:_SHOWN_OF_LONG]}...{digest}"


def _is_same(known: Callable[..., object], new: Callable[..., object]) -> bool:
    """Return whether a module was only loaded again."""
    return (known.__module__, known.__qualname__) == (new.__module__, new.__qualname__)
