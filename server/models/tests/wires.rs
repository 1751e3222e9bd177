//! Every wire against a provider that speaks it: what a person would see of an answer, and what
//! they would be told when it fails.

mod fake;

use fake::{Fake, arguments, text};
use models::{Chunk, EndReason, Error, Picture, Prompt, Segment, Sound, ToolOutput, Turn};
use serde_json::json;
use shared::provider::ProviderKind;
use std::time::Duration;

/// The wires with reasoning, ids of calls and everything else that can go wrong.
const MAIN: [ProviderKind; 2] = [ProviderKind::Openai, ProviderKind::Anthropic];

#[tokio::test]
async fn text_arrives_whole_with_usage_and_an_end() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let chunks = fake.ask(kind, "[[say Grüße, “world”\n\\nabla 🐎 fin]]").await.expect("an answer");
        assert_eq!(text(&chunks), "Grüße, “world”\n\\nabla 🐎 fin", "{kind:?}");
        let [.., Chunk::Usage(usage), Chunk::End { reason: EndReason::Stop, opaque: None }] = &chunks[..]
        else {
            panic!("{kind:?}: {chunks:?}");
        };
        assert!(usage.input_tokens > 0 && usage.output_tokens > 0, "{kind:?}: {usage:?}");
    }
}

#[tokio::test]
async fn text_is_the_same_when_each_byte_is_sent_alone() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let asked = "[[bytewise]] [[reason žluťoučký]] [[say kůň 🐎 řve]] [[tool t {\"a\":\"é\"}]]";
        let chunks = fake.ask(kind, asked).await.expect("an answer");
        assert_eq!(text(&chunks), "kůň 🐎 řve", "{kind:?}");
        assert_eq!(arguments(&chunks), [json!({"a": "é"})], "{kind:?}");
    }
}

/// The provider checks that it is a picture.
#[tokio::test]
async fn a_picture_is_shown_over_every_wire() {
    let fake = Fake::start().await;
    let shown = |bytes: &[u8]| Prompt {
        turns: vec![Turn::Picture {
            picture: Picture { media_type: "image/jpeg", bytes: bytes.to_vec() },
            question: "What does it say?".into(),
        }],
        max_tokens: 1000,
        ..Prompt::default()
    };
    for kind in ProviderKind::ALL {
        let chunks = fake.ask_all(kind, &shown(b"\xFF\xD8\xFF\xE0 a picture")).await.expect("an answer");
        assert!(text(&chunks).contains("Invoice 4711"), "{kind:?}: {chunks:?}");
        let refused = fake.ask_all(kind, &shown(b"no picture")).await.expect_err("a refusal");
        assert!(
            matches!(refused, Error::Status { status: 400, .. }) && !refused.may_pass(),
            "{kind:?}: {refused}"
        );
    }
    let prompt = format!("{:?}", shown(b"private"));
    assert!(prompt.contains("7 bytes") && !prompt.contains("112, 114"), "{prompt}");
}

#[tokio::test]
async fn a_recording_becomes_words_with_their_times_where_the_model_knows_them() {
    let fake = Fake::start().await;
    let patience = Duration::from_secs(10);
    let sound = Sound {
        name: "recording.wav".into(),
        bytes: (&b"RIFF [[say Good morning.|Let us begin.]]"[..]).into(),
    };
    let mut target = fake.target(ProviderKind::Openai);
    let timed = fake.client.transcribe(&target, &sound, patience).await.expect("a transcript");
    let second = Segment { start: 40.0, end: 80.0, text: " Let us begin.".into() };
    assert_eq!((timed.segments.len(), &timed.segments[1]), (2, &second));
    target.model = "fake-words".into();
    let plain = fake.client.transcribe(&target, &sound, patience).await.expect("a transcript");
    assert_eq!((plain.text.as_str(), plain.segments.len()), ("Good morning. Let us begin.", 0));
    let odd = Sound { name: "recording.mid".into(), ..sound.clone() };
    let refused = fake.client.transcribe(&target, &odd, patience).await.expect_err("a refusal");
    assert!(matches!(refused, Error::Status { status: 400, .. }), "{refused}");
    target.api_key = Some("bad-key".to_owned().into());
    let refused = fake.client.transcribe(&target, &sound, patience).await.expect_err("a refusal");
    assert!(!refused.to_string().contains("bad-key"), "{refused}");
    target.base_url = "http://127.0.0.1:9/v1".into();
    let away = fake.client.transcribe(&target, &sound, patience).await.expect_err("nobody there");
    assert!(away.may_pass(), "{away}");
}

