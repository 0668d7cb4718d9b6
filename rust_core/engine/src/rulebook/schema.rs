//! Every key of a rulebook: where it stands, what it holds, its unit, and what holds where it is left out.
//!
//! The checks of a file, the flat rows of a sheet, the difference of two rulebooks and the reference page
//! are made from this list. A test holds it against the structs that read a file.

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One number.
    Number,
    /// One text.
    Text,
    /// A day, `YYYY-MM-DD`.
    Day,
    /// Yes or no.
    Flag,
    /// Numbers.
    Numbers,
    /// Texts.
    Texts,
    /// Volatility moves: words or numbers.
    Moves,
}

impl Kind {
    /// What it must be, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Day => "a day such as 2026-11-20, as text",
            Self::Flag => "true or false",
            Self::Numbers => "a list of numbers",
            Self::Texts => "a list of texts",
            Self::Moves => "a list of words and numbers",
        }
    }

    /// The same for a cell of a sheet.
    pub(super) fn cell_words(self) -> &'static str {
        match self {
            Self::Flag => "yes or no",
            Self::Numbers => "numbers with semicolons between them, such as 0; 0.5",
            Self::Texts => "words with semicolons between them, such as BTC; ETH",
            Self::Moves => "words and numbers with semicolons between them, such as up; 0.25",
            other => other.words(),
        }
    }
}

