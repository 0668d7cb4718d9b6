"""The desk report: one page that says how safe a book is, as HTML or PDF.

Everything on it is an answer of a sheet function; here it only gets words and a place. The
libraries that draw it are the extra `report`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossmargin.desk_report import gather, view
from crossmargin.desk_report.gather import Asked
from crossmargin.errors import CrossmarginError, OutOfRangeError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from crossmargin._core import Book

__all__ = ["Asked", "MissingExtraError", "report"]

_WRITERS: Final = {".html": "html", ".htm": "html", ".pdf": "pdf"}


class MissingExtraError(CrossmarginError):
    """A library of the extra `report` is not installed."""


def report(  # noqa: PLR0913  # everything that a report may be asked
    book: Book,
    *outputs: str | Path,
    previous: Book | None = None,
    limits: object = None,
    limit_options: Mapping[str, object] | None = None,
    target: str = "excess_im=0",
    axes: str = "",
    watch: float = 0.5,
    call: float = 0.7,
    official: bool = False,
    printed: str | None = None,
) -> list[Path]:
    """Write the desk report of a book, page 1: the answer, where it ends, what to do.

    The same book and arguments give the same bytes: no clock is read, and the fonts come along.

    Parameters
    ----------
    book
        The book; of several accounts the one with least above its trigger comes first.
    outputs
        The files, each ending in .html or .pdf.
    previous
        An earlier book, so that usage then stands beside usage now.
    limits
        A limits table as for :func:`crossmargin.limits`; left out, the limits of the standard risk
        profile.
    limit_options
        Single parameters of the profile, as the options of :func:`crossmargin.limits`; paths=2000
        makes the probability of liquidation quicker.
    target
        What the actions shall reach: excess_im=0, usage=0.7 and so on, as for
        :func:`crossmargin.cure`.
    axes
        One or two axes of the map with a semicolon between, such as BTC;ETH or BTC;VOL; left out,
        the two coins of the largest holdings, BTC and ETH before others.
    watch, call
        The bands of usage, fractions of the trigger with 0 < watch < call < 1.
    official
        Whether the data are those of the official cut; else the page says indicative.
    printed
        A moment to print on the page, as a text.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UnknownWordError
        If no file is named, or a name ends in something else; for a target, an axis or an option
        that is not known.
    OutOfRangeError
        If the bands are not in order.
    MissingExtraError
        If a library of the extra `report` is missing; the sentence says how to install it.
    """
    paths = [Path(output) for output in outputs]
    if not paths:
        raise UnknownWordError("a report needs the name of a file that ends in .html or .pdf")
    for path in paths:
        if path.suffix.lower() not in _WRITERS:
            raise UnknownWordError(
                f"a report is written as .html or .pdf, was '{path.name}'; name the file so"
            )
    if not 0.0 < watch < call < 1.0:
        raise OutOfRangeError(
            f"the bands must be in order, 0 < watch < call < 1, was watch {watch:g}, call {call:g}"
        )
    names = tuple(part.strip() for part in axes.split(";") if part.strip())
    if len(names) > 2:  # noqa: PLR2004  # a map is flat
        raise UnknownWordError(f"a map has one or two axes, was '{axes}'")
    writers = [_library(_WRITERS[path.suffix.lower()]) for path in paths]
    asked = Asked(target=target, axes=names, watch=float(watch), call=float(call))
    page = gather.gather(
        book, previous=previous, limits=limits, limit_options=limit_options, asked=asked
    )
    texts = view.shown(page, official=official, printed=printed)
    for path, writer in zip(paths, writers, strict=True):
        path.write_bytes(writer.write(texts))
    return paths


def _library(name: str) -> ModuleType:
    """Return the module that writes one kind of file.

    Raises
    ------
    MissingExtraError
        If what it needs is not installed.
    """
    try:
        return importlib.import_module(f"crossmargin.desk_report.{name}")
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            f"the report needs {missing.name}, which is not installed: "
            "pip install 'crossmargin[report]'"
        ) from missing
