//! How long the search takes, for owners of every size in one table: the product's function as the role of a person,
//! beside the same index without row-level security, and beside comparing everything.

use super::synthetic::Synthetic;
use super::{Arguments, database, load, say};
use crate::server::Sidebar;
use crate::statistics::Sample;
use anyhow::Result;
use sqlx::{Executor, PgConnection};
use std::collections::HashSet;
use std::time::Instant;
use uuid::Uuid;

const SEED: u64 = 28;
/// How much of what is nearest has to be found.
const RECALL: f64 = 0.95;

/// A question of somebody's, and what is nearest to it among what is theirs.
struct Question {
    owner: Uuid,
    words: String,
    vector: String,
    nearest: HashSet<Uuid>,
}

pub async fn run(arguments: &Arguments) -> Result<bool> {
    let most_ms = if arguments.passages > 100_000 { 100.0 } else { 30.0 };
    let mut reached = true;
    let mixes =
        [("1 owner", load::one(arguments.passages)), ("1,000 owners", load::sizes(arguments.passages))];
    for (name, sizes) in mixes {
        if arguments.many_owners_only && sizes.len() == 1 {
            continue;
        }
        let sidebar = Sidebar::start().await?;
        say(&format!(
            "\n{} passages of {name}; synthetic: clustered vectors, words as often as words are",
            arguments.passages
        ))?;
        let pool = database(&sidebar).await?;
        let mut connection = pool.acquire().await?;
        promises(&mut connection).await?;
        let owners = load::fill(&mut connection, &sizes, SEED).await?;
        heading()?;
        let mut before = 0;
        for (at, owner) in owners.iter().enumerate() {
            // One of each size.
            if std::mem::replace(&mut before, owner.passages) == owner.passages {
                continue;
            }
            let questions = questions(&mut connection, owner.id, at as u64, arguments.questions).await?;
            reached &=
                measure(&mut connection, owner.passages, &questions, arguments.rounds, most_ms).await?;
        }
        drop(connection);
        pool.close().await;
    }
    Ok(reached)
}

/// What the database does while it is measured, asked of itself.
async fn promises(connection: &mut PgConnection) -> Result<()> {
    let settings: String = sqlx::query_scalar(
        "SELECT string_agg(name || ' = ' || current_setting(name), ', ')
         FROM unnest(ARRAY['fsync', 'synchronous_commit', 'shared_buffers']) AS name",
    )
    .fetch_one(connection)
    .await?;
    say(&format!("Postgres: {settings}"))
}

fn heading() -> Result<()> {
    say(&format!(
        "{:>9} | {:^47} | {:^23} | {:^23} | {:^15} | {:^15}",
        "",
        "the search: words and meaning",
        "meaning alone",
        "pgvector, filtered",
        "words alone",
        "all compared"
    ))?;
    say(&format!(
        "{:>9} | {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} | {:>7} {:>7} {:>7} | {:>7} {:>7} {:>7} | {:>7} {:>7} | {:>7} {:>7}",
        "of owner",
        "p50 ms",
        "p95 ms",
        "CPU p50",
        "CPU p95",
        "p95 all",
        "short",
        "p50 ms",
        "p95 ms",
        "recall",
        "p50 ms",
        "p95 ms",
        "recall",
        "p50 ms",
        "p95 ms",
        "p50 ms",
        "p95 ms"
    ))
}

async fn measure(
    connection: &mut PgConnection,
    passages: usize,
    questions: &[Question],
    rounds: usize,
    most_ms: f64,
) -> Result<bool> {
    let wanted = passages.min(20);
    let mut both = asked(connection, questions, rounds, wanted, Way::Both).await?;
    let meaning = asked(connection, questions, rounds, wanted, Way::Meaning).await?;
    let plain = asked(connection, questions, rounds, wanted, Way::Plain).await?;
    let words = asked(connection, questions, rounds, wanted, Way::Words).await?;
    let exact = asked(connection, questions, 1, wanted, Way::Exact).await?;
    let (p50, p95) = (both.best.percentile(0.5), both.best.percentile(0.95));
    both.short += meaning.short;
    say(&format!(
        "{passages:>9} | {p50:>7.1} {p95:>7.1} {:>7.1} {:>7.1} {:>7.1} {:>7} | {:>7.1} {:>7.1} {:>7.3} | {:>7.1} {:>7.1} {:>7.3} | {:>7.1} {:>7.1} | {:>7.1} {:>7.1}",
        both.cpu.percentile(0.5),
        both.cpu.percentile(0.95),
        both.all.percentile(0.95),
        both.short,
        meaning.best.percentile(0.5),
        meaning.best.percentile(0.95),
        meaning.recall,
        plain.best.percentile(0.5),
        plain.best.percentile(0.95),
        plain.recall,
        words.best.percentile(0.5),
        words.best.percentile(0.95),
        exact.all.percentile(0.5),
        exact.all.percentile(0.95),
    ))?;
    let met = p95 <= most_ms && meaning.recall >= RECALL && both.short == 0;
    if !met {
        say(&format!("   MISSED: p95 at most {most_ms} ms, recall at least {RECALL}, no answer short"))?;
    }
    Ok(met)
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Both,
    Meaning,
    Words,
    /// The same index, as a role that no policy binds.
    Plain,
    Exact,
}

