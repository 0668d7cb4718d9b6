"""One command per sheet function, made from its record: name, help, options, result."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console

from crossmargin import _coerce, books, functions, registry
from crossmargin._cli_histories import OF_HISTORIES, history_commands
from crossmargin._cli_inputs import (
    BOOK_OPTIONS,
    FILES,
    Inputs,
    another_book,
    another_book_parameters,
    book_parameters,
    of_account,
    pairs,
    progress,
)
from crossmargin._cli_rulebooks import in_short, with_forms
from crossmargin._cli_show import (
    ABOUT_PRICES,
    View,
    nearest_first,
    number,
    print_json,
    print_scalar,
    print_table,
    steps_in_short,
    worst_first,
    write_csv,
)
from crossmargin.cells import CellContent, reason_of_none
from crossmargin.errors import TableError, UnknownWordError
from crossmargin.frames import is_file, read_file
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crossmargin._core import Book
    from crossmargin._declaration import Argument, Record
    from crossmargin.table import Value

__all__ = ["caption_of", "command_name", "commands", "list_of_functions", "output_parameters"]

MONEY: Final = "Money in the reporting currency"
"""How a docstring says that a number is money."""
_FIRST_IS_A_BOOK: Final = frozenset({"CM_ACCOUNTS", "CM_WHY"})
_HANDMADE: Final = frozenset({"CM_CHECK", *OF_HISTORIES})


def command_name(record: Record) -> str:
    """Return the name of the Python function with hyphens."""
    return record.function.__name__.replace("_", "-")


def output_parameters() -> list[click.Parameter]:
    """Return the options about the result that every command has."""
    return [
        click.Option(
            ["--csv"],
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Save the table with full precision.",
        ),
        click.Option(
            ["--rows"],
            type=click.IntRange(min=0),
            default=40,
            show_default=True,
            help="Most rows on the screen; 0 for all.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON with full precision."),
    ]


def commands() -> list[click.Command]:
    """Return a command for each registered function."""
    made = [_command(record) for record in registry.records() if record.sheet_name not in _HANDMADE]
    return [
        with_forms(command, output_parameters(), _show_table)
        if command.name == "rulebooks"
        else command
        for command in [
            *made,
            _check_command(registry.record("CM_CHECK")),
            *history_commands(_option_parameter, output_parameters, _show_table),
        ]
    ]


def caption_of(book: Book) -> str:
    """Return what the numbers of a book are: currency, rulebook, size, moment, hash."""
    currencies = ", ".join(dict.fromkeys(book.report_currencies))
    key, *rest = book.key.split("|")
    return " · ".join([f"in {currencies}", *rest, key[:17]])


def _takes_book(record: Record) -> bool:
    if record.sheet_name in _FIRST_IS_A_BOOK:
        return True
    return bool(record.arguments) and record.arguments[0].kind == "book"


def _own_arguments(record: Record) -> list[Argument]:
    """Return the arguments that are not the book."""
    arguments = list(record.arguments)
    return arguments[1:] if _takes_book(record) else arguments


def _command(record: Record) -> click.Command:
    takes_book = _takes_book(record)
    is_book = record.returns == "key"
    own = [] if is_book else _own_arguments(record)
    parameters: list[click.Parameter] = book_parameters() if takes_book or is_book else []
    for place, argument in enumerate(own):
        if argument.kind == "book":
            parameters += another_book_parameters(
                _option_name(argument)[2:], argument.doc, required=not argument.optional
            )
        elif argument.kind != "options":
            parameters.append(_parameter(argument, alone=not takes_book and place == 0))
    options = next(
        (argument.doc for argument in record.arguments if argument.kind == "options"), ""
    )
    if takes_book or is_book or options:
        parameters.append(_option_parameter(options, with_book=takes_book))
    parameters += output_parameters()

    def run(**given: object) -> int:
        return _run(record, own, given)

    return click.Command(
        command_name(record),
        params=parameters,
        callback=run,
        help=f"{record.summary}\n\n{_returns(record)}",
        short_help=record.summary,
        epilog=f"In a sheet: {record.example}",
    )


def _returns(record: Record) -> str:
    """Return what the docstring says about the result."""
    _, _, section = record.doc.partition("Returns\n-------\n")
    lines = section.partition("\n\n")[0].splitlines()[1:]
    return " ".join(line.strip() for line in lines)


def _parameter(argument: Argument, *, alone: bool) -> click.Parameter:
    """Return an option, or the one word that a command without a book begins with."""
    kind = click.FLOAT if argument.kind == "number" else click.STRING
    if alone and argument.optional and (argument.kind == "text" or argument.literal):
        return click.Argument([argument.name], required=False, type=kind)
    if argument.kind == "block" and not argument.literal:
        path = click.Path(exists=True, dir_okay=False, path_type=Path)
        return click.Option(
            [_option_name(argument)],
            type=path,
            required=not argument.optional,
            metavar="FILE",
            help=argument.doc,
        )
    return click.Option(
        [_option_name(argument)],
        type=kind,
        required=not argument.optional,
        default=argument.default if argument.default not in {None, ""} else None,
        show_default=argument.default not in {None, ""},
        help=argument.doc,
    )


def _option_name(argument: Argument) -> str:
    return f"--{argument.name.replace('_', '-')}"


def _option_parameter(words: str, *, with_book: bool) -> click.Parameter:
    of_book = next(
        held.doc for held in registry.record("CM_BOOK").arguments if held.kind == "options"
    )
    said = [words.rstrip("."), of_book] if with_book and words else [words or of_book]
    return click.Option(
        ["--option", "option"],
        multiple=True,
        metavar="KEY=VALUE",
        help=f"Repeatable: {'; '.join(said)}",
    )


def _values(own: list[Argument], given: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments that the user gave, as the function takes them."""
    values: dict[str, object] = {}
    for argument in own:
        value = given.get(argument.name)
        if value is None or argument.kind in {"book", "options"}:
            continue
        if argument.kind == "block":
            value = _block(argument, value)
        elif argument.kind in {"list", "cell"}:
            value = _coerce.argument(argument, value)
        values[argument.name] = value
    return values


