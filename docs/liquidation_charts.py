"""The charts that the two pages about liquidation share, in the look of the other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from docs.liquidation_pages import MILLION, in_words, money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

    from docs.liquidation_pages import Outcome

BLUE, ORANGE, GREY, RED = "#0b5394", "#c55a11", "#8c8c8c", "#f4c7c3"
DARK_RED: Final = "#7f1d1d"
BEYOND: Final = 1e12  # a usage where no equity is left: it takes the last colour


def plotting() -> ModuleType:
    """Return matplotlib's pyplot without a screen."""
    import matplotlib as mpl  # noqa: PLC0415  # the figures are checked without it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    return plt


def plain(axes: Axes, grid: str = "y") -> None:
    """Give axes the look of the house."""
    axes.spines[["top", "right"]].set_visible(False)
    if grid in {"x", "y", "both"}:
        axes.grid(axis=grid, color="#e6e6e6", linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def save(figure: Figure, path: Path) -> None:
    """Write a chart, the same bytes for the same picture."""
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plotting().close(figure)


def heat(
    axes: Axes,
    moves: tuple[Sequence[float], Sequence[float]],
    figures: tuple[Sequence[Sequence[object]], Sequence[Sequence[object]]],
    labels: tuple[str, str],
) -> QuadMesh:
    """Draw usage as colours over two moves, and where the excess is zero as a line.

    A node without equity has no usage; it takes the last colour, and its excess tells the line.
    """
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    across, down = moves
    usages, excesses = figures
    colours = LinearSegmentedColormap.from_list(
        "usage", ["#e8f1fa", "#9fc5e8", "#fff2cc", "#f6b26b", "#cc4125", DARK_RED]
    )
    filled = [[one if isinstance(one, float) else BEYOND for one in row] for row in usages]
    drawn = axes.pcolormesh(
        list(across), list(down), filled, cmap=colours, vmin=0.0, vmax=1.6, shading="nearest"
    )
    lines = [[float(str(one)) for one in row] for row in excesses]
    axes.contour(list(across), list(down), lines, levels=[0.0], colors="black", linewidths=2.0)
    axes.plot([0.0], [0.0], marker="o", color="white", markeredgecolor="black", markersize=9)
    axes.annotate("today", (0.0, 0.0), xytext=(8, 6), textcoords="offset points", fontsize=10)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return drawn


def bars(axes: Axes, found: Sequence[Outcome], title: str) -> None:
    """Draw what each policy leaves, costs and loses to others, the best on top."""
    places = list(range(len(found)))[::-1]
    left = [one.left / MILLION for one in found]
    cost = [one.cost / MILLION for one in found]
    taken = [one.taken / MILLION for one in found]
    kept = [max(one, 0.0) for one in left]
    paid = [min(one, total) for one, total in zip(cost, _shares(found), strict=True)]
    axes.barh(places, kept, color=BLUE, label="equity left")
    axes.barh(places, paid, left=kept, color=ORANGE, label="fees, spread and impact")
    if any(taken):
        axes.barh(places, taken, left=kept, color=GREY, label="kept by the venue's vault")
    if any(one < 0 for one in left):
        owed = [min(one, 0.0) for one in left]
        axes.barh(places, owed, color=DARK_RED, label="owed")
    axes.set_yticks(places, [in_words(one.policy) for one in found])
    axes.axvline(0.0, color="black", linewidth=0.8)
    end = max(k + p + t for k, p, t in zip(kept, paid, taken, strict=True))
    axes.set_xlim(min(0.0, *left) * 1.15, end * 1.45)
    for place, one in zip(places, found, strict=True):
        lost = f"vault {money(one.taken)}" if one.taken else f"cost {money(one.cost)}"
        words = f"{money(one.left)} left, {lost}"
        axes.annotate(
            words, (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9
        )
    axes.set_title(title, loc="left", fontsize=11)
    plain(axes, "x")


def _shares(found: Sequence[Outcome]) -> list[float]:
    """Return the equity that was there for costs, millions; the rest of them is owed."""
    return [(one.left + one.cost - max(one.left, 0.0)) / MILLION for one in found]
