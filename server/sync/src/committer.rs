//! Group commit: what all rooms accepted, in order, one transaction every few milliseconds.
//!
//! Nothing is dropped: while the log is away entries wait in the spool and here, bounded; past the
//! bound rooms are told to take nothing more.

use crate::log::{Entry, Log, LogError, Transport};
use crate::protocol::Storing;
use crate::spool::Spool;
use shared::NoteId;
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// The least time between two commits begun.
const PACE: Duration = Duration::from_millis(10);
/// Entries and bytes in one commit at most.
const MOST_ENTRIES: usize = 4096;
const MOST_BYTES: usize = 8 << 20;
/// Between tries while the log is away.
const RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(3);

/// What a room is told about what it submitted.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Everything submitted up to this position is committed, under these numbers.
    Committed { through: u64, seqs: Vec<i64> },
    /// The note is there no longer.
    Gone { through: u64 },
    /// The log refuses these for good.
    Failed { through: u64, reason: String },
}

pub(crate) type Verdicts = mpsc::UnboundedSender<Verdict>;

pub(crate) struct Committer {
    log: Arc<dyn Log>,
    transport: Arc<dyn Transport>,
    queue: Mutex<Queue>,
    queued: Notify,
    drained: Notify,
    storing: watch::Sender<Storing>,
    /// Bytes that may wait before rooms turn read-only.
    bound: usize,
}

struct Queue {
    /// None where nothing is ever written.
    spool: Option<Spool>,
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

struct Waiting {
    position: u64,
    entry: Entry,
    /// None for what an earlier process left.
    room: Option<Verdicts>,
}

/// Why nothing can be taken now.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Full(pub String);

impl Committer {
    /// Opens the spool; what is in it is queued first.
    pub fn open(
        directory: &Path,
        log: Arc<dyn Log>,
        transport: Arc<dyn Transport>,
        bound: usize,
    ) -> std::io::Result<Arc<Self>> {
        let (mut spool, left) = Spool::open(directory)?;
        if !left.is_empty() {
            tracing::info!(updates = left.len(), "updates of an earlier run are committed first");
        }
        let bytes = left.iter().map(|entry| entry.update.len()).sum();
        let waiting =
            left.into_iter().map(|entry| Waiting { position: spool.skip(), entry, room: None }).collect();
        let queue = Queue { spool: Some(spool), waiting, bytes };
        Ok(Arc::new(Self::new(log, transport, queue, bound, Storing::Normal)))
    }

    /// Takes nothing, ever.
    pub fn closed(log: Arc<dyn Log>, transport: Arc<dyn Transport>) -> Arc<Self> {
        let queue = Queue { spool: None, waiting: VecDeque::new(), bytes: 0 };
        let storing = Storing::ReadOnly("Notes are only read here.".to_owned());
        Arc::new(Self::new(log, transport, queue, 0, storing))
    }

    fn new(
        log: Arc<dyn Log>,
        transport: Arc<dyn Transport>,
        queue: Queue,
        bound: usize,
        storing: Storing,
    ) -> Self {
        Self {
            log,
            transport,
            queue: Mutex::new(queue),
            queued: Notify::new(),
            drained: Notify::new(),
            storing: watch::channel(storing).0,
            bound,
        }
    }

    pub fn storing(&self) -> watch::Receiver<Storing> {
        self.storing.subscribe()
    }

    /// Whether entries are taken now.
    pub fn check(&self) -> Result<(), Full> {
        match &*self.storing.borrow() {
            Storing::ReadOnly(reason) => Err(Full(reason.clone())),
            _ => Ok(()),
        }
    }