def _block(argument: Argument, value: object) -> object:
    path = Path(str(value))
    if argument.literal and (path.suffix.lower() == ".toml" or not is_file(path)):
        return value
    return read_file(path)


def _run(record: Record, own: list[Argument], given: Mapping[str, object]) -> int:
    texts = given.get("option", ())
    options = pairs(texts if isinstance(texts, tuple) else ())
    values = _values(own, given)
    inputs = Inputs.of(given)
    reason_of_none()
    with progress() as say:
        book: Book | None = None
        if _takes_book(record) or record.returns == "key":
            has_options = any(argument.kind == "options" for argument in own)
            for key in list(options):
                if key in BOOK_OPTIONS or not has_options:
                    inputs.options[key] = options.pop(key)
            of_book = dict(inputs.options)
            book = inputs.book(say)
            books.remember(book)
            for argument in own:
                if argument.kind == "book":
                    name = _option_name(argument)[2:]
                    values[argument.name] = another_book(given, name, of_book, f"--{name}")
        if options:
            values["options"] = options
        say(f"Computing {command_name(record)}")
        if record.returns == "key" and book is not None:
            answer: object = book.key
        elif book is None:
            answer = record.function(**values)
        else:
            answer = _answer(record, own, book, inputs.account, values)
    if isinstance(answer, Table):
        _show_table(record, answer, book, given)
    else:
        _show_scalar(record, answer, book, given)
    return 0


def _answer(
    record: Record, own: list[Argument], book: Book, account: str | None, values: dict[str, object]
) -> object:
    """Call a function of a book, for one account where one is asked for."""
    can_scope = record.returns in {"number", "text"} and any(a.name == "scope" for a in own)
    if account is not None:
        of_account(Table(("account",)), account, book)
    if account is not None and can_scope:
        if values.get("scope", "all") != "all":
            raise UnknownWordError("--account and --scope both choose; give one of them")
        values["scope"] = account
    answer = record.function(book, **values)
    if isinstance(answer, Table):
        return of_account(answer, account, book)
    if account is not None and not can_scope and len(book.accounts) > 1:
        raise UnknownWordError(
            f"{command_name(record)} gives one answer for the whole book here; "
            "leave --account out, or give files with this account alone"
        )
    return answer


def _show_table(
    record: Record, table: Table, book: Book | None, given: Mapping[str, object]
) -> None:
    if given.get("csv") is not None:
        write_csv(table, Path(str(given["csv"])))
    if given.get("as_json"):
        print_json(table)
        return
    shown = table
    notes: list[str] = []
    if record.sheet_name == "CM_LIQPRICE":
        shown, notes = nearest_first(table)
    elif record.sheet_name == "CM_SUMMARY":
        shown, notes = worst_first(table)
    elif record.sheet_name == "CM_LIQORDER" and given.get("rows"):
        shown, notes = steps_in_short(table)
    elif record.sheet_name == "CM_RULEDIFF":
        shown, notes = in_short(table)
    if record.sheet_name == "CM_LIQORDER" and not len(table):
        notes.append("nothing is liquidated in this scenario")
    if given.get("csv") is not None:
        notes.append(f"saved: {given['csv']}")
    view = View(
        title=record.summary.partition(";")[0].rstrip(".") if book is not None else record.summary,
        caption=caption_of(book) if book is not None else "",
        rows=int(str(given.get("rows", 40))),
        notes=notes,
        about=ABOUT_PRICES if record.sheet_name == "CM_LIQPRICE" else {},
    )
    print_table(shown, view, Console())


