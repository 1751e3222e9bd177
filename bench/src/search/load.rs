//! Fills the tables of the search the fast way: rows by COPY, indexes afterwards. The tables, the policies and the
//! indexes are the product's.

use super::say;
use super::synthetic::Synthetic;
use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::fmt::Write;
use std::time::Instant;
use uuid::Uuid;

/// Rows sent at once.
const PORTION: usize = 2000;

/// Somebody with so many passages.
pub struct Owner {
    pub id: Uuid,
    pub passages: usize,
}

/// As many owners as that, the first of them large, most of them small.
pub fn sizes(passages: usize) -> Vec<usize> {
    let shares = [0.40, 0.20, 0.10, 0.05, 0.025, 0.01, 0.01, 0.01];
    let mut sizes: Vec<usize> = shares.iter().map(|share| (passages as f64 * share) as usize).collect();
    let left = passages - sizes.iter().sum::<usize>();
    let small = 1000 - sizes.len();
    sizes.extend((0..small).map(|_| left / small));
    sizes
}

/// One owner of everything.
pub fn one(passages: usize) -> Vec<usize> {
    vec![passages]
}

/// Makes the people, a note of theirs that everything stands in, and the passages, in mixed order.
pub async fn fill(connection: &mut PgConnection, sizes: &[usize], seed: u64) -> Result<Vec<Owner>> {
    let began = Instant::now();
    let mut synthetic = Synthetic::new(seed);
    connection.execute("SET session_replication_role = replica; TRUNCATE users CASCADE").await?;
    let owners: Vec<Owner> =
        sizes.iter().map(|passages| Owner { id: Uuid::now_v7(), passages: *passages }).collect();
    let notes: Vec<Uuid> = owners.iter().map(|_| Uuid::now_v7()).collect();
    for (owner, note) in owners.iter().zip(&notes) {
        sqlx::query(
            "WITH who AS (INSERT INTO users (id, email, display_name, role, password_hash)
                          VALUES ($1, $1::text || '@example.org', 'Somebody', 'developer', ''))
             INSERT INTO notes (id, owner_id, title) VALUES ($2, $1, 'Everything')",
        )
        .bind(owner.id)
        .bind(note)
        .execute(&mut *connection)
        .await?;
    }
    let mut whose: Vec<usize> =
        owners.iter().enumerate().flat_map(|(at, owner)| std::iter::repeat_n(at, owner.passages)).collect();
    for at in (1..whose.len()).rev() {
        whose.swap(at, synthetic.below(at + 1));
    }
    let indexes = drop_indexes(connection).await?;
    let mut id = 0_i64;
    for portion in whose.chunks(PORTION) {
        let (mut texts, mut vectors) = (String::new(), Vector::begun());
        for at in portion {
            id += 1;
            let (owner, note) = (owners[*at].id, notes[*at]);
            writeln!(texts, "{id}\t{owner}\tnote\t{note}\t{}\t1\t{}", Uuid::now_v7(), synthetic.text())?;
            vectors.push(owner, id, note, &synthetic.vector());
        }
        copy(
            connection,
            "COPY chunks (id, owner_id, source_kind, source_id, part_id, ordinal, text) FROM STDIN",
            texts.as_bytes(),
        )
        .await?;
        copy(
            connection,
            "COPY chunk_vectors (owner_id, chunk_id, source_kind, source_id, created_at, model, embedding) FROM STDIN (FORMAT binary)",
            &vectors.ended(),
        )
        .await?;
    }
    say(&format!("{id} passages in {:.0} s", began.elapsed().as_secs_f64()))?;
    make_indexes(connection, &indexes).await?;
    connection.execute("SET session_replication_role = DEFAULT").await?;
    Ok(owners)
}

async fn copy(connection: &mut PgConnection, statement: &'static str, bytes: &[u8]) -> Result<()> {
    let mut copy = connection.copy_in_raw(statement).await?;
    copy.send(bytes).await?;
    copy.finish().await.context("the passages were refused")?;
    Ok(())
}

/// The large indexes, and how they are made again.
async fn drop_indexes(connection: &mut PgConnection) -> Result<Vec<String>> {
    let names = "('chunks_found', 'chunk_vectors_near', 'chunk_vectors_source', 'chunk_vectors_narrowed')";
    let definitions = format!(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indexrelid::regclass::text IN {names}"
    );
    let definitions = sqlx::query_scalar(AssertSqlSafe(definitions)).fetch_all(&mut *connection).await?;
    connection
        .execute("DROP INDEX chunks_found, chunk_vectors_near, chunk_vectors_source, chunk_vectors_narrowed")
        .await?;
    Ok(definitions)
}

async fn make_indexes(connection: &mut PgConnection, definitions: &[String]) -> Result<()> {
    connection.execute("SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 1").await?;
    for definition in definitions {
        let began = Instant::now();
        // A partitioned table's definition names it alone; its parts are to have the index as well.
        let statement = definition.replace(" ON ONLY ", " ON ");
        connection.execute(AssertSqlSafe(statement.clone())).await?;
        let name = statement.split_whitespace().nth(2).unwrap_or_default().to_owned();
        say(&format!("{name} in {:.0} s", began.elapsed().as_secs_f64()))?;
    }
    connection.execute("VACUUM (ANALYZE) chunks").await?;
    connection.execute("VACUUM (ANALYZE) chunk_vectors").await?;
    Ok(())
}

/// Rows as COPY reads them in binary.
struct Vector(Vec<u8>);

impl Vector {
    fn begun() -> Self {
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        bytes.extend([0; 8]);
        Self(bytes)
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0.extend((bytes.len() as u32).to_be_bytes());
        self.0.extend(bytes);
    }

    fn push(&mut self, owner: Uuid, id: i64, note: Uuid, vector: &[f32]) {
        self.0.extend(7_u16.to_be_bytes());
        self.field(owner.as_bytes());
        self.field(&id.to_be_bytes());
        self.field(b"note");
        self.field(note.as_bytes());
        // Microseconds since 2000; each a second after the one before.
        self.field(&(820_000_000_000_000 + id * 1_000_000).to_be_bytes());
        self.field(b"synthetic");
        let mut halves = Vec::with_capacity(vector.len() * 2 + 4);
        halves.extend((vector.len() as u16).to_be_bytes());
        halves.extend([0; 2]);
        for number in vector {
            halves.extend(half(*number).to_be_bytes());
        }
        self.field(&halves);
    }

    fn ended(mut self) -> Vec<u8> {
        self.0.extend((-1_i16).to_be_bytes());
        self.0
    }
}

/// The nearest number of 16 bits, cut off: what is smaller than it can say is nothing.
fn half(number: f32) -> u16 {
    let bits = number.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let exponent = ((bits >> 23) & 0xff) as i32 - 127 + 15;
    match exponent {
        ..=0 => sign,
        1..=30 => sign | ((exponent as u16) << 10) | ((bits >> 13) & 0x3ff) as u16,
        _ => sign | 0x7bff,
    }
}
