//! Leverage and margin mode, each alone or both in one text.

use super::words::Broken;

/// Cross or isolated, as a word says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Cross,
    Isolated,
}

/// What a leverage cell says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Leverage {
    pub(super) times: f64,
    pub(super) mode: Option<Mode>,
}

/// Reads a margin mode; Deribit's margin models are all cross, Bybit writes 0 and 1.
pub(super) fn mode(text: &str) -> Result<Option<Mode>, Broken> {
    match text.to_lowercase().as_str() {
        "cross" | "crossed" | "cash" | "0" | "0.0" | "false" | "segregated_sm" | "segregated_pm"
        | "cross_sm" | "cross_pm" | "regular_margin" | "portfolio_margin" | "portfolio" => {
            Ok(Some(Mode::Cross))
        }
        "isolated" | "fixed" | "1" | "1.0" | "true" | "isolated_margin" => Ok(Some(Mode::Isolated)),
        "none" | "null" | "-" => Ok(None),
        _ => Err(("margin_mode_unknown", "takes cross or isolated")),
    }
}

/// Reads `20`, `20x`, `Cross 20x`, `{"type":"cross","value":20}`.
pub(super) fn leverage(text: &str) -> Result<Option<Leverage>, Broken> {
    let lower = text.to_lowercase();
    if matches!(lower.as_str(), "none" | "null" | "-" | "--") {
        return Ok(None);
    }
    let mode = if lower.contains("isolated") {
        Some(Mode::Isolated)
    } else if lower.contains("cross") {
        Some(Mode::Cross)
    } else {
        None
    };
    let figure = if lower.starts_with('{') { nested_value(&lower) } else { plain_value(&lower) };
    let times: f64 =
        figure.parse().map_err(|_| ("not_a_number", "needs a leverage such as 20, 20x or cross 20x"))?;
    if !times.is_finite() {
        Err(("not_finite", "must be a finite number"))
    } else if times <= 0.0 {
        Err(("leverage_not_positive", "must be above zero"))
    } else {
        Ok(Some(Leverage { times, mode }))
    }
}

/// The figure of `cross 20x`; the whole text if it has another form.
fn plain_value(lower: &str) -> &str {
    let without_mode = ["crossed", "cross", "isolated"]
        .iter()
        .find_map(|word| lower.strip_prefix(word).or_else(|| lower.strip_suffix(word)))
        .unwrap_or(lower);
    let figure = without_mode.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')'));
    figure.strip_suffix('x').or_else(|| figure.strip_prefix('x')).unwrap_or(figure).trim()
}

/// What stands after `"value":`.
fn nested_value(lower: &str) -> &str {
    let after = lower.split_once("value").map_or("", |(_, rest)| rest);
    let after = after.trim_start_matches(|c: char| matches!(c, '"' | '\'' | ':') || c.is_whitespace());
    let end = after.find([',', '}']).unwrap_or(after.len());
    after.get(..end).unwrap_or("").trim_matches(|c: char| matches!(c, '"' | '\'') || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leverage_is_read_in_every_form_that_venues_show() {
        for (text, times, mode) in [
            ("20", 20.0, None),
            ("20x", 20.0, None),
            ("Cross 20x", 20.0, Some(Mode::Cross)),
            ("20x Isolated", 20.0, Some(Mode::Isolated)),
            (r#"{"type":"cross","value":20}"#, 20.0, Some(Mode::Cross)),
            ("{'type': 'isolated', 'value': 5, 'rawUsd': '-12'}", 5.0, Some(Mode::Isolated)),
        ] {
            assert_eq!(leverage(text), Ok(Some(Leverage { times, mode })), "{text}");
        }
        assert_eq!(leverage("-3").map_err(|e| e.0), Err("leverage_not_positive"));
        assert_eq!(leverage("0x").map_err(|e| e.0), Err("leverage_not_positive"));
        assert_eq!(leverage("high").map_err(|e| e.0), Err("not_a_number"));
        assert_eq!(leverage("nan").map_err(|e| e.0), Err("not_finite"));
    }

    #[test]
    fn margin_modes_of_all_venues_are_known() {
        for text in ["cross", "CROSSED", "cross_pm", "segregated_sm", "0"] {
            assert_eq!(mode(text), Ok(Some(Mode::Cross)), "{text}");
        }
        for text in ["isolated", "ISOLATED", "1"] {
            assert_eq!(mode(text), Ok(Some(Mode::Isolated)), "{text}");
        }
        assert!(mode("half").is_err());
    }
}
