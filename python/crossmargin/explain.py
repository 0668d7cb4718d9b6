"""Words for `CM_WHY` and `CM_CHECK`: what a target is, and sentences about numbers and errors."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from crossmargin import _core, _sentences, books, registry
from crossmargin._coerce import HISTORY_PREFIX, NOT_IN_MEMORY
from crossmargin.cells import CellContent, SheetError
from crossmargin.errors import MissingError, TableError, UnknownWordError
from crossmargin.table import Table

if TYPE_CHECKING:
    from crossmargin._core import Book

__all__ = ["history", "inspect", "plain", "target", "why"]

HEADER = ("topic", "sentence", "reference")
LONGEST = 255
SHEETS = ("positions", "collateral", "orders", "market", "brackets")
HISTORY = "history"
_ORDER_ARGUMENTS = {"CM_LIQORDER": (1, 3), "CM_LIQFIRST": (2, 4)}  # scenario and options


def target(given: object) -> tuple[Book | None, object]:
    """Return the book that a target names, or the range that it is.

    Parameters
    ----------
    given
        A book, its key, a cell with one of these, or rows of cells, or a data frame.

    Raises
    ------
    MissingError
        If it is a key that is no longer in memory.
    """
    value = plain(given)
    if isinstance(value, _core.Book):
        return value, None
    if isinstance(value, str) and value.startswith("book:"):
        book = books.recall(value.strip())
        if book is None:
            raise MissingError(NOT_IN_MEMORY)
        return book, None
    return None, value


def plain(given: object) -> object:
    """Return what a reference or a range of one cell holds."""
    value = given.value if isinstance(given, CellContent) else given
    rows = isinstance(value, Sequence) and not isinstance(value, str)
    if rows and len(value) == 1 and isinstance(value[0], Sequence) and len(value[0]) == 1:  # type: ignore[arg-type,index]
        return value[0][0]  # type: ignore[index]
    return value


def history(given: object) -> _core.History | None:
    """Return the history that is given or whose key is; None for anything else.

    Parameters
    ----------
    given
        A history, its key, a cell with one of these; or something else.

    Raises
    ------
    MissingError
        If it is a key that is no longer in memory.
    """
    value = plain(given)
    if isinstance(value, _core.History):
        return value
    if isinstance(value, str) and value.startswith(HISTORY_PREFIX):
        found = books.recall_history(value.strip())
        if found is None:
            raise MissingError(NOT_IN_MEMORY.replace("book", "history"))
        return found
    return None


def inspect(block: object, *, view: str, sheet: str) -> Table:
    """Return what is noticed about a pasted range.

    Parameters
    ----------
    block
        Rows of cells or a mapping of columns.
    view
        issues, columns or units.
    sheet
        Which table it is; `auto` takes the reading with the fewest errors about the whole table.

    Raises
    ------
    UnknownWordError
        For an unknown view or sheet.
    """
    views = ("issues", "columns", "units")
    if view not in views:
        raise UnknownWordError(f"unknown view '{view}'; known: {', '.join(views)}")
    known = (*SHEETS, HISTORY)
    if sheet != "auto" and sheet not in known:
        raise UnknownWordError(f"unknown sheet '{sheet}'; known: auto, {', '.join(known)}")
    if sheet == HISTORY:
        return _of_history(block, view)
    wanted = SHEETS if sheet == "auto" else (sheet,)
    readings = {name: _core.inspect([], **{name: block}) for name in wanted}
    unfit = {name: _unfit(reading[0]) for name, reading in readings.items()}
    # prices by date can be read as a market table too, but then as nothing else
    if sheet == "auto" and all(count for name, count in unfit.items() if name != "market"):
        with contextlib.suppress(TableError):
            return _of_history(block, view)
    best = min(wanted, key=lambda name: unfit[name])
    header, rows, _ = readings[best][views.index(view)]
    return Table(header, rows)


def _of_history(block: object, view: str) -> Table:
    """Return what is noticed about a range as a history; its columns only where it can be read."""
    if view == "issues":
        header, rows, _ = _core.check_history(block)
    else:
        header, rows, _ = _core.History(block, partial=True).check(view)
    return Table(header, rows)


def _unfit(
    issues: tuple[tuple[str, ...], list[tuple[float | str | None, ...]], str],
) -> int:
    header, rows, _ = issues
    severity, row = header.index("severity"), header.index("row")
    return sum(line[severity] == "ERROR" and line[row] == "" for line in rows)


def why(given: object, topic: str) -> Table:
    """Return sentences about a book or about the formula of a cell.

    Parameters
    ----------
    given
        A book, its key, or a cell.
    topic
        stamp, assumptions, error, or a function and its arguments separated by semicolons.
    """
    word = topic.strip()
    if isinstance(given, CellContent) and given.formula and not word:
        return _of_formula(given)
    book, value = target(given)
    if book is None:
        return _of_value(value, word)
    match word.lower():
        case "" | "stamp":
            header, rows, _ = book.stamp()
        case "assumptions":
            header, rows, _ = book.assumptions()
        case "error":
            return _last_errors()
        case _ if word.upper().startswith("CM_"):
            name, *arguments = [piece.strip() for piece in word.split(";")]
            return _of_call(name.upper(), [books.remember(book), *arguments], book)
        case _:
            raise UnknownWordError(
                f"unknown topic '{topic}'; known: stamp, assumptions, error, "
                "or a function such as CM_LIQPRICE;BTC;nearest"
            )
    return _cut(Table(header, rows))


def _last_errors() -> Table:
    rows = [
        (f"{name}({arguments})", f"{error.sign}: {error.reason}", "")
        for (name, arguments), error in reversed(list(registry.last_errors().items()))
    ]
    return _cut(Table(HEADER, rows or [("error", "no function has refused an answer", "")]))


def _of_value(value: object, topic: str) -> Table:
    if topic.lower() == "error" or value is None:
        return _last_errors()
    raise UnknownWordError(
        f"the first argument must be a book key or a cell with a CM_ formula, was {value!r}"
    )


def _of_formula(cell: CellContent) -> Table:
    """Explain the one CM_ call that a cell's formula is; the text is read, never evaluated."""
    text = cell.formula.strip().removeprefix("{").removesuffix("}").lstrip("=").strip()
    name, bracket, _ = text.partition("(")
    name = name.strip().removeprefix("_xlfn.").upper()
    if not bracket or not name.startswith("CM_"):
        return Table(HEADER, [("formula", "the cell holds no CM_ function", cell.formula)])
    if cell.arguments is None:
        sentence = "the arguments of this formula are expressions; name cells, ranges or constants"
        return Table(HEADER, [(name, sentence, cell.formula)])
    arguments = list(cell.arguments)
    book = None
    if arguments and isinstance(arguments[0], str):
        book = books.recall(arguments[0])
    return _of_call(name, arguments, book)


