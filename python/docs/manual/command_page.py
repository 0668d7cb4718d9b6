"""The commands, from the command line itself; those of functions lead to the functions' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from crossmargin import _cli_commands, registry
from crossmargin.cli import cli
from docs.manual.markup import block, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PATH", "page"]

PATH: Final = "command-line.md"
_WIDTH: Final = 92


def page() -> str:
    """Return the page."""
    pages = {_cli_commands.command_name(record): record for record in registry.records()}
    top = click.Context(cli, info_name="crossmargin", max_content_width=_WIDTH)
    listed = [(name, cli.get_command(top, name)) for name in cli.list_commands(top)]
    rows = [
        (
            f"`{name}`",
            f"[`{pages[name].sheet_name}`](functions/{pages[name].sheet_name}.md)",
            plain(pages[name].summary),
        )
        for name, _ in listed
        if name in pages
    ]
    lines = [
        "# Command line",
        "",
        (
            "Every function is a command of its full name; `--help` lists its options. Tables are "
            "CSV or Parquet files as the venue exports them, `--json` and `--csv FILE` give full "
            "precision, progress goes to the terminal and never into a file."
        ),
        "",
        *_others([(name, command) for name, command in listed if name not in pages], top),
        "## Commands of functions",
        "",
        table(("command", "function", "what it shows"), rows),
    ]
    return "\n".join(lines)


def _others(
    commands: list[tuple[str, click.Command | None]], above: click.Context
) -> Iterator[str]:
    """Yield the help of the commands that no function has, those of a group under it."""
    for name, command in commands:
        if command is None:
            continue
        context = click.Context(command, info_name=name, parent=above)
        yield f"## {context.command_path}"
        yield ""
        yield block(command.get_help(context))
        if isinstance(command, click.Group):
            inner = [(word, command.get_command(context, word)) for word in
                     command.list_commands(context)]  # fmt: skip
            yield from _others(inner, context)
