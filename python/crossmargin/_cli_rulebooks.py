"""The command `rulebooks`: the list, one rulebook, its text, and the difference of two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from crossmargin import _core, functions, registry
from crossmargin._cli_show import print_json
from crossmargin.rulebook_choice import one
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crossmargin._declaration import Record
    from crossmargin.table import Value

    Show = Callable[[Record, Table, None, Mapping[str, object]], None]

__all__ = ["in_short", "with_forms"]

_LONGEST: Final = 40
_ABOUT_TEXT: Final = "Print the TOML text, to be saved to a file and changed."


class _WithForms(click.Command):
    """A command whose first word may name another form of it."""

    forms: Mapping[str, click.Command] = {}

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401
    ) -> click.Context:
        """Return the context of the form that the first word names, else of the command."""
        form = self.forms.get(args[0]) if args else None
        if form is None:
            return super().make_context(info_name, args, parent, **extra)
        return form.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)


def with_forms(plain: click.Command, output: list[click.Parameter], show: Show) -> click.Command:
    """Return the command `rulebooks` with its forms `show` and `diff`.

    Parameters
    ----------
    plain
        The command as the registry's record gives it.
    output
        The options about the result.
    show
        Prints a table.
    """

    def run_show(*, toml: bool, **given: object) -> int:
        if not toml:
            return int(plain.callback(**given)) if plain.callback is not None else 0
        text = _core.rulebook_text(*one(given["rulebook"]))
        if given.get("csv") is not None:
            raise click.UsageError("--toml prints text; --csv saves a table: give one of them")
        if given.get("as_json"):
            print_json({"toml": text})
        else:
            click.echo(text, nl=not text.endswith("\n"))
        return 0

    def run_diff(**given: object) -> int:
        answer = functions.rulebook_diff(_choice(given["a"]), _choice(given["b"]))
        show(registry.record("CM_RULEDIFF"), answer, None, given)
        return 0

    diff = registry.record("CM_RULEDIFF")
    shown = [parameter for parameter in plain.params if parameter.name != "rulebook"]
    made = _WithForms(
        plain.name,
        params=plain.params,
        callback=plain.callback,
        help=f"{plain.help}\n\nFurther forms: `rulebooks show NAME --toml` prints the text to "
        "copy; `rulebooks diff A B` compares two.",
        short_help=plain.short_help,
        epilog=plain.epilog,
    )
    made.forms = {
        "show": click.Command(
            "show",
            params=[
                click.Argument(["rulebook"]),
                click.Option(["--toml"], is_flag=True, help=_ABOUT_TEXT),
                *shown,
            ],
            callback=run_show,
            help="One rulebook: its keys with their sources, or its TOML text.",
        ),
        "diff": click.Command(
            "diff",
            params=[
                click.Argument(["a"], metavar="A"),
                click.Argument(["b"], metavar="B"),
                *output,
            ],
            callback=run_diff,
            help=f"{diff.summary}\n\nA and B are names or files.",
            epilog=f"In a sheet: {diff.example}",
        ),
    }
    return made


def in_short(table: Table) -> tuple[Table, list[str]]:
    """Return a difference as it fits on a screen, and what was left out."""
    names = ("key", "a", "b", "change")
    rows = zip(*([_clipped(cell) for cell in table.column(name)] for name in names), strict=True)
    notes = ["part and sources: --csv FILE or --json"] if len(table) else ["nothing differs"]
    return Table(names, list(rows)), notes


def _clipped(cell: Value) -> Value:
    is_long = isinstance(cell, str) and len(cell) > _LONGEST
    return f"{str(cell)[: _LONGEST - 1]}\u2026" if is_long else cell


def _choice(word: object) -> object:
    path = Path(str(word))
    return path if path.suffix.lower() == ".toml" else word
