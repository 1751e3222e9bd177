//! `sidebar note` against a running server: what it prints, and how it ends.

use crate::application::{Application, Person};
use serde_json::{Value, json};
use std::process::{Output, Stdio};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Runs the executable as this program would, with this standard input.
async fn sidebar(program: &Person, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sidebar"))
        .arg("note")
        .args(arguments)
        .env("SIDEBAR_URL", &program.base)
        .env("SIDEBAR_API_KEY", program.key.as_deref().unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end without reading.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

#[tokio::test]
async fn notes_are_written_read_listed_and_found_at_the_shell() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let program = owner.program().await;
    let made = sidebar(&program, &["put", "Shopping list"], "- tea\n").await;
    assert!(made.status.success(), "{made:?}");
    let id = text(&made).trim().to_owned();
    assert_eq!(text(&sidebar(&program, &["get", "shopping LIST"], "").await), "- tea\n");
    assert!(sidebar(&program, &["append", &id, "- milk"], "").await.status.success());
    assert!(sidebar(&program, &["append", "Shopping list"], "- bread\n").await.status.success());
    assert_eq!(owner.text_of(&id).await, "- tea\n- milk\n- bread\n");
    let again = sidebar(&program, &["put", &id], "- tea\n- bread\n").await;
    assert_eq!(text(&again).trim(), id);
    let listed = sidebar(&program, &["list"], "").await;
    assert_eq!(text(&listed), format!("{id}\tShopping list\n"));
    let found = sidebar(&program, &["search", "bread"], "").await;
    assert!(text(&found).starts_with(&format!("Shopping list\t/n/{id}\t")), "{found:?}");

    let whole = sidebar(&program, &["get", &id, "--json"], "").await;
    let seq = serde_json::from_str::<Value>(text(&whole)).unwrap()["seq"].as_i64().unwrap();
    owner.patch(&format!("/api/v1/notes/{id}"), json!({"append": "- salt"})).await.ok();
    let late = sidebar(&program, &["put", &id, "--if-seq", &seq.to_string()], "x").await;
    assert_eq!(late.status.code(), Some(5), "{late:?}");
    let none = sidebar(&program, &["get", "No such note"], "").await;
    assert_eq!((none.status.code(), text(&none)), (Some(4), ""));
    assert_eq!(sidebar(&program, &["get"], "").await.status.code(), Some(2));
    let nobody = Person { key: Some("sb_sk_wrong".into()), ..program.clone() };
    assert_eq!(sidebar(&nobody, &["list"], "").await.status.code(), Some(1));
}
