"""The sheet functions, which are the public Python functions too.

Each is a docstring, coercion and one call of the core. In a sheet they carry the name given to
`register`; in Python the full one. Standard library and the compiled core only.
"""

from __future__ import annotations

from crossmargin import _core, explain
from crossmargin._answers import book_of, history_of, matrix_of, pairs_of, rows_of
from crossmargin._types import (
    Block,
    BlockOrText,
    BookArgument,
    Cell,
    CellResult,
    KeyResult,
    Number,
    NumberResult,
    Options,
    TableResult,
    Text,
    TextResult,
)
from crossmargin.account_functions import account_ranking
from crossmargin.action_functions import (
    cure,
    impact,
    reduction_schedule,
    what_if,
    withdrawable,
)
from crossmargin.backtest_functions import backtest, calibration
from crossmargin.calculators import single_liquidation_price
from crossmargin.cells import because
from crossmargin.errors import MissingError, NoAnswerError, OutOfRangeError, UnknownWordError
from crossmargin.frames import as_table
from crossmargin.registry import register
from crossmargin.risk_functions import risk_contributions, tail_measures
from crossmargin.rulebook_choice import one, several, under
from crossmargin.stress_functions import book_difference, horizon, margin_grid, stresses
from crossmargin.table import Table

__all__ = [
    "account_ranking",
    "backtest",
    "book",
    "book_difference",
    "calibration",
    "check",
    "collateral",
    "comparison",
    "correlations",
    "cure",
    "deleveraging",
    "equity",
    "excess",
    "explanation",
    "exposure",
    "first_liquidated",
    "history",
    "horizon",
    "impact",
    "initial_margin",
    "largest_size",
    "leverage_caps",
    "limits",
    "liquidation_map",
    "liquidation_order",
    "liquidation_policies",
    "liquidation_price",
    "liquidation_probability",
    "liquidation_zones",
    "maintenance_margin",
    "margin_grid",
    "nearest_scenarios",
    "one_position_price",
    "ratio",
    "reconciliation",
    "reduction_schedule",
    "risk_contributions",
    "rulebook_diff",
    "rulebooks",
    "scenarios",
    "stresses",
    "summary",
    "tail_measures",
    "tiers",
    "version",
    "what_if",
    "why",
    "withdrawable",
]

BOOK = "Book"
MARGIN = "Margin"
LIQUIDATION = "Liquidation"
CONTROL = "Control"

LARGEST_COUNT = 1_000_000
COMPARED_TRIGGERS = 300


@register(
    "CM_BOOK",
    category=BOOK,
    example='=CM_BOOK(Positions[#All],"hyperliquid",Collateral[#All])',
)
def book(
    positions: Block,
    rulebook: BlockOrText,
    *,
    collateral: Block | None = None,
    market: Block | None = None,
    orders: Block | None = None,
    as_of: Text | None = None,
    options: Options | None = None,
) -> KeyResult:
    """Book of positions, checked; in a sheet its text key, which every other function takes.

    Columns are found by name, in any order, under the names of ccxt and of the native exports of
    Binance, Hyperliquid, Deribit, OKX and Bybit; other columns are ignored and listed by CM_CHECK.
    A row with an error refuses the book and is named.

    Parameters
    ----------
    positions
        Positions with a header row: symbol and quantity, mark price, entry price or unrealised P&L.
    rulebook
        Name of a rulebook, or rows of one with the columns key and value as CM_RULEBOOKS shows
        them, or a two-column range account -> rulebook, or a bracket table with a column rulebook.
    collateral
        Balances with a header row: currency and cash, equity or total, in coins.
    market
        Prices, daily volatilities, betas by underlying or symbol.
    orders
        Open orders: symbol, side, amount, price.
    as_of
        Moment of the data, text; default the latest timestamp of the positions.
    options
        partial=1 goes on without the rows that have errors; totals are then #N/A.
        history= takes the key of CM_HISTORY, which rulebooks of value at risk and expected
        shortfall need; the cell of the key may stand alone (in Python a table will do).
        correlations= (in Python) a matrix with a row per symbol in the order of the positions, for
        a rulebook of your own that measures normal_value_at_risk.

    Returns
    -------
    Book
        The book, immutable; `key` begins with the hash of its contents.

    Raises
    ------
    TableError
        If a row or column cannot be used; the first is named, CM_CHECK lists all.
    UnknownWordError
        If the rulebook is not known.
    RulebookError
        If a rulebook of your own breaks the schema; key and row are named.

    References
    ----------
    Columns as the venues' own interfaces and ccxt name them; CM_CHECK lists what each was
    understood as. The key is a hash of the contents.
    """
    given = dict(options or {})
    partial = str(given.pop("partial", "0")).strip().lower() in {"1", "true", "yes"}
    correlations = matrix_of(given.pop("correlations", None))
    history = given.pop("history", None)
    if given:
        unknown = next(iter(given))
        raise UnknownWordError(f"unknown option '{unknown}'; known: partial, correlations, history")
    if positions is None:
        raise MissingError("positions are missing: a book needs a table of them")
    rules, brackets = several(rulebook)
    return _core.build_book(
        as_table(positions),
        rules,
        collateral=as_table(collateral),
        market=as_table(market),
        orders=as_table(orders),
        brackets=as_table(brackets),
        correlations=correlations,
        history=None if history is None else history_of(history),
        as_of=as_of,
        partial=partial,
    )