    /// Spools an entry and queues it. When this returns, others may see the update.
    pub fn submit(&self, entry: Entry, room: Verdicts) -> Result<u64, Full> {
        let mut queue = self.lock();
        let Some(spool) = &mut queue.spool else {
            return Err(Full("No changes are taken here any more.".to_owned()));
        };
        let position = spool.append(&entry).map_err(|error| {
            let reason = format!("The server's disk does not take changes: {error}.");
            tracing::error!(%error, "the spool cannot be written");
            self.refuse_for_a_while(reason.clone());
            Full(reason)
        })?;
        queue.bytes += entry.update.len();
        let over = queue.bytes > self.bound;
        queue.waiting.push_back(Waiting { position, entry, room: Some(room) });
        drop(queue);
        if over {
            self.storing.send_replace(Storing::ReadOnly(
                "The database has been away for long. What is written now stays on your device.".to_owned(),
            ));
        }
        self.queued.notify_one();
        Ok(position)
    }

    /// Read-only until the disk may have recovered; the next write finds out.
    fn refuse_for_a_while(&self, reason: String) {
        self.storing.send_replace(Storing::ReadOnly(reason));
        let storing = self.storing.clone();
        tokio::spawn(async move {
            sleep(LONGEST_RETRY).await;
            storing.send_replace(Storing::Normal);
        });
    }

    /// Commits until the end of the process; returns once told to stop and nothing waits, or the log is away.
    pub async fn run(self: Arc<Self>, stop: tokio_util::sync::CancellationToken) {
        let mut next = Instant::now();
        loop {
            if self.lock().waiting.is_empty() {
                self.drained.notify_waiters();
                self.storing.send_if_modified(|s| std::mem::take(s) != Storing::Normal);
                tokio::select! {
                    () = self.queued.notified() => {}
                    () = stop.cancelled() => break,
                }
                continue;
            }
            sleep_until(next).await;
            next = Instant::now() + PACE;
            let batch = self.batch();
            if !self.commit(&batch, &stop).await {
                return;
            }
        }
        // Taken away: what still comes is refused, rather than written to a file that is gone.
        let closed = self.lock().spool.take().map_or(Ok(()), |mut spool| spool.close());
        if let Err(error) = closed {
            tracing::warn!(%error, "the spool could not be emptied");
        }
    }

