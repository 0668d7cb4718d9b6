"""The CM_ formulas of the workbook: their text, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossmargin import registry
from crossmargin.cells import CellContent, SheetError
from crossmargin.template.values import ERROR_MARK, Rows, Value, is_error

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Calculator", "Call", "Named", "Whole", "call", "main_book"]


@dataclass(frozen=True)
class Named:
    """A cell by its name."""

    name: str


@dataclass(frozen=True)
class Whole:
    """A table by its name, header included."""

    name: str


Part = Named | Whole | str | float | None


@dataclass(frozen=True)
class Call:
    """One sheet function and its arguments, the whole formula of a cell."""

    function: str
    arguments: tuple[Part, ...]

    @property
    def formula(self) -> str:
        """Return the formula as a person types it."""
        return f"={self.function}({','.join(map(_written, self.arguments))})"


def call(function: str, *arguments: Part) -> Call:
    """Return a call; None leaves an argument out."""
    return Call(function, arguments)


def main_book(rule: str, options: str) -> Call:
    """Return the call that books the yellow sheets; cells of these names say how."""
    tables = ("Positions", "Collateral", "Market", "Orders")
    positions, *others = (Whole(name) for name in tables)
    return call("CM_BOOK", positions, Named(rule), *others, Named("AsOf"), Named(options))


class Calculator:
    """Answers calls from the names and tables of one workbook.

    Parameters
    ----------
    names
        The input cells by name.
    tables
        The input tables by name, header first.
    """

    def __init__(self, names: Mapping[str, Value], tables: Mapping[str, Rows]) -> None:
        self._names: dict[str, Value] = dict(names)
        self._tables = dict(tables)
        self._made_by: dict[str, Call] = {}
        self._known: dict[Call, Rows] = {}

    def define(self, name: str, made_by: Call) -> Value:
        """Give a name to the cell that holds a call, and return what it shows."""
        self._made_by[name] = made_by
        self._names[name] = self.rows(made_by)[0][0]
        return self._names[name]

    def alias(self, name: str, other: str) -> None:
        """Let a cell show what the cell of another name shows, and count as made by its call."""
        self._names[name] = self._names[other]
        if other in self._made_by:
            self._made_by[name] = self._made_by[other]

    def note(self, name: str, value: Value) -> None:
        """Keep what a named cell with an ordinary formula shows."""
        self._names[name] = value

    def value(self, name: str) -> Value:
        """Return what a named cell shows."""
        return self._names[name]

    def rows(self, made: Call) -> Rows:
        """Return what a call shows, header first; a single value is one row of one."""
        if made not in self._known:
            kinds = [argument.kind for argument in registry.record(made.function).arguments]
            cells = [
                self._cell(part, kind) for part, kind in zip(made.arguments, kinds, strict=False)
            ]
            self._known[made] = _rows(registry.call(made.function, cells))
        return self._known[made]

    def _cell(self, part: Part, kind: str) -> object:
        if isinstance(part, Whole):
            return self._tables[part.name]
        if not isinstance(part, Named):
            return part
        value = _plain(self._names[part.name])
        maker = self._made_by.get(part.name)
        if kind != "cell" or maker is None:
            return value
        arguments = tuple(self._cell(one, "text") for one in maker.arguments)
        return CellContent(value, maker.formula, arguments)


def _plain(value: Value) -> Value:
    return value[len(ERROR_MARK) :] if is_error(value) and isinstance(value, str) else value


def _rows(answer: object) -> Rows:
    table = answer if isinstance(answer, list) else [[answer]]
    return [[_shown(cell) for cell in row] for row in table]


def _shown(cell: object) -> Value:
    if isinstance(cell, SheetError):
        return f"{ERROR_MARK}{cell.sign}"
    return cell if isinstance(cell, float | str) else f"{ERROR_MARK}#N/A"


def _written(part: Part) -> str:
    match part:
        case None:
            return ""
        case Named(name):
            return name
        case Whole(name):
            return f"{name}[#All]"
        case str():
            return '"' + part.replace('"', '""') + '"'
        case _:
            return f"{part:g}"
