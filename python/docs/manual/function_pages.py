"""One page per sheet function, from its record and from what its examples answer."""

from __future__ import annotations

import re
import shlex
import textwrap
from typing import TYPE_CHECKING, Final

from crossmargin import errors, registry
from crossmargin._docstrings import section
from crossmargin.cells import SheetError
from docs.manual import calls, worked
from docs.manual.markup import block, code, matrix, plain, shown, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossmargin.registry import Argument, Record

__all__ = ["answered", "pages"]

_ROWS: Final = 12
_TYPES: Final = {
    "book": "key of a book",
    "block": "table with its header row",
    "text": "text",
    "number": "number",
    "options": "text of key=value with semicolons, or a range of two columns",
    "list": "range, or text with semicolons",
    "cell": "cell or range",
}
_RESULTS: Final = {
    "number": "A number.",
    "text": "A text.",
    "key": "A text: the key that other functions take.",
    "table": "A table that spills, with a header row.",
    "cell": "One value, or a table that spills with a header row.",
}
_ORDER: Final = (
    "Book", "Margin", "Liquidation", "Actions", "Stress", "Accounts", "Limits", "Risk", "Control",
)  # fmt: skip
_ABOUT: Final = {
    "Book": "Tables in, keys out, and the rulebooks.",
    "Margin": "How the account stands, and why.",
    "Liquidation": "Where it ends, what is closed first and next, and who pays.",
    "Actions": "What a trade does, and the way back.",
    "Stress": "The account in other markets, on other days.",
    "Accounts": "Many accounts side by side.",
    "Limits": "What is left of each limit.",
    "Risk": "Value at risk, expected shortfall, contributions, backtests.",
    "Control": "Against the venue's own figures, and against ourselves.",
}


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page, the index first, then the worked books."""
    records = registry.records()
    yield "functions/index.md", _index(records)
    yield "functions/worked-books.md", _worked_books()
    for record in records:
        yield f"functions/{record.sheet_name}.md", _page(record, records)


def _index(records: tuple[Record, ...]) -> str:
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.category, []).append(record)
    order = sorted(groups, key=lambda name: (_ORDER.index(name) if name in _ORDER else 99, name))
    lines = [
        "# Functions",
        "",
        (
            f"{len(records)} functions. In a sheet they begin with `CM_`; in Python and on the "
            "command line they have a full name. Arguments in brackets may be left out. Every "
            "example is calculated while this page is made, on the [worked books](worked-books.md)."
        ),
        "",
    ]
    for name in order:
        rows = [
            (
                f"[`{record.sheet_name}`]({record.sheet_name}.md)",
                code(record.function.__name__),
                plain(record.summary),
            )
            for record in groups[name]
        ]
        lines += [f"## {name}", "", _ABOUT.get(name, ""), ""]
        lines.append(table(("sheet", "Python", "what it shows"), rows))
    lines += ["```{toctree}", ":hidden:", "", "worked-books"]
    lines += [record.sheet_name for record in records]
    return "\n".join([*lines, "```", ""])


def _worked_books() -> str:
    lines = [
        "# Worked books",
        "",
        (
            "The examples ask about these cells. Their tables are those of the template and of "
            "`crossmargin/samples`; every price and quantity in them is invented. On the page of a "
            "function `Book` is one of them, and the page says which."
        ),
        "",
    ]
    for name, formula in worked.BOOKS.items():
        lines += [f"## {name}", "", block(formula)]
        made = worked.answer(formula)
        lines += [f"shows `{shown(made)}`", ""]
    lines += ["## Tables", ""]
    for name, rows in worked.tables().items():
        lines += [f"### {name}", "", matrix(rows, 20), ""]
    return "\n".join(lines)


def _page(record: Record, records: tuple[Record, ...]) -> str:
    command = calls.on_the_command_line(record)
    lines = [
        f"# {record.sheet_name}",
        "",
        *_prose(record),
        "```{list-table}",
        ":widths: 15 85",
        "",
        f"* - sheet\n  - `{calls.in_a_sheet(record)}`",
        f"* - Python\n  - `{calls.in_python(record)}`",
        f"* - command line\n  - {code(command)}",
        "```",
        "",
        "## Arguments",
        "",
        _arguments(record),
        "## Returns",
        "",
        *_returns(record),
        "## Worked example",
        "",
        *_examples(record),
        "## Errors",
        "",
        *_errors(record),
        "## Source",
        "",
        _linked(section(record.doc, "References"), record),
        "",
    ]
    others = [
        f"[`{other.sheet_name}`]({other.sheet_name}.md)"
        for other in records
        if other.category == record.category and other is not record
    ]
    if others:
        lines += [f"See also: {', '.join(others)}.", ""]
    return "\n".join(lines)


def _linked(text: str, record: Record) -> str:
    """Return a text as Markdown in which other functions are links to their pages."""
    known = {other.sheet_name for other in registry.records()} - {record.sheet_name}

    def link(found: re.Match[str]) -> str:
        name = found[0].replace("\\", "")
        return f"[{name}]({name}.md)" if name in known else found[0]

    return re.sub(r"CM\\_[A-Z0-9]+", link, plain(text))


def _prose(record: Record) -> list[str]:
    """Return what the docstring says before its first section, paragraph by paragraph."""
    said = re.split(r"(?m)^[A-Z][A-Za-z ]+\n-{3,}$", record.doc, maxsplit=1)[0]
    return [line for part in said.strip().split("\n\n") for line in (_linked(part, record), "")]


def _arguments(record: Record) -> str:
    if not record.arguments:
        return "None.\n"
    rows = [
        (code(argument.name), _type(argument), _default(argument), _linked(argument.doc, record))
        for argument in record.arguments
    ]
    return table(("argument", "type", "left out", "meaning"), rows)


def _type(argument: Argument) -> str:
    words = _TYPES[argument.kind]
    return f"{words}, or one word" if argument.literal else words


def _default(argument: Argument) -> str:
    if not argument.optional:
        return "required"
    if argument.default is None or argument.default == "":
        return "optional"
    return code(shown(argument.default))


def _returns(record: Record) -> list[str]:
    said = section(record.doc, "Returns").strip().splitlines()[1:]
    lines = [_RESULTS[record.returns], "", _linked(" ".join(said), record), ""]
    answers = (worked.answer(formula) for formula in worked.examples(record))
    header = next((made[0] for made in answers if isinstance(made, list)), None)
    if header is not None:
        words = ", ".join(code(shown(cell)) for cell in header)
        lines += [f"Header row of the first table below: {words}.", ""]
    return lines


def _examples(record: Record) -> list[str]:
    lines: list[str] = []
    for place, formula in enumerate(worked.examples(record)):
        called = worked.read(formula)
        names = {part.word for part in called.parts if isinstance(part, worked.Name)}
        own = worked.book_of(record.sheet_name)
        if "Book" in names:
            lines += [f"`Book` is [{own}](worked-books.md).", ""]
        elif names:
            said = ", ".join(code(name) for name in sorted(names))
            lines += [f"About {said} of the [worked books](worked-books.md):", ""]
        lines += [block(formula), *answered(worked.answer(formula))]
        if place == 0:
            lines += ["In Python:", "", block(calls.python_call(record, called), "python")]
            said = "On the command line, the tables being files:"
            lines += [said, "", block(_folded(calls.command_call(record, called)), "console")]
    return lines


def _folded(words: list[str]) -> str:
    """Return a command as it is typed, in lines that fit the page."""
    return textwrap.fill(
        shlex.join(words), 92, subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False,
    ).replace("\n", " \\\n")  # fmt: skip


def answered(made: object, where: str = "") -> list[str]:
    """Return what a cell shows, as lines of Markdown.

    Parameters
    ----------
    made
        A value, rows with their header first, or a SheetError.
    where
        Only rows in which a cell is this word.
    """
    if isinstance(made, list):
        header, *body = made
        chosen = [row for row in body if not where or where in row]
        said = "" if not where else f"*Only the rows that say {where}, of {len(body)}.*\n"
        return [matrix([header, *chosen], _ROWS), said]
    if isinstance(made, SheetError):
        return [f"shows `{made.sign}`: {plain(made.reason)}", ""]
    return [f"shows `{shown(made)}`", ""]


def _errors(record: Record) -> list[str]:
    lines: list[str] = []
    rows: list[tuple[str, str, str]] = []
    for name, words in _raised(section(record.doc, "Raises")):
        sign = getattr(getattr(errors, name), "sign", "#VALUE!")
        rows.append((code(sign), code(name), _linked(words, record)))
    if rows:
        lines += [table(("cell", "Python", "when"), rows)]
    keys = [a.name for a in record.arguments if a.kind == "book"]
    if keys:
        lines += [
            (
                "`#N/A` if the key is no longer in memory: calculate everything again "
                "(Ctrl+Alt+F9; LibreOffice Ctrl+Shift+F9)."
            ),
            "",
        ]
    lines += [
        (
            "What holds for every function stands under [errors](../conventions.md#errors); "
            "[`CM_WHY`](CM_WHY.md) gives the reason of the last ones."
        ),
        "",
    ]
    return lines


def _raised(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"(?m)^(\w+)\n((?:[ \t]+.*\n?)+)", text.strip() + "\n"):
        yield match[1], " ".join(match[2].split())
