//! What is on its way to the server, with pause, continue and cancel for each; elsewhere a line that says so.

use super::acts::spoken;
use super::intake::choose_files;
use super::store::use_files;
use super::words;
use crate::client::uploads::{Job, Stage, Uploads};
use crate::components::icon::{Icon, IconButton};
use crate::route::{Route, Section};
use leptos::prelude::*;

/// More than these would hide the list.
const SHOWN: usize = 40;

/// How far all of it is, in words; nothing while nothing is on its way.
fn summary(uploads: Uploads) -> Option<String> {
    let left = uploads.jobs.with(Vec::len);
    let all = uploads.arrived.get() + left;
    match (left, uploads.is_busy()) {
        (0, _) => None,
        (1, false) => Some("1 file is not uploaded yet".to_owned()),
        (left, false) => Some(format!("{left} files are not uploaded yet")),
        (_, true) => Some(format!("{} of {all} uploaded", all - left)),
    }
}

/// At the head of the list.
#[component]
pub fn Transfers(uploads: Uploads) -> impl IntoView {
    let words = Memo::new(move |_| summary(uploads));
    let rest = move || uploads.jobs.with(|jobs| jobs.len().saturating_sub(SHOWN));
    view! {
        <section class="transfers" aria-label="Uploads" hidden=move || words.with(Option::is_none)>
            <p class="transfers-heading" role="status">{move || words.get().unwrap_or_default()}</p>
            <ul>
                <For each=move || uploads.jobs.with(|jobs| jobs.iter().take(SHOWN).cloned().collect::<Vec<_>>())
                    key=|job| job.number let:job>{job_view(uploads, job)}</For>
            </ul>
            {move || (rest() > 0).then(|| view! { <p class="transfers-rest">{move || format!("and {} more", rest())}</p> })}
        </section>
    }
}

fn job_view(uploads: Uploads, job: Job) -> AnyView {
    let number = job.number;
    let name = job.name.clone();
    let percent = {
        let job = job.clone();
        Memo::new(move |_| job.percent())
    };
    let stage = {
        let stage = job.stage.clone();
        Memo::new(move |_| stage.get())
    };
    let failed = Memo::new(move |_| matches!(stage.get(), Stage::Failed(_)));
    let size = words::size(job.size);
    let said = move || match stage.get() {
        Stage::Queued => format!("Waits its turn, {size}"),
        Stage::Sending => format!("{} % of {size}", percent.get()),
        Stage::Waiting => format!("{} %, goes on when the server can be reached", percent.get()),
        Stage::Paused => format!("Paused at {} % of {size}", percent.get()),
        Stage::Missing => format!("{} % of {size} is here. Choose the file again to go on.", percent.get()),
        Stage::Failed(reason) => reason,
    };
    let turn = Memo::new(move |_| match stage.get() {
        Stage::Paused => (Icon::Play, "Continue"),
        Stage::Missing => (Icon::Play, "Choose again and continue:"),
        Stage::Failed(_) => (Icon::Refresh, "Try again:"),
        Stage::Queued | Stage::Sending | Stage::Waiting => (Icon::Pause, "Pause"),
    });
    let title =
        if job.folder.is_empty() { name.clone() } else { format!("{} › {name}", spoken(&job.folder)) };
    let (of_bar, of_turn, of_cancel) = (name.clone(), name.clone(), name.clone());
    view! {
        <li class="transfer" class:is-failed=failed>
            <div class="transfer-text">
                <p class="transfer-name" title=title>{name}</p>
                <progress max="100" prop:value=move || percent.get() as f64 value="0" hidden=failed aria-label=format!("Of {of_bar} uploaded")></progress>
                <p class="transfer-state number">{said}</p>
            </div>
            {move || {
                let (icon, what) = turn.get();
                view! {
                    <IconButton icon label=format!("{what} {of_turn}") on_click=move |()| match stage.get_untracked() {
                        Stage::Missing => choose_files(),
                        Stage::Paused | Stage::Failed(_) => uploads.resume(number),
                        Stage::Queued | Stage::Sending | Stage::Waiting => uploads.pause(number),
                    }/>
                }
            }}
            <IconButton icon=Icon::Close label=format!("Cancel {of_cancel}") on_click=move |()| uploads.cancel(number)/>
        </li>
    }
    .into_any()
}

/// Where the list is not seen: how far it is, and the way to it.
#[component]
pub fn TransferNote(section: Memo<Section>) -> impl IntoView {
    let uploads = use_files().uploads;
    let words = Memo::new(move |_| summary(uploads));
    move || {
        words.get().filter(|_| section.get() != Section::Files).map(|words| {
            view! { <a class="status-uploads number" href=Route::Files.path()>{words}</a> }
        })
    }
}
