//! The safe set: the ranges of a price in which an account is safe and those in which it is liquidatable.

use super::sweep::{Crossing, Crossings};

/// How a range ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Equity is exactly what is required.
    Root,
    /// The requirement jumps there, so that equity is never exactly what is required.
    Jump,
    /// The search ended.
    Searched,
    /// At a price of zero, or without a limit.
    Open,
}

impl Edge {
    /// The word of the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Jump => "jump",
            Self::Searched => "end of search",
            Self::Open => "open",
        }
    }
}

/// A range of ratios of the driver in which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zone {
    /// Its lower end, with how it ends; zero where it is open.
    pub from: (f64, Edge),
    /// Its upper end; infinite where it is open.
    pub to: (f64, Edge),
    /// Whether the account is in breach within it.
    pub breached: bool,
}

/// Every zone from the lowest ratio up.
pub fn zones(crossings: &Crossings) -> Vec<Zone> {
    let edge = |crossing: &Crossing| if crossing.jump { Edge::Jump } else { Edge::Root };
    // edges from below, each with the state of the zone that it opens
    let mut edges: Vec<(f64, Edge)> = Vec::new();
    let mut states: Vec<bool> = Vec::new();
    let lowest = crossings.searched_down.map_or((0.0, Edge::Open), |ratio| (ratio, Edge::Searched));
    edges.push(lowest);
    states.push(crossings.down.last().map_or(crossings.breached_today, |last| last.into_breach));
    for (place, crossing) in crossings.down.iter().enumerate().rev() {
        edges.push((crossing.ratio, edge(crossing)));
        let before = place.checked_sub(1).and_then(|nearer| crossings.down.get(nearer));
        states.push(before.map_or(crossings.breached_today, |nearer| nearer.into_breach));
    }
    for crossing in &crossings.up {
        edges.push((crossing.ratio, edge(crossing)));
        states.push(crossing.into_breach);
    }
    edges.push(crossings.searched_up.map_or((f64::INFINITY, Edge::Open), |ratio| (ratio, Edge::Searched)));
    let pairs = edges.windows(2).zip(states);
    pairs
        .filter_map(|(pair, breached)| match pair {
            [from, to] => Some(Zone { from: *from, to: *to, breached }),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing(ratio: f64, into_breach: bool) -> Crossing {
        Crossing { ratio, into_breach, jump: false }
    }

    #[test]
    fn zones_follow_each_other_and_change_at_every_crossing() {
        let crossings = Crossings {
            down: vec![crossing(0.84, true), crossing(0.56, false)],
            up: vec![crossing(1.15, true), crossing(1.43, false)],
            searched_up: Some(10.0),
            ..Crossings::default()
        };
        let found = zones(&crossings);
        let breached: Vec<bool> = found.iter().map(|zone| zone.breached).collect();
        assert_eq!(breached, [false, true, false, true, false]);
        assert_eq!(found.first().map(|zone| zone.from), Some((0.0, Edge::Open)));
        assert_eq!(found.last().map(|zone| zone.to), Some((10.0, Edge::Searched)));
        assert!(found.windows(2).all(|pair| pair[0].to.0.to_bits() == pair[1].from.0.to_bits()));
    }

    #[test]
    fn without_crossings_there_is_one_zone_as_today() {
        let found = zones(&Crossings { breached_today: true, ..Crossings::default() });
        assert_eq!(
            found,
            [Zone { from: (0.0, Edge::Open), to: (f64::INFINITY, Edge::Open), breached: true }]
        );
    }
}