@register("CM_CHECK", category=BOOK, example="=CM_CHECK(Positions[#All])")
def check(target: Cell, *, view: Text = "issues", sheet: Text = "auto") -> TableResult:
    """Everything noticed about a book or a pasted range: errors, warnings, how it was understood.

    Parameters
    ----------
    target
        The key of a book or of a history, or any pasted range with its header row.
    view
        issues, columns (what each header was understood as) or units (how quantities were read).
    sheet
        What a range is: positions, collateral, orders, market, brackets, history; auto finds out.

    Returns
    -------
    Table
        One row per finding: severity, sheet, row (the header is row 1), column, value, code,
        message, fix.

    References
    ----------
    Rules of the tables: the names of ccxt and of the venues' exports.
    """
    held, block = explain.target(target)
    if held is not None:
        return rows_of(held.check(view))
    history = explain.history(block)
    if history is not None:
        return rows_of(history.check(view))
    return explain.inspect(as_table(block), view=view, sheet=sheet)


@register("CM_RULEBOOKS", category=BOOK, example='=CM_RULEBOOKS("hyperliquid","tiers")')
def rulebooks(rulebook: BlockOrText | None = None, *, part: Text = "all") -> TableResult:
    """List of the rulebooks, or every number of one with its source, day and status.

    The rows of one rulebook may be copied, changed, and given to CM_BOOK as its rulebook.

    Parameters
    ----------
    rulebook
        Name of a rulebook, or rows of one; left out: the list.
    part
        all, general, levels, shocks, charges, tiers, haircuts, liquidation or sources.

    Returns
    -------
    Table
        id, venue, mode, version, effective, source, status, liquidation_method; for one rulebook
        part, key, value, unit, source, note.

    References
    ----------
    Each row carries its own.
    """
    if rulebook is None:
        return rows_of(_core.rulebook_list())
    form, text = one(rulebook)
    return rows_of(_core.rulebook_parts(form, text, part))


@register("CM_RULEDIFF", category=BOOK, example='=CM_RULEDIFF("hyperliquid","custom")')
def rulebook_diff(rulebook_a: BlockOrText, rulebook_b: BlockOrText) -> TableResult:
    """Difference of two rulebooks: every key that is not the same, with both sources.

    What one of them leaves out counts as what then holds.

    Parameters
    ----------
    rulebook_a
        Name of a rulebook, or rows of one.
    rulebook_b
        The one to compare it with.

    Returns
    -------
    Table
        part, key, a, b, change (b less a where both are numbers, else a word), source_a, source_b.

    References
    ----------
    Each row carries its own.
    """
    return rows_of(_core.rulebook_difference(one(rulebook_a), one(rulebook_b)))


@register("CM_EQUITY", category=MARGIN, example='=CM_EQUITY(Book,"gross")')
def equity(book: BookArgument, *, basis: Text = "adjusted", scope: Text = "all") -> NumberResult:
    """Equity: cash plus unrealised profit and loss less debts, in the reporting currency.

    Parameters
    ----------
    book
        The book.
    basis
        adjusted (what the maintenance level counts), gross, or haircut_loss (the difference).
    scope
        all, an account, or a pool such as main/USDT.

    Returns
    -------
    float
        Money in the reporting currency.

    References
    ----------
    The rulebook's own equity basis and collateral rates: CM_RULEBOOKS, parts levels and
    haircuts.
    """
    return book_of(book).equity(basis, scope)


