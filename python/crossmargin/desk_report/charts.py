"""The two charts of page 1 as SVG: the map of liquidation, and usage over its bands."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from crossmargin.desk_report.wording import LETTERS
from crossmargin.template.style import STATUS_COLOURS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["liquidation_map", "usage_bands"]

INK: Final = "#1B2A41"
GREY: Final = "#6B7280"
RED: Final = "#B42318"
COLOURS: Final = {
    "ok": "#E6F4EA",
    "watch": STATUS_COLOURS["watch"][0],
    "call": STATUS_COLOURS["call"][0],
    "liquidatable": "#F0A69D",
    "unknown": "#E5E7EB",
}
_END: Final = 1.2
_TEXT: Final[dict[str, Any]] = {"parse_math": False, "color": INK}
_SIZES: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 6.5,
    "svg.fonttype": "path",  # the same picture on every computer, whatever fonts it has
    "svg.hashsalt": "crossmargin",  # the same names inside, so the same bytes
    "axes.unicode_minus": False,
}


def liquidation_map(view: Mapping[str, Any], width: float = 4.5, height: float = 2.15) -> str:
    """Return the map: a cell for every pair of moves, its letter, the border of liquidation.

    Parameters
    ----------
    view
        The part `map` of a page.
    width, height
        Inches.
    """
    with mpl.rc_context(_SIZES):
        figure, axes = _empty(width, height)
        if "reason" in view:
            axes.axis("off")
            axes.text(0.5, 0.5, view["reason"][:120], ha="center", wrap=True, **_TEXT)
            return _svg(figure)
        cells = view["cells"]
        for row, words in enumerate(cells):
            for column, word in enumerate(words):
                axes.add_patch(_box(column, row, COLOURS[word]))
                axes.text(column + 0.5, row + 0.5, LETTERS[word], ha="center", va="center",
                          fontsize=6.5, **_TEXT)  # fmt: skip
        _border(axes, cells)
        across, down = view["now"]
        axes.add_patch(Rectangle((across, down), 1, 1, fill=False, edgecolor=INK, lw=1.8, zorder=5))
        axes.set_xlim(0, len(cells[0]))
        axes.set_ylim(len(cells), 0)
        axes.set_xticks([place + 0.5 for place in range(len(cells[0]))], view["x_moves"])
        axes.set_yticks([place + 0.5 for place in range(len(cells))], view["y_moves"])
        axes.set_xlabel(f"move of {view['x']}", **_TEXT)
        axes.set_ylabel(f"move of {view['y']}" if view["y"] else "", **_TEXT)
        axes.tick_params(length=0, labelsize=6, colors=GREY)
        for side in axes.spines.values():
            side.set_visible(False)
        return _svg(figure)


def usage_bands(view: Mapping[str, Any], width: float = 6.1, height: float = 2.15) -> str:
    """Return usage per account over the bands: trade, watch, call, liquidate.

    A larger usage than the scale ends with, or an account without any equity, stands at the end.

    Parameters
    ----------
    view
        The part `usage` of a page.
    width, height
        Inches.
    """
    accounts: Sequence[Mapping[str, Any]] = view["accounts"]
    with mpl.rc_context(_SIZES):
        figure, axes = _empty(width, height)
        bands = (
            ("trade", 0.0, view["watch"], "ok"),
            ("watch", view["watch"], view["call"], "watch"),
            ("call", view["call"], 1.0, "call"),
            ("liquidate", 1.0, _END, "liquidatable"),
        )
        for name, start, end, word in bands:
            axes.axvspan(start, end, color=COLOURS[word], lw=0)
            axes.text((start + end) / 2, 1.01, name, ha="center", va="bottom", fontsize=6.5,
                      transform=axes.get_xaxis_transform(), **_TEXT)  # fmt: skip
        axes.axvline(1.0, color=RED, lw=1.2)
        for place, account in enumerate(accounts):
            now, before = account["usage"], account["before"]
            end = _drawn(now)
            axes.barh([place], [end], height=0.42, color=INK)
            if isinstance(before, float):
                axes.plot([_drawn(before)] * 2, [place - 0.36, place + 0.36], color=RED, lw=1.4)
            label = f"{now:.2f}" if isinstance(now, float) else str(account["status"])
            inside = end > _END - 0.15
            axes.text(end - 0.01 if inside else end + 0.01, place, label, va="center",
                      ha="right" if inside else "left", fontsize=6.5, parse_math=False,
                      color="#FFFFFF" if inside else INK)  # fmt: skip
        axes.set_xlim(0, _END)
        axes.set_ylim(max(len(accounts), 6) - 0.4, -0.6)
        axes.set_yticks(range(len(accounts)), [account["name"] for account in accounts])
        for tick in axes.get_yticklabels():
            tick.set_parse_math(False)
        ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, _END]
        axes.set_xticks(ticks, [f"{tick:.1f}" for tick in ticks])
        earlier = "; red tick: the earlier book" if any(
            isinstance(one["before"], float) for one in accounts) else ""  # fmt: skip
        axes.set_xlabel(f"usage, 1 = liquidation{earlier}", **_TEXT)
        axes.tick_params(length=0, labelsize=6.5, colors=GREY)
        for side in axes.spines.values():
            side.set_visible(False)
        return _svg(figure)


def _empty(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def _box(column: int, row: int, colour: str) -> Rectangle:
    return Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="#FFFFFF", lw=0.5)


def _border(axes: Axes, cells: Sequence[Sequence[str]]) -> None:
    """Draw the line between what is liquidated and what is not."""
    for row, words in enumerate(cells):
        for column, word in enumerate(words):
            lost = word == "liquidatable"
            if column + 1 < len(words) and lost != (words[column + 1] == "liquidatable"):
                axes.plot([column + 1] * 2, [row, row + 1], color=RED, lw=1.6)
            if row + 1 < len(cells) and lost != (cells[row + 1][column] == "liquidatable"):
                axes.plot([column, column + 1], [row + 1] * 2, color=RED, lw=1.6)


def _drawn(usage: object) -> float:
    return min(max(usage, 0.0), _END) if isinstance(usage, float) else _END


def _svg(figure: Figure) -> str:
    """Return a figure as SVG without a date; a letter that the font lacks is drawn as a box."""
    target = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(target, format="svg", metadata={"Date": None}, transparent=True)
    text = target.getvalue()
    return text[text.index("<svg") :]