/// What stands under a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A value.
    Value(Kind),
    /// A group of keys.
    Group(&'static [Key]),
    /// Groups or values under names of the author's own; without keys a value of the kind.
    Named(&'static [Key], Kind),
    /// A list of groups, each called by the key that names it, if one does.
    List(&'static [Key], Option<&'static str>),
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Its name in the group.
    pub(super) name: &'static str,
    /// What stands under it.
    pub(super) shape: Shape,
    /// Whether it must be given wherever its group is.
    pub(super) required: bool,
    /// Unit of its value; `{report}` and `{settle}` stand for the rulebook's currencies.
    pub(super) unit: &'static str,
    /// What holds where it is left out, as a cell shows it; empty for nothing or for what depends.
    pub(super) default: &'static str,
}

const fn may(name: &'static str, kind: Kind, unit: &'static str, default: &'static str) -> Key {
    Key { name, shape: Shape::Value(kind), required: false, unit, default }
}

const fn must(name: &'static str, kind: Kind, unit: &'static str) -> Key {
    Key { name, shape: Shape::Value(kind), required: true, unit, default: "" }
}

const fn group(name: &'static str, keys: &'static [Key]) -> Key {
    Key { name, shape: Shape::Group(keys), required: false, unit: "", default: "" }
}

const fn list(name: &'static str, keys: &'static [Key], called: Option<&'static str>) -> Key {
    Key { name, shape: Shape::List(keys, called), required: false, unit: "", default: "" }
}

use Kind::{Day, Flag, Moves, Number, Numbers, Text, Texts};

const SOURCE: Key = may("source", Text, "name of a source", "");

/// The keys of a whole rulebook, in the order in which they are shown.
pub(super) static ROOT: &[Key] = &[
    must("id", Text, ""),
    must("version", Text, ""),
    must("venue", Text, ""),
    may("mode", Text, "", ""),
    must("report_currency", Text, "currency"),
    must("settle", Text, "currency"),
    may("balance_total", Text, "", "cash"),
    must("source", Text, "page"),
    must("retrieved", Day, "day"),
    must("effective", Day, "day"),
    may("status", Text, "", "estimated"),
    may("note", Text, "", ""),
    may("venue_ratio", Text, "", "maintenance_over_equity"),
    group("pool", &[may("kind", Text, "", "account")]),
    group("pricing", PRICING),
    group("bands", &[may("watch", Number, "usage", "0.5"), may("call", Number, "usage", "0.7")]),
    Key { name: "refusals", shape: Shape::Named(&[], Text), required: false, unit: "reason", default: "" },
    group("levels", LEVELS),
    Key { name: "measure", shape: Shape::Group(MEASURE), required: true, unit: "", default: "" },
    group("tail", TAIL),
    list("profiles", PROFILE, Some("underlyings")),
    list("credits", CREDIT, None),
    list("borrowing", BORROWING, None),
    group("tiers", TIERS),
    group("collateral", COLLATERAL),
    group("liquidation", LIQUIDATION),
    Key { name: "sources", shape: Shape::Named(CITED, Text), required: false, unit: "", default: "" },
];

static CITED: &[Key] = &[
    must("address", Text, "page"),
    must("retrieved", Day, "day"),
    must("effective", Day, "day"),
    must("status", Text, ""),
    may("note", Text, "", ""),
];

static PRICING: &[Key] =
    &[may("discounting", Text, "", "nothing"), may("settlement_average_seconds", Number, "seconds", "0")];

static LEVELS: &[Key] = &[group("initial", LEVEL), group("maintenance", LEVEL), SOURCE];

static LEVEL: &[Key] = &[
    may("factor", Number, "x measure", "1"),
    may("trigger", Number, "x requirement", "1"),
    may("inclusive", Flag, "", "no"),
    may("haircut", Flag, "", "yes"),
    may("gains", Flag, "", "yes"),
    may("option_value", Text, "", "all"),
    may("depeg_threshold", Number, "USD per coin", ""),
    may("depeg_rate", Number, "factor per USD", ""),
];

static MEASURE: &[Key] = &[
    must("kind", Text, ""),
    may("maintenance_on", Text, "", ""),
    may("orders", Text, "", ""),
    may("price_moves", Numbers, "relative move", ""),
    may("price_move", Number, "relative move", ""),
    may("numeraire", Text, "", ""),
    may("unit", Text, "", ""),
    may("collateral_in_scan", Flag, "", "no"),
    may("haircut_and_scan", Flag, "", "no"),
    may("gross_notional_rate", Number, "fraction", "0"),
    may("confidence", Number, "probability", ""),
    may("horizon_days", Number, "days", ""),
    may("days_per_year", Number, "days", "365"),
    SOURCE,
];

static TAIL: &[Key] = &[
    may("scenarios", Text, "", "historical"),
    may("initial_horizon_days", Number, "days", ""),
    may("age_options", Flag, "", "yes"),
    may("option_volatility", Text, "", "required"),
    may("revaluation", Text, "", "full"),
    may("floor_window", Number, "observations", ""),
    group(
        "history",
        &[
            may("window", Number, "observations", "500"),
            may("aggregation", Text, "", "overlapping"),
            may("decay", Number, "per bar", "0.97"),
            may("largest_scale", Number, "factor", "4"),
            may("floor_share", Number, "share of volatility", "0"),
            may("age_decay", Number, "per observation", "0.995"),
            may("proxy", Text, "coin", ""),
            may("least_overlap", Number, "observations", "60"),
            may("stale_after", Number, "bars", "3"),
        ],
    ),
    group(
        "simulation",
        &[
            may("paths", Number, "scenarios", "10000"),
            may("seed", Number, "", "0"),
            may("law", Text, "", "normal"),
            may("degrees_of_freedom", Number, "", ""),
            may("sampler", Text, "", "plain"),
            may("marginals", Text, "", "law"),
            may("covariance", Text, "", "ewma"),
            may("repair", Text, "", "refuse"),
        ],
    ),
    group(
        "stress",
        &[
            must("share", Number, "fraction"),
            must("price_moves", Numbers, "relative move"),
            may("volatility_moves", Numbers, "relative move", ""),
        ],
    ),
];

static PROFILE: &[Key] = &[
    must("underlyings", Texts, "coins"),
    may("settlement", Text, "", "any"),
    group("volatility", VOLATILITY),
    group("skew", SKEW),
    group("discount", DISCOUNT),
    list("scenarios", SCENARIOS, Some("set")),
    group("extension", EXTENSION),
    group("gains", &[must("share", Number, "fraction"), may("cap", Number, "{report}", "")]),
    may("price", Text, "", "mark"),
    group("blend", &[must("set", Text, ""), must("share", Number, "fraction")]),
    list("charges", CHARGE, Some("name")),
    may("initial_factor", Number, "x measure", ""),
    may("maintenance_factor", Number, "x measure", ""),
    group("delta_one", DELTA_ONE),
    group("options", OPTIONS),
    SOURCE,
];

static VOLATILITY: &[Key] = &[
    must("up", Number, "relative move"),
    must("down", Number, "relative move"),
    may("short_power", Number, "power", "0"),
    may("long_power", Number, "power", "0"),
    may("boundary_days", Number, "days", "30"),
    may("boundary", Text, "", "long"),
    may("reference_days", Number, "days", "30"),
    may("floor_days", Number, "days", "1"),
    may("minimum_up", Number, "volatility", "0"),
    may("minimum_up_shock", Number, "relative move", "0"),
];

static SKEW: &[Key] = &[
    must("linear_cap", Number, "relative move"),
    must("linear_slope", Number, "per root of a year"),
    must("absolute_cap", Number, "relative move"),
    must("absolute_slope", Number, "per root of a year"),
    must("minimum_width", Number, "log moneyness"),
    must("width_scale", Number, "standard deviations"),
    must("volatility", Number, "volatility"),
    must("volatility_slope", Number, "per root of a year"),
];

static DISCOUNT: &[Key] = &[
    must("long_base", Number, "factor"),
    may("long_rate_multiple", Number, "x rate", "0"),
    may("long_rate_add", Number, "per year", "0"),
    may("short_base", Number, "factor", ""),
    may("short_rate_multiple", Number, "x rate", "0"),
    may("short_rate_add", Number, "per year", "0"),
];

static SCENARIOS: &[Key] = &[
    must("set", Text, ""),
    may("price_moves", Numbers, "relative move", ""),
    may("price_multipliers", Numbers, "x price", ""),
    may("price_range", Number, "relative move", "1"),
    may("volatility", Moves, "move of the volatility", ""),
    may("weight", Number, "share counted", "1"),
    may("weights", Numbers, "share counted", ""),
    may("treatment", Text, "", "plain"),
    may("days", Number, "days", "0"),
    may("basis", Number, "relative move per year", "0"),
    may("rate", Number, "per year", "0"),
    may("layout", Text, "", "grid"),
    SOURCE,
];

static EXTENSION: &[Key] = &[
    must("range", Number, "relative move"),
    must("factor", Number, "share counted"),
    must("dampener", Number, "{report}"),
];

static CHARGE: &[Key] = &[
    must("name", Text, ""),
    must("on", Text, ""),
    must("stage", Text, ""),
    may("rate", Number, "rate", "1"),
    may("initial", Number, "rate", ""),
    may("initial_more", Number, "rate", ""),
    may("maintenance", Number, "rate", ""),
    may("minimum", Number, "rate", ""),
    may("annualised", Number, "rate per year", ""),
    may("growth", Text, "", ""),
    may("threshold", Number, "{report} of delta (size); fraction", ""),
    may("increment", Number, "rate per coin", ""),
    may("cap", Number, "rate", ""),
    may("kinds", Texts, "kinds of contract", ""),
    may("price", Text, "", ""),
    may("short_only", Flag, "", "no"),
    may("collateral", Flag, "", "no"),
    may("with_perpetual", Flag, "", "yes"),
    may("unhedged", Number, "rate", ""),
    may("hedged", Number, "rate", ""),
    may("count", Text, "", ""),
    may("moves", Numbers, "relative move", ""),
    may("multipliers", Numbers, "x price", ""),
    may("add", Number, "factor", ""),
    may("per_year", Number, "factor per year", ""),
    may("hours", Number, "hours", ""),
    may("option_cap", Number, "share of the option's value", ""),
    may("from", Numbers, "{report}", ""),
    may("multiplier", Numbers, "factor", ""),
    may("rates", Numbers, "rate", ""),
    may("size", Text, "", "net"),
    may("coefficient", Number, "factor", "1"),
    may("free_share", Number, "share of the daily volume", "0"),
    may("participation", Number, "share of the daily volume", ""),
    SOURCE,
];

static DELTA_ONE: &[Key] = &[
    must("initial", Number, "fraction"),
    may("maintenance", Number, "fraction", ""),
    may("maintenance_share_of_initial", Number, "fraction", ""),
    may("increment", Number, "fraction per coin", "0"),
    may("open_interest_lower", Number, "{report}", ""),
    may("open_interest_upper", Number, "{report}", ""),
    may("rate_step", Number, "fraction", ""),
    may("price", Text, "", "mark"),
    may("user_leverage", Flag, "", "no"),
    may("open_loss", Flag, "", "no"),
];

static OPTIONS: &[Key] = &[
    Key { name: "short_initial", shape: Shape::Group(SHORT), required: true, unit: "", default: "" },
    Key { name: "short_maintenance", shape: Shape::Group(SHORT), required: true, unit: "", default: "" },
    may("call_initial_over_maintenance", Number, "multiple", "0"),
    may("put_initial_over_maintenance", Number, "multiple", "0"),
    may("premium", Text, "", "mark"),
    may("long_initial", Number, "x index", "0"),
    may("long_maintenance", Number, "x index", "0"),
    may("offset_initial", Number, "x price", ""),
    may("offset_maintenance", Number, "x price", ""),
    may("offset_price", Text, "", "forward"),
    may("order_fee", Number, "x index", "0"),
    may("order_fee_cap", Number, "x order price", ""),
    may("order_credit_premium", Flag, "", "no"),
];

static SHORT: &[Key] = &[
    must("rate", Number, "x index"),
    may("floor", Number, "x index", ""),
    may("call_mark", Number, "x mark", "0"),
    may("put_mark", Number, "x mark", "0"),
    may("fee", Number, "x index", "0"),
];

static CREDIT: &[Key] = &[
    Key { name: "legs", shape: Shape::List(LEG, Some("underlying")), required: true, unit: "", default: "" },
    must("rate", Number, "share credited"),
    SOURCE,
];

static BORROWING: &[Key] = &[
    must("currencies", Texts, "currencies"),
    must("initial", Number, "fraction"),
    must("maintenance", Number, "fraction"),
    SOURCE,
];

static LEG: &[Key] = &[must("underlying", Text, "coin"), must("delta", Number, "coins per spread")];

static TIERS: &[Key] = &[
    may("list_by", Text, "", "underlying"),
    may("maintenance_share_of_initial", Number, "fraction", ""),
    may("assumed_share_of_initial", Number, "fraction", ""),
    list("tables", TABLE, Some("name")),
    SOURCE,
];

static TABLE: &[Key] = &[
    must("name", Text, ""),
    must("floors", Numbers, "{settle}"),
    may("maintenance_rates", Numbers, "fraction", ""),
    may("max_leverage", Numbers, "times", ""),
    may("used_by", Texts, "symbols or coins", ""),
    SOURCE,
];

static COLLATERAL: &[Key] = &[
    may("other_currencies", Text, "", "rate_required"),
    Key { name: "rates", shape: Shape::Named(SLICES, Number), required: false, unit: "", default: "" },
    Key {
        name: "initial_rates",
        shape: Shape::Named(&[], Number),
        required: false,
        unit: "collateral rate",
        default: "",
    },
    may("divide_by_peg", Flag, "", "no"),
    SOURCE,
];

static SLICES: &[Key] = &[must("from", Numbers, "coins"), must("rate", Numbers, "collateral rate")];

static LIQUIDATION: &[Key] = &[
    may("policy", Text, "", "highest_risk_contribution"),
    may("certainty", Text, "", "assumed"),
    may("step", Text, "", "default"),
    may("stop", Text, "", "healthy"),
    may("cancel_orders", Flag, "", "no"),
    may("close_opposing", Flag, "", "no"),
    may("tiers_at_once", Number, "brackets", "1"),
    may("stages", Texts, "", "orders; futures; options; spot; collateral"),
    may("hedge", Text, "", "none"),
    may("hedge_in_coin", Text, "", ""),
    may("hedge_in_stable", Text, "", ""),
    may("large_above", Number, "{report}", ""),
    may("large_first", Number, "fraction", "1"),
    may("takeover_below", Number, "x maintenance margin", ""),
    may("takeover", Text, "", ""),
    may("fee", Number, "fraction", "0"),
    Key { name: "fees", shape: Shape::Named(&[], Number), required: false, unit: "fraction", default: "" },
    may("option_fee", Number, "fraction", ""),
    may("option_fee_cap", Number, "x value", ""),
    may("maintenance_fee", Number, "x maintenance margin", "0"),
    may("fee_within_equity", Flag, "", "no"),
    may("impact_coefficient", Number, "", "1"),
    group("auction", AUCTION),
    may("note", Text, "", ""),
    SOURCE,
    Key {
        name: "cites",
        shape: Shape::Named(&[], Text),
        required: false,
        unit: "name of a source",
        default: "",
    },
];

static AUCTION: &[Key] = &[
    must("start", Number, "fraction"),
    must("fast", Number, "fraction"),
    must("fast_seconds", Number, "seconds"),
    must("slow_seconds", Number, "seconds"),
    must("insolvent_seconds", Number, "seconds"),
    may("fee", Number, "fraction", "0"),
];

/// The words of `part`, `all` first.
pub const PARTS: [&str; 9] =
    ["all", "general", "levels", "shocks", "charges", "tiers", "haircuts", "liquidation", "sources"];

/// The part that a key belongs to.
pub(super) fn part(segments: &[String]) -> &'static str {
    let at = |place: usize| segments.get(place).map_or("", String::as_str);
    match (at(0), at(2)) {
        ("levels", _) | ("profiles", "initial_factor" | "maintenance_factor") => "levels",
        ("profiles", "charges" | "delta_one" | "options") => "charges",
        ("measure" | "tail" | "profiles" | "credits", _) => "shocks",
        ("tiers", _) => "tiers",
        ("collateral" | "borrowing", _) => "haircuts",
        ("liquidation", _) => "liquidation",
        ("sources", _) => "sources",
        _ => "general",
    }
}