@register("CM_IM", category=MARGIN, example="=CM_IM(Book)")
def initial_margin(book: BookArgument, *, scope: Text = "all") -> NumberResult:
    """Initial margin with open orders, in the reporting currency.

    Parameters
    ----------
    book
        The book.
    scope
        all, an account, a pool, a coin or a symbol.

    Returns
    -------
    float
        Money in the reporting currency, positive.

    References
    ----------
    The rulebook's own level initial: CM_RULEBOOKS, parts levels, tiers, shocks and charges;
    CM_EXPLAIN cites each branch.
    """
    return book_of(book).initial_margin(scope)


@register("CM_MM", category=MARGIN, example='=CM_MM(Book,"BTC")')
def maintenance_margin(book: BookArgument, *, scope: Text = "all") -> NumberResult:
    """Maintenance margin, in the reporting currency.

    Parameters
    ----------
    book
        The book.
    scope
        all, an account, a pool, a coin or a symbol.

    Returns
    -------
    float
        Money in the reporting currency, positive.

    References
    ----------
    The rulebook's own level maintenance: CM_RULEBOOKS, parts levels, tiers, shocks and charges;
    CM_EXPLAIN cites each branch.
    """
    return book_of(book).maintenance_margin(scope)


@register("CM_RATIO", category=MARGIN, example="=CM_RATIO(Book)")
def ratio(book: BookArgument, *, style: Text = "usage", scope: Text = "all") -> NumberResult:
    """Margin ratio; usage is 0 when calm and 1 at liquidation, on every venue.

    Parameters
    ----------
    book
        The book.
    style
        usage (trigger x MM / adjusted equity, rises to 1), safety (1 / usage), venue (what its
        screen shows, in its own direction).
    scope
        all, an account or a pool; of several pools the one that decides.

    Returns
    -------
    float
        A fraction; no answer where the equity is not above zero.

    References
    ----------
    Usage is trigger x maintenance margin over adjusted equity; style venue is the rulebook's
    venue_ratio.
    """
    try:
        return book_of(book).ratio(style, scope)
    except NoAnswerError as refusal:
        return because(str(refusal))


@register("CM_EXCESS", category=MARGIN, example='=CM_EXCESS(Book,"IM")')
def excess(book: BookArgument, *, above: Text = "MM", scope: Text = "all") -> NumberResult:
    """Money left above a level, or needed if negative, in the reporting currency.

    Parameters
    ----------
    book
        The book.
    above
        MM, IM, or usage=0.7.
    scope
        all, an account or a pool; of several pools the one that decides: what is liquidatable and
        lacks most, else the largest usage.

    Returns
    -------
    float
        Money in the reporting currency.

    References
    ----------
    Equity less trigger x requirement, with the trigger of the rulebook's level: CM_RULEBOOKS,
    part levels.
    """
    return book_of(book).excess(above, scope)


@register("CM_SUMMARY", category=MARGIN, example="=CM_SUMMARY(Book)")
def summary(book: BookArgument, *, group_by: Text = "account") -> TableResult:
    """Summary: equity, margins, usage, excess, status, nearest trigger and what is closed first.

    Parameters
    ----------
    book
        The book.
    group_by
        account, pool, settle, riskUnit or book.

    Returns
    -------
    Table
        One row per group, money in the reporting currency; the trigger moves one coin alone.

    References
    ----------
    As CM_EQUITY, CM_IM, CM_MM, CM_EXCESS, CM_RATIO, CM_LIQPRICE and CM_LIQFIRST.
    """
    return rows_of(book_of(book).summary(group_by))


