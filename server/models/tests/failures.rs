//! What a provider can do wrong, on each wire: nothing hangs, nothing grows, what came is kept, and
//! the error says what happened.

mod fake;

use fake::{Fake, read, text};
use futures::future::join_all;
use models::{Chunk, Client, Error, Limits, Target};
use shared::provider::ProviderKind;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Not for long, but for longer than a busy machine takes from one piece to the next.
fn impatient() -> Limits {
    Limits { stall: Duration::from_secs(2), first_chunk: Duration::from_secs(8), ..Limits::default() }
}

#[tokio::test]
async fn a_limit_on_requests_carries_its_wait() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let Err(error) = fake.stream(kind, "[[fail 429 retry-after 7]]").await else { panic!("{kind:?}") };
        let wait = Some(Duration::from_secs(7));
        assert!(
            matches!(&error, Error::RateLimited { retry_after, .. } if *retry_after == wait),
            "{kind:?}: {error:?}"
        );
        assert_eq!(error.key_should_rest(), wait, "{kind:?}");
        assert!(error.for_person().contains("7 seconds"), "{}", error.for_person());
    }
}

#[tokio::test]
async fn a_fault_of_the_provider_is_told_with_its_status_and_words() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let Err(error) = fake.stream(kind, "[[fail 500]]").await else { panic!("{kind:?}") };
        let message = "The fake provider was told to fail.".to_owned();
        assert_eq!(error, Error::Status { status: 500, message }, "{kind:?}");
        assert_eq!(error.key_should_rest(), None);
    }
}

#[tokio::test]
async fn a_refused_key_is_told_without_showing_it() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let target = Target { api_key: Some("bad-key".to_owned().into()), ..fake.target(kind) };
        let Err(error) = fake.client.stream(&target, &fake::prompt("hello")).await else {
            panic!("{kind:?}")
        };
        assert!(matches!(error, Error::Unauthorized(_)), "{kind:?}: {error:?}");
        let shown = format!("{error} {error:?} {}", error.for_person());
        assert!(!shown.contains("bad-key"), "{shown}");
        let listed = fake.client.list_models(&target).await;
        assert!(matches!(listed, Err(Error::Unauthorized(_))), "{kind:?}: {listed:?}");
    }
}

#[tokio::test]
async fn a_stall_ends_after_the_limit_and_keeps_what_came() {
    let fake = &Fake::with_limits(impatient()).await;
    let answers = ProviderKind::ALL.map(|kind| async move {
        let stream = fake.stream(kind, "[[say so far so good]] [[stall]]").await.expect("a stream");
        let (chunks, error) = read(stream).await;
        assert_eq!(text(&chunks), "so far so good", "{kind:?}");
        assert_eq!(error, Some(Error::Stalled(impatient().stall)), "{kind:?}");
    });
    join_all(answers).await;
}

