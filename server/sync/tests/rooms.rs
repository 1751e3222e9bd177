//! Rooms over a log in memory: what they promise to whoever writes through them.

use async_trait::async_trait;
use shared::NoteId;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use sync::{
    Author, Entry, Loaded, Log, LogError, Projector, Record, RoomError, Rooms, Settings, Transport, seed,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const NOBODY: Author = Author { user_id: None, run_id: None };

#[derive(Default)]
struct Memory {
    notes: Mutex<HashMap<NoteId, Vec<Vec<u8>>>>,
}

#[async_trait]
impl Log for Memory {
    async fn load(&self, note: NoteId) -> Result<Loaded, LogError> {
        let notes = self.notes.lock().unwrap();
        let updates = notes.get(&note).ok_or(LogError::NotFound)?.clone();
        Ok(Loaded { seq: updates.len() as i64, updates })
    }

    async fn since(&self, _: NoteId, seq: i64) -> Result<(Vec<Record>, i64), LogError> {
        Ok((Vec::new(), seq))
    }

    async fn append(&self, entries: &[Entry]) -> Result<Vec<Option<i64>>, LogError> {
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
        let (memory, note) = (Arc::new(Memory::default()), NoteId::new());
        memory.notes.lock().unwrap().insert(note, vec![seed("one")]);
        let spool = std::env::temp_dir().join(format!("sidebar-rooms-{note}"));
        let stop = CancellationToken::new();
        let parts = (memory.clone(), memory.clone(), memory.clone());
        let settings = Settings::new(spool.clone());
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
