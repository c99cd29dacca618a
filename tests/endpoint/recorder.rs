//! An endpoint that writes down which request came over which connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What every request is answered but for the first one.
pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// What happens to the connection of the first request when the test says so.
#[derive(Debug, Clone, Copy)]
pub enum Then {
    /// It goes on.
    Nothing,
    /// It is closed.
    Close,
    /// Nobody has asked for this.
    Say(&'static str),
}

/// A request, up to its body.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Over which connection it came; the first one is 0.
    pub connection: usize,
    /// Its first line and its headers.
    pub head: String,
}

/// See the module's documentation.
pub struct Recorder {
    /// Where it is, with a path.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    answer: String,
    then: Then,
    seen: Mutex<Vec<Seen>>,
    /// The test wants to go on.
    go: Notify,
    /// It may.
    done: Notify,
}

impl Recorder {
    /// Starts an endpoint that answers the first request like this.
    pub async fn start(answer: impl Into<String>, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            answer: answer.into(),
            then,
            seen: Mutex::default(),
            go: Notify::new(),
            done: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                // That the client goes away is what some of the tests are about.
                tokio::spawn(async move { drop(shared.serve(stream, connection).await) });
                connection += 1;
            }
        });
        Self { url: format!("http://{address}/hook"), shared }
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().clone()
    }

    /// Over which connections they came.
    pub fn connections(&self) -> Vec<usize> {
        self.shared.lock().iter().map(|seen| seen.connection).collect()
    }

    /// Lets happen what was to happen after the first answer, and the client's runtime hear of it.
    pub async fn interfere(&self) {
        self.shared.go.notify_one();
        self.shared.done.notified().await;
        settle().await;
    }
}

/// Lets the runtime look for what has come, and whoever waits for it.
pub async fn settle() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut stream: TcpStream, connection: usize) -> std::io::Result<()> {
        loop {
            let Some(head) = read(&mut stream).await? else { return Ok(()) };
            let is_first = {
                let mut seen = self.lock();
                seen.push(Seen { connection, head });
                seen.len() == 1
            };
            if !is_first {
                stream.write_all(OK.as_bytes()).await?;
                continue;
            }
            stream.write_all(self.answer.as_bytes()).await?;
            match self.then {
                Then::Nothing => {}
                Then::Close => {
                    self.go.notified().await;
                    drop(stream);
                    self.done.notify_one();
                    return Ok(());
                }
                Then::Say(unasked) => {
                    self.go.notified().await;
                    stream.write_all(unasked.as_bytes()).await?;
                    self.done.notify_one();
                }
            }
        }
    }
}

/// Reads a request with the event in it, or one for a tunnel; none: there is no other one.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut request = Vec::new();
    loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&request);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        if head.starts_with("CONNECT ") || request.ends_with(super::EVENT) {
            return Ok(Some(head.to_owned()));
        }
    }
}
