//! How well the search finds: documents go in through the API and are read, cut and embedded by the product; each
//! question has one document that answers it. One half of the questions is what the fusion is tuned on; the other
//! says how well that carries over.

use super::documents::{self, Document, Question};
use super::{database, say};
use crate::server::Sidebar;
use crate::statistics::Sample;
use anyhow::{Context, Result, ensure};
use embeddings::{Embedder, MiniLm, Purpose, weights_folder};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use uuid::Uuid;

const EMAIL: &str = "bench@example.org";
const PASSWORD: &str = "a password for the bench";
const PATIENCE: Duration = Duration::from_secs(600);
/// As the product has it: `k`, words, parts of words, meaning.
const TUNING: [f32; 4] = [3.0, 1.0, 0.3, 1.6];
/// As the product has it: how much further than a match counts.
const SLACK: f32 = 0.1;
const KINDS: [&str; 4] = ["words", "paraphrase", "identifier", "language"];

/// A question with its vector, and the document that answers it.
struct Asked {
    text: &'static str,
    kind: &'static str,
    vector: String,
    answer: Uuid,
}

pub async fn run(tune: bool) -> Result<bool> {
    let (documents, questions) = documents::all()?;
    let sidebar = Sidebar::start_with_meaning().await?;
    let (user, ids) = put_in(&sidebar, &documents).await?;
    let model = MiniLm::load(&weights_folder()?, NonZeroUsize::MIN)?;
    let asked = embedded(&model, &questions, &ids).await?;
    let farthest = 1.0 - model.threshold() + SLACK;
    let pool = database(&sidebar).await?;
    let mut connection = pool.acquire().await?;
    sqlx::query("SELECT set_config('role', 'sidebar_user', false), set_config('app.user_id', $1, false)")
        .bind(user.to_string())
        .execute(&mut *connection)
        .await?;
    // Every second question is of the half that is tuned on.
    let (mut tuned, mut untouched) = (Vec::new(), Vec::new());
    for (at, one) in asked.into_iter().enumerate() {
        if at % 2 == 0 { tuned.push(one) } else { untouched.push(one) }
    }
    let model = model.model().as_str().to_owned();
    let mut search = Search { connection: &mut connection, model, farthest };
    if tune {
        search.tune(&tuned).await?;
        return Ok(true);
    }
    search.print("the half that was tuned on", &tuned).await?;
    search.print("the half that was not looked at", &untouched).await
}

/// Uploads everything and waits until all has its vectors. Gives whose it is, and each document's id.
async fn put_in(sidebar: &Sidebar, documents: &[Document]) -> Result<(Uuid, Vec<Uuid>)> {
    let began = Instant::now();
    let folder = sidebar.data.join("documents");
    std::fs::create_dir_all(&folder)?;
    let (files, office) = documents::files(documents, &folder)?;
    let made = began.elapsed().as_secs_f64();
    sidebar.shell(
        &["user", "create", "--email", EMAIL, "--role", "admin", "--password-stdin"],
        &format!("{PASSWORD}\n"),
    )?;
    let url = &sidebar.process.url;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let signed_in = http
        .post(format!("{url}/api/v1/sessions"))
        .json(&json!({"email": EMAIL, "password": PASSWORD}))
        .send()
        .await?
        .error_for_status()?;
    let cookie =
        signed_in.headers()["set-cookie"].to_str()?.split(';').next().context("no cookie")?.to_owned();
    let body: Value = signed_in.json().await?;
    let csrf = body["data"]["csrf_token"].as_str().context("no token")?.to_owned();
    let mut ids = Vec::new();
    for documents::File { name, bytes } in files {
        let post = |path: String| {
            http.post(format!("{url}/api/v1{path}")).header("cookie", &cookie).header("x-csrf-token", &csrf)
        };
        let sent = match name.strip_suffix(".md") {
            Some(title) => {
                post("/notes".into())
                    .json(&json!({"title": title, "content": String::from_utf8(bytes)?}))
                    .send()
                    .await?
            }
            None => {
                let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
                let request = post(format!("/files?name={encoded}"));
                request.header("content-type", "application/octet-stream").body(bytes).send().await?
            }
        };
        let answer: Value = sent.error_for_status()?.json().await?;
        ids.push(answer["data"]["id"].as_str().context("no id")?.parse()?);
    }
    let pool = database(sidebar).await?;
    let passages = loop {
        let (waiting, unread, failed, passages): (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM chunk_queue), (SELECT count(*) FROM files WHERE state NOT IN ('ready', 'failed')),
                    (SELECT count(*) FROM files WHERE state = 'failed'), (SELECT count(*) FROM chunks)",
        )
        .fetch_one(&pool)
        .await?;
        ensure!(failed == 0, "{failed} files could not be read");
        ensure!(
            began.elapsed() < PATIENCE,
            "reading takes too long: {waiting} passages and {unread} files wait"
        );
        if waiting + unread == 0 {
            break passages;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let user = sqlx::query_scalar("SELECT id FROM users").fetch_one(&pool).await?;
    pool.close().await;
    let mut formats: HashMap<&str, usize> = HashMap::new();
    for document in documents {
        *formats.entry(document.format).or_default() += 1;
    }
    let mut formats: Vec<String> =
        formats.into_iter().map(|(format, count)| format!("{count} {format}")).collect();
    formats.sort();
    say(&format!(
        "{} documents ({}; {office} made by LibreOffice in {made:.0} s), {passages} passages, found after {:.0} s",
        ids.len(),
        formats.join(", "),
        began.elapsed().as_secs_f64()
    ))?;
    Ok((user, ids))
}

async fn embedded(model: &MiniLm, questions: &[Question], ids: &[Uuid]) -> Result<Vec<Asked>> {
    let texts = questions.iter().map(|question| question.text.to_owned()).collect();
    let vectors = model.embed(texts, Purpose::Query).await?;
    let asked = questions.iter().zip(vectors).map(|(question, vector)| {
        let numbers: Vec<String> = vector.iter().map(f32::to_string).collect();
        let vector = format!("[{}]", numbers.join(","));
        Asked { text: question.text, kind: question.kind, vector, answer: ids[question.answer] }
    });
    Ok(asked.collect())
}

/// Which of the two lists are used.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Words,
    Meaning,
    Both,
}

