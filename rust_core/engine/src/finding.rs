//! What was noticed about the tables: the rows of `CM_CHECK`.

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The row cannot be used; the book is refused unless `partial=1`.
    Error,
    /// The row is used; somebody should look.
    Warning,
    /// What was understood or assumed.
    Info,
}

impl Severity {
    /// The word of the check table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Info => "INFO",
        }
    }
}

/// One row of the check.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The table: `Positions`, `Collateral`, `Orders`, `Market`, `Rulebook`.
    pub sheet: &'static str,
    /// Row of the table, the header being row 1; `None` for the table as a whole.
    pub row: Option<usize>,
    /// The column as pasted; empty for the row as a whole.
    pub column: String,
    /// The value as pasted.
    pub value: String,
    /// A stable word for the kind of finding, such as `not_a_number`.
    pub code: &'static str,
    /// One sentence that names the rule.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}
