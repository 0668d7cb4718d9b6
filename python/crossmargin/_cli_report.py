"""The command that writes the desk report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from crossmargin import registry
from crossmargin._cli_inputs import BOOK_OPTIONS, Inputs, book_parameters, pairs, progress
from crossmargin._cli_show import print_json
from crossmargin.desk_report import Asked, report
from crossmargin.errors import CrossmarginError
from crossmargin.frames import read_file

if TYPE_CHECKING:
    from crossmargin._core import Book

__all__ = ["report_command"]

_EARLIER: Final = ("collateral", "market", "orders")


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
        click.Option(
            ["--previous"], type=_file(), metavar="FILE",
            help="Positions of an earlier moment, such as yesterday; usage then stands beside now.",
        ),
        *(
            click.Option(
                [f"--previous-{name}"], type=_file(), metavar="FILE",
                help=f"The table {name} of that moment; left out: today's.",
            )
            for name in _EARLIER
        ),
        click.Option(["--previous-as-of"], metavar="TEXT", help="That moment, if not in its data."),
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
        previous = _previous(given, of_book)
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


def _previous(given: dict[str, object], options: dict[str, str]) -> Book | None:
    """Return the earlier book: its own tables, and today's where none was given."""
    if given["previous"] is None:
        for name in (*_EARLIER, "as_of"):
            if given[f"previous_{name}"] is not None:
                word = name.replace("_", "-")
                raise click.UsageError(f"--previous-{word} is about --previous, which is not given")
        return None
    earlier = {**given, "positions": given["previous"], "as_of": given["previous_as_of"]}
    earlier |= {
        name: given[f"previous_{name}"]
        for name in _EARLIER
        if given[f"previous_{name}"] is not None
    }
    inputs = Inputs.of(earlier)
    inputs.options.update(options)
    try:
        return inputs.book(lambda _text: None)
    except CrossmarginError as refusal:
        raise type(refusal)(f"the earlier book: {refusal}") from refusal
