//! Text in pictures and words in recordings: read by the models that whoever runs the server named, once, and by
//! nobody where none is named.

use crate::application::{Application, Differences, Person, eventually};
use crate::files::{found, keep, kept, settled};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Cursor;
use upstream::Wire;

const SEER: &str = "fake-openai/small";

fn png() -> Vec<u8> {
    let image = image::RgbaImage::from_fn(600, 300, |x, y| image::Rgba([x as u8, y as u8, 9, 200]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A recording of some seconds in which the fake provider hears `said`.
fn wav(said: &str, seconds: usize) -> Vec<u8> {
    let mut data = format!("[[say {said}]]").into_bytes();
    data.resize(8000 * seconds, 128);
    let size = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let format: [&[u8]; 6] =
        [&[1, 0, 1, 0], &size(8000), &size(8000), &[1, 0, 8, 0], b"data", &size(data.len())];
    [b"RIFF", &size(36 + data.len())[..], b"WAVEfmt ", &size(16), &format.concat(), &data].concat()
}

async fn with(vision_model: Option<&'static str>, speech_model: Option<&'static str>) -> Application {
    Application::start_with(Differences { vision_model, speech_model, ..Differences::default() }).await
}

fn labels(file: &Value) -> Vec<&str> {
    let sections = file["sections"].as_array().unwrap();
    sections.iter().map(|section| section["label"].as_str().unwrap()).collect()
}

async fn text(person: &Person, id: &str) -> String {
    let request = person.request(Method::GET, &format!("/api/v1/files/{id}/text"));
    request.send().await.unwrap().text().await.unwrap()
}

async fn execute(application: &Application, statement: &'static str) {
    sqlx::query(statement).execute(&application.owner).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_in_a_picture_is_read_once_found_and_cited() {
    let application = with(Some(SEER), None).await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Openai).await;
    let id = kept(&owner, "letter.png", &png()).await;
    let file = settled(&owner, &id).await;
    assert_eq!(labels(&file), ["Text in the picture", "What it shows"], "{file}");
    assert_eq!(
        (&file["state"], &file["unread"], &file["thumbnail"]),
        (&json!("ready"), &Value::Null, &json!(true))
    );
    let hits = found(&owner, "blue seal").await;
    assert_eq!((hits.len(), hits[0]["url"].clone()), (1, json!(format!("/f/{id}#h2"))), "{hits:?}");
    assert!(text(&owner, &id).await.contains("## Text in the picture\n\nInvoice 4711"));
    let asked = application.upstream.requests();
    let shown = asked[0].body["messages"][1]["content"][0]["image_url"]["url"].as_str().unwrap().to_owned();
    assert!(asked.len() == 1 && shown.starts_with("data:image/jpeg;base64,"), "a copy, not the file");
    // Nothing changed: nobody is asked, whether it is read again or lies in another folder too.
    owner.post(&format!("/api/v1/files/{id}/read"), json!({})).await.ok();
    assert_eq!(settled(&owner, &id).await["sections"], file["sections"]);
    let (_, again) = keep(&owner, "copy.png", "Elsewhere", &png()).await;
    let again = settled(&owner, again["data"]["id"].as_str().unwrap()).await;
    assert_eq!(again["sections"][0]["markdown"], file["sections"][0]["markdown"]);
    assert_eq!(application.upstream.requests().len(), 1);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_shown_over_the_wire_of_another_provider() {
    let application = with(Some("fake-anthropic/small"), None).await;
    let owner = application.set_up().await;
    application.add_provider(&owner, Wire::Anthropic).await;
    let id = kept(&owner, "letter.png", &png()).await;
    assert_eq!(labels(&settled(&owner, &id).await).len(), 2);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_in_a_recording_is_found_at_its_time() {
    let application = with(None, Some("whisper-1")).await;
    let owner = application.set_up().await;
    let said = "Good morning to you all.|The harbour opens at seven.|Bring a warm coat.";
    let id = kept(&owner, "meeting.wav", &wav(said, 3)).await;
    let file = settled(&owner, &id).await;
    assert_eq!(labels(&file), ["0:00–0:40", "0:40–1:20", "1:20–2:00"], "{file}");
    let hits = found(&owner, "harbour opens").await;
    assert_eq!(hits[0]["url"], format!("/f/{id}#at40"), "{hits:?}");
    assert_eq!(hits[0]["place"], "0:40–1:20");
    assert!(text(&owner, &id).await.contains("<!-- time 0:40-1:20 -->\n\nThe harbour opens at seven."));
    let asked = application.upstream.requests();
    assert_eq!((asked.len(), asked[0].api_key.as_deref()), (1, Some("speech-key")));
    assert_eq!(asked[0].body["name"], "recording.wav", "not the name that somebody gave it");
    let silent = kept(&owner, "silence.wav", &wav("", 2)).await;
    assert_eq!(settled(&owner, &silent).await["unread"], "No transcript: the model heard nobody speak.");
    let long = kept(&owner, "long.wav", &wav("too long", 140)).await;
    let long = settled(&owner, &long).await;
    assert_eq!(long["unread"], "No transcript: the model for speech takes recordings of up to 1 MB.");
    assert_eq!(application.upstream.requests().len(), 2);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_times_gives_words_alone() {
    let application = with(None, Some("fake-words")).await;
    let owner = application.set_up().await;
    let id = kept(&owner, "memo.wav", &wav("Buy bread.|And milk.", 1)).await;
    let file = settled(&owner, &id).await;
    assert_eq!((labels(&file), &file["sections"][0]["markdown"]), (vec![""], &json!("Buy bread. And milk.")));
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_nobody_is_asked_and_one_named_later_reads_what_is_there() {
    let before = Application::start().await;
    let mut owner = before.set_up().await;
    before.add_provider(&owner, Wire::Openai).await;
    let picture = kept(&owner, "letter.png", &png()).await;
    let sound = kept(&owner, "memo.wav", &wav("Buy bread.", 1)).await;
    assert_eq!(settled(&owner, &picture).await["unread"], "No text: no model for pictures is set up.");
    assert_eq!(settled(&owner, &sound).await["unread"], "No transcript: no model for speech is set up.");
    assert!(before.upstream.requests().is_empty());
    before.stop().await;

    let again = |vision_model| Differences {
        database: Some(before.database.clone()),
        server_id: before.server_id,
        vision_model,
        ..Differences::default()
    };
    let application = Application::start_with(again(Some(SEER))).await;
    owner.base = format!("http://{}", application.address);
    let unread = settled(&owner, &picture).await["unread"].as_str().unwrap().to_owned();
    assert!(unread.starts_with("No text: this was read before a model for pictures was set up"), "{unread}");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sidebar"));
    let command = command.arg("reindex").envs(application.environment()).env("SIDEBAR_VISION_MODEL", SEER);
    assert!(command.output().await.unwrap().status.success());
    let path = format!("/api/v1/files/{picture}");
    eventually("the picture is read", async || !labels(&owner.get(&path).await.ok()).is_empty()).await;
    settled(&owner, &picture).await;
    assert_eq!(before.upstream.requests().len(), 1, "that of the provider that was configured");
    let output = command.output().await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("0 had changed"), "{told}");
    application.stop().await;

    // Switched off again: nobody is asked, and what was read stays.
    let application = Application::start_with(again(None)).await;
    owner.base = format!("http://{}", application.address);
    owner.post(&format!("{path}/read"), json!({})).await.ok();
    assert_eq!(labels(&settled(&owner, &picture).await).len(), 2);
    assert_eq!(before.upstream.requests().len(), 1);
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_away_is_asked_again_and_one_that_refuses_is_not() {
    let application = with(Some(SEER), None).await;
    let owner = application.set_up().await;
    let orphan = kept(&owner, "early.png", &png()).await;
    let unread = settled(&owner, &orphan).await["unread"].clone();
    assert_eq!(
        unread,
        "No text: the provider's settings cannot be used: no provider offers the model ‘fake-openai/small’."
    );
    owner.delete(&format!("/api/v1/files/{orphan}")).await.ok();

    let provider = application.add_provider(&owner, Wire::Openai).await;
    let provider = format!("/api/v1/providers/{}", provider["id"].as_str().unwrap());
    let nowhere = json!({"base_url": "http://127.0.0.1:9/v1/"});
    owner.patch(&provider, nowhere.clone()).await.ok();
    let id = kept(&owner, "letter.png", &png()).await;
    let path = format!("/api/v1/files/{id}");
    let failed = async || {
        let failed = sqlx::query_scalar::<_, i64>(
            "SELECT count(*) FROM jobs WHERE kind = 'ask_model' AND status = 'queued' AND last_error IS NOT NULL",
        );
        failed.fetch_one(&application.owner).await.unwrap() == 1
    };
    eventually("the model was asked in vain", failed).await;
    let waiting = owner.get(&path).await.ok();
    assert_eq!((&waiting["state"], &waiting["thumbnail"]), (&json!("waiting"), &json!(true)), "{waiting}");
    // Through the bin and back, while it waits.
    owner.delete(&path).await.ok();
    owner.post(&format!("{path}/restore"), json!({})).await.ok();
    let up = json!({"base_url": application.upstream.base_url(Wire::Openai)});
    owner.patch(&provider, up).await.ok();
    execute(&application, "UPDATE jobs SET run_at = now() WHERE kind = 'ask_model' AND status = 'queued'")
        .await;
    execute(&application, "SELECT pg_notify('sidebar', '\"JobQueued\"')").await;
    assert_eq!(labels(&settled(&owner, &id).await).len(), 2);

    // The last of five tries: the picture is there all the same, and its page says why without text.
    owner.patch(&provider, nowhere).await.ok();
    let mut other = png();
    other.extend_from_slice(b"other bytes");
    let id = kept(&owner, "other.png", &other).await;
    eventually("the model was asked in vain", failed).await;
    execute(
        &application,
        "UPDATE jobs SET attempts = 4, run_at = now() WHERE kind = 'ask_model' AND status = 'queued'",
    )
    .await;
    execute(&application, "SELECT pg_notify('sidebar', '\"JobQueued\"')").await;
    let file = settled(&owner, &id).await;
    let unread = file["unread"].as_str().unwrap();
    assert!(unread.starts_with("No text: the provider could not be reached: nothing answers"), "{file}");
    assert_eq!((&file["state"], &file["thumbnail"]), (&json!("ready"), &json!(true)));
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_stopped_where_somebody_says_so() {
    let application = with(Some(SEER), None).await;
    let owner = application.set_up().await;
    let provider = application.add_provider(&owner, Wire::Openai).await;
    let provider = format!("/api/v1/providers/{}", provider["id"].as_str().unwrap());
    owner.patch(&provider, json!({"base_url": "http://127.0.0.1:9/v1/"})).await.ok();
    let id = kept(&owner, "letter.png", &png()).await;
    let path = format!("/api/v1/files/{id}");
    eventually("it waits for the model", async || owner.get(&path).await.ok()["thumbnail"] == true).await;
    let stopped = owner.delete(&format!("{path}/read")).await.ok();
    assert_eq!(stopped["state"], "ready", "{stopped}");
    assert_eq!(owner.get(&path).await.ok()["unread"], "No text: reading was stopped.");

    // Bytes that are not there keep the reader trying.
    let text = kept(&owner, "lease.md", b"# Lease").await;
    settled(&owner, &text).await;
    let blobs = crate::application::data_folder(application.server_id).join("blobs");
    std::fs::remove_dir_all(blobs).unwrap();
    owner.post(&format!("/api/v1/files/{text}/read"), json!({})).await.ok();
    let tried = async || {
        let tried = sqlx::query_scalar::<_, i64>(
            "SELECT count(*) FROM jobs WHERE kind = 'read_file' AND status = 'queued' AND last_error IS NOT NULL",
        );
        tried.fetch_one(&application.owner).await.unwrap() == 1
    };
    eventually("it was tried", tried).await;
    let stopped = owner.delete(&format!("/api/v1/files/{text}/read")).await.ok();
    assert_eq!((&stopped["state"], &stopped["reason"]), (&json!("failed"), &json!("Reading was stopped.")));
    let open = sqlx::query_scalar::<_, i64>(
        "SELECT count(*) FROM jobs WHERE kind IN ('read_file', 'ask_model') AND status IN ('queued', 'running')",
    );
    assert_eq!(open.fetch_one(&application.owner).await.unwrap(), 0);
    application.stop().await;
}