/// recall@10 and nDCG@10 of some questions.
#[derive(Clone, Copy, Default)]
struct Score {
    recall: f64,
    ndcg: f64,
}

struct Search<'a> {
    connection: &'a mut PgConnection,
    model: String,
    farthest: f32,
}

impl Search<'_> {
    /// Where the answer stands among the documents found; from 0.
    async fn place(&mut self, asked: &Asked, way: Way, tuning: &[f32; 4]) -> Result<Option<usize>> {
        let found: Vec<Uuid> = sqlx::query_scalar(
            "SELECT source_id FROM find_passages($1, $2::text::halfvec, $3, $4, NULL, NULL, NULL, NULL, NULL, NULL, $5, 0, 20)",
        )
        .bind(if way == Way::Meaning { "" } else { asked.text })
        .bind((way != Way::Words).then_some(asked.vector.as_str()))
        .bind(&self.model)
        // Alone, it may answer with whatever is nearest.
        .bind(if way == Way::Meaning { 2.0 } else { self.farthest })
        .bind(tuning.as_slice())
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(found.iter().position(|id| *id == asked.answer))
    }

    async fn score(&mut self, questions: &[&Asked], way: Way, tuning: &[f32; 4]) -> Result<Score> {
        let mut score = Score::default();
        let each = 1.0 / questions.len() as f64;
        for asked in questions {
            if let Some(place) = self.place(asked, way, tuning).await?.filter(|place| *place < 10) {
                score.recall += each;
                score.ndcg += each / (place as f64 + 2.0).log2();
            }
        }
        Ok(score)
    }

    /// Whether both are better together than each alone, and find no less.
    async fn print(&mut self, half: &str, questions: &[Asked]) -> Result<bool> {
        say(&format!("\n{half}: {} questions", questions.len()))?;
        say(&format!(
            "{:>12} {:>4} | {:^17} | {:^17} | {:^17}",
            "", "", "words alone", "meaning alone", "both"
        ))?;
        let columns = format!("{:>8} {:>8}", "recall10", "nDCG10");
        say(&format!("{:>12} {:>4} | {columns} | {columns} | {columns}", "kind", ""))?;
        let mut all = [Score::default(); 3];
        for kind in KINDS.into_iter().map(Some).chain([None]) {
            let chosen: Vec<&Asked> =
                questions.iter().filter(|asked| kind.is_none_or(|kind| asked.kind == kind)).collect();
            let mut columns = Vec::new();
            for (at, way) in [Way::Words, Way::Meaning, Way::Both].into_iter().enumerate() {
                all[at] = self.score(&chosen, way, &TUNING).await?;
                columns.push(format!("{:>8.3} {:>8.3}", all[at].recall, all[at].ndcg));
            }
            say(&format!("{:>12} {:>4} | {}", kind.unwrap_or("all"), chosen.len(), columns.join(" | ")))?;
        }
        let [words, meaning, both] = all;
        let is_better =
            both.ndcg > words.ndcg.max(meaning.ndcg) && both.recall >= words.recall.max(meaning.recall);
        say(&format!(
            "{:>6} both together better than each alone, and no less found",
            if is_better { "met" } else { "MISSED" }
        ))?;
        let mut took = Sample::default();
        for asked in questions {
            let began = Instant::now();
            self.place(asked, Way::Both, &TUNING).await?;
            took.push(began.elapsed().as_secs_f64() * 1e3);
        }
        say(&format!("p50 {:.1} ms, p95 {:.1} ms", took.percentile(0.5), took.percentile(0.95)))?;
        Ok(is_better)
    }

    /// Every fusion of a grid on the half that may be looked at, best last.
    async fn tune(&mut self, questions: &[Asked]) -> Result<()> {
        let questions: Vec<&Asked> = questions.iter().collect();
        let mut tried = Vec::new();
        for k in [1.0, 3.0, 6.0, 10.0] {
            for part in [0.1, 0.5] {
                for meaning in [1.0, 1.6, 2.2, 3.0] {
                    let tuning = [k, 1.0, part, meaning];
                    tried.push((self.score(&questions, Way::Both, &tuning).await?, tuning));
                }
            }
        }
        tried.sort_by(|a, b| a.0.ndcg.total_cmp(&b.0.ndcg));
        for (score, [k, words, part, meaning]) in tried {
            say(&format!(
                "k {k:>4} words {words} part {part:>3} meaning {meaning:>3} | recall {:.3} nDCG {:.4}",
                score.recall, score.ndcg
            ))?;
        }
        Ok(())
    }
}
