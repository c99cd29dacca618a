//! The program: everything it does is in [`hookcast::cli`].

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Events are taken out of librdkafka's memory by one thread and given back by another, which is
/// what the system's allocator takes a lock for. Where it can, this one serves librdkafka too.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    hookcast::cli::main()
}