#[tokio::test]
async fn silence_before_the_first_piece_is_allowed_to_last_longer() {
    let fake = Fake::with_limits(impatient()).await;
    let (slow, silent) = tokio::join!(
        fake.ask(ProviderKind::Openai, "[[tokens 1 first 3s]]"),
        fake.ask(ProviderKind::Openai, "[[tokens 1 first 3600s]]"),
    );
    assert!(slow.is_ok(), "{slow:?}");
    assert_eq!(silent, Err(Error::Stalled(impatient().first_chunk)));
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_an_event_keeps_what_came() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let stream = fake.stream(kind, "[[say so far so good]] [[cut]]").await.expect("a stream");
        let (chunks, error) = read(stream).await;
        assert_eq!(text(&chunks), "so far so good", "{kind:?}");
        assert!(matches!(error, Some(Error::Interrupted(_))), "{kind:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_provider_that_dies_interrupts_its_answers() {
    let fake = Fake::start().await;
    let mut stream = fake.stream(ProviderKind::Openai, "[[tokens 1000 every 10ms]]").await.expect("a stream");
    assert!(matches!(fake::next(&mut stream).await, Some(Ok(Chunk::Text(_)))));
    let target = fake.target(ProviderKind::Openai);
    drop(fake.upstream);
    let (_, error) = read(stream).await;
    assert!(matches!(error, Some(Error::Interrupted(_))), "{error:?}");
    let gone = fake.client.stream(&target, &fake::prompt("hello")).await.err();
    assert!(matches!(gone, Some(Error::Unreachable(_))), "{gone:?}");
}

#[tokio::test]
async fn broken_json_ends_the_answer_and_keeps_what_came() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let stream = fake.stream(kind, "[[say so far so good]] [[malformed]]").await.expect("a stream");
        let (chunks, error) = read(stream).await;
        assert_eq!(text(&chunks), "so far so good", "{kind:?}");
        assert!(matches!(error, Some(Error::Malformed(_))), "{kind:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_error_inside_the_stream_is_what_it_says() {
    let fake = Fake::start().await;
    for kind in [ProviderKind::Openai, ProviderKind::Anthropic] {
        let stream = fake.stream(kind, "[[say so far]] [[error rate_limit_error]]").await.expect("a stream");
        let (chunks, error) = read(stream).await;
        assert_eq!(text(&chunks), "so far", "{kind:?}");
        assert!(matches!(error, Some(Error::RateLimited { .. })), "{kind:?}: {error:?}");
    }
    for kind in [ProviderKind::Gemini, ProviderKind::Ollama] {
        let stream = fake.stream(kind, "[[error UNAVAILABLE]]").await.expect("a stream");
        let (_, error) = read(stream).await;
        assert!(matches!(error, Some(Error::Status { status: 500.., .. })), "{kind:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_no_faster_than_it_is_taken_and_ends_when_it_is_dropped() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let mut stream = fake.stream(kind, "[[endless]]").await.expect("a stream");
        let mut bytes = 0;
        while bytes < 4 << 20 {
            match fake::next(&mut stream).await {
                Some(Ok(Chunk::Text(text))) => bytes += text.len(),
                other => panic!("{kind:?}: {other:?}"),
            }
        }
        assert_eq!(fake.upstream.open_answers(), 1, "{kind:?}");
        drop(stream);
        let began = Instant::now();
        while fake.upstream.open_answers() > 0 {
            assert!(began.elapsed() < Duration::from_secs(30), "{kind:?}: the provider still writes");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A server of a test's own: answers every connection with the same bytes.
async fn server_that_says(answer: String) -> Target {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 64 << 10];
            if socket.read(&mut request).await.is_ok() && socket.write_all(answer.as_bytes()).await.is_ok() {
                // The client reads until the end; whether it saw it is its own to tell.
                let _ = socket.shutdown().await;
                // Closed with something unread, the connection would take the answer along.
                while socket.read(&mut request).await.is_ok_and(|read| read > 0) {}
            }
        }
    });
    let base_url = format!("http://{addr}/v1");
    Target {
        kind: ProviderKind::Openai,
        base_url,
        api_key: Some("sk-secret".to_owned().into()),
        model: "m".into(),
    }
}

async fn outcome_of(answer: &str) -> (Vec<Chunk>, Option<Error>) {
    let target = server_that_says(answer.replace('\n', "\r\n")).await;
    match Client::new().expect("a client").stream(&target, &fake::prompt("hello")).await {
        Ok(stream) => read(stream).await,
        Err(error) => (Vec::new(), Some(error)),
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed_with_the_key() {
    let fake = Fake::start().await;
    let elsewhere = fake.target(ProviderKind::Openai).base_url;
    let answer = format!("HTTP/1.1 307 Moved\nlocation: {elsewhere}chat/completions\ncontent-length: 0\n\n");
    let (_, error) = outcome_of(&answer).await;
    assert!(matches!(error, Some(Error::Status { status: 307, .. })), "{error:?}");
    assert!(fake.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_web_page_and_a_plain_answer_are_named_as_what_they_are() {
    for (kind, expected) in [("text/html; charset=utf-8", "web page"), ("application/json", "one JSON text")]
    {
        let (_, error) = outcome_of(&format!("HTTP/1.1 200 OK\ncontent-type: {kind}\n\n{{}}")).await;
        let Some(Error::Malformed(what)) = error else { panic!("{error:?}") };
        assert!(what.contains(expected), "{what}");
    }
}

#[tokio::test]
async fn an_answer_without_its_end_mark_counts_only_when_it_said_that_it_was_done() {
    let head = "HTTP/1.1 200 OK\ncontent-type: text/event-stream\n\n";
    let word = "data: {\"choices\":[{\"delta\":{\"content\":\"hello\"}}]}\n\n";
    let done = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let (chunks, error) = outcome_of(&format!("{head}{word}{done}")).await;
    assert_eq!((text(&chunks).as_str(), error), ("hello", None));
    let (chunks, error) = outcome_of(&format!("{head}{word}")).await;
    assert_eq!(text(&chunks), "hello");
    assert!(matches!(error, Some(Error::Interrupted(_))), "{error:?}");
}

#[tokio::test]
async fn servers_that_leave_out_indexes_or_send_parts_are_understood() {
    let head = "HTTP/1.1 200 OK\ncontent-type: text/event-stream\n\n";
    let answer = [
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"hello"}]}}]}"#,
        r#"{"choices":[{"delta":{"content":null,"tool_calls":[{"index":0,"id":"a","function":{"name":"clock","arguments":{"z":1}}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"search","arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"clock"}}]},"finish_reason":"stop"}],"usage":null}"#,
    ];
    let events: String = answer.iter().map(|data| format!("data: {data}\n\n")).collect();
    let (chunks, error) = outcome_of(&format!("{head}{events}data: [DONE]\n\n")).await;
    assert_eq!(error, None);
    assert_eq!((fake::reasoning(&chunks).as_str(), text(&chunks).as_str()), ("hm", "hello"));
    let calls = fake::calls(&chunks);
    assert_eq!(calls.iter().map(|call| call.name.as_str()).collect::<Vec<_>>(), ["clock", "search"]);
    assert_eq!(calls[0].arguments, serde_json::json!({"z": 1}));
    assert!(matches!(chunks.last(), Some(Chunk::End { reason: models::EndReason::ToolCalls, .. })));
}

#[tokio::test]
async fn nobody_at_the_address_is_said_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("an address");
    drop(listener);
    let target = Target {
        kind: ProviderKind::Ollama,
        base_url: format!("http://{addr}"),
        api_key: None,
        model: "m".into(),
    };
    let client = Client::new().expect("a client");
    let error = client.stream(&target, &fake::prompt("hello")).await.err().expect("nobody is there");
    assert!(error.for_person().contains("nothing answers at that address"), "{}", error.for_person());
    let target = Target { base_url: "http://no-such-host.invalid".into(), ..target };
    let error = client.list_models(&target).await.expect_err("no such host");
    assert!(error.for_person().contains("host name is not known"), "{}", error.for_person());
}
