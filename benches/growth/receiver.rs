//! An endpoint with a path for every action, which answers after a while and ticks off every event
//! by its number and its path. One thread, HTTP/1.1 by hand: it must not be what is measured.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::{Receiver as Results, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::sized;

/// The longest that a run may take.
const DEADLINE: Duration = Duration::from_mins(3);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const BUFFER: usize = 16 * 1024;

/// What is to come: every event once to every path, the numbers and the paths from zero on.
#[derive(Clone, Copy)]
pub struct Expected {
    pub events: usize,
    pub paths: usize,
    /// How long an answer takes.
    pub latency: Duration,
}

impl Expected {
    pub fn deliveries(self) -> usize {
        self.events * self.paths
    }

    /// So many of them are measured: the rest may wait for company that does not come.
    pub fn measured(self) -> usize {
        self.deliveries() - self.deliveries() / 20
    }
}

/// See the module's documentation.
pub struct Receiver {
    pub address: SocketAddr,
    begun: Results<Instant>,
    measured: Results<Instant>,
    complete: Results<()>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<usize>,
}

impl Receiver {
    pub fn start(expected: Expected) -> Self {
        let (tell_address, address) = sync_channel(1);
        let (tell_begun, begun) = sync_channel(1);
        let (tell_measured, measured) = sync_channel(1);
        let (tell_complete, complete) = sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let ledger = move || Ledger {
            expected,
            seen: vec![false; expected.deliveries()],
            came: 0,
            repeated: 0,
            begun: tell_begun,
            measured: tell_measured,
            complete: tell_complete,
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let ledger = Rc::new(RefCell::new(ledger()));
            let serve = async {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
                let address = listener.local_addr().expect("the listener is bound");
                tell_address.send(address).expect("whoever starts a receiver waits for it");
                tokio::select! {
                    () = accept(listener, expected.latency, &ledger) => {}
                    _ = stopped => {}
                }
            };
            tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), serve);
            ledger.borrow().repeated
        });
        let address = address.recv().expect("the receiver tells its address");
        Self { address, begun, measured, complete, stop, thread }
    }

    /// Waits for the first request.
    pub fn wait_begun(&self) -> Instant {
        self.begun.recv_timeout(DEADLINE).expect("a request arrives in time")
    }

    /// Waits for what is measured.
    pub fn wait_measured(&self) -> Instant {
        self.measured.recv_timeout(DEADLINE).expect("events arrive in time")
    }

    /// Waits for the last event.
    pub fn wait_complete(&self) {
        self.complete.recv_timeout(DEADLINE).expect("all events arrive in time");
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
    expected: Expected,
    seen: Vec<bool>,
    came: usize,
    repeated: usize,
    begun: SyncSender<Instant>,
    measured: SyncSender<Instant>,
    complete: SyncSender<()>,
}

impl Ledger {
    fn request(&mut self, path: usize, body: &[u8]) {
        let before = self.came;
        if before == 0 {
            self.begun.send(Instant::now()).expect("somebody waits for the first request");
        }
        for number in sized::numbers(body) {
            if std::mem::replace(&mut self.seen[path * self.expected.events + number], true) {
                self.repeated += 1;
            } else {
                self.came += 1;
            }
        }
        let has_reached = |goal| before < goal && goal <= self.came;
        if has_reached(self.expected.measured()) {
            self.measured.send(Instant::now()).expect("somebody waits for it");
        }
        if has_reached(self.expected.deliveries()) {
            self.complete.send(()).expect("somebody waits for the last one");
        }
    }
}

async fn accept(listener: TcpListener, latency: Duration, ledger: &Rc<RefCell<Ledger>>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("an option of TCP");
        let ledger = Rc::clone(ledger);
        // A connection that breaks is the sender's affair.
        let serve = async move { drop(connection(stream, latency, &ledger).await) };
        tokio::task::spawn_local(serve);
    }
}

/// Serves a connection until its client closes it.
async fn connection(
    mut stream: TcpStream,
    latency: Duration,
    ledger: &RefCell<Ledger>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        while let Some(Request { path, head, end }) = find_request(&buffer[..filled]) {
            if filled < end {
                buffer.resize(buffer.len().max(end), 0);
                break;
            }
            ledger.borrow_mut().request(path, &buffer[head..end]);
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            stream.write_all(ANSWER).await?;
            buffer.copy_within(end..filled, 0);
            filled -= end;
        }
        match stream.read(&mut buffer[filled..]).await? {
            0 => return Ok(()),
            read => filled += read,
        }
    }
}

/// Where a request went, and where its parts end.
struct Request {
    path: usize,
    head: usize,
    end: usize,
}

/// The request whose head is in the buffer, its body perhaps not yet.
fn find_request(buffer: &[u8]) -> Option<Request> {
    let head = memchr::memmem::find(buffer, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).expect("a head is text");
    let path = text.strip_prefix("POST /").and_then(|rest| rest.split(' ').next());
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value.trim())
    });
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
    let path = number(path).expect("a path is the number of an action");
    let length = number(length).expect("a request tells its length");
    Some(Request { path, head, end: head + length })
}
