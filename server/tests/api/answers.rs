//! Answers: streamed, followed, stopped, repeated, continued, and none of them lost.

use crate::application::{Application, Differences, Person, answer_id, eventually, text_of};
use serde_json::json;
use shared::conversation::StopReason;
use shared::event::{AnswerEvent, Sequenced};
use std::time::Instant;
use upstream::Wire;
use uuid::Uuid;

async fn with_model() -> (Application, Person, String) {
    let app = Application::start().await;
    let owner = app.set_up().await;
    app.add_provider(&owner, Wire::Openai).await;
    let conversation = owner.conversation().await;
    (app, owner, conversation)
}

fn last(events: &[Sequenced]) -> &AnswerEvent {
    &events.last().expect("there are events").event
}

#[tokio::test]
async fn an_answer_streams_and_is_stored() {
    let (_app, owner, conversation) = with_model().await;
    let events = owner.ask(&conversation, "[[say one two three]]").await;
    assert!(matches!(events[0].event, AnswerEvent::Message { .. }));
    assert_eq!(text_of(&events), "one two three");
    assert_eq!(*last(&events), AnswerEvent::Done { stop_reason: StopReason::End });
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][0]["role"], "user");
    assert_eq!(stored["messages"][1]["role"], "assistant");
    assert_eq!(stored["messages"][1]["status"], "complete");
    assert_eq!(stored["messages"][1]["content"], "one two three");
    assert_eq!(stored["messages"][1]["model"], "fake-openai/small");
    assert_eq!(stored["message_count"], 2);
    assert!(stored["messages"][1]["usage"]["output_tokens"].as_u64().is_some_and(|n| n > 0));
}

#[tokio::test]
async fn the_first_token_goes_out_at_once_and_the_rest_in_bundles() {
    let (_app, owner, conversation) = with_model().await;
    let began = Instant::now();
    let events = owner.ask(&conversation, "[[tokens 200 every 2ms first 0ms]]").await;
    // Ten are a bundle, and so is what came in a tenth of a second, however long all of it took.
    let most = 25 + usize::try_from(began.elapsed().as_millis() / 100).unwrap();
    let deltas = events.iter().filter(|e| matches!(e.event, AnswerEvent::Delta { .. })).count();
    assert!((10..=most).contains(&deltas), "{deltas} bundles for 200 tokens, {most} at most");
}

