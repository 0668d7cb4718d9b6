//! Dotted paths to the keys of a rulebook, such as `profiles.BTC.volatility.up`.
//!
//! The groups of a list are called by what names them: tables and charges by their name, scenarios by
//! their set, profiles by their coins. A group that nothing names, or whose name another has, is called by
//! its place (`#2`).

/// One segment as it stands in a path: with quotes around it where a full stop would divide it.
pub(super) fn segment(name: &str) -> String {
    if name.is_empty() || name.contains(['.', '"']) || name.trim() != name {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

/// A path from its segments.
pub(super) fn join(segments: &[String]) -> String {
    segments.iter().map(|name| segment(name)).collect::<Vec<_>>().join(".")
}

/// The segments of a path; `None` where a quote is not closed or a segment is empty.
pub(super) fn split(path: &str) -> Option<Vec<String>> {
    let mut segments = Vec::new();
    let mut rest = path.trim();
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => closing(quoted)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let (name, after) = rest.split_at_checked(end)?;
                if name.trim().is_empty() {
                    return None;
                }
                (name.trim().to_owned(), after)
            }
        };
        segments.push(name);
        if after.is_empty() {
            return Some(segments);
        }
        rest = after.strip_prefix('.')?;
    }
}

/// What stands before the closing quote, and what follows it; two quotes stand for one.
fn closing(quoted: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('"')?;
        let (before, after) = rest.split_at_checked(end)?;
        name.push_str(before);
        let after = after.strip_prefix('"')?;
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

/// What a profile is called: its coins, and its settlement where it has one.
pub(super) fn profile_name(coins: &[String], settlement: Option<&str>) -> String {
    match settlement {
        None => coins.join("+"),
        Some(settlement) => format!("{} ({settlement})", coins.join("+")),
    }
}

/// The coins of a profile that is called so.
pub(super) fn profile_coins(name: &str) -> Vec<String> {
    let coins = match name.rsplit_once(" (") {
        Some((coins, rest)) if rest.ends_with(')') => coins,
        _ => name,
    };
    coins.split('+').map(|coin| coin.trim().to_owned()).filter(|coin| !coin.is_empty()).collect()
}

/// The labels of a list: each name that no other has, else the place.
pub(super) fn labels(names: &[Option<String>]) -> Vec<String> {
    names
        .iter()
        .enumerate()
        .map(|(place, name)| match name {
            Some(name)
                if !name.is_empty()
                    && !name.starts_with('#')
                    && names.iter().filter(|other| other.as_ref() == Some(name)).count() == 1 =>
            {
                name.clone()
            }
            _ => format!("#{}", place + 1),
        })
        .collect()
}

/// The place that a label such as `#2` or `2` stands for.
pub(super) fn place(label: &str) -> Option<usize> {
    label.strip_prefix('#').unwrap_or(label).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_as_it_was_joined() {
        for names in [vec!["a", "b"], vec!["x.y", "", "\"", " z"], vec!["25/15@100M (page)", "floors"]] {
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            assert_eq!(split(&join(&names)).unwrap(), names);
        }
        for wrong in ["", "a..b", "a.", "\"a", "\"a\"b"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_that_two_groups_have_become_places() {
        let names = ["a", "b", "a"].map(|name| Some(name.to_owned()));
        assert_eq!(labels(&names), ["#1", "b", "#3"]);
    }

    #[test]
    fn a_profile_is_called_by_its_coins_and_settlement() {
        let coins = vec!["BTC".to_owned(), "ETH".to_owned()];
        assert_eq!(profile_name(&coins, Some("coin")), "BTC+ETH (coin)");
        assert_eq!(profile_coins("BTC+ETH (coin)"), coins);
    }
}