#[tokio::test]
async fn a_token_is_handed_on_before_the_next_one_is_sent() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        // What comes after it comes in an hour, and nobody waits for that.
        for said in ["one", "one two"] {
            let asked = format!("[[say {said}]] [[tokens 1 first 3600s]]");
            let mut stream = fake.stream(kind, &asked).await.expect("a stream");
            let mut heard = String::new();
            while heard != said {
                match fake::next(&mut stream).await {
                    Some(Ok(Chunk::Text(text))) => heard.push_str(&text),
                    other => panic!("{kind:?}: {other:?} after {heard:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn reasoning_is_told_apart_from_text() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let chunks =
            fake.ask(kind, "[[reason first I think]] [[say then I speak]]").await.expect("an answer");
        assert_eq!(fake::reasoning(&chunks), "first I think", "{kind:?}");
        assert_eq!(text(&chunks), "then I speak", "{kind:?}");
    }
}

/// The provider checks ids, order and, where it signs, that its thinking comes back.
#[tokio::test]
async fn parallel_calls_are_put_together_and_their_results_are_accepted_in_a_second_turn() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let asked = r#"[[reason which ones]] [[say Let me look.]] [[tool clock {"zone":"Europe/Lisbon"}]] [[tool search {"words":["a","b"],"n":3}]]"#;
        let mut prompt = fake::prompt(asked);
        let first = fake.ask_all(kind, &prompt).await.expect("an answer");
        let calls = fake::calls(&first);
        let names: Vec<_> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["clock", "search"], "{kind:?}");
        assert_eq!(
            arguments(&first),
            [json!({"zone": "Europe/Lisbon"}), json!({"words": ["a", "b"], "n": 3})]
        );
        assert_ne!(calls[0].id, calls[1].id, "{kind:?}");
        let Some(Chunk::End { reason: EndReason::ToolCalls, opaque }) = first.last() else {
            panic!("{kind:?}: {first:?}");
        };
        let output = |call: usize, ok, content: &str| ToolOutput {
            call_id: calls[call].id.clone(),
            name: calls[call].name.clone(),
            ok,
            content: content.to_owned(),
        };
        prompt.turns.push(Turn::Assistant {
            text: text(&first),
            tool_calls: calls.clone(),
            opaque: opaque.clone(),
        });
        prompt.turns.push(Turn::ToolResults(vec![output(0, true, "noon"), output(1, false, "no index")]));
        let second = fake.ask_all(kind, &prompt).await.expect("a second answer");
        assert!(text(&second).contains("`clock` said: noon"), "{kind:?}: {second:?}");
        assert!(text(&second).contains("no index"), "{kind:?}: {second:?}");
        assert!(matches!(second.last(), Some(Chunk::End { reason: EndReason::Stop, .. })), "{kind:?}");
    }
}

#[tokio::test]
async fn what_one_provider_signed_is_not_shown_to_another() {
    let fake = Fake::start().await;
    let mut prompt = fake::prompt("[[reason hm]] [[tool clock {}]]");
    let first = fake.ask_all(ProviderKind::Anthropic, &prompt).await.expect("an answer");
    let Some(Chunk::End { opaque: Some(opaque), .. }) = first.last() else { panic!("{first:?}") };
    let calls = fake::calls(&first);
    let output =
        ToolOutput { call_id: calls[0].id.clone(), name: "clock".into(), ok: true, content: "noon".into() };
    prompt.turns.push(Turn::Assistant {
        text: String::new(),
        tool_calls: calls,
        opaque: Some(opaque.clone()),
    });
    prompt.turns.push(Turn::ToolResults(vec![output]));
    for kind in [ProviderKind::Openai, ProviderKind::Gemini, ProviderKind::Ollama] {
        let chunks = fake.ask_all(kind, &prompt).await.expect("an answer");
        assert!(text(&chunks).contains("noon"), "{kind:?}");
        let sent = fake.upstream.requests().last().expect("a request").body.to_string();
        assert!(!sent.contains("signature"), "{kind:?}: {sent}");
    }
}

