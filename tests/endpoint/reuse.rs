//! Which connection a request goes over: one that was used before, or a new one.

use hookcast::endpoint::MOST_ANSWER_BYTES;
use hookcast::verdict::Outcome;

use crate::prepare;
use crate::recorder::{OK, Recorder, Then};

/// The outcomes of two attempts, one after the other, and the connections they were made over.
async fn twice(endpoint: &Recorder) -> (Outcome, Outcome, Vec<usize>) {
    let (endpoints, attempt) = prepare(&endpoint.url, "", "allow_private: true");
    let first = endpoints.attempt(&attempt).await;
    assert!(matches!(first.outcome, Outcome::Status(_)), "the first attempt: {first:?}");
    let second = endpoints.attempt(&attempt).await;
    (first.outcome, second.outcome, endpoint.connections())
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_complete_answer() {
    let answers = [
        (200, OK),
        (200, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"),
        (200, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n"),
        (
            200,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n\r\n\
             4\r\ndone\r\n0\r\na: b\r\n\r\n",
        ),
        (200, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (
            200,
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ),
        (200, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\ndone"),
        (204, "HTTP/1.1 204 No Content\r\n\r\n"),
        (304, "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n"),
        (500, "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"),
    ];
    for (status, answer) in answers {
        let endpoint = Recorder::start(answer, Then::Nothing).await;
        let expected = (Outcome::Status(status), Outcome::Status(200), vec![0, 0]);
        assert_eq!(twice(&endpoint).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_connection_is_not_used_again_when_its_answer_says_so_or_goes_on() {
    let answers = [
        (200, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone"),
        (200, "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\ndone"),
        (101, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
    ];
    for (status, answer) in answers {
        let endpoint = Recorder::start(answer, Then::Nothing).await;
        let expected = (Outcome::Status(status), Outcome::Status(200), vec![0, 1]);
        assert_eq!(twice(&endpoint).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn what_comes_behind_an_answer_is_not_the_next_one() {
    let behind = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
    let answers = [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\ndone",
    ];
    for answer in answers {
        let endpoint = Recorder::start(format!("{answer}{behind}"), Then::Nothing).await;
        let (_, second, connections) = twice(&endpoint).await;
        assert_eq!((second, connections), (Outcome::Status(200), vec![0, 1]), "{answer}");
    }
}

#[tokio::test]
async fn what_comes_while_nobody_asks_is_no_answer() {
    let unasked = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
    let endpoint = Recorder::start(OK, Then::Say(unasked)).await;
    let (endpoints, attempt) = prepare(&endpoint.url, "", "allow_private: true");
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Status(200));
    endpoint.interfere().await;
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Status(200));
    assert_eq!(endpoint.connections(), [0, 1]);
}

#[tokio::test]
async fn a_connection_that_was_closed_in_between_costs_no_attempt() {
    let endpoint = Recorder::start(OK, Then::Close).await;
    let (endpoints, attempt) = prepare(&endpoint.url, "", "allow_private: true");
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Status(200));
    endpoint.interfere().await;
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Status(200));
    assert_eq!(endpoint.connections(), [0, 1], "it is sent once");
}

#[tokio::test]
async fn an_answer_that_is_too_long_costs_its_connection() {
    for (length, connections) in [(MOST_ANSWER_BYTES, [0, 0]), (MOST_ANSWER_BYTES + 1, [0, 1])] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let endpoint = Recorder::start(head + &"x".repeat(length), Then::Nothing).await;
        let expected = (Outcome::Status(200), Outcome::Status(200), connections.to_vec());
        assert_eq!(twice(&endpoint).await, expected, "{length}");
    }
}

#[tokio::test]
async fn a_connection_on_which_an_answer_is_late_is_not_used_again() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    let endpoint = Recorder::start(half, Then::Say("other")).await;
    let (endpoints, attempt) = prepare(&endpoint.url, "", "allow_private: true");
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Timeout);
    endpoint.interfere().await;
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Status(200));
    assert_eq!(endpoint.connections(), [0, 1]);
}

#[tokio::test]
async fn requests_at_the_same_time_have_connections_of_their_own_which_are_kept() {
    let endpoint = Recorder::start(OK, Then::Nothing).await;
    let (endpoints, attempt) = prepare(&endpoint.url, "", "allow_private: true");
    for _ in 0..2 {
        let attempts = [&attempt; 3].map(|attempt| endpoints.attempt(attempt));
        for answer in futures_util::future::join_all(attempts).await {
            assert_eq!(answer.outcome, Outcome::Status(200));
        }
    }
    let mut connections = endpoint.connections();
    connections.sort_unstable();
    assert_eq!(connections, [0, 0, 1, 1, 2, 2]);
}

#[tokio::test]
async fn user_and_password_become_a_header_and_leave_the_url() {
    let endpoint = Recorder::start(OK, Then::Nothing).await;
    let url = endpoint.url.replace("http://", "http://me:pa%20ss@") + "?q=1";
    let (endpoints, attempt) = prepare(&url, "", "allow_private: true");
    assert_eq!(endpoints.attempt(&attempt).await.outcome, Outcome::Status(200));
    let head = endpoint.seen().remove(0).head.to_lowercase();
    let host = endpoint.url.trim_start_matches("http://").trim_end_matches("/hook");
    assert!(head.starts_with("post /hook?q=1 http/1.1\r\n"), "{head}");
    for line in
        [format!("host: {host}"), "accept: */*".into(), "authorization: basic bwu6cgegc3m=".into()]
    {
        assert_eq!(head.lines().filter(|seen| *seen == line).count(), 1, "{line}: {head}");
    }
    assert!(!head.contains("me:"), "{head}");
}
