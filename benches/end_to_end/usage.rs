//! What a process has used, as the kernel tells it.

use std::time::Duration;

/// Whose usage.
#[derive(Clone, Copy)]
pub enum Of {
    Myself,
    Process(i32),
}

impl Of {
    fn read(self, file: &str) -> String {
        let path = match self {
            Self::Myself => format!("/proc/self/{file}"),
            Self::Process(pid) => format!("/proc/{pid}/{file}"),
        };
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// The time that all threads together have spent on a core, their own and the kernel's for them.
/// The kernel tells it in ticks of 10 ms.
pub fn cpu(of: Of) -> Duration {
    let stat = of.read("stat");
    // The second field is the program's name in parentheses, and may hold anything.
    let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
    let ticks = |field: usize| {
        let text = fields.split_ascii_whitespace().nth(field - 3);
        text.and_then(|text| text.parse::<u64>().ok()).expect("the field is a number of ticks")
    };
    let per_second = rustix::param::clock_ticks_per_second();
    Duration::from_millis((ticks(14) + ticks(15)) * 1000 / per_second)
}

/// The same since it was `before`.
pub fn cpu_since(of: Of, before: Duration) -> Duration {
    cpu(of).saturating_sub(before)
}

/// The most memory that it has had at a time, in MiB.
pub fn peak_mib(of: Of) -> f64 {
    let status = of.read("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<f64>().ok()).expect("VmHWM is a number of kB") / 1024.0
}