#[tokio::test]
async fn arguments_that_are_not_json_reach_the_loop_and_can_be_answered() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let mut prompt = fake::prompt(r#"[[tool clock {"zone": ]]"#);
        let chunks = fake.ask_all(kind, &prompt).await.expect("an answer");
        let calls = fake::calls(&chunks);
        assert_eq!(calls[0].unreadable_arguments(), Some(r#"{"zone":"#), "{kind:?}");
        let output = ToolOutput {
            call_id: calls[0].id.clone(),
            name: "clock".into(),
            ok: false,
            content: "The arguments are not a JSON object.".into(),
        };
        prompt.turns.push(Turn::Assistant { text: String::new(), tool_calls: calls, opaque: None });
        prompt.turns.push(Turn::ToolResults(vec![output]));
        let second = fake.ask_all(kind, &prompt).await.expect("a second answer");
        assert!(text(&second).contains("not a JSON object"), "{kind:?}");
    }
}

#[tokio::test]
async fn a_call_without_arguments_has_an_empty_object() {
    let fake = Fake::start().await;
    for kind in MAIN {
        let chunks = fake.ask(kind, "[[tool clock ]]").await.expect("an answer");
        assert_eq!(arguments(&chunks), [json!({})], "{kind:?}");
    }
}

#[tokio::test]
async fn ends_are_told_apart() {
    let fake = Fake::start().await;
    for (kind, directive, expected) in [
        (ProviderKind::Openai, "[[length]]", EndReason::Length),
        (ProviderKind::Anthropic, "[[length]]", EndReason::Length),
        (ProviderKind::Gemini, "[[length]]", EndReason::Length),
        (ProviderKind::Ollama, "[[length]]", EndReason::Length),
        (ProviderKind::Openai, "[[refuse]]", EndReason::Refused),
        (ProviderKind::Anthropic, "[[refuse]]", EndReason::Refused),
        (ProviderKind::Gemini, "[[refuse]]", EndReason::Refused),
    ] {
        let chunks = fake.ask(kind, directive).await.expect("an answer");
        assert!(
            matches!(chunks.last(), Some(Chunk::End { reason, .. }) if *reason == expected),
            "{kind:?}: {chunks:?}"
        );
    }
}

#[tokio::test]
async fn models_are_listed_by_the_names_that_can_be_asked() {
    let fake = Fake::start().await;
    for kind in ProviderKind::ALL {
        let names = fake.client.list_models(&fake.target(kind)).await.expect("a list");
        assert_eq!(names, ["fake-large", "fake-small"], "{kind:?}");
    }
}

#[tokio::test]
async fn a_server_that_knows_neither_usage_nor_max_tokens_is_asked_in_its_own_words() {
    let fake = Fake::start().await;
    let asked = "[[no-stream-options]] [[only-max-completion-tokens]] [[say fine]]";
    let chunks = fake.ask(ProviderKind::Openai, asked).await.expect("an answer");
    assert_eq!(text(&chunks), "fine");
    assert!(!chunks.iter().any(|chunk| matches!(chunk, Chunk::Usage(_))));
    let before = fake.upstream.requests().len();
    fake.ask(ProviderKind::Openai, asked).await.expect("an answer");
    assert_eq!(fake.upstream.requests().len(), before + 1, "what the server speaks is remembered");
    assert!(matches!(
        fake.ask(ProviderKind::Openai, "[[fail 400]]").await,
        Err(Error::Status { status: 400, .. })
    ));
}
