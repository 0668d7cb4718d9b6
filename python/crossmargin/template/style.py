"""Colours, number formats and widths: one place for how the workbook looks."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["NUMBERS", "STATUS_COLOURS", "STATUS_WORDS", "Styles", "guard", "number_format"]

INK: Final = "#1B2A41"
GREY: Final = "#6B7280"
LINE: Final = "#D5DAE1"
BAND: Final = "#EEF2F7"
INPUT_FILL: Final = "#FFF9DB"
INPUT_INK: Final = "#1F3FBF"
INPUT_LINE: Final = "#E8DFB0"
RED: Final = "#B42318"

# LibreOffice drops the minus where a format of three sections leaves negative numbers to the third:
# where the first looks at the size, the second is for all of them.
NUMBERS: Final = {
    "money": "#,##0;[Red]-#,##0;0",
    "money_fine": "#,##0.00;[Red]-#,##0.00;0.00",
    "price": "[>=1000]#,##0.0;[>=1]#,##0.000;0.000000",
    "quantity": "[>=1000]#,##0;[<0]-General;General",
    "percent": '[>=10]"> 1,000%";[<0][Red]-0.0%;+0.0%',
    "share": "0.0%;[Red]-0.0%;0.0%",
    "move": "+0.0%;-0.0%;0.0%",
    "coins": "#,##0.00##;[Red]-#,##0.00##;0",
    "times": "0.00",
    "usage": "0.000;[Red]-0.000;0.000",
    "rate": "0.0000;[Red]-0.0000;0",
    "plain": "0.0",
    "whole": "#,##0",
    "figure": "[>=1000]#,##0.00;[<0]-#,##0.00##;0.000###",
    "difference": "+#,##0.00####;-#,##0.00####;0",
    "difference_share": "+0.00%;-0.00%;0",
    "thousands": "[>=100]#,##0;[<0]-#,##0.0;0.0",
    "two": "0.00",
    "over": '#,##0" over initial";-#,##0" over initial"',
    "brief": "[>=1000]#,##0;[<0]-#,##0.0##;0.0##",
    "change": "+0.00;-0.00;0.00",
    "short": '[>=1000000]#,##0.00,,"m";[<0]-#,##0;#,##0',
    "text": "General",
}
_WORDS: Final = {
    "money": "equity_gross equity_adjusted im mm order_margin excess_im excess_mm equity_before "
    "equity_after im_before im_after mm_before mm_after cost gross cap usable lost notional "
    "mm_now mm_after jump next_at initialMargin maintenanceMargin isolatedWallet minNotional "
    "maxNotional equity total debt collateral unrealizedPnl base pnl "
    "loss_if_liquidated delta_usd gamma_1pct vega theta net beta_delta standalone component "
    "incremental pnl_in_worst loss result_1 result_2 result_3 others standard_error VaR ES "
    "change_VaR change_ES money largest_notional margin excess average_margin "
    "collateral_change call_amount shortfall theta funding transfer delta_after "
    "excess_im_before excess_im_after excess_im_beyond equity_left mm_left excess_left",
    "price": "mark down up nearest low high price entryPrice markPrice indexPrice "
    "liquidationPrice price_venue price_ref forward strike from to",
    "quantity": "qty quantity contracts amount cash tick beta leverage maxLeverage contractSize "
    "size lot",
    "percent": "down_pct up_pct nearest_pct from_pct to_pct move_1 move_2",
    "share": "room_pct dailyVol share capital_efficiency markIv rate confidence room_to_tier "
    "use_pct coverage coverage_low fails_at mild central severe",
    "move": "price_move",
    "coins": "delta",
    "times": "weight downside_beta blume r2 mean_correlation leverage_cap peak_to_trough",
    "usage": "usage usage_before usage_after usage_left ratio_venue collateralRate value_of_next_1 "
    "fast slow daily annual long_run forecast p_value",
    "rate": "probability terminal terminal_error closed_form "
    "maintenanceMarginRate marginal smallest_eigenvalue",
    "plain": "sigmas z half_life_fast half_life_slow effective n_effective",
    "whole": "step tier row rank id scenarios bars missing rank_component rank_marginal "
    "rank_incremental rank_notional observations days exceeded covers on_frontier "
    "paths steps evaluations breaches",
    "figure": "statistic average cost rise_5d objective now ours venue warn limit hard bound "
    "value_before value_at_size value_beyond",
    "difference": "diff",
    "difference_share": "diff_pct",
}
_BY_HEADER: Final = {word: key for key, words in _WORDS.items() for word in words.split()}
_BY_FUNCTION: Final = {
    ("CM_EXPLAIN", "amount"): "money",
    **{("CM_WHATIF", word): "figure" for word in ("before", "after")},
    ("CM_WHATIF", "change"): "difference",
    **{("CM_IMPACT", word): "difference" for word in ("-10", "-1", "1", "10")},
    **{("CM_SCHEDULE", word): "figure" for word in ("optimal", "even", "at_once")},
    ("CM_MAXWITHDRAW", "held"): "quantity",
    ("CM_EXPOSURE", "leverage"): "times",
    ("CM_CORREL", "delta"): "money",
    **{("CM_ADL", word): "times" for word in ("leverage", "leverage_left", "score")},
    **{("CM_ADL", word): "coins" for word in ("fill_qty", "qty_left")},
    ("CM_ADL", "bankruptcy"): "price",
    ("CM_ADL", "fill"): "money_fine",
    ("CM_LIQCOMPARE", "cost"): "money_fine",
    ("CM_NEAREST", "one_day_probability"): "rate",
    ("CM_NEAREST", "usage_now"): "usage",
    ("CM_CORREL", "beta"): "times",
    ("CM_CORREL", "change"): "usage",
    ("CM_LIMITS", "value"): "figure",
    ("CM_LEVERAGE", "leverage"): "times",
    ("CM_LIQPROB", "standard_error"): "rate",
    ("CM_TAIL", "value"): "money",
    ("CM_TAIL", "low"): "money",
    ("CM_TAIL", "high"): "money",
    ("CM_TAIL", "weight"): "rate",
    ("CM_CHECK", "last_level"): "price",
    ("CM_DIFF", "change"): "money",
}
"""Headers that mean something else in the table of one function."""

STATUS_COLOURS: Final = {
    "ok": ("#D9F2E0", "#14532D"),
    "watch": ("#FFF1B8", "#713F12"),
    "call": ("#FFD8A8", "#7C2D12"),
    "restricted": ("#FDBA8C", "#7C2D12"),
    "liquidatable": ("#B42318", "#FFFFFF"),
    "bankrupt": ("#111827", "#FFFFFF"),
}
STATUS_WORDS: Final = {
    word: {"bg_color": fill, "font_color": ink, "bold": True}
    for word, (fill, ink) in STATUS_COLOURS.items()
}


def number_format(header: object, function: str = "") -> str:
    """Return the number format of a column by its header, and by the function that shows it."""
    word = str(header)
    return NUMBERS[_BY_FUNCTION.get((function, word)) or _BY_HEADER.get(word, "text")]


def guard(value: object) -> dict[str, object]:
    """Return the property that keeps a text a text when a person edits its cell and goes on."""
    is_risky = isinstance(value, str) and value[:1] in {"=", "+", "-", "@"}
    return {"quote_prefix": True} if is_risky else {}


class Styles:
    """Cell formats of one workbook, each made once.

    Parameters
    ----------
    workbook
        An XlsxWriter workbook.
    """

    def __init__(self, workbook: Any) -> None:  # noqa: ANN401  # XlsxWriter has no types
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, object], ...], Any] = {}

    def get(self, **properties: object) -> Any:  # noqa: ANN401
        """Return the format with these properties of XlsxWriter."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            base = {"font_name": "Calibri", "font_size": 10, "valign": "vcenter"}
            self._made[key] = self._workbook.add_format({**base, **dict(key)})
        return self._made[key]

    def rule(self, **properties: object) -> Any:  # noqa: ANN401
        """Return the format of a conditional format, which adds to the cell's own."""
        key = (("rule", True), *sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format(dict(properties))
        return self._made[key]

    @property
    def title(self) -> Any:  # noqa: ANN401
        """Return the format of a sheet's title."""
        return self.get(bold=True, font_size=16, font_color=INK)

    @property
    def note(self) -> Any:  # noqa: ANN401
        """Return the format of explanations."""
        return self.get(font_size=9, font_color=GREY, italic=True)

    @property
    def count(self) -> Any:  # noqa: ANN401
        """Return the format of the number of rows beside a section's heading."""
        return self.get(font_size=9, font_color=GREY, italic=True, align="right", bottom=1)

    @property
    def stamp(self) -> Any:  # noqa: ANN401
        """Return the format of the stamp on each page."""
        return self.get(font_size=8, font_color=GREY)

    @property
    def section(self) -> Any:  # noqa: ANN401
        """Return the format of a section's heading."""
        return self.get(bold=True, font_size=12, font_color=INK, bottom=1, bottom_color=INK)

    @property
    def label(self) -> Any:  # noqa: ANN401
        """Return the format of a label."""
        return self.get(font_color="#374151")

    @property
    def text(self) -> Any:  # noqa: ANN401
        """Return the format of running text."""
        return self.get()

    @property
    def wrapped(self) -> Any:  # noqa: ANN401
        """Return the format of running text over several lines."""
        return self.get(text_wrap=True, valign="top")

    def header(self, *, right: bool = False) -> Any:  # noqa: ANN401
        """Return the format of a table's header."""
        return self.get(
            bold=True,
            font_color="#FFFFFF",
            bg_color=INK,
            align="right" if right else "left",
            text_wrap=True,
            **({} if right else {"indent": 1}),
        )

    def input(self, number: str = "General", **more: object) -> Any:  # noqa: ANN401
        """Return the format of a cell that the user fills."""
        return self.get(
            bg_color=INPUT_FILL,
            font_color=INPUT_INK,
            border=1,
            border_color=INPUT_LINE,
            num_format=number,
            locked=False,
            **more,
        )
