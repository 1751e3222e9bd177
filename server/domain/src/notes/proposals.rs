//! Proposals: changes that a model wants, shown in the document to everybody, and accepted or
//! rejected hunk by hunk. What is accepted becomes an edit of whoever accepts it, exactly once.

use super::access::{annotated, person, require};
use super::hunks::{Kept, Standing, acceptance, anchored, carry_out, in_order, place};
use super::runs::{DECISIONS, NewRun, Row, conflict, locked, mark, settle};
use crate::{Domain, Error, Result, Viewer};
use shared::note::{Access, Decide, Hunk, Propose, Run};
use shared::{ConversationId, ErrorCode, NoteId, RunId};
use sync::{Author, Draft, Proposal, Refused};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Proposals that may wait in one note.
const MOST_OPEN: i64 = 100;

/// What is decided of a proposal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    Accept,
    Reject,
}

impl Domain {
    /// Shows edits in the note as a proposal.
    pub async fn propose(
        &self,
        viewer: &Viewer,
        note: NoteId,
        conversation: Option<ConversationId>,
        asked: Propose,
    ) -> Result<Run> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Edit).await?;
        let by = person(viewer)?.user_id;
        let run = NewRun::checked(note, by, conversation, &asked)?;
        let (open, name): (i64, String) = sqlx::query_as(
            "SELECT (SELECT count(id) FROM note_runs WHERE note_id = $1 AND status = 'open'),
                    coalesce(person_name(app_user_id()), '')",
        )
        .bind(note.0)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        if open >= MOST_OPEN {
            return Err(Error::problem(
                ErrorCode::Conflict,
                format!("{MOST_OPEN} proposals wait in this note already. Let them be decided first."),
            ));
        }
        let proposal = Proposal {
            model: run.model.clone(),
            run: run.id.to_string(),
            on_behalf: by.to_string(),
            name,
            created_at: OffsetDateTime::now_utc().format(&Rfc3339).map_err(Error::internal)?,
            reason: run.reason.clone(),
            hunks: Vec::new(),
        };
        let edits = asked.edits;
        let placed = self
            .inner
            .rooms
            .edit(note, run.author(), move |draft| {
                let text = draft.text();
                let hunks = anchored(draft, &text, place(&text, &edits).map_err(Refused)?);
                let shown = hunks.iter().map(|kept| kept.hunk.clone()).collect();
                draft.put_proposal(&Proposal { hunks: shown, ..proposal });
                Ok(hunks)
            })
            .await?;
        match self.write_proposal(viewer, &run, &placed.value).await {
            Ok(row) => Ok(row.into()),
            Err(error) => {
                // What has no row cannot be decided, so it must not be shown.
                let id = run.id.to_string();
                let removed = self.inner.rooms.edit(note, run.author(), move |draft| {
                    draft.remove_proposal(&id);
                    Ok(())
                });
                if let Err(second) = removed.await {
                    tracing::warn!(error = %second, "a proposal without a row stays in its note");
                }
                Err(error)
            }
        }
    }

    async fn write_proposal(&self, viewer: &Viewer, run: &NewRun, hunks: &[Kept]) -> Result<Row> {
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        run.insert(&mut tx, "proposal", "open", hunks).await?;
        annotated(&mut tx, run.note).await?;
        let row = locked(&mut tx, run.note, run.id).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Accepts or rejects hunks of a proposal, all that are open when none are named. Where one of
    /// them cannot be placed any more, none is accepted and the answer names it.
    pub async fn decide(
        &self,
        viewer: &Viewer,
        note: NoteId,
        run: RunId,
        decision: Decision,
        asked: Decide,
    ) -> Result<Run> {
        let _turn = DECISIONS.acquire().await.map_err(Error::internal)?;
        let mut tx = self.inner.db.as_viewer(viewer).await?;
        require(&mut tx, note, Access::Edit).await?;
        let row = locked(&mut tx, note, run).await?;
        if row.kind != "proposal" {
            return Err(Error::problem(ErrorCode::Conflict, "This was an edit, not a proposal: undo it."));
        }
        let chosen = chosen(&row.hunks, asked.hunks.as_deref())?;
        let author =
            Author { user_id: viewer.user_id(), run_id: (decision == Decision::Accept).then_some(run) };
        let (id, picked) = (run.to_string(), chosen.clone());
        let edited = self
            .inner
            .rooms
            .edit(note, author, move |draft| {
                let before = draft.text();
                let done = match decision {
                    Decision::Reject => Vec::new(),
                    Decision::Accept => {
                        let mut steps = Vec::new();
                        let mut lost = Vec::new();
                        for (n, hunk) in &picked {
                            match acceptance(draft, &before, *n, hunk) {
                                Some(step) => steps.push(step),
                                None => lost.push(*n),
                            }
                        }
                        let (steps, sharing) = in_order(steps);
                        lost.extend(sharing);
                        if !lost.is_empty() {
                            return Ok(Err(lost));
                        }
                        carry_out(draft, &steps)
                    }
                };
                take_from_document(draft, &id, &picked);
                Ok(Ok((before, draft.text(), done)))
            })
            .await?;
        let mut hunks = row.hunks.0;
        let (before, after, done) = edited.value.map_err(|lost| {
            let lost: Vec<Hunk> = lost.iter().map(|n| hunks[*n].hunk.clone()).collect();
            conflict(
                "What stood there was changed meanwhile, so this cannot be placed any more. Accept the others, and reject it or write it yourself.",
                &lost,
            )
        })?;
        for (n, _) in &chosen {
            hunks[*n].standing = Standing::Rejected;
        }
        mark(&mut hunks, done);
        let open = hunks.iter().any(|kept| kept.standing == Standing::Open);
        let applied = hunks.iter().any(|kept| kept.standing == Standing::Applied);
        let status = match (open, applied) {
            (true, _) => "open",
            (false, true) => "applied",
            (false, false) => "rejected",
        };
        let settled: Run = settle(&mut tx, note, run, status, &hunks).await?.into();
        tx.commit().await?;
        if decision == Decision::Accept {
            let by = viewer.user_id().unwrap_or(settled.on_behalf.id);
            self.keep_model_version(note, edited.seq, run, by, (&before, &after)).await?;
        }
        Ok(settled)
    }
}

