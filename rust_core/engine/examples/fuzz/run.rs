//! Blocks on several threads, watched from outside.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use crate::block::{self, Done, Share};
use crate::questions::QUESTIONS;
use crate::shapes::Shapes;

const LOOK: Duration = Duration::from_millis(200);
const TELL: Duration = Duration::from_secs(60);
const SHOWN: usize = 40;

/// What is asked on the command line.
pub(crate) struct Wanted {
    seed: u64,
    first: u64,
    blocks: u64,
    threads: u64,
    /// The longest time of one call.
    seconds: u64,
}

impl Wanted {
    /// Reads `--seed`, `--first`, `--blocks`, `--threads` and `--seconds`, each with a whole number.
    ///
    /// # Errors
    ///
    /// Says which word is not known, or which number is none.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut made = Self { seed: 1, first: 0, blocks: 10_000, threads: 1, seconds: 120 };
        while let Some(word) = words.next() {
            let number = words.next().and_then(|text| text.parse().ok());
            let number = number.ok_or_else(|| format!("{word} needs a whole number"))?;
            match word.as_str() {
                "--seed" => made.seed = number,
                "--first" => made.first = number,
                "--blocks" => made.blocks = number,
                "--threads" => made.threads = number.max(1),
                "--seconds" => made.seconds = number,
                _ => return Err(format!("{word} is not known; --seed --first --blocks --threads --seconds")),
            }
        }
        Ok(made)
    }
}

#[derive(Default)]
struct Counts {
    blocks: u64,
    tables: u64,
    accepted: u64,
    overflows: u64,
    /// Answered and refused, by function.
    asked: BTreeMap<usize, (u64, u64)>,
    failures: Vec<String>,
}

impl Counts {
    fn add(&mut self, number: u64, done: Done) {
        self.blocks += 1;
        self.tables += done.tables;
        self.accepted += u64::from(done.accepted);
        self.overflows += done.overflows;
        for (index, answered) in done.asked {
            let counts = self.asked.entry(index).or_default();
            *(if answered { &mut counts.0 } else { &mut counts.1 }) += 1;
        }
        self.failures.extend(done.failures.into_iter().map(|what| format!("block {number}: {what}")));
    }
}

/// What a thread does just now, since when.
type Doing = Mutex<(u64, String, Instant)>;

#[expect(clippy::disallowed_methods, reason = "the engine has no clock; whoever watches it needs one")]
fn now() -> Instant {
    Instant::now()
}

/// Runs the blocks, prints counts and failures, and returns how many there were.
///
/// # Errors
///
/// Says what in the shapes cannot be used.
pub(crate) fn run(wanted: &Wanted) -> Result<usize, String> {
    let shapes = Shapes::read()?;
    let start = now();
    let next = AtomicU64::new(wanted.first);
    let end = wanted.first.saturating_add(wanted.blocks);
    let total = Mutex::new(Counts::default());
    let stop = AtomicBool::new(false);
    let doing: Vec<Doing> =
        (0..wanted.threads).map(|_| Mutex::new((0, String::from("nothing"), now()))).collect();
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    scope(|threads| {
        let workers: Vec<_> = doing
            .iter()
            .map(|own| {
                let (next, total, stop, shapes) = (&next, &total, &stop, &shapes);
                threads.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= end || stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let begin = |name: &str| {
                            if let Ok(mut place) = own.lock() {
                                *place = (number, name.to_owned(), now());
                            }
                        };
                        let done = block::run(shapes, wanted.seed, number, Share::Few, &begin);
                        if let Ok(mut counts) = total.lock() {
                            counts.add(number, done);
                            if counts.failures.len() >= SHOWN {
                                stop.store(true, Ordering::Relaxed);
                            }
                        }
                    }
                })
            })
            .collect();
        let mut told = now();
        while workers.iter().any(|worker| !worker.is_finished()) {
            sleep(LOOK);
            if told.elapsed() > TELL
                && let Ok(counts) = total.lock()
            {
                told = now();
                eprintln!("{} blocks of {} tables so far", counts.blocks, counts.tables);
            }
            for (own, worker) in doing.iter().zip(&workers) {
                let Ok(place) = own.lock() else { continue };
                if !worker.is_finished() && place.2.elapsed() > Duration::from_secs(wanted.seconds) {
                    let (number, name, _) = &*place;
                    if let Ok(mut counts) = total.lock() {
                        counts
                            .failures
                            .push(format!("block {number}: {name} took over {} s", wanted.seconds));
                        show(wanted, &counts, start.elapsed());
                    }
                    std::process::exit(1); // a thread cannot be ended from outside
                }
            }
        }
    });
    let counts = total.into_inner().map_err(|error| error.to_string())?;
    show(wanted, &counts, start.elapsed());
    Ok(counts.failures.len())
}

#[expect(clippy::print_stdout, reason = "a command prints")]
fn show(wanted: &Wanted, counts: &Counts, time: Duration) {
    println!(
        "seed {}, first {}: {} blocks of {} tables, {} books accepted, {} numbers of tables overflowed, {:.0} s on {} threads",
        wanted.seed,
        wanted.first,
        counts.blocks,
        counts.tables,
        counts.accepted,
        counts.overflows,
        time.as_secs_f64(),
        wanted.threads
    );
    for (index, (name, _)) in QUESTIONS.iter().enumerate() {
        let (answered, refused) = counts.asked.get(&index).copied().unwrap_or_default();
        println!("  {name:16} answered {answered:>9}  refused {refused:>9}");
    }
    for failure in counts.failures.iter().take(SHOWN) {
        println!("seed {}, {failure}", wanted.seed);
    }
}
