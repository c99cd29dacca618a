//! A receiver that costs little: one thread, HTTP/1.1 read by hand, and always the same answer.
//!
//! Knows how to tell whether every event has come. One receiver serves one run.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::{Receiver as Results, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::events;

/// The longest that a run may take.
const DEADLINE: Duration = Duration::from_mins(3);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
/// What a connection's buffer begins with; it grows to the largest request.
const BUFFER: usize = 16 * 1024;

/// What is to come, and how it is looked at.
#[derive(Clone, Copy)]
pub struct Expected {
    pub events: usize,
    pub look: Look,
}

/// How events are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// They are counted by the length of their bodies.
    Count,
    /// Each of the numbers from zero on has to come once. The first request has to be signed
    /// with this secret.
    Number { secret: &'static str },
    /// The same for how long they were under way, those below `from` left out.
    Latency { secret: &'static str, from: usize },
}

/// What has come.
pub struct Seen {
    /// From the first request to the last.
    pub took: Duration,
    /// How long events were under way, in microseconds, in no particular order.
    pub latencies: Vec<u64>,
}

/// See the module's documentation.
pub struct Receiver {
    pub address: SocketAddr,
    begun: Results<()>,
    complete: Results<Seen>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<usize>,
}

impl Receiver {
    pub fn start(expected: Expected) -> Self {
        let (tell_address, address) = sync_channel(1);
        let (tell_begun, begun) = sync_channel(1);
        let (tell_complete, complete) = sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let ledger = move || Ledger {
            seen: vec![false; expected.events],
            left: expected.events,
            look: expected.look,
            first: None,
            repeated: 0,
            latencies: Vec::new(),
            begun: tell_begun,
            complete: tell_complete,
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            let tasks = tokio::task::LocalSet::new();
            let ledger = Rc::new(RefCell::new(ledger()));
            let serve = async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
                let address = listener.local_addr().expect("the listener is bound");
                tell_address.send(address).expect("whoever starts a receiver waits for it");
                let accept = async {
                    loop {
                        let (stream, _) = listener.accept().await.expect("a connection");
                        stream.set_nodelay(true).expect("an option of TCP");
                        tokio::task::spawn_local(connection(stream, Rc::clone(&ledger)));
                    }
                };
                tokio::select! {
                    () = accept => {}
                    _ = stopped => {}
                }
            };
            tasks.block_on(&runtime.expect("a runtime"), serve);
            ledger.borrow().repeated
        });
        let address = address.recv().expect("the receiver tells its address");
        Self { address, begun, complete, stop, thread }
    }

    /// Waits for the first request.
    pub fn wait_begun(&self) {
        self.begun.recv_timeout(DEADLINE).expect("a request arrives in time");
    }

    /// Waits for the last event.
    pub fn wait_complete(&self) -> Seen {
        self.complete.recv_timeout(DEADLINE).expect("all events arrive in time")
    }

    /// Stops, and fails if an event has come twice.
    pub fn stop(self) {
        // The thread may be gone: then the panic is told by what it returns.
        let _ = self.stop.send(());
        let repeated = self.thread.join().expect("the receiver has not panicked");
        assert_eq!(repeated, 0, "events came more than once");
    }
}

/// What has come so far.
struct Ledger {
    seen: Vec<bool>,
    left: usize,
    look: Look,
    first: Option<Instant>,
    repeated: usize,
    latencies: Vec<u64>,
    begun: SyncSender<()>,
    complete: SyncSender<Seen>,
}

impl Ledger {
    fn request(&mut self, head: &[u8], body: &[u8]) {
        if self.first.is_none() {
            if let Look::Number { secret } | Look::Latency { secret, .. } = self.look {
                verify(head, body, secret);
            }
            self.first = Some(Instant::now());
            self.begun.send(()).expect("somebody waits for the first request");
        }
        let (before, events) = (self.left, events::events_in(body));
        match self.look {
            Look::Count => self.left = self.left.saturating_sub(events),
            Look::Number { .. } => self.tick_off(body),
            Look::Latency { from, .. } => {
                self.tick_off(body);
                let now = events::now_us();
                let events = events::events_of(body).filter(|event| events::number(event) >= from);
                self.latencies
                    .extend(events.map(|event| now.saturating_sub(events::made_at_us(event))));
            }
        }
        if before > 0 && self.left == 0 {
            let took = self.first.expect("there was a first request").elapsed();
            let latencies = std::mem::take(&mut self.latencies);
            self.complete.send(Seen { took, latencies }).expect("somebody waits for the last one");
        }
    }

    fn tick_off(&mut self, body: &[u8]) {
        for event in events::events_of(body) {
            if std::mem::replace(&mut self.seen[events::number(event)], true) {
                self.repeated += 1;
            } else {
                self.left -= 1;
            }
        }
    }
}

/// Serves a connection until its client closes it.
async fn connection(stream: TcpStream, ledger: Rc<RefCell<Ledger>>) {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        let request = find_request(&buffer[..filled]);
        match request {
            Some(Request { head, end }) if filled >= end => {
                ledger.borrow_mut().request(&buffer[..head], &buffer[head..end]);
                answer(&stream).await;
                buffer.copy_within(end..filled, 0);
                filled -= end;
                continue;
            }
            Some(Request { end, .. }) if buffer.len() < end => buffer.resize(end, 0),
            Some(_) => {}
            None => assert!(filled < buffer.len(), "a request whose head does not end"),
        }
        if stream.readable().await.is_err() {
            return;
        }
        match stream.try_read(&mut buffer[filled..]) {
            Ok(0) => return,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn answer(stream: &TcpStream) {
    // An answer is so short that a socket takes it whole or not at all; a client that is gone
    // is noticed by the next read.
    while let Err(error) = stream.try_write(ANSWER) {
        if error.kind() != std::io::ErrorKind::WouldBlock || stream.writable().await.is_err() {
            return;
        }
    }
}

/// Where the parts of a request end.
struct Request {
    head: usize,
    end: usize,
}

/// The request whose head is in the buffer, its body perhaps not yet.
fn find_request(buffer: &[u8]) -> Option<Request> {
    let head = memchr::memmem::find(buffer, b"\r\n\r\n")? + 4;
    let length = header(&buffer[..head], "content-length").expect("a request tells its length");
    Some(Request { head, end: head + length.parse::<usize>().expect("a length is a number") })
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let head = std::str::from_utf8(head).expect("a head is text");
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn verify(head: &[u8], body: &[u8], secret: &str) {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(body);
    let expected = hex::encode(mac.finalize().into_bytes());
    assert_eq!(header(head, "x-signature"), Some(&*expected), "the signature of the first request");
}