/// The hunks that are to be decided, with their places in the run; all must be open.
fn chosen(hunks: &[Kept], ids: Option<&[String]>) -> Result<Vec<(usize, Hunk)>> {
    let mut chosen = Vec::new();
    let mut decided = Vec::new();
    for (n, kept) in hunks.iter().enumerate() {
        let wanted = ids.is_none_or(|ids| ids.contains(&kept.hunk.id));
        match (wanted, kept.standing) {
            (true, Standing::Open) => chosen.push((n, kept.hunk.clone())),
            (true, _) if ids.is_some() => decided.push(kept.hunk.clone()),
            _ => {}
        }
    }
    if let Some(unknown) = ids.into_iter().flatten().find(|id| !hunks.iter().any(|kept| kept.hunk.id == **id))
    {
        return Err(Error::invalid("hunks", format!("There is no hunk ‘{unknown}’ in this proposal.")));
    }
    if !decided.is_empty() || chosen.is_empty() {
        return Err(conflict("This was decided already, by you or somebody else.", &decided));
    }
    Ok(chosen)
}

/// What is decided is no longer shown as a proposal.
fn take_from_document(draft: &mut Draft<'_>, run: &str, decided: &[(usize, Hunk)]) {
    let Some(mut proposal) = draft.proposals().into_iter().find(|proposal| proposal.run == run) else {
        return;
    };
    proposal.hunks.retain(|hunk| !decided.iter().any(|(_, gone)| gone.id == hunk.id));
    if proposal.hunks.is_empty() {
        draft.remove_proposal(run);
    } else {
        draft.put_proposal(&proposal);
    }
}
