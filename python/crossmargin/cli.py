"""The command line: every sheet function on files, and a demonstration.

The commands are made from the registry's records, so that their names, words and options are those
of the sheet and of Python. Exit codes: 0 an answer, 2 a refusal in one sentence, 1 our own defect,
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from crossmargin import functions, registry
from crossmargin._cli_commands import (
    command_name,
    commands,
    list_of_functions,
    output_parameters,
)
from crossmargin._cli_demo import run_demo
from crossmargin._cli_hosts import commands as host_commands
from crossmargin._cli_progress import bar_shown
from crossmargin._cli_report import report_command
from crossmargin._cli_show import View, plain, print_json, print_table, write_csv
from crossmargin._texts import LONGEST_SENTENCE, cut, visible
from crossmargin.cells import SheetError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cli", "main"]

REFUSED = 2
DEFECT = 1
STOPPED = 130


class Listed(click.Group):
    """A group that lists what people use first, first."""

    FIRST = (
        "demo",
        "summary",
        "liquidation-price",
        "liquidation-order",
        "first-liquidated",
        "report",
        "check",
        "rulebooks",
        "functions",
        "excel",
        "libreoffice",
        "template",
        "share-copy",
    )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, the main ones first."""
        names = super().list_commands(ctx)
        return [*(name for name in self.FIRST if name in names), *sorted({*names} - {*self.FIRST})]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, or by the name of its sheet function without CM_."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        wanted = f"CM_{cmd_name.upper()}"
        for record in registry.records():
            if record.sheet_name == wanted:
                return super().get_command(ctx, command_name(record))
        return None


@click.group(
    cls=Listed,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(message="%(version)s", version=functions.version())
def cli() -> None:
    """Margin and liquidation of crypto-derivatives books, offline.

    Try `crossmargin demo`, then your own files:

    crossmargin summary --positions positions.csv --collateral collateral.csv --rulebook hyperliquid
    """


for _command in (*commands(), *host_commands()):
    cli.add_command(_command)


def _demo(output: Path, *, as_json: bool) -> int:
    return run_demo(output, as_json=as_json)


cli.add_command(
    click.Command(
        "demo",
        callback=_demo,
        params=[
            click.Option(
                ["--output"],
                type=click.Path(file_okay=False, path_type=Path),
                default=Path("demo-output"),
                show_default=True,
                metavar="DIR",
                help="Where files are written.",
            ),
            click.Option(
                ["--json", "as_json"], is_flag=True, help="Print JSON with full precision."
            ),
        ],
        help="The main job on sample books that we wrote: status, liquidation prices, what is "
        "liquidated first, an option book with its worst scenario, and a workbook.",
        short_help="The main job on a sample book, with a workbook.",
    )
)


cli.add_command(report_command())


def _functions(name: str | None, csv: Path | None, rows: int, *, as_json: bool) -> int:
    table = list_of_functions(name)
    if csv is not None:
        write_csv(table, csv)
    if as_json:
        print_json(table)
        return 0
    title = "Sheet functions and their commands" if name is None else f"Arguments of {name}"
    print_table(table, View(title=title, rows=rows), Console())
    return 0


cli.add_command(
    click.Command(
        "functions",
        callback=_functions,
        params=[click.Argument(["name"], required=False), *output_parameters()],
        help="All sheet functions with their commands, or the arguments of one.",
    )
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a refusal is one sentence, never a traceback.

    Parameters
    ----------
    arguments
        What stands after the name of the program; left out: those of this process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    code: object = 0
    try:
        with bar_shown():
            code = cli.main(args=given, prog_name="crossmargin", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as nothing:
        click.echo(nothing.format_message())
    except BrokenPipeError:
        # the reader, such as `head`, has gone; nothing more can be said to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped before it was done", err=True)
        code = STOPPED
    except SystemExit as leaving:
        code = leaving.code
    except BaseException as problem:  # noqa: BLE001  # a panic of the core is no Exception
        code = _refuse(given, problem)
    return code if isinstance(code, int) else 0


def _refuse(given: Sequence[str], problem: BaseException) -> int:
    """Say in one sentence why there is no answer."""
    sign, sentence, hint, code = "#VALUE!", _one_line(str(problem)), "", REFUSED
    carried = getattr(problem, "error", None)
    match problem:
        case click.ClickException():
            sentence = _one_line(problem.format_message())
            path = getattr(getattr(problem, "ctx", None), "command_path", "crossmargin")
            hint = f" ({path} --help lists the options)"
        case OSError() if problem.filename is not None:
            sentence = f"{problem.filename}: {problem.strerror}"
        case OSError():
            pass
        case _ if isinstance(carried, SheetError):
            sign, sentence = carried.sign, carried.reason
        case ValueError() | TypeError():
            sign = str(getattr(problem, "sign", sign))
        case _ if type(problem).__module__.startswith("polars"):
            sentence = f"a file cannot be read as a table: {sentence}"
        case _:
            code = DEFECT
            name = type(problem).__name__
            sentence = f"this is a defect of crossmargin and not of your data: {name}: {sentence}"
    sentence = cut(visible(sentence), LONGEST_SENTENCE)
    if "--json" in given:
        print_json({"error": sign, "reason": sentence})
    else:
        words = Text(sentence).append(plain(hint), style="dim")
        Console(stderr=True, soft_wrap=True).print(words)
    return code


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