@register("CM_LIQPRICE", category=LIQUIDATION, example='=CM_LIQPRICE(Book,"BTC")')
def liquidation_price(
    book: BookArgument,
    underlying: Text | None = None,
    *,
    side: Text = "nearest",
    path: Text = "alone",
    which: Text = "trigger",
    options: Options | None = None,
) -> CellResult:
    """Price of a coin at which the whole account becomes liquidatable, or a table of all coins.

    The maintenance margin and the profit and loss of all other positions count, bracket changes on
    the way included. Positions in brackets have no search limit.

    Parameters
    ----------
    book
        The book.
    underlying
        A coin or symbol; left out: a table with one row per coin.
    side
        nearest (fewest one-day sigmas), down or up.
    path
        alone (others unchanged), together (all coins by one ratio) or beta (along betas).
    which
        trigger (liquidatable) or bankrupt (gross equity zero).
    options
        betas=ETH:1.2,SOL:1.5; max=10 (search limit where there is no closed form, times the mark);
        vol=-0.5 (volatilities times the price ratio to this power); days=3 (that much later).

    Returns
    -------
    float or Table
        A price in quote currency per coin, no answer if none exists; or the table.

    References
    ----------
    Roots of equity less trigger x requirement: in closed form between bracket changes, else by
    bisection that excludes only what bounds on the slope prove empty; refined as in
    Chandrupatla 1997.
    """
    pairs = pairs_of(options)
    if underlying is None:
        return rows_of(book_of(book).liquidation_prices(None, path, which, pairs))
    try:
        return book_of(book).liquidation_price(underlying, side, path, which, pairs)
    except NoAnswerError as refusal:
        return because(str(refusal))


@register("CM_LIQORDER", category=LIQUIDATION, example="=CM_LIQORDER(Book)")
def liquidation_order(
    book: BookArgument,
    *,
    scenario: Text = "nearest",
    max_steps: Number = 50.0,
    options: Options | None = None,
) -> TableResult:
    """Order of liquidation: what is closed first and next, the account before and after each step.

    Parameters
    ----------
    book
        The book.
    scenario
        nearest (past the nearest trigger, then on with that coin to ten times its price, or to
        twice a first trigger beyond that), now, or moves such as -0.2 or BTC:-0.2,ETH:-0.3.
    max_steps
        Largest number of steps.
    options
        policy (venue, or a name of CM_LIQCOMPARE), step (whole, needed, a fraction or
        multiples:0.2), stop (healthy, initial, flat, usage:0.7 or a multiple of MM), slippage (a
        fraction, or depth: half-spread and square-root impact from adv, dailyVol and halfSpread of
        the Market sheet), hedge (none, after, first: with the perpetual), elapsed (seconds that an
        auction has lasted), reserved (money that its earlier bids have brought), gap, until (flat,
        healthy), seed, tag, list.

    Returns
    -------
    Table
        One row per closing, money in the reporting currency; without rows if nothing is liquidated.
        A step that raises the margin or lowers the excess says so in its reason.

    References
    ----------
    The rulebook's part liquidation, each item with its source; the square-root law where
    slippage is reckoned from depth.
    """
    return rows_of(book_of(book).liquidation_order(scenario, max_steps, pairs_of(options)))


@register("CM_LIQFIRST", category=LIQUIDATION, example='=CM_LIQFIRST(Book,,,"sentence")')
def first_liquidated(
    book: BookArgument,
    *,
    count: Number = 1.0,
    scenario: Text = "nearest",
    what: Text = "symbol",
    options: Options | None = None,
) -> CellResult:
    """What is liquidated first, as a symbol or as one sentence.

    Where the rule draws at random and no seed is given, the odds of each symbol.

    Parameters
    ----------
    book
        The book.
    count
        How many symbols.
    scenario
        As in CM_LIQORDER.
    what
        symbol or sentence.
    options
        As in CM_LIQORDER.

    Returns
    -------
    str or Table
        One text; a table with one row each for several.

    References
    ----------
    As CM_LIQORDER.
    """
    if what.lower() not in {"symbol", "sentence"}:
        raise UnknownWordError(f"unknown form '{what}'; known: symbol, sentence")
    if not 1 <= count <= LARGEST_COUNT:
        raise OutOfRangeError(f"count must be from 1 to {LARGEST_COUNT}, was {count:g}")
    wanted = what.lower() == "sentence"
    texts = book_of(book).first_liquidated(int(count), scenario, wanted, pairs_of(options))
    if not texts:
        return because("nothing is liquidated: no price makes any account liquidatable")
    if len(texts) == 1:
        return texts[0]
    return Table((what.lower(),), [(text,) for text in texts])


