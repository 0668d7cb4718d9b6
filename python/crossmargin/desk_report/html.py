"""The report as one HTML file without anything from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from crossmargin.desk_report import charts
from crossmargin.template.style import STATUS_COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["write"]


def write(view: Mapping[str, Any]) -> bytes:
    """Return the file; every text is escaped, only our own drawings are taken as they are."""
    environment = Environment(
        loader=PackageLoader("crossmargin.desk_report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = {
        "map_drawing": Markup(charts.liquidation_map(view["map"], height=view["height"])),  # noqa: S704  # ours, its texts are shapes
        "usage_drawing": Markup(charts.usage_bands(view["usage"], height=view["height"])),  # noqa: S704  # likewise
    }
    page = environment.get_template("report.html.jinja")
    return page.render(page=view, colours=STATUS_COLOURS, **drawn).encode()