impl Way {
    fn statement(self) -> &'static str {
        match self {
            Self::Both | Self::Meaning | Self::Words => {
                "SELECT part_id FROM find_passages($1, $2::text::halfvec, 'synthetic', 2, NULL, NULL, NULL, NULL, NULL, NULL,
                                                   '{3, 1, 0.3, 1.6}', 0, 20)
                 WHERE $3::uuid IS NOT NULL"
            }
            Self::Plain => {
                "SELECT k.part_id FROM (SELECT chunk_id FROM chunk_vectors WHERE owner_id = $3 AND $1::text IS NOT NULL
                                        ORDER BY embedding <=> $2::text::halfvec LIMIT 20) v JOIN chunks k ON k.id = v.chunk_id"
            }
            Self::Exact => {
                "SELECT k.part_id FROM (SELECT chunk_id FROM chunk_vectors WHERE owner_id = $3 AND $1::text IS NOT NULL
                                        ORDER BY (embedding <=> $2::text::halfvec) + 0 LIMIT 20) v JOIN chunks k ON k.id = v.chunk_id"
            }
        }
    }
}

#[derive(Default)]
struct Outcome {
    /// Milliseconds of every asking, and of the best quarter of each question's.
    all: Sample,
    best: Sample,
    /// Milliseconds that the database calculated: less disturbed by whatever else the machine does.
    cpu: Sample,
    recall: f64,
    short: usize,
}

async fn asked(
    connection: &mut PgConnection,
    questions: &[Question],
    rounds: usize,
    wanted: usize,
    way: Way,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let process: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await?;
    connection.execute("SET plan_cache_mode = force_custom_plan").await?;
    for question in questions {
        let mut times = Vec::new();
        for round in 0..rounds {
            let words = if way == Way::Meaning { "" } else { question.words.as_str() };
            let vector = (way != Way::Words).then_some(question.vector.as_str());
            let role = if matches!(way, Way::Plain | Way::Exact) { "none" } else { "sidebar_user" };
            sqlx::query("SELECT set_config('role', $1, false), set_config('app.user_id', $2, false)")
                .bind(role)
                .bind(question.owner.to_string())
                .execute(&mut *connection)
                .await?;
            let (began, calculated) = (Instant::now(), cpu_ms(process)?);
            let found: Vec<Uuid> = sqlx::query_scalar(way.statement())
                .bind(words)
                .bind(vector)
                .bind(question.owner)
                .fetch_all(&mut *connection)
                .await?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            outcome.cpu.push(cpu_ms(process)? - calculated);
            if round == 0 {
                let right = found.iter().take(10).filter(|part| question.nearest.contains(part)).count();
                outcome.recall += right as f64 / question.nearest.len() as f64 / questions.len() as f64;
                outcome.short += usize::from(matches!(way, Way::Both | Way::Meaning) && found.len() < wanted);
            }
        }
        times.sort_by(f64::total_cmp);
        for (place, time) in times.iter().enumerate() {
            outcome.all.push(*time);
            if place < rounds.div_ceil(4) {
                outcome.best.push(*time);
            }
        }
    }
    connection.execute("RESET ROLE; RESET plan_cache_mode").await?;
    Ok(outcome)
}

/// Milliseconds that a process has spent calculating.
fn cpu_ms(process: i32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat"))?;
    let nanoseconds: f64 = text.split_whitespace().next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e6)
}

/// Questions near passages of the owner's, in words that stand in one.
async fn questions(
    connection: &mut PgConnection,
    owner: Uuid,
    seed: u64,
    count: usize,
) -> Result<Vec<Question>> {
    let mut synthetic = Synthetic::new(SEED + 1 + seed);
    let passages: Vec<(String, String)> = sqlx::query_as(
        "SELECT k.text, v.embedding::text FROM chunks k JOIN chunk_vectors v ON v.owner_id = k.owner_id AND v.chunk_id = k.id
         WHERE k.owner_id = $1 ORDER BY md5(k.id::text) LIMIT $2",
    )
    .bind(owner)
    .bind(i64::try_from(count)?)
    .fetch_all(&mut *connection)
    .await?;
    let mut questions = Vec::new();
    for (text, vector) in passages {
        let vector: Vec<f32> =
            vector.trim_matches(['[', ']']).split(',').map(str::parse).collect::<Result<_, _>>()?;
        let near: Vec<String> = synthetic.near(&vector).iter().map(f32::to_string).collect();
        let all: Vec<&str> = text.split_whitespace().filter(|word| !Synthetic::is_common(word)).collect();
        let words: Vec<&str> = (0..1 + synthetic.below(4)).map(|_| all[synthetic.below(all.len())]).collect();
        let vector = format!("[{}]", near.join(","));
        let nearest: Vec<Uuid> = sqlx::query_scalar(
            "SELECT k.part_id FROM (SELECT chunk_id FROM chunk_vectors WHERE owner_id = $1
                                    ORDER BY (embedding <=> $2::text::halfvec) + 0 LIMIT 10) v JOIN chunks k ON k.id = v.chunk_id",
        )
        .bind(owner)
        .bind(&vector)
        .fetch_all(&mut *connection)
        .await?;
        questions.push(Question {
            owner,
            words: words.join(" "),
            vector,
            nearest: nearest.into_iter().collect(),
        });
    }
    Ok(questions)
}