@register("CM_LIQ1", category=LIQUIDATION, example="=CM_LIQ1(1,100,5,0.004)")
def one_position_price(
    quantity: Number,
    entry: Number,
    collateral: Number,
    mmr: Number,
    *,
    kind: Text = "linear",
    other_mm: Number = 0.0,
    options: Options | None = None,
) -> NumberResult:
    """Liquidation price of one position without a book, for checking and teaching.

    Parameters
    ----------
    quantity
        Signed quantity: coins (linear) or USD (inverse); long > 0.
    entry
        Average entry price.
    collateral
        Margin without unrealised profit and loss: quote currency (linear), coins (inverse).
    mmr
        Maintenance margin rate, a fraction.
    kind
        linear or inverse.
    other_mm
        Maintenance margin of the rest of the account.
    options
        mark, maint_amount, fee, leverage, maintenance_on, tick, side.

    Returns
    -------
    float
        A price; no answer if no price above zero liquidates the position.

    Raises
    ------
    OutOfRangeError
        If the position is liquidatable already.

    References
    ----------
    Linear: (collateral + quantity x (P - entry)) = mmr x |quantity| x P + other, solved for P;
    inverse: the same in coins. The venues' pages for their isolated positions.
    """
    found = single_liquidation_price(
        quantity,
        entry,
        collateral,
        mmr,
        kind=kind,
        other_maintenance=other_mm,
        options=dict(options or {}),
    )
    if found.already_liquidatable:
        raise OutOfRangeError(
            f"the position is liquidatable already: collateral {collateral} does not exceed the "
            "maintenance margin at the price it starts from"
        )
    if found.liquidation_price is None:
        return because(found.reason)
    return found.liquidation_price


@register("CM_EXPLAIN", category=MARGIN, example='=CM_EXPLAIN(Book,"MM")')
def explanation(
    book: BookArgument, *, measure: Text = "MM", group_by: Text = "component"
) -> TableResult:
    """The margin taken apart: every branch with formula, inputs and source, and whether it counts.

    The rows that count sum to CM_MM or CM_IM exactly.

    Parameters
    ----------
    book
        The book.
    measure
        MM or IM.
    group_by
        component, riskUnit or position.

    Returns
    -------
    Table
        Money in the reporting currency, and a TOTAL row.

    References
    ----------
    The rulebook's own; the column source cites each branch.
    """
    return rows_of(book_of(book).explain(measure, group_by))


@register("CM_SCENARIOS", category=MARGIN, example='=CM_SCENARIOS(Book,"BTC","list")')
def scenarios(book: BookArgument, *, risk_unit: Text = "", layout: Text = "matrix") -> TableResult:
    """Profit and loss of a risk unit in the scenarios of its rulebook.

    Parameters
    ----------
    book
        The book.
    risk_unit
        A coin, or account/coin; blank is the unit with the largest loss.
    layout
        matrix (price move by volatility move), list, or positions (who loses in the worst).

    Returns
    -------
    Table
        Results as they count, reporting currency; a gain is above zero.

    Raises
    ------
    NotCoveredError
        If the rulebook is not measured by scenarios.

    References
    ----------
    The scenario sets of the rulebook (CM_RULEBOOKS, part shocks); options by Black 1976.
    """
    return rows_of(book_of(book).scenarios(risk_unit, layout))


@register("CM_EXPOSURE", category=MARGIN, example='=CM_EXPOSURE(Book,"expiry")')
def exposure(
    book: BookArgument, *, group_by: Text = "underlying", unit: Text = "usd"
) -> TableResult:
    """Delta, gamma of a 1 % move, vega per point and theta per day.

    Parameters
    ----------
    book
        The book.
    group_by
        underlying, expiry, strike, account or symbol.
    unit
        usd (the reporting currency) or coin.

    Returns
    -------
    Table
        delta in coins, delta_usd in the reporting currency; the rest in the unit; a TOTAL row.

    References
    ----------
    Black 1976, and its derivatives as in Haug, The Complete Guide to Option Pricing Formulas,
    2nd edition.
    """
    return rows_of(book_of(book).exposure(group_by, unit))


