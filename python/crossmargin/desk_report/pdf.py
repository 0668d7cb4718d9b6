"""The report as a PDF, set by Typst: no program and no font of the computer is needed."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import typst

from crossmargin.desk_report import charts
from crossmargin.template.style import STATUS_COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["write"]


def write(view: Mapping[str, Any]) -> bytes:
    """Return the file; texts go in as data and are never part of the markup."""
    markup = resources.files("crossmargin.desk_report").joinpath("report.typ").read_bytes()
    data = {
        "page": view,
        "colours": {word: list(pair) for word, pair in STATUS_COLOURS.items()},
        "map_drawing": charts.liquidation_map(view["map"], height=view["height"]),
        "usage_drawing": charts.usage_bands(view["usage"], height=view["height"]),
    }
    fonts = typst.Fonts(  # those of the computer left out: the same bytes everywhere
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(Path(mpl.get_data_path()) / "fonts" / "ttf")],
    )
    made = typst.compile(
        markup, format="pdf", sys_inputs={"data": json.dumps(data)}, font_paths=fonts
    )
    if not isinstance(made, bytes):
        raise TypeError(f"one PDF was expected, was {type(made).__name__}")
    return made