def _show_scalar(
    record: Record, answer: object, book: Book | None, given: Mapping[str, object]
) -> None:
    name = record.function.__name__
    reason = reason_of_none() if answer is None else ""
    if given.get("csv") is not None:
        value = answer if isinstance(answer, float | int | str) else None
        write_csv(Table((name,), [(value,)]), Path(str(given["csv"])))
    if given.get("as_json"):
        print_json({name: answer} | ({"reason": reason} if answer is None else {}))
        return
    console = Console()
    caption = caption_of(book) if book is not None else ""
    if answer is None:
        print_scalar(record.summary, reason or "no answer exists", caption, console)
    elif isinstance(answer, float | int):
        is_money = MONEY in record.doc and book is not None
        currency = _currency(book, given) if book is not None and is_money else ""
        text = f"{answer:,.2f} {currency}" if is_money else number(float(answer))
        print_scalar(record.summary, text, caption, console)
    else:
        print_scalar(record.summary, str(answer), caption, console)


def _currency(book: Book, given: Mapping[str, object]) -> str:
    """Return the reporting currency of the chosen account, or of all of them."""
    by_account = dict(zip(map(str.lower, book.accounts), book.report_currencies, strict=True))
    account = str(given.get("account") or "").strip().lower()
    return by_account.get(account, book.report_currencies[0])


# --- check: of files, with a rulebook or without ------------------------------------------------


def _check_command(record: Record) -> click.Command:
    own = {argument.name: argument for argument in record.arguments}
    parameters = [
        *book_parameters(required=False),
        *(_parameter(own[name], alone=False) for name in ("view", "sheet")),
        *output_parameters(),
    ]

    def run(**given: object) -> int:
        return _run_check(record, given)

    return click.Command(
        command_name(record),
        params=parameters,
        callback=run,
        help=f"{record.summary}\n\n{_returns(record)} With --rulebook the files are checked as one "
        "book, without it each by itself.",
        short_help=record.summary,
        epilog=f"In a sheet: {record.example}",
    )


def _run_check(record: Record, given: Mapping[str, object]) -> int:
    inputs = Inputs.of(given)
    view, sheet = str(given["view"]), str(given["sheet"])
    if not inputs.files and not inputs.histories:
        words = ", ".join(f"--{name}" for name in (*FILES, "history"))
        raise UnknownWordError(f"name a file to check: {words}")
    book: Book | None = None
    with progress() as say:
        if inputs.rulebook is not None and "positions" in inputs.files:
            # with partial, a row with an error is left out and listed, not refused
            for partial in ("0", "1"):
                inputs.options["partial"] = partial
                with contextlib.suppress(TableError):
                    book = book or inputs.book(say)
        if book is not None:
            table = functions.check(CellContent(book), view=view)
        else:
            table = _of_files(inputs, view, sheet, say)
    if book is not None and inputs.account is not None:
        table = of_account(table, inputs.account, book)
    _show_table(record, table, book, given)
    return 0


def _of_files(inputs: Inputs, view: str, sheet: str, say: Callable[[str], None]) -> Table:
    """Return what is noticed about each file by itself."""
    header: tuple[str, ...] = ()
    rows: list[Sequence[Value]] = []
    given = list(inputs.frames(say).items())
    given += [("history", read_file(path)) for path in inputs.histories]
    for name, frame in given:
        wanted = name if sheet == "auto" else sheet
        found = functions.check(CellContent(frame), view=view, sheet=wanted)
        header = found.header
        rows.extend(found.rows)
    noticed = [row for row in rows if row[0] != "OK"]
    return Table(header, noticed or rows[:1])


# --- the list of functions ----------------------------------------------------------------------


def list_of_functions(name: str | None) -> Table:
    """Return all functions, or the arguments of one.

    Raises
    ------
    UnknownWordError
        If there is no such function.
    """
    if name is None:
        header = ("function", "command", "category", "summary", "example")
        return Table(
            header,
            [
                (held.sheet_name, command_name(held), held.category, held.summary, held.example)
                for held in registry.records()
            ],
        )
    wanted = name.strip().lower().replace("-", "_").removeprefix("cm_")
    for held in registry.records():
        if wanted in {held.function.__name__, held.sheet_name.removeprefix("CM_").lower()}:
            header = ("argument", "kind", "optional", "default", "doc")
            return Table(header, [_argument_row(argument) for argument in held.arguments])
    known = ", ".join(command_name(held) for held in registry.records())
    raise UnknownWordError(f"unknown function '{name}'; known: {known}")


def _argument_row(argument: Argument) -> tuple[str, ...]:
    default = "" if argument.default is None else str(argument.default)
    return argument.name, argument.kind, "yes" if argument.optional else "no", default, argument.doc
