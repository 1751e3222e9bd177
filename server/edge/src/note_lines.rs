//! The notes that one socket is in: frames in, frames out, and what may be done kept current.
//!
//! Both doors use it: `/api/v1/ws` with a note's id before each message, `/api/v1/sync/{id}` without.

use bytes::Bytes;
use domain::{Attachment, Domain, Error, Incoming, Outbox, Viewer, decode_frame};
use shared::note::frame::close;
use shared::{ErrorCode, NoteId};
use std::collections::HashMap;
use uuid::Uuid;

/// Length of the note's id before each message of `/api/v1/ws`.
pub const ID: usize = 16;
/// Notes that one socket may be in at once.
const MOST_NOTES: usize = 64;

/// A close code with its reason.
pub type Refusal = (u16, String);

pub struct NoteLines {
    domain: Domain,
    viewer: Viewer,
    outbox: Outbox,
    attached: HashMap<NoteId, Attachment>,
}

impl NoteLines {
    pub fn new(domain: Domain, viewer: Viewer) -> Self {
        Self { domain, viewer, outbox: Outbox::default(), attached: HashMap::new() }
    }

    /// Where frames for this socket come out.
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    pub fn is_in(&self, note: NoteId) -> bool {
        self.attached.contains_key(&note)
    }

    /// A frame of `/api/v1/ws`. What is wrong with one note ends that note's line, not the socket.
    pub async fn hear(&mut self, frame: &Bytes) -> Result<(), Refusal> {
        let Some(id) = frame.get(..ID).and_then(|id| Uuid::from_slice(id).ok()) else {
            return Err((close::MALFORMED, "A binary frame begins with a note's id.".to_owned()));
        };
        let note = NoteId(id);
        if let Err((code, reason)) = self.hear_of(note, &frame.slice(ID..), true).await {
            self.attached.remove(&note);
            self.outbox.end_note(note, code, &reason);
        }
        Ok(())
    }

    /// Messages about one note.
    pub async fn hear_of(&mut self, note: NoteId, messages: &Bytes, own_frames: bool) -> Result<(), Refusal> {
        let messages = decode_frame(messages)
            .map_err(|error| (close::MALFORMED, format!("The message was not understood: {error}.")))?;
        for message in messages {
            match message {
                Incoming::Attach => self.join(note, own_frames).await?,
                Incoming::Detach => drop(self.attached.remove(&note)),
                message => {
                    // A frame that was on its way when the line ended.
                    let Some(attachment) = self.attached.get(&note) else { continue };
                    attachment
                        .receive(message)
                        .await
                        .map_err(|_| (close::RESYNC, "Synchronise again.".to_owned()))?;
                }
            }
        }
        Ok(())
    }

    pub async fn join(&mut self, note: NoteId, own_frames: bool) -> Result<(), Refusal> {
        if self.attached.len() >= MOST_NOTES && !self.attached.contains_key(&note) {
            let reason = format!("One socket can be in {MOST_NOTES} notes. Leave one first.");
            return Err((close::UNAVAILABLE, reason));
        }
        // The earlier place is given up first, so that nobody is there twice.
        self.attached.remove(&note);
        // In a box, as below: what is asked of the database takes far more room than a line that is quiet.
        let joining = Box::pin(self.domain.join_note(&self.viewer, note, &self.outbox, own_frames));
        self.attached.insert(note, joining.await.map_err(refusal)?);
        Ok(())
    }

    /// Looks again at what may be done with a note, or with all; ends the lines that may not be.
    pub async fn recheck(&mut self, which: Option<NoteId>) -> Vec<(NoteId, Refusal)> {
        let notes: Vec<NoteId> =
            self.attached.keys().filter(|note| which.is_none_or(|w| w == **note)).copied().collect();
        let mut ended = Vec::new();
        for note in notes {
            let result = match Box::pin(self.domain.access_to(&self.viewer, note)).await {
                Ok(access) => match self.attached.get(&note) {
                    Some(attachment) => attachment
                        .set_access(access)
                        .await
                        .map_err(|_| (close::RESYNC, "Synchronise again.".to_owned())),
                    None => Ok(()),
                },
                Err(Error::Problem { code: ErrorCode::NotFound, .. }) => {
                    Err((close::NO_ACCESS, "This note is no longer shared with you.".to_owned()))
                }
                Err(error) => Err(refusal(error)),
            };
            if let Err(refusal) = result {
                self.attached.remove(&note);
                ended.push((note, refusal));
            }
        }
        ended
    }

    /// Tells the client of `/api/v1/ws` that lines have ended.
    pub fn tell_ended(&self, ended: Vec<(NoteId, Refusal)>) {
        for (note, (code, reason)) in ended {
            self.outbox.end_note(note, code, &reason);
        }
    }
}

/// Why a note cannot be joined, as a close code.
pub fn refusal(error: Error) -> Refusal {
    match error {
        Error::Problem { code, message, .. } => {
            let close = match code {
                ErrorCode::NotFound => close::NOT_FOUND,
                ErrorCode::Forbidden | ErrorCode::Conflict => close::NO_ACCESS,
                ErrorCode::Unauthenticated => close::SIGNED_OUT,
                _ => close::UNAVAILABLE,
            };
            (close, message)
        }
        _ => (close::UNAVAILABLE, "The note cannot be opened just now. Try again.".to_owned()),
    }
}
