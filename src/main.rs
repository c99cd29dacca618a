//! The program: everything it does is in [`hookcast::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    hookcast::cli::main()
}
