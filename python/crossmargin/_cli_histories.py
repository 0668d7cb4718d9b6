"""The commands that need a history and may do without a book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from rich.console import Console

from crossmargin import functions, registry
from crossmargin._cli_inputs import (
    BOOK_OPTIONS,
    HISTORY_OPTIONS,
    Inputs,
    book_parameters,
    history_parameter,
    pairs,
    progress,
)
from crossmargin._cli_show import print_json, print_scalar
from crossmargin.errors import UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossmargin._core import Book
    from crossmargin._declaration import Record
    from crossmargin.table import Table

    Show = Callable[[Record, Table, Book | None, Mapping[str, object]], None]

__all__ = ["OF_HISTORIES", "history_commands"]

OF_HISTORIES: Final = ("CM_CORREL", "CM_HISTORY")


def history_commands(
    option: Callable[..., click.Parameter], output: Callable[[], list[click.Parameter]], show: Show
) -> list[click.Command]:
    """Return `correlations` and `history`, made of the registry's words.

    Parameters
    ----------
    option
        Makes the parameter `--option` of its description.
    output
        Makes the parameters about the result.
    show
        Shows a table.
    """
    return [_correlations(option, output, show), _history(output, show)]


def _correlations(
    option: Callable[..., click.Parameter], output: Callable[[], list[click.Parameter]], show: Show
) -> click.Command:
    record = registry.record("CM_CORREL")
    words = {argument.name: argument.doc for argument in record.arguments}

    def run(**given: object) -> int:
        inputs = Inputs.of(given)
        texts = given.get("option", ())
        options = pairs(texts if isinstance(texts, tuple) else ())
        for key in [name for name in options if name in BOOK_OPTIONS]:
            inputs.options[key] = options.pop(key)
        book: Book | None = None
        with progress() as say:
            if inputs.rulebook is not None and "positions" in inputs.files:
                book = inputs.book(say)
            target = book or inputs.history(say)
            if target is None:
                raise UnknownWordError("name --history, or a book by --positions and --rulebook")
            table = functions.correlations(target, view=str(given["view"]), options=options)
        show(record, table, book, given)
        return 0

    return click.Command(
        "correlations",
        params=[
            *book_parameters(required=False),
            click.Option(["--view"], default="matrix", show_default=True, help=words["view"]),
            option(words["options"], with_book=True),
            *output(),
        ],
        callback=run,
        help=f"{record.summary}\n\nOf the history alone, or of a book where --positions and "
        "--rulebook are given.",
        short_help=record.summary,
        epilog=f"In a sheet: {record.example}",
    )


def _history(output: Callable[[], list[click.Parameter]], show: Show) -> click.Command:
    record = registry.record("CM_HISTORY")

    def run(**given: object) -> int:
        inputs = Inputs.of(given)
        texts = given.get("option", ())
        for key, value in pairs(texts if isinstance(texts, tuple) else ()).items():
            if f"history.{key}" not in HISTORY_OPTIONS:
                known = ", ".join(name.removeprefix("history.") for name in HISTORY_OPTIONS)
                raise UnknownWordError(f"unknown option '{key}'; known: {known}")
            inputs.options[f"history.{key}"] = value
        with progress() as say:
            held = inputs.history(say)
        key = "" if held is None else held.key
        if given.get("as_json") and given.get("csv") is None:
            print_json({"history": key})
            return 0
        if not given.get("as_json"):
            print_scalar(record.summary, key, "", Console())
        show(record, functions.check(held, view="columns"), None, given)
        return 0

    return click.Command(
        "history",
        params=[
            history_parameter(required=True),
            click.Option(
                ["--option", "option"],
                multiple=True,
                metavar="KEY=VALUE",
                help="Repeatable: coin, step, partial, clash, as in a sheet.",
            ),
            *output(),
        ],
        callback=run,
        help=f"{record.summary}\n\nPrints the key and the series; `check --history` lists what is "
        "noticed.",
        short_help=record.summary,
        epilog=f"In a sheet: {record.example}",
    )
