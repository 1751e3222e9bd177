//! The file itself, shown in place where a browser can: pictures, sound and film at once, the pages of a
//! PDF when asked for.

use super::acts::content_of;
use super::kind::{Kind, is_picture};
use crate::components::button::Button;
use leptos::prelude::*;
use shared::file::FileSummary;

#[component]
pub fn Shown(now: Memo<FileSummary>) -> impl IntoView {
    let what = Memo::new(move |_| {
        now.with(|file| match Kind::of(file) {
            Kind::Image if !is_picture(file) && !file.thumbnail => None,
            kind => Some((file.id, kind, is_picture(file))),
        })
    });
    move || {
        let (id, kind, is_picture) = what.get()?;
        let name = now.with_untracked(|file| file.name.clone());
        let content = content_of(id);
        let view = match kind {
            Kind::Image => {
                let source =
                    if is_picture { content.clone() } else { format!("/api/v1/files/{id}/thumbnail") };
                view! { <a class="file-image" href=content target="_blank"><img src=source alt=name/></a> }
                    .into_any()
            }
            Kind::Sound => {
                view! { <audio controls preload="metadata" src=content aria-label=name></audio> }.into_any()
            }
            Kind::Film => {
                view! { <video controls preload="metadata" src=content aria-label=name></video> }.into_any()
            }
            Kind::Pdf => view! { <PdfPages content name/> }.into_any(),
            _ => return None,
        };
        Some(view! { <div class="file-shown">{view}</div> })
    }
}

#[component]
fn PdfPages(content: String, name: String) -> impl IntoView {
    let open = RwSignal::new(false);
    let address = content.clone();
    view! {
        <p class="file-pages">
            <Button on_click=move |()| open.update(|open| *open = !*open)>
                {move || if open.get() { "Hide the pages" } else { "Show the pages" }}
            </Button>
            <a href=address target="_blank">"Open in a tab of its own"</a>
        </p>
        {move || open.get().then(|| view! {
            <iframe class="file-frame" src=content.clone() title=format!("Pages of {name}")></iframe>
        })}
    }
}
