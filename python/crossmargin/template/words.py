"""Texts of the sheets Glossary and Start, in our own words."""

from __future__ import annotations

from typing import Final

__all__ = ["MISUNDERSTANDINGS", "NOT", "RATIOS", "SHEETS", "STEPS", "UNITS"]

MISUNDERSTANDINGS: Final = (
    (
        "My position has a liquidation price.",
        (
            "Under cross margin the account has one, or rather a surface of them. A single "
            "price holds only with everything else unchanged; the path says what moves with "
            "it."
        ),
    ),
    (
        "It stays where it is.",
        (
            "It moves with the profit of other positions, volatility, time, funding, open orders, "
            "haircuts, and whenever the venue changes a parameter."
        ),
    ),
    (
        "Distance is one over leverage.",
        (
            "That forgets the maintenance margin of everything else in the account. With 4 "
            "of other margin the worked example is liquidated at 99.40, not at 95.38."
        ),
    ),
    (
        "A higher ratio is worse (or better).",
        (
            "It depends on the venue; the table below gives the direction. Usage is the same "
            "everywhere: 0 is calm, 1 is liquidation."
        ),
    ),
    (
        "Equity is what counts.",
        "Adjusted equity counts: after haircuts, tiers and caps of each coin, and debts in full.",
    ),
    (
        "A stablecoin or a staked coin is worth its reference price.",
        (
            "It is worth what the venue's own price says at that moment. USDe was marked at "
            "0.65 on one venue while it stood near 1 elsewhere."
        ),
    ),
    (
        "There will be a margin call.",
        "Several venues never call: at the trigger the engine starts to close.",
    ),
    (
        "Closing the losing leg helps.",
        (
            "It may raise the margin: the other leg loses its hedge. Look at the account "
            "before and after, not at the leg."
        ),
    ),
    (
        "A hedge always lowers margin.",
        (
            "Only within one risk unit. Different coins, another stablecoin base, or an "
            "offset below 1 leave part or all of both legs."
        ),
    ),
    (
        "Liquidation only closes.",
        "Some engines first open a perpetual as a hedge, cancel orders, or hand the account over.",
    ),
    (
        "Auto-deleveraging hits the reckless.",
        "It hits those who are in profit, ranked by profit and leverage.",
    ),
    (
        "The biggest loser goes first.",
        (
            "Only where the venue's rule says so. Others close everything at once, the "
            "largest position, or what frees most margin. The column certainty says how well "
            "the rule is known."
        ),
    ),
    (
        "Resting orders cost nothing.",
        "They add to initial margin, and market-maker protection can be half of it.",
    ),
    (
        "A size is a size.",
        (
            "Coins, contracts or US dollars, depending on venue and contract; see the table "
            "of units and the view of quantities on Checks."
        ),
    ),
    (
        "Margin changes only when prices move.",
        (
            "Venues change brackets and haircuts without notice; each number of a rulebook has "
            "its day."
        ),
    ),
    (
        "A heat map of the market shows where I am liquidated.",
        "It shows where others are assumed to be. Your own distance is on the sheet Liquidation.",
    ),
    (
        "Maintenance is rate times notional.",
        "Less the bracket's cumulative amount: each rate applies to its own slice.",
    ),
    (
        "Inverse contracts behave like linear ones.",
        "With coin collateral the loss of a long and the fall of the collateral come together.",
    ),
)

RATIOS: Final = (
    ("Binance, portfolio margin", "uniMMR", "falls", "105 %", "usage = 1.05 / uniMMR"),
    ("Bybit, unified account", "accountMMRate", "rises", "100 %", "usage = the ratio"),
    ("Deribit", "maintenance margin / equity", "rises", "100 %", "usage = the ratio"),
    ("Derive", "margin, an amount of money", "falls", "0", "excess = the amount"),
    ("Hyperliquid", "maintenance margin / account value", "rises", "100 %", "usage = the ratio"),
    ("OKX", "mgnRatio", "falls", "100 %", "usage = 1 / mgnRatio"),
)

