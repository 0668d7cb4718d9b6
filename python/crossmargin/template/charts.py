"""The two charts of the sheet Liquidation and the columns that feed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.calls import Named, call
from crossmargin.template.values import ERROR_MARK

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.page import Page

__all__ = ["write"]

NOTHING: Final = f"{ERROR_MARK}#N/A"
_COINS, _STEPS = 12, 20
_HEIGHT: Final = 372
_BARE: Final = {"major_tick_mark": "none", "minor_tick_mark": "none"}


def write(page: Page, prices: Block, *, top: int) -> None:
    """Write the feeding columns right of the printed page, and the charts below row `top`."""
    page.widths("T", 3, 8, 11, 10, 10, 3, 8, 10, 10, 10, 3, 7, 12, 9, 9, 7, *[11] * 11, 40, 12)
    page.text("U5", "Feeds the pictures; not printed", page.styles.section)
    coins = _coins(page, prices)
    steps = _steps(page)
    down, up = _series(page, "W", coins), _series(page, "X", coins)
    style = {"name": "Calibri", "size": 9}
    bars = page.workbook.add_chart({"type": "bar"})
    for name, values, colour, label in (
        ("falls", down, "#B42318", '[<=-1]"< -100%";[<0]-0%;""'),
        ("rises", up, "#2F6DB5", '[>=1]"> 100%";[>0]+0%;""'),
    ):
        bars.add_series(
            {
                "name": f"liquidated when the coin {name}",
                "categories": _series(page, "V", coins),
                "values": values,
                "fill": {"color": colour},
                "overlap": 100,
                "gap": 45,
                "data_labels": {
                    "value": True,
                    "position": "outside_end",
                    "num_format": label,
                    "font": style,
                },
            }
        )
    bars.set_title({"name": "Distance to liquidation, coin by coin", "name_font": {"size": 12}})
    bars.set_x_axis(
        {
            "name": "move of the coin's price from its mark, % (bars end at 100 %)",
            "label_position": "high", "major_tick_mark": "none", "line": {"none": True},
            "minor_tick_mark": "none", "num_format": "+0%;-0%;0%", "min": -1, "max": 1,
            "major_unit": 0.25,
            "name_font": {"size": 9, "bold": False}, "num_font": style,
            "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}},
        }
    )  # fmt: skip
    bars.set_y_axis({"reverse": True, "label_position": "low", "num_font": style, **_BARE})
    _place(page, bars, f"B{top + 1}", 640)
    columns = page.workbook.add_chart({"type": "column"})
    for name, letter, colour in (("before", "AA", "#B42318"), ("after", "AB", "#5B9A68")):
        columns.add_series(
            {
                "name": f"{name} the step",
                "categories": _series(page, "Z", steps),
                "values": _series(page, letter, steps),
                "fill": {"color": colour},
                "gap": 60,
            }
        )
    line = page.workbook.add_chart({"type": "line"})
    line.add_series(
        {
            "name": "trigger (1 = liquidation)",
            "categories": _series(page, "Z", steps),
            "values": _series(page, "AC", steps),
            "line": {"color": "#111827", "width": 1.5, "dash_type": "dash"},
        }
    )
    columns.combine(line)
    columns.set_title(
        {"name": "Usage before and after each step of the venue's rule", "name_font": {"size": 12}}
    )
    columns.set_x_axis(
        {"name": "step, as the move goes on", "name_font": {"size": 9, "bold": False},
         "num_font": style, **_BARE},
    )  # fmt: skip
    columns.set_y_axis(
        {
            "name": "usage (1 = liquidation)", "min": 0, "max": 1.2, "major_unit": 0.2,
            "num_format": "0.0", **_BARE, "num_font": style,
            "name_font": {"size": 9, "bold": False},
            "major_gridlines": {"visible": True, "line": {"color": "#E5E7EB"}},
        }
    )  # fmt: skip
    _place(page, columns, f"K{top + 1}", 690)
    page.text(
        f"B{top + 21}",
        "Left: each coin moves alone, all other prices, balances and orders held fixed; shortest "
        "distance first, at most twelve coins. Right: the nearest scenario, then on along the same "
        "coin until nothing is left; no slippage, no funding, no new trades.",
        page.styles.get(font_size=8, font_color="#6B7280"),
    )


def _place(page: Page, chart: object, address: str, width: int) -> None:
    chart.set_legend({"position": "bottom", "font": {"size": 9}})  # type: ignore[attr-defined]
    chart.set_size({"width": width, "height": _HEIGHT})  # type: ignore[attr-defined]
    chart.set_chartarea({"border": {"color": "#D5DAE1"}})  # type: ignore[attr-defined]
    page.sheet.insert_chart(address, chart, {"object_position": 2, "x_offset": 2, "y_offset": 4})


def _series(page: Page, letter: str, count: int) -> str:
    return f"={page.name}!${letter}$8:${letter}${7 + count}"


def _coins(page: Page, prices: Block) -> int:
    """Write the nearest coins, nearest first; return how many a chart shows."""
    for letter, word in zip("UVWX", ("rank", "coin", "down", "up"), strict=True):
        page.text(f"{letter}7", word, page.styles.header())
    column = prices.column
    known = {name: [] if prices.failed else prices.values(name) for name in prices.header}
    distances = [abs(value) if isinstance(value, float) else None for value in known["nearest_pct"]]
    ranked = sorted(
        (distance, place) for place, distance in enumerate(distances) if distance is not None
    )
    # the distance of each coin beside the feed, so that an ordinary SMALL can rank it
    first = prices.top + 2
    page.text(f"U{first - 1}", "distance", page.styles.header())
    for place in range(prices.capacity):
        own = prices.cell(place + 1, "nearest_pct")
        distance = distances[place] if place < len(distances) else None
        page.formula(
            f"U{first + place}", f'=IF(ISNUMBER({own}),ABS({own})+ROW()*1E-12,"")',
            "" if distance is None else distance + (first + place) * 1e-12,
        )  # fmt: skip
    area = f"$U${first}:$U${first + prices.capacity - 1}"
    for number in range(_COINS):
        row = 8 + number
        found_at = ranked[number][1] if number < len(ranked) else None
        page.value(row - 1, 20, float(number + 1))
        at = f"MATCH(SMALL({area},U{row}),{area},0)"
        names = (("V", "underlying"), ("W", "down_pct"), ("X", "up_pct"))
        for letter, word in names:
            found = f"INDEX({column(word)},{at})"
            shown = "" if found_at is None else known[word][found_at]
            if word == "underlying":
                text, value = f'=IFERROR({found},"")', shown
            else:
                bound = f"MIN({found},1)" if word == "up_pct" else found
                text = f"=IFERROR({bound},0)"
                value = min(shown, 1.0) if isinstance(shown, float) else 0.0
            page.formula(f"{letter}{row}", text, value, page.styles.get(num_format="0.000"))
    return max(min(len(ranked), _COINS), 1)


def _steps(page: Page) -> int:
    """Write usage step by step from the whole path; return how many steps a chart shows."""
    for letter, word in zip(
        ("Z", "AA", "AB", "AC"), ("step", "before", "after", "trigger"), strict=True
    ):
        page.text(f"{letter}7", word, page.styles.header())
    page.text("AE5", "The whole path under the venue's own rule", page.styles.section)
    path = page.block("AE7", call("CM_LIQORDER", Named("Book"), Named("Scenario")), 400)
    page.count("AE6", path)
    numbers, before, after = (
        [] if path.failed else path.values(word) for word in ("step", "usage_before", "usage_after")
    )
    last = max((int(value) for value in numbers if isinstance(value, float)), default=0)
    for number in range(1, _STEPS + 1):
        row = 7 + number
        page.value(row - 1, 25, float(number))
        found = f"MATCH(Z{row},{path.column('step')},0)"
        place = numbers.index(float(number)) if float(number) in numbers else None
        for letter, word, values in (("AA", "usage_before", before), ("AB", "usage_after", after)):
            page.formula(
                f"{letter}{row}", f"=IFERROR(INDEX({path.column(word)},{found}),NA())",
                NOTHING if place is None else values[place], page.styles.get(num_format="0.000"),
            )  # fmt: skip
        page.formula(
            f"AC{row}",
            f"=IF(ISNUMBER(AA{row}),1,NA())",
            NOTHING if place is None or not isinstance(before[place], float) else 1.0,
        )
    return max(min(last, _STEPS), 1)
