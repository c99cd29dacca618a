//! Ports to listen on that nobody else takes in the meantime.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;

/// Below what Linux, macOS and Windows give to outgoing connections. A port from that range could
/// be taken while its broker is down; worse, a client that knocks on it again and again may be
/// given it as its own source port, and connect to itself.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// A loopback port that is free now and was given to nobody else in this process.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().expect("nothing panics while it holds the list");
    for _ in 0..1000 {
        let port = fastrand::u16(RANGE);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && given.insert(port) {
            return port;
        }
    }
    panic!("no free port between {} and {}", RANGE.start, RANGE.end);
}
