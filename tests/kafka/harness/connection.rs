//! One connection of the receiver, HTTP/1.1 written by hand: an answer that breaks off, or lies
//! about its length, is none that a library would write.

use std::io::{Error, ErrorKind, Result};

use bytes::{Buf, Bytes, BytesMut};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep};

use super::answers::{Answer, Manner, Request};
use super::receiver::{Flight, Shared};

/// What a giant answer promises, and how much of it is written at a time.
const GIANT: usize = 8 << 30;
const PIECE: usize = 8 << 10;

/// Answers requests until one side has enough.
///
/// # Errors
/// When the connection breaks, which is the sender's affair: processes are killed in these tests.
pub(super) async fn serve(mut stream: TcpStream, shared: &Shared) -> Result<()> {
    let mut buffer = BytesMut::new();
    while let Some(mut head) = read_head(&mut stream, &mut buffer).await? {
        let length = head.header("content-length").unwrap_or("0").parse::<usize>();
        let length = length.map_err(|_| ErrorKind::InvalidData)?;
        let is_last = head.header("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
        let early = shared.early_answer(&head);
        let manner = if let Some(answer) = early {
            let (flight, _) = Flight::begin(shared, head, false);
            let manner = answer_to(&mut stream, answer, flight).await?;
            if matches!(manner, Manner::Whole) {
                read_body(&mut stream, &mut buffer, length).await?;
            }
            manner
        } else {
            head.body = read_body(&mut stream, &mut buffer, length).await?;
            let (flight, request) = Flight::begin(shared, head, true);
            let answer = shared.answer(&request);
            answer_to(&mut stream, answer, flight).await?
        };
        if is_last || !matches!(manner, Manner::Whole) {
            break;
        }
    }
    Ok(())
}

/// The next request as far as its head, if there is one.
async fn read_head(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<Option<Request>> {
    let end = loop {
        if let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = buffer.split_to(end).freeze();
    parse(&head).map(Some).ok_or_else(|| Error::new(ErrorKind::InvalidData, "no head of a request"))
}

fn parse(head: &[u8]) -> Option<Request> {
    let mut lines = std::str::from_utf8(head).ok()?.trim_end().split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        headers.append(
            HeaderName::try_from(name).ok()?,
            HeaderValue::from_str(value.trim_ascii()).ok()?,
        );
    }
    let path = target.split('?').next()?;
    Some(Request {
        number: 0,
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: Bytes::new(),
    })
}

async fn read_body(stream: &mut TcpStream, buffer: &mut BytesMut, length: usize) -> Result<Bytes> {
    buffer.reserve(length.saturating_sub(buffer.len()));
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(buffer.split_to(length).freeze())
}

/// Waits as long as the answer takes, and writes it in its manner.
async fn answer_to(stream: &mut TcpStream, answer: Answer, flight: Flight<'_>) -> Result<Manner> {
    let work = async {
        if !answer.latency.is_zero() {
            sleep(answer.latency).await;
        }
        if let Some(gate) = &answer.gate {
            gate.passed().await;
        }
    };
    tokio::select! {
        () = work => {}
        // Whoever is gone takes no answer: its events are not accepted.
        () = gone(stream) => return Err(ErrorKind::BrokenPipe.into()),
    }
    // Before the answer leaves: what Hookcast has learnt to be accepted, is accepted here.
    flight.end(&answer);
    let manner = answer.manner;
    write(stream, &answer).await?;
    Ok(manner)
}

/// Ends when the other side has closed the connection.
async fn gone(stream: &TcpStream) {
    if let Ok(1..) = stream.peek(&mut [0]).await {
        std::future::pending::<()>().await;
    }
}

async fn write(stream: &mut TcpStream, answer: &Answer) -> Result<()> {
    let length = match answer.manner {
        Manner::Giant => GIANT,
        Manner::CutShort => answer.body.len() + 1,
        _ => answer.body.len(),
    };
    let mut text = format!("HTTP/1.1 {} Told\r\ncontent-length: {length}\r\n", answer.status);
    for (name, value) in &answer.headers {
        text.extend([*name, ": ", value, "\r\n"]);
    }
    let mut bytes = BytesMut::from((text + "\r\n").as_bytes());
    bytes.extend_from_slice(&answer.body);
    match answer.manner {
        Manner::Whole | Manner::ThenClosed | Manner::CutShort => stream.write_all(&bytes).await,
        Manner::WithAnother(status) => {
            let another = format!("HTTP/1.1 {status} Another\r\ncontent-length: 0\r\n\r\n");
            bytes.extend_from_slice(another.as_bytes());
            stream.write_all(&bytes).await?;
            // Stays open, so that the sender may take it for the answer to its next request.
            gone(stream).await;
            Ok(())
        }
        Manner::Dripping => {
            while bytes.has_remaining() {
                stream.write_all(&bytes.split_to(1)).await?;
                sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        }
        Manner::Reset => {
            stream.write_all(&bytes.split_to(bytes.len() / 2)).await?;
            // What is read before the reset arrives is then half an answer.
            stream.set_zero_linger()
        }
        Manner::Giant => {
            stream.write_all(&bytes).await?;
            let piece = [b'x'; PIECE];
            for _ in 0..GIANT / PIECE {
                stream.write_all(&piece).await?;
            }
            Ok(())
        }
    }
}