#[tokio::test]
async fn the_same_message_sent_again_gives_the_same_answer() {
    let (app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let id = Uuid::now_v7();
    let body = json!({"user_message_id": id, "content": "[[tokens 40 every 5ms]]"});
    let (first, second) = tokio::join!(owner.stream(&path, body.clone()), owner.stream(&path, body.clone()));
    let (first, second) = tokio::join!(first.rest(), second.rest());
    assert_eq!(answer_id(&first[0]), answer_id(&second[0]));
    assert_eq!(text_of(&first), text_of(&second));
    let later = owner.stream(&path, body).await.rest().await;
    assert_eq!(text_of(&later), text_of(&first));
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"].as_array().unwrap().len(), 2);
    // Titles are asked for too; answers only once.
    let asked = app.upstream.requests().iter().filter(|r| r.body["tools"].is_array()).count();
    assert_eq!(asked, 1);
    let other = json!({"user_message_id": id, "content": "something else"});
    owner.post(&path, other).await.refused(409, "MESSAGE_ID_REUSED");
}

#[tokio::test]
async fn an_answer_can_be_followed_from_any_place_while_it_runs_and_after() {
    let (_app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut stream = owner.stream(&path, json!({"content": "[[tokens 150 every 5ms first 0ms]]"})).await;
    let id = answer_id(&stream.next().await.unwrap());
    let place = stream.until(|e| matches!(e, AnswerEvent::Delta { .. })).await;
    let place = stream.until(|e| matches!(e, AnswerEvent::Delta { .. })).await.seq.max(place.seq);
    let elsewhere = owner.follow(&conversation, &id, place).await;
    let (here, there) = tokio::join!(stream.rest(), elsewhere.rest());
    assert_eq!(text_of(&here), text_of(&there));
    assert_eq!(here.last(), there.last());
    let again = owner.follow(&conversation, &id, place).await.rest().await;
    assert_eq!(text_of(&again), text_of(&there));
    assert!(owner.follow(&conversation, &id, there.last().unwrap().seq).await.rest().await.is_empty());
}

#[tokio::test]
async fn an_answer_whose_log_was_pruned_is_told_from_its_message() {
    let (app, owner, conversation) = with_model().await;
    let events = owner.ask(&conversation, "[[say what was said]]").await;
    sqlx::query("DELETE FROM stream_events").execute(&app.owner).await.unwrap();
    let again = owner.follow(&conversation, &answer_id(&events[0]), 0).await.rest().await;
    assert_eq!(text_of(&again), "what was said");
    assert_eq!(last(&again), last(&events));
}

#[tokio::test]
async fn a_message_sent_meanwhile_waits_its_turn() {
    let (_app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    // Long enough for all that is looked at meanwhile.
    let mut first = owner.stream(&path, json!({"content": "[[tokens 100 every 50ms]]"})).await;
    first.next().await.unwrap();
    let mut second = owner.stream(&path, json!({"content": "[[say second]]"})).await;
    let waits = second.next().await.unwrap();
    assert!(matches!(
        waits.event,
        AnswerEvent::Message { status: shared::conversation::MessageStatus::Pending, .. }
    ));
    let open = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    let statuses: Vec<_> =
        open["messages"].as_array().unwrap().iter().map(|m| m["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["complete", "streaming", "complete", "pending"]);
    let begins = second.next().await.unwrap();
    assert!(matches!(
        begins.event,
        AnswerEvent::Message { status: shared::conversation::MessageStatus::Streaming, .. }
    ));
    assert_eq!(text_of(&second.rest().await), "second");
    first.rest().await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"].as_array().unwrap().len(), 4);
    assert_eq!(stored["messages"][3]["content"], "second");
}

#[tokio::test]
async fn a_waiting_answer_can_be_stopped_before_it_begins() {
    let (_app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut first = owner.stream(&path, json!({"content": "[[tokens 100 every 50ms]]"})).await;
    first.next().await.unwrap();
    let mut second = owner.stream(&path, json!({"content": "never mind"})).await;
    let id = answer_id(&second.next().await.unwrap());
    owner.post(&format!("{path}/{id}/stop"), json!({})).await.ok();
    assert_eq!(*last(&second.rest().await), AnswerEvent::Done { stop_reason: StopReason::Stopped });
    assert_eq!(*last(&first.rest().await), AnswerEvent::Done { stop_reason: StopReason::End });
}

#[tokio::test]
async fn stop_ends_the_answer_here_and_at_the_provider() {
    let (app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut stream = owner.stream(&path, json!({"content": "[[tokens 5000 every 10ms first 0ms]]"})).await;
    let id = answer_id(&stream.next().await.unwrap());
    stream.until(|e| matches!(e, AnswerEvent::Delta { .. })).await;
    owner.post(&format!("{path}/{id}/stop"), json!({})).await.ok();
    let events = stream.rest().await;
    assert_eq!(*last(&events), AnswerEvent::Done { stop_reason: StopReason::Stopped });
    eventually("the provider's connection is closed", async || app.upstream.open_answers() == 0).await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][1]["stop_reason"], "stopped");
    assert!(!stored["messages"][1]["content"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn another_answer_is_a_variant_and_the_first_can_be_shown_again() {
    let (_app, owner, conversation) = with_model().await;
    let one = answer_id(&owner.ask(&conversation, "[[say the answer]]").await[0]);
    let path = format!("/api/v1/conversations/{conversation}");
    let events = owner.stream(&format!("{path}/messages/{one}/regenerate"), json!({})).await.rest().await;
    let two = answer_id(&events[0]);
    let shown = owner.get(&path).await.ok();
    assert_eq!(shown["messages"][1]["id"], json!(two));
    assert_eq!(shown["messages"][1]["variants"], json!([one, two]));
    owner.patch(&path, json!({"head": one})).await.ok();
    assert_eq!(owner.get(&path).await.ok()["messages"][1]["id"], json!(one));
}

#[tokio::test]
async fn an_edited_message_takes_the_place_of_the_first_and_loses_nothing() {
    let (_app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}");
    let original = Uuid::now_v7();
    let send = format!("{path}/messages");
    owner.stream(&send, json!({"user_message_id": original, "content": "[[say first]]"})).await.rest().await;
    owner.ask(&conversation, "[[say follow-up]]").await;
    owner.stream(&send, json!({"content": "[[say edited]]", "replaces": original})).await.rest().await;
    let shown = owner.get(&path).await.ok();
    assert_eq!(shown["messages"].as_array().unwrap().len(), 2);
    assert_eq!(shown["messages"][1]["content"], "edited");
    owner.patch(&path, json!({"head": original})).await.ok();
    let shown = owner.get(&path).await.ok();
    let texts: Vec<_> =
        shown["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect();
    assert_eq!(texts, ["[[say first]]", "first", "[[say follow-up]]", "follow-up"]);
}

#[tokio::test]
async fn an_answer_that_broke_off_is_continued_as_a_variant() {
    let (app, owner, conversation) = with_model().await;
    let events = owner.ask(&conversation, "[[say half of it]][[cut]]").await;
    assert!(matches!(last(&events), AnswerEvent::Error { message } if message.contains("continue")));
    let kept = text_of(&events);
    assert!(kept.starts_with("half"), "{kept}");
    let id = answer_id(&events[0]);
    let path = format!("/api/v1/conversations/{conversation}/messages/{id}/continue");
    let more = owner.stream(&path, json!({})).await.rest().await;
    assert!(matches!(&more[1].event, AnswerEvent::Reset { content, .. } if *content == kept));
    assert!(text_of(&more).len() > kept.len());
    let asked = app.upstream.requests();
    let turns = asked.iter().rfind(|r| r.body["tools"].is_array()).unwrap().body["messages"].clone();
    assert!(
        turns.as_array().unwrap().iter().any(|t| t["role"] == "assistant" && t["content"] == json!(kept)),
        "{turns}"
    );
}

#[tokio::test]
async fn tools_run_in_parallel_and_each_step_is_shown() {
    for wire in [Wire::Openai, Wire::Anthropic] {
        let app = Application::start().await;
        let owner = app.set_up().await;
        app.add_provider(&owner, wire).await;
        let conversation = owner.conversation().await;
        let ask =
            r#"[[tool current_time {"time_zone":"Asia/Tokyo"}]][[tool search_workspace {"query":"x"}]]"#;
        let events = owner.ask(&conversation, ask).await;
        let names: Vec<_> = events.iter().map(|e| e.event.name()).filter(|n| n.starts_with("tool")).collect();
        assert_eq!(names, ["tool_call", "tool_call", "tool_result", "tool_result"]);
        assert!(
            events.iter().all(|e| !matches!(&e.event, AnswerEvent::ToolResult { result, .. } if !result.ok))
        );
        assert!(text_of(&events).contains("Asia/Tokyo"), "{}", text_of(&events));
        let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
        assert_eq!(stored["messages"][1]["steps"].as_array().unwrap().len(), 2);
        assert_eq!(stored["messages"][1]["steps"][0]["result"]["ok"], true);
    }
}

#[tokio::test]
async fn a_tool_that_fails_tells_the_model_so() {
    let (_app, owner, conversation) = with_model().await;
    let ask = r#"[[tool current_time {"time_zone":"Mars/Olympus"}]][[tool no_such_tool {}]][[tool search_workspace nonsense]]"#;
    let events = owner.ask(&conversation, ask).await;
    let failed =
        events.iter().filter(|e| matches!(&e.event, AnswerEvent::ToolResult { result, .. } if !result.ok));
    assert_eq!(failed.count(), 3);
    assert!(text_of(&events).contains("Mars/Olympus"));
    assert_eq!(*last(&events), AnswerEvent::Done { stop_reason: StopReason::End });
}

#[tokio::test]
async fn tools_end_after_five_rounds() {
    let (_app, owner, conversation) = with_model().await;
    let events = owner.ask(&conversation, "[[tool-forever current_time {}]]").await;
    let calls = events.iter().filter(|e| matches!(e.event, AnswerEvent::ToolCall { .. })).count();
    assert_eq!(calls, 5);
    assert_eq!(*last(&events), AnswerEvent::Done { stop_reason: StopReason::ToolRounds });
}

#[tokio::test]
async fn an_endless_answer_stops_at_four_megabytes_and_keeps_what_came() {
    let (_app, owner, conversation) = with_model().await;
    let events = owner.ask(&conversation, "[[endless]]").await;
    assert_eq!(*last(&events), AnswerEvent::Done { stop_reason: StopReason::Length });
    assert_eq!(text_of(&events).len(), 4 * 1024 * 1024);
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][1]["content"].as_str().unwrap().len(), 4 * 1024 * 1024);
    // A conversation of this size still takes more.
    let events = owner.ask(&conversation, "[[say still here]]").await;
    assert_eq!(text_of(&events), "still here");
}

#[tokio::test]
async fn failures_of_the_provider_are_said_and_what_came_is_kept() {
    let (_app, owner, conversation) = with_model().await;
    for (ask, said) in [
        ("[[fail 500]]", "status 500"),
        ("[[fail 429 retry-after 7]]", "7 seconds"),
        ("[[malformed]]", "could not be read"),
        ("[[cut]]", "broke off"),
        ("[[error overloaded_error]]", "fault of its own"),
    ] {
        let events = owner.ask(&conversation, ask).await;
        assert!(
            matches!(last(&events), AnswerEvent::Error { message } if message.contains(said)),
            "{ask}: {events:?}"
        );
    }
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert!(stored["messages"].as_array().unwrap().iter().skip(1).step_by(2).all(|m| m["status"] == "error"));
}

#[tokio::test]
async fn reasoning_is_kept_apart_from_the_text() {
    for wire in [Wire::Openai, Wire::Anthropic] {
        let app = Application::start().await;
        let owner = app.set_up().await;
        app.add_provider(&owner, wire).await;
        let conversation = owner.conversation().await;
        let events = owner.ask(&conversation, "[[reason let me think]][[say done]]").await;
        assert_eq!(text_of(&events), "done");
        let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
        assert_eq!(stored["messages"][1]["steps"][0]["type"], "reasoning");
        assert_eq!(stored["messages"][1]["steps"][0]["text"], "let me think");
        assert_eq!(stored["messages"][1]["content"], "done");
    }
}

#[tokio::test]
async fn nul_in_a_message_becomes_the_replacement_character() {
    let (_app, owner, conversation) = with_model().await;
    owner.ask(&conversation, "a\0b [[say ok]]").await;
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][0]["content"], "a\u{FFFD}b [[say ok]]");
}

#[tokio::test]
async fn without_a_model_the_workspace_is_searched_and_quoted() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let earlier = owner.conversation().await;
    owner.ask(&earlier, "The ferry to Tronsfjord leaves at nine.").await;
    let conversation = owner.conversation().await;
    let events = owner.ask(&conversation, "When does the ferry to Tronsfjord leave?").await;
    let text = text_of(&events);
    assert!(text.contains("not a language model"), "{text}");
    assert!(text.contains("The ferry to Tronsfjord leaves at nine."), "{text}");
    assert!(text.contains(&format!("/c/{earlier}#m-")), "{text}");
    assert!(
        events
            .iter()
            .any(|e| matches!(&e.event, AnswerEvent::ToolCall { name, .. } if name == "search_workspace"))
    );
}

#[tokio::test]
async fn a_title_is_made_after_the_first_answer() {
    let (_app, owner, conversation) = with_model().await;
    owner.ask(&conversation, "[[say hello]]").await;
    let path = format!("/api/v1/conversations/{conversation}");
    eventually("the conversation has a title", async || owner.get(&path).await.ok()["title"] != "").await;
    owner.patch(&path, json!({"title": "Mine"})).await.ok();
    owner.ask(&conversation, "[[say more]]").await;
    assert_eq!(owner.get(&path).await.ok()["title"], "Mine");
}

#[tokio::test]
async fn a_stopping_server_keeps_what_came_and_the_next_lets_it_be_continued() {
    let (app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut stream = owner.stream(&path, json!({"content": "[[tokens 4000 every 5ms first 0ms]]"})).await;
    let id = answer_id(&stream.next().await.unwrap());
    let seen = stream.until(|e| matches!(e, AnswerEvent::Delta { .. })).await.seq;
    app.stop().await;
    let next = Application::start_with(Differences {
        database: Some(app.database.clone()),
        server_id: app.server_id,
        ..Differences::default()
    })
    .await;
    let owner = next.sign_in("owner@example.org", crate::application::PASSWORD).await;
    let rest = owner.follow(&conversation, &id, seen).await.rest().await;
    assert!(
        matches!(last(&rest), AnswerEvent::Error { message } if message.contains("continue")),
        "{rest:?}"
    );
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][1]["status"], "error");
    assert!(!stored["messages"][1]["content"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn another_server_follows_an_answer_as_it_is_written() {
    let (app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut stream = owner.stream(&path, json!({"content": "[[tokens 200 every 5ms first 0ms]]"})).await;
    let id = answer_id(&stream.next().await.unwrap());
    let other = Application::start_with(Differences {
        database: Some(app.database.clone()),
        ..Differences::default()
    })
    .await;
    let there = other.sign_in("owner@example.org", crate::application::PASSWORD).await;
    let (here, there) =
        tokio::join!(stream.rest(), async { there.follow(&conversation, &id, 0).await.rest().await });
    assert_eq!(text_of(&here), text_of(&there));
    assert_eq!(last(&here), last(&there));
}

#[tokio::test]
async fn a_server_never_ends_what_another_is_writing() {
    let (app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let mut stream = owner.stream(&path, json!({"content": "[[tokens 60 every 100ms first 0ms]]"})).await;
    stream.next().await.unwrap();
    let _other = Application::start_with(Differences {
        database: Some(app.database.clone()),
        ..Differences::default()
    })
    .await;
    assert_eq!(*last(&stream.rest().await), AnswerEvent::Done { stop_reason: StopReason::End });
}

#[tokio::test]
async fn what_a_dead_server_was_writing_is_ended_by_its_next_start_with_numbers_that_jump() {
    let (app, owner, conversation) = with_model().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let events = owner.stream(&path, json!({"content": "[[say what had arrived]]"})).await.rest().await;
    let id = answer_id(&events[0]);
    let last_seen = events.last().unwrap().seq;
    // As kill -9 leaves it: the row says streaming, the log has what was stored, the message is nowhere.
    let lost = Uuid::now_v7();
    sqlx::query("UPDATE conversations SET messages = messages - 1, message_count = 1")
        .execute(&app.owner)
        .await
        .unwrap();
    sqlx::query("DELETE FROM chunks WHERE part_id = $1")
        .bind(Uuid::parse_str(&id).unwrap())
        .execute(&app.owner)
        .await
        .unwrap();
    sqlx::query("DELETE FROM stream_events WHERE last_seq >= $1")
        .bind(last_seen as i64)
        .execute(&app.owner)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO stream_events (answer_id, first_seq, last_seq, events)
         VALUES ($1::uuid, 1, 2, '[{\"seq\": 2, \"type\": \"delta\", \"text\": \"what had\"}]')",
    )
    .bind(Uuid::parse_str(&id).unwrap())
    .execute(&app.owner)
    .await
    .unwrap();
    sqlx::query("UPDATE answers SET status = 'streaming', ended_at = NULL, server_id = $1")
        .bind(lost)
        .execute(&app.owner)
        .await
        .unwrap();
    let next = Application::start_with(Differences {
        database: Some(app.database.clone()),
        server_id: lost,
        ..Differences::default()
    })
    .await;
    let owner = next.sign_in("owner@example.org", crate::application::PASSWORD).await;
    let rest = owner.follow(&conversation, &id, last_seen).await.rest().await;
    assert!(rest[0].seq > last_seen + 1000);
    assert!(matches!(&rest[0].event, AnswerEvent::Reset { content, .. } if content == "what had"));
    assert!(matches!(rest[1].event, AnswerEvent::Error { .. }));
    let stored = owner.get(&format!("/api/v1/conversations/{conversation}")).await.ok();
    assert_eq!(stored["messages"][1]["status"], "error");
    assert_eq!(stored["messages"][1]["content"], "what had");
}