    /// Waits until what an earlier process left is committed.
    pub async fn replayed(&self) {
        loop {
            let drained = self.drained.notified();
            if self.lock().waiting.iter().all(|waiting| waiting.room.is_some()) {
                return;
            }
            tokio::select! {
                () = drained => {}
                () = sleep(PACE) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes into the next commit. It stays in the queue until it is there.
    fn batch(&self) -> Vec<(u64, Entry)> {
        let queue = self.lock();
        let mut bytes = 0;
        queue
            .waiting
            .iter()
            .take(MOST_ENTRIES)
            .take_while(|waiting| {
                let first = bytes == 0;
                bytes += waiting.entry.update.len();
                first || bytes <= MOST_BYTES
            })
            .map(|waiting| (waiting.position, waiting.entry.clone()))
            .collect()
    }

    /// Tries until it is committed or refused for good. False: told to stop while the log is away.
    async fn commit(&self, batch: &[(u64, Entry)], stop: &tokio_util::sync::CancellationToken) -> bool {
        let (entries, of) = joined(batch);
        let mut retry = RETRY;
        loop {
            let started = Instant::now();
            match self.log.append(&entries).await {
                Ok(seqs) => {
                    metrics::histogram!("sidebar_sync_commit_seconds").record(started.elapsed());
                    self.settle(batch.len(), |n| seqs.get(of[n]).copied().flatten().ok_or(None));
                    let moved: HashMap<NoteId, i64> = entries
                        .iter()
                        .zip(&seqs)
                        .filter_map(|(entry, seq)| seq.map(|seq| (entry.note, seq)))
                        .collect();
                    self.transport.announce(&moved.into_iter().collect::<Vec<_>>()).await;
                    return true;
                }
                Err(LogError::Failed(reason)) if entries.len() == 1 => {
                    tracing::error!(note = %entries[0].note, reason, "an update cannot be committed");
                    self.settle(batch.len(), |_| Err(Some(reason.clone())));
                    return true;
                }
                Err(LogError::Failed(reason)) => {
                    // One bad entry must not hold up the others.
                    tracing::warn!(reason, entries = entries.len(), "committing one by one");
                    for one in batch {
                        if !Box::pin(self.commit(std::slice::from_ref(one), stop)).await {
                            return false;
                        }
                    }
                    return true;
                }
                Err(error) => {
                    self.storing.send_if_modified(|storing| {
                        let changes = *storing == Storing::Normal;
                        if changes {
                            tracing::warn!(%error, "updates of notes wait in the spool");
                            *storing = Storing::Waiting("The database is away.".to_owned());
                        }
                        changes
                    });
                    tokio::select! {
                        () = sleep(retry) => {}
                        () = stop.cancelled() => return false,
                    }
                    retry = (retry * 2).min(LONGEST_RETRY);
                }
            }
        }
    }

    /// Takes the first entries off the queue and tells their rooms.
    fn settle(&self, count: usize, seq: impl Fn(usize) -> Result<i64, Option<String>>) {
        let mut queue = self.lock();
        let settled: Vec<Waiting> = queue.waiting.drain(..count).collect();
        queue.bytes -= settled.iter().map(|waiting| waiting.entry.update.len()).sum::<usize>();
        let relieved = queue.bytes * 2 < self.bound;
        if let Some(last) = settled.last()
            && let Some(spool) = &mut queue.spool
            && let Err(error) = spool.committed(last.position)
        {
            tracing::warn!(%error, "the spool could not be shortened");
        }
        drop(queue);
        if relieved {
            self.storing.send_if_modified(|s| std::mem::take(s) != Storing::Normal);
        }
        let mut verdicts: HashMap<NoteId, (Verdicts, Verdict)> = HashMap::new();
        for (n, waiting) in settled.into_iter().enumerate() {
            let Some(room) = waiting.room else { continue };
            let through = waiting.position;
            let (_, verdict) = verdicts
                .entry(waiting.entry.note)
                .or_insert_with(|| (room, Verdict::Committed { through, seqs: Vec::new() }));
            match (seq(n), &mut *verdict) {
                (Ok(seq), Verdict::Committed { through: t, seqs }) => {
                    *t = through;
                    if seqs.last() != Some(&seq) {
                        seqs.push(seq);
                    }
                }
                (Err(None), verdict) => *verdict = Verdict::Gone { through },
                (Err(Some(reason)), verdict) => *verdict = Verdict::Failed { through, reason },
                (Ok(_), Verdict::Gone { through: t } | Verdict::Failed { through: t, .. }) => *t = through,
            }
        }
        for (room, verdict) in verdicts.into_values() {
            // A room that is gone wants to know nothing.
            let _ = room.send(verdict);
        }
    }
}

/// Neighbours of one note and author as one entry; and which entry each became.
fn joined(batch: &[(u64, Entry)]) -> (Vec<Entry>, Vec<usize>) {
    let mut entries: Vec<Entry> = Vec::with_capacity(batch.len());
    let mut of = Vec::with_capacity(batch.len());
    for run in batch.chunk_by(|(_, a), (_, b)| a.note == b.note && a.author == b.author) {
        let updates: Vec<&[u8]> = run.iter().map(|(_, entry)| entry.update.as_slice()).collect();
        let merged = match updates.as_slice() {
            [one] => Some(one.to_vec()),
            many => crate::document::merge(many),
        };
        match merged {
            Some(update) => {
                of.extend(run.iter().map(|_| entries.len()));
                entries.push(Entry { note: run[0].1.note, author: run[0].1.author, update });
            }
            None => {
                for (_, entry) in run {
                    of.push(entries.len());
                    entries.push(entry.clone());
                }
            }
        }
    }
    (entries, of)
}
