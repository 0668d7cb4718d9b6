"""The command that writes the desk report."""

from __future__ import annotations

from pathlib import Path

import click

from crossmargin import registry
from crossmargin._cli_inputs import (
    BOOK_OPTIONS,
    Inputs,
    another_book,
    another_book_parameters,
    book_parameters,
    pairs,
    progress,
)
from crossmargin._cli_show import print_json
from crossmargin.desk_report import Asked, report
from crossmargin.frames import read_file

__all__ = ["report_command"]


def report_command() -> click.Command:
    """Return the command `report`."""
    return click.Command(
        "report",
        callback=_run,
        params=[
            *(one for one in book_parameters() if one.name != "account"),
            *_own_parameters(),
        ],
        help="The desk report, page 1: how safe the book is, where it ends, what to do today; as "
        "PDF or HTML on one A4 page. Needs pip install 'crossmargin[report]'.",
        short_help="The desk report as PDF or HTML, one page.",
    )


def _own_parameters() -> list[click.Parameter]:
    defaults = Asked()
    limits = next(
        held.doc for held in registry.record("CM_LIMITS").arguments if held.name == "limits"
    )
    return [
        click.Option(
            ["--output", "outputs"], multiple=True, required=True, metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help="The file, ending in .pdf or .html; repeatable.",
        ),
        *another_book_parameters(
            "previous",
            "Positions of an earlier moment, such as yesterday; usage then stands beside now.",
            required=False,
        ),
        click.Option(["--limits"], type=_file(), metavar="FILE", help=limits),
        click.Option(
            ["--target"], default=defaults.target, show_default=True,
            help="What the actions shall reach, as for the command cure.",
        ),
        click.Option(
            ["--axes"], default="", metavar="X;Y",
            help="The axes of the map, such as BTC;ETH or BTC;VOL; left out: the coins of the "
            "largest holdings.",
        ),
        click.Option(["--watch"], type=float, default=defaults.watch, show_default=True,
                     help="Usage from which the band watch begins."),
        click.Option(["--call"], type=float, default=defaults.call, show_default=True,
                     help="Usage from which the band call begins."),
        click.Option(["--official"], is_flag=True,
                     help="The data are those of the official cut; else the page says indicative."),
        click.Option(["--printed"], metavar="TEXT", help="A moment to print on the page."),
        click.Option(
            ["--option", "option"], multiple=True, metavar="KEY=VALUE",
            help="Repeatable: options of the book, and of the limits, such as paths=2000.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the names as JSON."),
    ]  # fmt: skip


def _file() -> click.Path:
    return click.Path(exists=True, dir_okay=False, path_type=Path)


def _run(**given: object) -> int:
    texts = given.get("option", ())
    options = pairs(texts if isinstance(texts, tuple) else ())
    of_book = {key: options.pop(key) for key in list(options) if key in BOOK_OPTIONS}
    outputs = given["outputs"]
    limits = given["limits"]
    with progress() as say:
        inputs = Inputs.of(given)
        inputs.options.update(of_book)
        book = inputs.book(say)
        previous = another_book(given, "previous", of_book, "the earlier book")
        say("Writing the report")
        written = report(
            book,
            *(outputs if isinstance(outputs, tuple) else ()),
            previous=previous,
            limits=read_file(limits) if isinstance(limits, Path) else None,
            limit_options=options,
            target=str(given["target"]),
            axes=str(given["axes"]),
            watch=float(str(given["watch"])),
            call=float(str(given["call"])),
            official=bool(given["official"]),
            printed=None if given["printed"] is None else str(given["printed"]),
        )
    if given["as_json"]:
        print_json({"files": [str(path) for path in written]})
        return 0
    for path in written:
        click.echo(path)
    return 0