@register("CM_COMPARE", category=MARGIN, example='=CM_COMPARE(Book,"cross;isolated;pm")')
def comparison(
    book: BookArgument, rulebooks: BlockOrText, *, triggers: Text = "auto"
) -> TableResult:
    """The same holdings under several rulebooks or modes, side by side, re-booked where needed.

    The note says what was re-booked and which components that count are estimated.

    Parameters
    ----------
    book
        The book.
    rulebooks
        Names with semicolons between (deribit-spm;span-16), cells of names, or the modes cross,
        isolated and pm of the book's venue.
    triggers
        yes, no or auto: seek the nearest trigger and what goes first (auto: up to 300 positions).

    Returns
    -------
    Table
        One row per rulebook; capital_efficiency is 1 less the ratio of mm to the first row's.

    References
    ----------
    Every rulebook by its own sources; see CM_RULEBOOKS.
    """
    held = book_of(book)
    if triggers not in {"auto", "yes", "no"}:
        raise UnknownWordError(f"triggers must be auto, yes or no, was {triggers!r}")
    sought = triggers == "yes" or (triggers == "auto" and held.row_count <= COMPARED_TRIGGERS)
    return rows_of(held.compared(under(rulebooks), sought))


@register("CM_TIERS", category=MARGIN, example="=CM_TIERS(Book)")
def tiers(book: BookArgument, *, horizon: Number = 0.25) -> TableResult:
    """Maintenance bracket of each position, where the next one starts and what it would cost.

    Parameters
    ----------
    book
        The book.
    horizon
        Relative growth of the notional for mm_after and jump, a fraction.

    Returns
    -------
    Table
        One row per position, money in the settlement currency.

    References
    ----------
    The rulebook's brackets (CM_RULEBOOKS, part tiers); cumulative amounts are computed from
    floors and rates.
    """
    return rows_of(book_of(book).tiers(horizon))


@register("CM_COLLATERAL", category=MARGIN, example="=CM_COLLATERAL(Book)")
def collateral(book: BookArgument, *, sort: Text = "usable") -> TableResult:
    """Collateral from gross to usable, currency by currency.

    Parameters
    ----------
    book
        The book.
    sort
        usable or lost.

    Returns
    -------
    Table
        One row per currency: amounts in coins, values in the reporting currency, and a TOTAL row.

    References
    ----------
    The rulebook's own rates and slices, each with its source in CM_RULEBOOKS, part haircuts.
    """
    return rows_of(book_of(book).collateral(sort))


@register("CM_RECON", category=CONTROL, example="=CM_RECON(Book)")
def reconciliation(
    book: BookArgument, *, tolerance: Number = 0.005, scope: Text = "all"
) -> TableResult:
    """Our figures beside the venue's own of the same paste, with the likely cause of a difference.

    Parameters
    ----------
    book
        The book.
    tolerance
        Below 1 a fraction of the venue's figure, from 1 on an amount of money.
    scope
        all, account or position.

    Returns
    -------
    Table
        scope, item, ours, venue, diff, diff_pct, status, likely_cause.

    References
    ----------
    A comparison with figures of the same paste; causes are named by what would explain the
    difference.
    """
    return rows_of(book_of(book).recon(tolerance, tolerance < 1.0, scope))


@register("CM_WHY", category=CONTROL, example='=CM_WHY(Book,"CM_LIQPRICE;BTC;nearest")')
def why(target: Cell, *, topic: Text = "") -> TableResult:
    """Plain sentences for a number, an error, or a book.

    Parameters
    ----------
    target
        A book key, or the cell whose formula is to be explained.
    topic
        For a book: stamp, assumptions, error, or a function with its arguments such as
        CM_LIQPRICE;BTC;nearest.

    Returns
    -------
    Table
        topic, sentence (at most 255 characters), reference.

    References
    ----------
    The answer's own: the column reference.
    """
    return explain.why(target, topic)


@register("CM_VERSION", category=CONTROL, example="=CM_VERSION()")
def version() -> TextResult:
    """Version of the engine, build profile, processor and instruction set.

    Returns
    -------
    str
        Such as crossmargin 0.1.0, release, x86_64, portable.

    References
    ----------
    None: it reports the build.
    """
    return "crossmargin " + ", ".join(_core.build_information())


# at the end: these modules take words from this one
from crossmargin.correlation_functions import correlations  # noqa: E402
from crossmargin.history_functions import history  # noqa: E402
from crossmargin.limit_functions import (  # noqa: E402  # they use what stands above
    largest_size,
    leverage_caps,
    limits,
    liquidation_probability,
)
from crossmargin.map_functions import (  # noqa: E402
    liquidation_map,
    liquidation_zones,
    nearest_scenarios,
)
from crossmargin.waterfall_functions import (  # noqa: E402
    deleveraging,
    liquidation_policies,
)
