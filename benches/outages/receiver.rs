//! An endpoint of two paths, each of which accepts, refuses, throttles or hangs as it is told, and
//! ticks off every event by its number. One thread, HTTP/1.1 by hand: it must not be what is
//! measured.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::events::{self, KEYS};

/// The longest that all events may take to arrive.
const DEADLINE: Duration = Duration::from_mins(10);
const BUFFER: usize = 1 << 20;
const NEVER_POISONED: &str = "nothing panics while it holds the ledgers";

/// Who is measured, and whose endpoint fails beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Path {
    Fine,
    Ill,
}

/// What a path does with a request.
#[derive(Clone, Copy)]
pub enum Behaviour {
    Accept,
    Refuse,
    Throttle,
    Hang,
    /// Answers with this status to whatever carries one of so many poisonous events in a thousand.
    Poison(u16, usize),
}

/// What has come to one path.
#[derive(Clone)]
pub struct Ledger {
    seen: Vec<bool>,
    latest: Vec<usize>,
    pub left: usize,
    pub requests: usize,
    /// The most events of one request.
    pub largest: usize,
    pub repeated: usize,
    pub inversions: usize,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Ledger {
    fn new(events: usize) -> Self {
        Self {
            seen: vec![false; events],
            latest: vec![0; KEYS],
            left: events,
            requests: 0,
            largest: 0,
            repeated: 0,
            inversions: 0,
            first: None,
            last: None,
        }
    }

    /// Events a second, from the first request to the last new event.
    pub fn events_per_second(&self) -> f64 {
        let (Some(first), Some(last)) = (self.first, self.last) else { return 0.0 };
        (self.seen.len() - self.left) as f64 / (last - first).as_secs_f64()
    }

    /// Counts a request, and its events if it is accepted.
    fn take(&mut self, body: &[u8], is_accepted: bool) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.requests += 1;
        self.largest = self.largest.max(events::events_in(body));
        if !is_accepted {
            return;
        }
        for event in events::events_of(body) {
            let number = events::number(event);
            if std::mem::replace(&mut self.seen[number], true) {
                self.repeated += 1;
                continue;
            }
            self.left -= 1;
            self.last = Some(now);
            let latest = &mut self.latest[number % KEYS];
            if *latest > number {
                self.inversions += 1;
            }
            *latest = number.max(*latest);
        }
    }
}

/// Whether an event is one of `per_thousand` that spoil what they are in.
pub fn is_poison(number: usize, per_thousand: usize) -> bool {
    let step = 1000 / per_thousand;
    number % step == step / 2
}

struct Shared {
    paths: Mutex<[(Behaviour, Ledger); 2]>,
    changed: Condvar,
}

/// See the module's documentation.
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Receiver {
    /// Listens; so many events are to come to each path.
    pub fn start(events: usize, ill: Behaviour) -> Self {
        let paths = [(Behaviour::Accept, Ledger::new(events)), (ill, Ledger::new(events))];
        let shared = Arc::new(Shared { paths: Mutex::new(paths), changed: Condvar::new() });
        let (tell, address) = std::sync::mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
                tell.send(listener.local_addr().expect("it is bound")).expect("it is awaited");
                tokio::select! {
                    () = serve(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = address.recv().expect("the receiver tells its address");
        Self { address, shared, stop, thread }
    }

    /// From now on a path does this.
    pub fn set(&self, path: Path, behaviour: Behaviour) {
        self.paths()[path as usize].0 = behaviour;
    }

    /// What has come to a path so far.
    pub fn seen(&self, path: Path) -> Ledger {
        self.paths()[path as usize].1.clone()
    }

    /// Waits until no more than `left` events are missing at a path.
    pub fn wait_left(&self, path: Path, left: usize) {
        let begun = Instant::now();
        let mut paths = self.paths();
        while paths[path as usize].1.left > left {
            let (next, _) = self
                .shared
                .changed
                .wait_timeout(paths, Duration::from_secs(1))
                .expect(NEVER_POISONED);
            paths = next;
            let missing = paths[path as usize].1.left;
            assert!(begun.elapsed() < DEADLINE, "{missing} events are missing after {DEADLINE:?}");
        }
    }

    /// Stops listening.
    pub fn stop(self) {
        // The thread may be gone: then the panic is told by what it returns.
        let _ = self.stop.send(());
        self.thread.join().expect("the receiver has not panicked");
    }

    fn paths(&self) -> MutexGuard<'_, [(Behaviour, Ledger); 2]> {
        self.shared.paths.lock().expect(NEVER_POISONED)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.expect("the listener accepts");
        stream.set_nodelay(true).expect("a connected socket");
        let shared = Arc::clone(&shared);
        // A connection that breaks is the sender's affair: processes are killed here.
        tokio::spawn(async move { drop(connection(stream, &shared).await) });
    }
}

async fn connection(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        while let Some((head, end)) = request(&buffer[..filled]) {
            if filled < end {
                buffer.resize(buffer.len().max(end), 0);
                break;
            }
            match answer(&buffer[..head], &buffer[head..end], shared) {
                Some(answer) => stream.write_all(answer.as_bytes()).await?,
                // Whoever sent it goes away when it has had enough.
                None => return stream.read(&mut buffer).await.map(|_| ()),
            }
            buffer.copy_within(end..filled, 0);
            filled -= end;
        }
        match stream.read(&mut buffer[filled..]).await? {
            0 => return Ok(()),
            read => filled += read,
        }
    }
}

/// Where the head of the first request ends, and where all of it will.
fn request(buffer: &[u8]) -> Option<(usize, usize)> {
    let head = memchr::memmem::find(buffer, b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).expect("a head is text");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    Some((head, head + length?.expect("a length is a number")))
}

/// None: there will be no answer.
fn answer(head: &[u8], body: &[u8], shared: &Shared) -> Option<String> {
    let path = if head.starts_with(b"POST /fine ") { Path::Fine } else { Path::Ill };
    let mut paths = shared.paths.lock().expect(NEVER_POISONED);
    let (behaviour, ledger) = &mut paths[path as usize];
    let status = match *behaviour {
        Behaviour::Accept => 200,
        Behaviour::Refuse => 503,
        Behaviour::Throttle => 429,
        Behaviour::Hang => 0,
        Behaviour::Poison(status, per_thousand) => {
            let mut numbers = events::events_of(body).map(events::number);
            if numbers.any(|number| is_poison(number, per_thousand)) { status } else { 200 }
        }
    };
    ledger.take(body, status == 200);
    drop(paths);
    shared.changed.notify_all();
    let asks = if status == 429 { "retry-after: 1\r\n" } else { "" };
    (status > 0).then(|| format!("HTTP/1.1 {status} Told\r\n{asks}content-length: 0\r\n\r\n"))
}
