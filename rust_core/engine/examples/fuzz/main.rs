//! Feeds arbitrary cell blocks to the engine's reading and to every function of the sheet.
//!
//! `cargo run --release --example fuzz -- --seed 1 --blocks 100000 --threads 2`
//!
//! A block is a book's tables, drawn for (seed, block). It is read; where a book comes of it, some of the functions
//! are asked, each with drawn arguments. A panic, an answer that is none or a call without an end is a failure; the
//! line printed for it says with which `--first` it comes again. Ends with 1 after a failure.

mod block;
mod draw;
mod questions;
mod run;
mod shapes;

use std::process::ExitCode;

fn main() -> ExitCode {
    let asked = match run::Wanted::read(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(sentence) => {
            eprintln!("{sentence}");
            return ExitCode::from(2);
        }
    };
    match run::run(&asked) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::from(2)
        }
    }
}
