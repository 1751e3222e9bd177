//! Storage that stays in order: what nothing names leaves, a full bin makes room, what is broken is found and
//! mended, and everything can be read anew without a change.

use crate::application::{Application, Differences, Person, data_folder, eventually, look_for_jobs};
use crate::files::{found, keep, kept, send, settled};
use domain::FileLimits;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime};
use upstream::Wire;

const LEASE: &str = "# Lease\n\nEither side may end it with three months of warning, in writing.\n";

/// Runs the executable beside the server, on its data.
async fn sidebar(application: &Application, arguments: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sidebar"));
    command.args(arguments).envs(application.environment()).output().await.unwrap()
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// All files of the store, by what comes behind their owners.
fn stored(application: &Application) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![data_folder(application.server_id).join("blobs")];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path().is_dir() {
                true => left.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

fn of_kind(all: &[PathBuf], kind: &str) -> Vec<PathBuf> {
    all.iter().filter(|path| path.iter().any(|part| part == kind)).cloned().collect()
}

async fn execute(application: &Application, statement: &'static str) {
    sqlx::query(statement).execute(&application.owner).await.unwrap();
}

/// As if hours had gone by since anybody wanted to name a blob.
async fn let_claims_end(application: &Application) {
    execute(application, "UPDATE blobs SET claimed_at = now() - interval '3 hours'").await;
}

fn let_grow_old(path: &Path) {
    let long_ago = SystemTime::now() - Duration::from_secs(3 * 24 * 60 * 60);
    std::fs::File::options().append(true).open(path).unwrap().set_modified(long_ago).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_names_leaves_the_store_and_nothing_else_does() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let gone = kept(&owner, "gone.md", LEASE.as_bytes()).await;
    let stays = kept(&owner, "stays.md", b"# Stays\n\nThis one is wanted.\n").await;
    settled(&owner, &gone).await;
    settled(&owner, &stays).await;
    let note = owner.post("/api/v1/notes", json!({"title": "N"})).await.expect(StatusCode::CREATED);
    let note = note["id"].as_str().unwrap();
    let attached = send(
        &owner,
        Method::POST,
        &format!("/api/v1/notes/{note}/attachments?name=a.txt"),
        b"attached".into(),
    )
    .await;
    assert!(attached.status().is_success(), "{}", attached.text().await.unwrap());
    let upload = json!({"name": "x", "size": 3});
    let upload = owner.post("/api/v1/uploads", upload).await.expect(StatusCode::CREATED);
    let upload = upload["id"].as_str().unwrap();
    send(&owner, Method::PUT, &format!("/api/v1/uploads/{upload}/parts/0"), b"abc".to_vec()).await;
    let before = stored(&application);
    assert_eq!(of_kind(&before, "uploads").len(), 1);

    let_claims_end(&application).await;
    application.run_job("collect_blobs").await;
    assert_eq!(stored(&application), before, "all of it has a name");

    owner.delete(&format!("/api/v1/files/{gone}")).await.ok();
    let_claims_end(&application).await;
    application.run_job("collect_blobs").await;
    assert_eq!(stored(&application), before, "what is in the bin can come back");

    execute(
        &application,
        "UPDATE files SET deleted_at = now() - interval '31 days' WHERE deleted_at IS NOT NULL",
    )
    .await;
    execute(&application, "UPDATE uploads SET created_at = now() - interval '8 days'").await;
    application.run_job("purge_deleted").await;
    // What a process that was killed left half written, and bytes that never got a row.
    let someone =
        before[0].ancestors().find(|path| path.ends_with("blobs")).unwrap().parent().unwrap().to_owned();
    let stray = someone.join("blobs").join("ab".repeat(32));
    let staged = someone.join("blobs").join(format!("{}#1", "cd".repeat(32)));
    for path in [&stray, &staged] {
        std::fs::write(path, b"half").unwrap();
        let_grow_old(path);
    }
    application.run_job("collect_blobs").await;
    let after = stored(&application);
    assert_eq!(of_kind(&after, &gone), Vec::<PathBuf>::new(), "nothing of it is left");
    assert_eq!(of_kind(&after, "uploads"), Vec::<PathBuf>::new());
    assert_eq!(of_kind(&after, &stays), of_kind(&before, &stays));
    let (blob, part) = (1, 1);
    assert_eq!(
        after.len(),
        before.len() - blob - part - of_kind(&before, &gone).len(),
        "and nothing else went"
    );
    assert!(!stray.exists() && !staged.exists());
    let whole = owner.request(Method::GET, &format!("/api/v1/files/{stays}/content")).send().await.unwrap();
    assert_eq!(whole.text().await.unwrap(), "# Stays\n\nThis one is wanted.\n");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_come_while_the_same_bytes_leave_are_there_afterwards() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let bytes = vec![b'x'; 200_000];
    for round in 0..24_u64 {
        keep(&owner, "x.bin", "", &bytes).await;
        execute(&application, "DELETE FROM files").await;
        let_claims_end(&application).await;
        let collecting = application.run_job("collect_blobs");
        let coming = async {
            tokio::time::sleep(Duration::from_millis(round * 2)).await;
            kept(&owner, "x.bin", &bytes).await
        };
        let ((), id) = tokio::join!(collecting, coming);
        let whole = owner.request(Method::GET, &format!("/api/v1/files/{id}/content")).send().await.unwrap();
        assert_eq!(whole.status(), StatusCode::OK, "round {round}");
        assert_eq!(whole.bytes().await.unwrap(), bytes, "round {round}");
    }
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bin_is_never_larger_than_what_may_be_kept() {
    let file_limits = FileLimits { largest: 1000, per_person: 1500 };
    let application = Application::start_with(Differences { file_limits, ..Differences::default() }).await;
    let owner = application.set_up().await;
    let binned = async || {
        let bin = owner.get("/api/v1/files?deleted=true").await.ok();
        bin["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for name in ["a.bin", "b.bin", "c.bin"] {
        let id = kept(&owner, name, &[name.as_bytes()[0]; 900]).await;
        owner.delete(&format!("/api/v1/files/{id}")).await.ok();
        assert_eq!(binned().await, [name], "the one before went for good");
    }
    // Two have just left the bin and lie in the store still: together with a fourth that is more than twice.
    let (status, answer) = keep(&owner, "d.bin", "", &[b'd'; 900]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("two hours"), "{answer}");
    let_claims_end(&application).await;
    kept(&owner, "d.bin", &[b'd'; 900]).await;
    assert_eq!(binned().await, ["c.bin"], "there was room for both");
    application.stop().await;
}

/// Every row that what is searched consists of, and when it was written last.
async fn rows(application: &Application) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT 'chunk ' || xmin || t::text FROM chunks t UNION ALL SELECT 'file ' || xmin || t::text FROM files t
         UNION ALL SELECT 'note ' || xmin || t::text FROM notes t UNION ALL SELECT 'link ' || xmin || t::text FROM note_links t
         UNION ALL SELECT 'conversation ' || xmin || t::text FROM conversations t
         UNION ALL SELECT 'page ' || xmin || t::text FROM pages t UNION ALL SELECT 'memory ' || xmin || t::text FROM memories t
         UNION ALL SELECT 'version ' || xmin || t::text FROM note_versions t ORDER BY 1",
    )
    .fetch_all(&application.owner)
    .await
    .unwrap()
}

async fn reindexed(person: &Person, scope: &str) -> Value {
    let path = format!("/api/v1/reindex?scope={scope}");
    eventually("all is read", async || person.get(&path).await.ok()["running"] == false).await;
    person.get(&path).await.ok()
}

/// A page as a browser sends it, read.
async fn saved_page(owner: &Person) -> String {
    let paragraph = "The old roses of the south wall are pruned late, after the last frost. ".repeat(8);
    let html = format!(
        "<html><head><title>Old Roses</title></head><body><article><h1>Old Roses</h1><p>{paragraph}</p>
         <h2>Feeding</h2><p>Bone meal in spring. {paragraph}</p></article></body></html>"
    );
    let page = json!({"url": "https://letters.example/roses", "html": html});
    let page = owner.post("/api/v1/pages", page).await.expect(StatusCode::CREATED);
    let id = page["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/pages/{id}");
    eventually("the page is read", async || owner.get(&path).await.ok()["state"] == "ready").await;
    id
}

async fn fill(application: &Application, owner: &Person) -> String {
    application.add_provider(owner, Wire::Openai).await;
    let file = kept(owner, "lease.md", LEASE.as_bytes()).await;
    settled(owner, &file).await;
    let broken = kept(owner, "broken.pdf", b"%PDF-1.7\nnot really").await;
    settled(owner, &broken).await;
    let packed = kept(owner, "film.mkv", &[0x1A, 0x45, 0xDF, 0xA3, 1, 2, 3, 0, 0]).await;
    settled(owner, &packed).await;
    owner
        .post("/api/v1/notes", json!({"title": "Bread", "content": "# Bread\n\nLet it rest. #baking [[Oven]]\n\n## Then\n\nBake it.\n"}))
        .await
        .expect(StatusCode::CREATED);
    saved_page(owner).await;
    let memory = json!({"content": "The oven is in the yard."});
    owner.post("/api/v1/memories", memory).await.expect(StatusCode::CREATED);
    let conversation = owner.conversation().await;
    owner.ask(&conversation, "What is a sourdough?").await;
    let titled = format!("/api/v1/conversations/{conversation}");
    eventually("it has a title", async || {
        owner.get(&titled).await.ok()["title"].as_str().is_some_and(|t| !t.is_empty())
    })
    .await;
    let behind = "SELECT count(*) FROM notes WHERE markdown_seq < seq";
    eventually("the note is projected", async || {
        sqlx::query_scalar::<_, i64>(behind).fetch_one(&application.owner).await.unwrap() == 0
    })
    .await;
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_everything_anew_changes_no_row_when_nothing_changed() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    fill(&application, &owner).await;
    assert_eq!(owner.get("/api/v1/reindex").await.ok(), Value::Null);
    let before = rows(&application).await;
    let begun =
        owner.post("/api/v1/reindex", json!({"scope": "everything"})).await.expect(StatusCode::ACCEPTED);
    assert_eq!(begun["of"], 7, "three files, a note, a conversation, a page, a memory: {begun}");
    let done = reindexed(&owner, "everything").await;
    assert_eq!((&done["done"], &done["changed"]), (&json!(7), &json!(0)), "{done}");
    pretty_equal(&rows(&application).await, &before);
    let at_shell = sidebar(&application, &["reindex"]).await;
    assert_eq!(
        text(&at_shell),
        "7 files, notes, conversations, pages and memories were read; 0 had changed.\n",
        "{at_shell:?}"
    );
    pretty_equal(&rows(&application).await, &before);
    application.stop().await;
}

fn pretty_equal(now: &[String], before: &[String]) {
    let other =
        |a: &[String], b: &[String]| a.iter().filter(|row| !b.contains(row)).cloned().collect::<Vec<_>>();
    assert_eq!((other(now, before), other(before, now)), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_everything_anew_brings_back_what_was_lost() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let other = application.person(&owner, "other@example.org", "developer").await;
    fill(&application, &owner).await;
    let texts = async || -> Vec<(String, i32, String)> {
        sqlx::query_as("SELECT source_kind, ordinal, text FROM chunks ORDER BY source_kind, part_id, ordinal")
            .fetch_all(&application.owner)
            .await
            .unwrap()
    };
    let before = texts().await;
    execute(&application, "DELETE FROM chunks WHERE source_kind <> 'message' OR ordinal = 0").await;
    execute(&application, "UPDATE notes SET tags = '{}'").await;
    assert!(found(&owner, "three months of warning").await.is_empty());
    other.post("/api/v1/reindex", json!({"scope": "everything"})).await.refused(403, "FORBIDDEN");
    let empty = other.post("/api/v1/reindex", json!({})).await.expect(StatusCode::ACCEPTED);
    assert_eq!(empty["of"], 0, "of one's own: {empty}");
    owner.post("/api/v1/reindex", json!({})).await.expect(StatusCode::ACCEPTED);
    let done = reindexed(&owner, "mine").await;
    assert_eq!((&done["done"], &done["of"]), (&json!(7), &json!(7)), "{done}");
    assert_eq!(texts().await, before);
    let tags: Vec<String> =
        sqlx::query_scalar("SELECT unnest(tags) FROM notes").fetch_all(&application.owner).await.unwrap();
    assert_eq!(tags, ["baking"]);
    for lost in ["three months of warning", "bone meal in spring", "\"oven is in the yard\""] {
        assert_eq!(found(&owner, lost).await.len(), 1, "{lost}");
    }
    application.stop().await;
}

/// The title of the page of which this is a part.
async fn saved_page_of(application: &Application, part: &Path) -> String {
    let id: uuid::Uuid = part.iter().rev().nth(2).unwrap().to_str().unwrap().parse().unwrap();
    let title = sqlx::query_scalar("SELECT title FROM pages WHERE id = $1");
    title.bind(id).fetch_one(&application.owner).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_is_broken_and_mends_what_can_be() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let file = fill(&application, &owner).await;
    let well = sidebar(&application, &["check"]).await;
    assert_eq!((well.status.code(), text(&well)), (Some(0), "All is well.\n"), "{well:?}");

    let lost = kept(&owner, "lost.txt", b"These bytes will be gone.").await;
    settled(&owner, &lost).await;
    let hash = owner.get(&format!("/api/v1/files/{lost}")).await.ok()["sha256"].as_str().unwrap().to_owned();
    let all = stored(&application);
    std::fs::remove_file(of_kind(&all, &hash).pop().unwrap()).unwrap();
    std::fs::remove_file(of_kind(&all, &file).into_iter().find(|path| path.ends_with("ai/ai.md")).unwrap())
        .unwrap();
    std::fs::create_dir_all(all[0].with_file_name("x")).unwrap();
    let stuck = kept(&owner, "stuck.txt", b"Nobody reads me.").await;
    settled(&owner, &stuck).await;
    sqlx::query("UPDATE files SET state = 'waiting', read_by = NULL WHERE id = $1")
        .bind(stuck.parse::<uuid::Uuid>().unwrap())
        .execute(&application.owner)
        .await
        .unwrap();
    let page = of_kind(&all, "pages").into_iter().find(|path| path.ends_with("document.json")).unwrap();
    let overtaken = page.ancestors().nth(2).unwrap().join("0").join("archive");
    std::fs::create_dir_all(overtaken.parent().unwrap()).unwrap();
    std::fs::write(&overtaken, "<p>Nobody waits for me.").unwrap();
    let_grow_old(&overtaken);
    let sent = saved_page_of(&application, &page).await;
    std::fs::remove_file(&page).unwrap();
    execute(&application, "DELETE FROM chunks WHERE source_kind = 'memory'").await;
    execute(&application, "INSERT INTO settings (name, value) VALUES ('embedding_model', 'a model')").await;
    execute(&application, "DELETE FROM chunk_queue").await;
    execute(&application, "UPDATE notes SET markdown_seq = markdown_seq - 1, markdown = ''").await;
    keep(&owner, "unnamed.txt", "", b"Nobody knows my name.").await;
    execute(
        &application,
        "DELETE FROM chunks WHERE source_id = (SELECT id FROM files WHERE name = 'unnamed.txt')",
    )
    .await;
    execute(&application, "DELETE FROM files WHERE name = 'unnamed.txt'").await;
    let_claims_end(&application).await;

    let found = sidebar(&application, &["check"]).await;
    assert_eq!(found.status.code(), Some(3), "{found:?}");
    let kinds: std::collections::BTreeSet<&str> =
        text(&found).lines().filter_map(|line| line.split('\t').nth(1)).collect();
    let expected = [
        "blob without row",
        "bytes missing",
        "derivative missing",
        "left over",
        "memory not found",
        "not queued",
        "note behind",
        "vector missing",
    ];
    assert!(expected.iter().all(|kind| kinds.contains(kind)), "{}", text(&found));
    for gone in [&lost, &sent] {
        assert!(text(&found).contains(gone.as_str()), "it says which: {}", text(&found));
    }

    let fixed = sidebar(&application, &["check", "--fix"]).await;
    assert_eq!(fixed.status.code(), Some(3), "lost bytes cannot be made: {fixed:?}");
    assert_eq!(
        text(&fixed).lines().filter(|line| line.starts_with("not well")).count(),
        2,
        "{}",
        text(&fixed)
    );
    assert!(!overtaken.exists());
    settled(&owner, &stuck).await;
    settled(&owner, &file).await;
    let left = sidebar(&application, &["check"]).await;
    let left: Vec<&str> = text(&left).lines().collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left[..2].iter().all(|line| line.contains("bytes missing")), "{left:?}");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_from_models_elsewhere_is_not_missing_among_their_vectors() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let memory = json!({"content": "The safe opens with zanzibar.", "local_only": true});
    owner.post("/api/v1/memories", memory).await.expect(StatusCode::CREATED);
    execute(&application, "INSERT INTO settings (name, value) VALUES ('embedding_model', 'a model')").await;
    execute(&application, "DELETE FROM chunk_queue").await;
    let well = sidebar(&application, &["check"]).await;
    assert_eq!((well.status.code(), text(&well)), (Some(0), "All is well.\n"), "{well:?}");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_found_at_the_shell() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    fill(&application, &owner).await;
    let program = owner.program().await;
    let search = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sidebar"));
        command.arg("search").args(arguments).env("SIDEBAR_URL", &program.base);
        command.env("SIDEBAR_API_KEY", program.key.as_deref().unwrap()).output().await.unwrap()
    };
    let hit = search(&["three months of warning"]).await;
    assert!(hit.status.success() && text(&hit).starts_with("lease.md\t/f/"), "{hit:?}");
    let lines = search(&["bread", "--kind", "note", "--json", "--limit", "1"]).await;
    let line: Value = serde_json::from_str(text(&lines)).unwrap();
    assert_eq!((line["kind"].as_str(), line["title"].as_str()), (Some("note"), Some("Bread")));
    assert_eq!(search(&["bread", "--kind", "file"]).await.status.code(), Some(4), "nothing found");
    assert_eq!(search(&["bread", "--kind", "spoon"]).await.status.code(), Some(1), "no such kind");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_known_before_it_is_sent_again() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let other = application.person(&owner, "other@example.org", "developer").await;
    let (_, made) = keep(&owner, "a.txt", "Taxes/2024", b"the same").await;
    let hash = made["data"]["sha256"].as_str().unwrap();
    let asked = json!({"files": [
        {"folder": "Taxes/2025", "sha256": hash}, {"folder": "/Taxes/2024/", "sha256": hash},
        {"folder": "Taxes/2024", "sha256": "00".repeat(32)}]});
    let known = owner.post("/api/v1/files/known", asked.clone()).await.ok();
    assert_eq!((&known[0], &known[2]), (&Value::Null, &Value::Null));
    assert_eq!(known[1]["id"], made["data"]["id"]);
    assert_eq!(
        other.post("/api/v1/files/known", asked).await.ok(),
        json!([null, null, null]),
        "nobody else's"
    );
    let wrong = json!({"files": [{"sha256": "x"}]});
    owner.post("/api/v1/files/known", wrong).await.refused(400, "INVALID_INPUT");
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_somebodys_makes_nobody_else_wait() {
    let application = Application::start().await;
    let owner = application.set_up().await;
    let other = application.person(&owner, "other@example.org", "developer").await;
    // All of them wait until the last is here.
    execute(&application, "ALTER TABLE jobs ALTER run_at SET DEFAULT now() + interval '1 hour'").await;
    for number in 0..300 {
        kept(&owner, &format!("{number}.txt"), format!("This is number {number}.").as_bytes()).await;
    }
    let one = kept(&other, "one.txt", b"Only one.").await;
    // What begins later beside it may well end sooner.
    for statement in [
        "ALTER TABLE jobs ADD begun_at timestamptz",
        "CREATE FUNCTION note_beginning() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN NEW.begun_at := clock_timestamp(); RETURN NEW; END $$",
        "CREATE TRIGGER begins BEFORE UPDATE ON jobs FOR EACH ROW
         WHEN (OLD.status = 'queued' AND NEW.status = 'running') EXECUTE FUNCTION note_beginning()",
    ] {
        execute(&application, statement).await;
    }
    execute(&application, "UPDATE jobs SET run_at = created_at WHERE kind = 'read_file'").await;
    look_for_jobs(&application.owner).await;
    let done = "SELECT count(*) FROM jobs WHERE status = 'done' AND payload->>'file_id' = $1";
    eventually("it is read", async || {
        sqlx::query_scalar::<_, i64>(done).bind(&one).fetch_one(&application.owner).await.unwrap() == 1
    })
    .await;
    let before = "SELECT count(*) FROM jobs WHERE kind = 'read_file' AND begun_at < (
                      SELECT max(begun_at) FROM jobs WHERE payload->>'file_id' = $1)";
    let before: i64 = sqlx::query_scalar(before).bind(&one).fetch_one(&application.owner).await.unwrap();
    assert!(before <= 4, "{before} of the 300 that came first were read before it");
    application.stop().await;
}

/// Prints how long sending a folder takes, once and again: `cargo test -p sidebar --test api a_thousand -- --ignored`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_thousand_files_sent_again_are_no_news() {
    use sha2::{Digest, Sha256};
    use std::io::Write as _;
    let application = Application::start().await;
    let owner = application.set_up().await;
    let files: Vec<(String, Vec<u8>)> = (0..1000_u32)
        .map(|number| {
            let text = format!("# Paper {number}\n\nThis is what stands in paper {number}.\n").repeat(100);
            (format!("{number}.md"), text.into_bytes())
        })
        .collect();
    let counts = async || -> (i64, i64, usize) {
        let (rows, blobs) =
            sqlx::query_as("SELECT (SELECT count(*) FROM files), (SELECT count(*) FROM blobs)")
                .fetch_one(&application.owner)
                .await
                .unwrap();
        let here = of_kind(&stored(&application), "blobs").into_iter();
        (
            rows,
            blobs,
            here.filter(|path| path.parent().is_some_and(|folder| folder.ends_with("blobs"))).count(),
        )
    };
    let started = std::time::Instant::now();
    for (name, bytes) in &files {
        keep(&owner, name, "Papers", bytes).await;
    }
    let first = started.elapsed();
    let before = counts().await;
    let started = std::time::Instant::now();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let asked: Vec<Value> = files
        .iter()
        .map(|(_, bytes)| json!({"folder": "Papers", "sha256": hex(&Sha256::digest(bytes))}))
        .collect();
    let known = owner.post("/api/v1/files/known", json!({"files": asked})).await.ok();
    let unknown = known.as_array().unwrap().iter().filter(|file| file.is_null()).count();
    let again = started.elapsed();
    let started = std::time::Instant::now();
    for (name, bytes) in &files {
        keep(&owner, name, "Papers", bytes).await;
    }
    let sent = started.elapsed();
    assert_eq!((unknown, counts().await), (0, before));
    assert!(again < Duration::from_secs(5), "{again:?}");
    writeln!(
        std::io::stderr(),
        "1,000 files: first {first:?}; again, asked {again:?}; again, sent {sent:?}; {before:?}"
    )
    .unwrap();
    application.stop().await;
}