UNITS: Final = (
    ("Binance USD-M", "positionAmt", "coins, signed", "side BOTH: the sign decides"),
    ("Bybit linear", "size", "coins, positive", "side Buy or Sell"),
    ("ccxt", "contracts", "contracts, positive", "side long or short; times contractSize"),
    ("Deribit futures", "size", "US dollars, signed", "size_currency has the coins"),
    ("Deribit options", "size", "coins, signed", ""),
    ("Hyperliquid", "szi", "coins, signed", "k-coins such as kPEPE are thousands"),
    ("OKX", "pos", "contracts", "times ctVal; posSide net: the sign decides"),
)

STEPS: Final = (
    (
        "1  Install",
        (
            "In a terminal: crossmargin libreoffice install, or on Windows crossmargin excel "
            "install. Without the add-in this file shows the values it was saved with."
        ),
    ),
    (
        "2  Choose",
        "Choose the rulebook in the yellow cell above; Rulebook lists what each contains.",
    ),
    (
        "3  Paste",
        (
            "Paste positions, balances, orders and prices into the four yellow sheets, header "
            "included; any order of columns, the names of the venue or of ccxt."
        ),
    ),
    (
        "4  Check",
        (
            "Look at Checks: a row with an error refuses the book and is named there with its "
            "repair."
        ),
    ),
    (
        "5  Read",
        (
            "Summary says how the account stands, Liquidation where it ends and in which order, "
            "Recon whether the venue agrees."
        ),
    ),
)

SHEETS: Final = (
    ("Report", "one page to print: the answer, where it ends, accounts, breaches, actions"),
    ("Positions", "input: what is held, and the venue's own figures"),
    ("Collateral", "input: balances"),
    ("Orders", "input: resting orders"),
    ("Market", "input: volatilities, betas, index prices"),
    ("Options", "input: a second book, with its own rulebook, balances and market"),
    ("History", "input: prices by day, for value at risk, correlations and backtests"),
    ("Rulebook", "every number of the rules with its source; a rulebook or brackets of your own"),
    ("Summary", "equity, margins, excess, usage; collateral; brackets"),
    ("Liquidation", "prices, order, pictures, a worked example"),
    ("Map", "where it ends over two prices, or price and volatility; the nearest scenario"),
    ("WhatIf", "trades of yours before and after; the cheapest ways out, each proved"),
    ("Stress", "named crises and your own, heat map, horizon, what changed, accounts"),
    ("Explain", "each margin taken apart, with formula, inputs and source"),
    ("Scenarios", "price by volatility; the worst scenario and who loses in it"),
    ("Exposure", "delta, gamma, vega, theta by underlying, expiry, strike"),
    ("Compare", "the same holdings under other rulebooks and modes"),
    ("Accounts", "twelve accounts at five venues: the nearest, the first to fail, the transfer"),
    ("Tail", "value at risk and expected shortfall with intervals; the largest losses by date"),
    ("Limits", "limits with what is left of each, owner and action; dynamic leverage"),
    ("Contributions", "who bears the margin and the risk"),
    ("Correlation", "correlations, their change, betas, stressed"),
    ("Backtest", "the margin of the tail book against what happened"),
    ("Recon", "ours and the venue's, side by side; your comments"),
    ("Log", "the main book from day to day: a line to copy, a yellow table to paste it into"),
    ("Checks", "findings, units, columns, assumptions, stamp"),
    ("Worked", "a book of two positions, each figure by hand and by the engine"),
    ("Glossary", "eighteen misunderstandings, directions, units, all functions"),
)

NOT: Final = (
    (
        "An estimate, not the venue's calculation: the venue decides, with its own prices "
        "and clock. Each rulebook says what of it is verified, documented or estimated."
    ),
    (
        "Opened and recalculated in LibreOffice 25.2; its formulas also run through xlwings' own "
        "pipeline. It has not yet been opened in a real Excel."
    ),
    (
        "Offline: nothing leaves this computer, no key of a venue is needed, nothing "
        "recalculates by the clock."
    ),
)
