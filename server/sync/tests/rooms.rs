//! Rooms over a log in memory: what they promise to whoever writes through them.

use async_trait::async_trait;
use shared::NoteId;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use sync::{
    Author, Entry, Loaded, Log, LogError, Projector, Record, RoomError, Rooms, Settings, Transport, seed,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const NOBODY: Author = Author { user_id: None, run_id: None };

#[derive(Default)]
struct Memory {
    /// How long a commit takes.
    pace: Duration,
    notes: Mutex<HashMap<NoteId, Vec<Vec<u8>>>>,
    snapshots: Mutex<HashMap<NoteId, (i64, Vec<u8>)>>,
}

#[async_trait]
impl Log for Memory {
    async fn load(&self, note: NoteId) -> Result<Loaded, LogError> {
        let notes = self.notes.lock().unwrap();
        let updates = notes.get(&note).ok_or(LogError::NotFound)?.clone();
        let kept = self.snapshots.lock().unwrap().get(&note).cloned();
        let (snapshot, state) = kept.map_or((0, None), |(seq, state)| (seq, Some(state)));
        let after = updates.iter().skip(snapshot as usize).cloned();
        Ok(Loaded { seq: updates.len() as i64, snapshot, updates: state.into_iter().chain(after).collect() })
    }

    async fn keep(&self, note: NoteId, seq: i64, snapshot: Vec<u8>) -> Result<(), LogError> {
        self.snapshots.lock().unwrap().insert(note, (seq, snapshot));
        Ok(())
    }

    async fn since(&self, _: NoteId, seq: i64) -> Result<(Vec<Record>, i64), LogError> {
        Ok((Vec::new(), seq))
    }

    async fn append(&self, entries: &[Entry]) -> Result<Vec<Option<i64>>, LogError> {
        tokio::time::sleep(self.pace).await;
        let mut notes = self.notes.lock().unwrap();
        Ok(entries
            .iter()
            .map(|entry| {
                let updates = notes.get_mut(&entry.note)?;
                updates.push(entry.update.clone());
                Some(updates.len() as i64)
            })
            .collect())
    }

    async fn heads(&self, _: &[NoteId]) -> Result<Vec<(NoteId, i64)>, LogError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Transport for Memory {
    async fn announce(&self, _: &[(NoteId, i64)]) {}
}

#[async_trait]
impl Projector for Memory {
    async fn project(&self, _: NoteId, _: i64, _: &str) -> Result<(), LogError> {
        Ok(())
    }
}

struct Stage {
    rooms: Rooms,
    memory: Arc<Memory>,
    note: NoteId,
    spool: PathBuf,
    stop: CancellationToken,
    committer: JoinHandle<()>,
}

impl Stage {
    async fn start() -> Self {
        Self::over(Memory::default()).await
    }

    async fn over(memory: Memory) -> Self {
        let (memory, note) = (Arc::new(memory), NoteId::new());
        memory.notes.lock().unwrap().insert(note, vec![seed("one")]);
        let spool = std::env::temp_dir().join(format!("sidebar-rooms-{note}"));
        let stop = CancellationToken::new();
        let parts = (memory.clone(), memory.clone(), memory.clone());
        let settings = Settings { linger: Duration::from_millis(50), ..Settings::new(spool.clone()) };
        let (rooms, committer) =
            Rooms::start(parts.0, parts.1, parts.2, settings, stop.clone()).await.unwrap();
        Self { rooms, memory, note, spool, stop, committer }
    }

    async fn write(&self, text: &'static str) -> Result<i64, RoomError> {
        let edited = self.rooms.edit(self.note, NOBODY, move |draft| draft.set_text(text)).await;
        edited.map(|edited| edited.seq)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Nothing of it is needed, and another test has its own.
        let _ = std::fs::remove_dir_all(&self.spool);
    }
}

#[tokio::test]
async fn a_change_is_answered_once_it_is_in_the_log() {
    let stage = Stage::start().await;
    assert_eq!(stage.write("one two").await, Ok(2));
    assert_eq!(stage.memory.notes.lock().unwrap()[&stage.note].len(), 2);
    assert_eq!(stage.rooms.read(stage.note).await.unwrap().text, "one two");
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_never_answered_as_made() {
    let mut stage = Stage::start().await;
    assert_eq!(stage.write("one two").await, Ok(2));
    stage.stop.cancel();
    (&mut stage.committer).await.unwrap();
    assert!(matches!(stage.write("one two three").await, Err(RoomError::ReadOnly(_))));
    assert_eq!(stage.memory.notes.lock().unwrap()[&stage.note].len(), 2);
    assert_eq!(stage.rooms.read(stage.note).await.unwrap().text, "one two", "it is loaded anew from the log");
}

#[tokio::test]
async fn a_note_that_is_not_there_is_an_error_and_no_empty_document() {
    let stage = Stage::start().await;
    assert_eq!(stage.rooms.read(NoteId::new()).await, Err(RoomError::NotFound));
}

#[tokio::test]
async fn a_room_that_everybody_left_keeps_a_snapshot_for_the_next_to_come() {
    let stage = Stage::start().await;
    for round in 0..150 {
        let text = format!("one {round}");
        stage.rooms.edit(stage.note, NOBODY, move |draft| draft.set_text(&text)).await.unwrap();
    }
    let kept = async {
        loop {
            let kept = stage.memory.snapshots.lock().unwrap().get(&stage.note).cloned();
            match kept {
                Some((151, _)) => return,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), kept).await.expect("a snapshot of everything");
    // what follows is read from the snapshot: the log before it is gone
    stage.memory.notes.lock().unwrap().get_mut(&stage.note).unwrap()[..151].fill(Vec::new());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(stage.rooms.read(stage.note).await.unwrap().text, "one 149");
    assert_eq!(stage.write("one 149 and more").await, Ok(152));
}

/// Many people at once, and a log that is never done with what it was given before there is more.
#[tokio::test]
async fn a_note_that_is_written_without_a_pause_keeps_snapshots_that_hold_all_they_say() {
    let stage = Stage::over(Memory { pace: Duration::from_millis(15), ..Memory::default() }).await;
    let memory = stage.memory.clone();
    let kept = move |note: NoteId| memory.snapshots.lock().unwrap().get(&note).cloned();
    let writers: Vec<JoinHandle<()>> = (0..200)
        .map(|_| {
            let (rooms, note, kept) = (stage.rooms.clone(), stage.note, kept.clone());
            // their updates are not merged with those of others
            let author = Author { user_id: Some(shared::UserId::new()), run_id: None };
            tokio::spawn(async move {
                while kept(note).is_none() {
                    let typed = rooms.edit(note, author, |draft| {
                        draft.replace(0..0, "x");
                        Ok(())
                    });
                    typed.await.unwrap();
                }
            })
        })
        .collect();
    let all = async {
        for writer in writers {
            writer.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(300), all).await.expect("a snapshot while they write");
    let (seq, state) = kept(stage.note).unwrap();
    assert!(seq >= 5_000, "{seq}");
    // Read from the snapshot and what came after it alone, everything is there.
    let written = stage.rooms.read(stage.note).await.unwrap();
    let mut notes = stage.memory.notes.lock().unwrap().clone();
    let updates = notes.remove(&stage.note).unwrap();
    let after = updates[usize::try_from(seq).unwrap()..].to_vec();
    let other = Memory::default();
    other.notes.lock().unwrap().insert(stage.note, [vec![state], after].concat());
    let mut again = Stage::over(other).await;
    again.note = stage.note;
    assert_eq!(again.rooms.read(again.note).await.unwrap().text, written.text);
}