def _of_call(name: str, arguments: list[object], book: Book | None) -> Table:
    try:
        known = registry.record(name)
    except KeyError:
        raise UnknownWordError(f"there is no function {name}") from None
    cells = [_typed(known, place, cell) for place, cell in enumerate(arguments)]
    answer = registry.call(name, cells)
    rows: list[tuple[str, str, str]] = []
    if isinstance(answer, SheetError):
        rows.append((name, f"{answer.sign}: {answer.reason}", known.example))
    elif isinstance(answer, list):
        rows.append((name, f"{known.summary} {len(answer) - 1} rows.", known.example))
        rows.extend((name, sentence, "") for sentence in _sentences.of_table(name, answer, cells))
    else:
        rows.append((name, f"{known.summary} Here: {_shown(answer)}.", known.example))
    if name == "CM_LIQPRICE" and book is not None and len(cells) > 1 and cells[1]:
        rows.extend(_price_sentences(book, cells))
    if name in _ORDER_ARGUMENTS and book is not None:
        rows.extend(_order_sentence(name, cells))
    if book is not None:
        header, lines, _ = book.assumptions()
        del header
        rows.extend((str(a), str(b), str(c)) for a, b, c in lines[:3])
    return _cut(Table(HEADER, rows))


def _price_sentences(book: Book, cells: list[object]) -> list[tuple[str, str, str]]:
    path = str(cells[3]) if len(cells) > 3 and cells[3] else "alone"  # noqa: PLR2004  # fourth argument
    which = str(cells[4]) if len(cells) > 4 and cells[4] else "trigger"  # noqa: PLR2004
    header, rows, _ = book.liquidation_prices(str(cells[1]), path, which, [])
    status, scope = header.index("status"), header.index("scope")
    return [("CM_LIQPRICE", str(row[status]), str(row[scope])) for row in rows]


def _order_sentence(name: str, cells: list[object]) -> list[tuple[str, str, str]]:
    """Return what is closed first where the order that a cell shows begins."""
    scenario, options = (
        cells[place] if len(cells) > place else None for place in _ORDER_ARGUMENTS[name]
    )
    said = registry.call("CM_LIQFIRST", [cells[0], 1.0, scenario, "sentence", options])
    return [(name, said, "")] if isinstance(said, str) else []


def _typed(known: registry.Record, place: int, cell: object) -> object:
    """Return a text of a topic as the number that the argument wants."""
    if place < len(known.arguments) and known.arguments[place].kind == "number":
        try:
            return float(cell) if isinstance(cell, str) and cell else cell
        except ValueError:
            return cell
    return cell


def _shown(answer: object) -> str:
    return f"{answer:,.10g}" if isinstance(answer, float) else str(answer)


def _cut(table: Table) -> Table:
    """Split sentences between words, so that none is longer than a cell's help may be."""
    rows: list[tuple[float | str | None, ...]] = []
    for topic, sentence, reference in table.rows:
        rows.extend((topic, piece, reference) for piece in _pieces(str(sentence)))
    return Table(table.header, rows)


def _pieces(sentence: str) -> list[str]:
    """Return a sentence in parts that fit, broken at its semicolons where that is enough."""
    pieces = [""]
    for clause in sentence.split("; "):
        joined = f"{pieces[-1]}; {clause}" if pieces[-1] else clause
        if len(joined) <= LONGEST:
            pieces[-1] = joined
        else:
            pieces += textwrap.wrap(clause, LONGEST)
    return [piece for piece in pieces if piece] or [""]
