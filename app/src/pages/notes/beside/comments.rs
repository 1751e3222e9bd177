//! Comments on the note, in threads. Those on a stretch of text are marked in it; pressing one leads to
//! the other.

use crate::client::api::{self, Method};
use crate::client::typesetter;
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::moment::Moment;
use crate::components::states::{Skeleton, Trouble};
use crate::pages::notes::desk::{Desk, use_desk};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::note::{Comment, CreateComment, UpdateComment};
use shared::{CommentId, NoteId, Problem};

type Found = Resource<Result<Vec<Comment>, Problem>>;

#[component]
pub fn Comments(id: NoteId) -> impl IntoView {
    let desk = use_desk();
    let found: Found = Resource::new(
        move || desk.annotated.get(),
        move |_| async move {
            let found = api::get::<Vec<Comment>>(format!("/notes/{id}/comments"));
            futures::join!(found, typesetter::ready()).0
        },
    );
    let resolved_too = RwSignal::new(false);
    view! {
        <NewComment desk id found/>
        <Transition fallback=|| view! { <Skeleton rows=4/> }>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(comments) => {
                        desk.take_comments(&comments);
                        threads_view(desk, id, comments, found, resolved_too)
                    }
                    Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// A first comment with its answers, oldest first.
struct Thread {
    first: Comment,
    answers: Vec<Comment>,
}

fn threads(comments: Vec<Comment>) -> Vec<Thread> {
    let mut threads: Vec<Thread> = Vec::new();
    let (answers, firsts): (Vec<_>, Vec<_>) =
        comments.into_iter().partition(|comment| comment.thread_id.is_some());
    threads.extend(firsts.into_iter().map(|first| Thread { first, answers: Vec::new() }));
    for answer in answers {
        if let Some(thread) = threads.iter_mut().find(|thread| Some(thread.first.id) == answer.thread_id) {
            thread.answers.push(answer);
        }
    }
    threads
}

fn threads_view(
    desk: Desk,
    id: NoteId,
    comments: Vec<Comment>,
    found: Found,
    resolved_too: RwSignal<bool>,
) -> AnyView {
    let threads = threads(comments);
    let resolved = threads.iter().filter(|thread| thread.first.resolved).count();
    let nothing = threads.len() == resolved;
    let show = move || match (resolved_too.get(), resolved) {
        (true, _) => "Hide what is resolved".to_owned(),
        (false, 1) => "Show 1 resolved thread".to_owned(),
        (false, count) => format!("Show {count} resolved threads"),
    };
    view! {
        {nothing.then(|| view! { <p class="list-empty">"No open comments. Select words in the note to comment on them."</p> })}
        <ol class="threads">
            {threads.into_iter().map(|thread| thread_view(desk, id, thread, found, resolved_too)).collect_view()}
        </ol>
        {(resolved > 0).then(|| view! {
            <Button look=Look::Plain on_click=move |()| resolved_too.update(|too| *too = !*too)>{show}</Button>
        })}
    }
    .into_any()
}

fn thread_view(
    desk: Desk,
    id: NoteId,
    thread: Thread,
    found: Found,
    resolved_too: RwSignal<bool>,
) -> AnyView {
    let Thread { first, answers } = thread;
    let (first_id, resolved) = (first.id, first.resolved);
    let chosen = Memo::new(move |_| desk.comment.get() == Some(first_id));
    let element = NodeRef::<html::Li>::new();
    Effect::new(move |_| {
        if let (true, Some(element)) = (chosen.get(), element.get()) {
            element.scroll_into_view();
        }
    });
    let replying = RwSignal::new(false);
    let change = move |resolved: bool| {
        let change = UpdateComment { resolved: Some(resolved), ..Default::default() };
        send_change(
            desk,
            api::send::<Value>(Method::Patch, format!("/notes/{id}/comments/{first_id}"), &change),
            found,
        );
    };
    let quote = first.anchor.as_ref().map(|anchor| anchor.quote.clone());
    view! {
        <li class="thread-card" class:is-chosen=chosen node_ref=element hidden=move || resolved && !resolved_too.get()>
            {quote.map(|quote| view! { <blockquote class="thread-quote">{quote}</blockquote> })}
            {comment_view(desk, id, first, found)}
            {answers.into_iter().map(|answer| comment_view(desk, id, answer, found)).collect_view()}
            <div class="thread-foot">
                <Button look=Look::Plain on_click=move |()| replying.update(|on| *on = !*on)>"Reply"</Button>
                <Button look=Look::Plain on_click=move |()| change(!resolved)>
                    {if resolved { "Open again" } else { "Resolve" }}
                </Button>
            </div>
            {move || replying.get().then(|| view! { <Reply id thread=first_id found replying/> })}
        </li>
    }
    .into_any()
}

fn send_change(desk: Desk, sent: api::Call<Value>, found: Found) {
    spawn_local(async move {
        match sent.await {
            Ok(_) => found.refetch(),
            Err(problem) => desk.notes.toasts.problem(&problem),
        }
    });
}

fn comment_view(desk: Desk, id: NoteId, comment: Comment, found: Found) -> AnyView {
    let comment_id = comment.id;
    let delete =
        move || send_change(desk, api::delete::<Value>(format!("/notes/{id}/comments/{comment_id}")), found);
    let html = typesetter::html(&comment.body, false).unwrap_or_default();
    view! {
        <div class="comment">
            <p class="comment-head">
                <strong>{comment.author_name.clone()}</strong> " " <Moment at=Signal::stored(comment.created_at)/>
                {comment.own.then(|| view! {
                    <button type="button" class="comment-delete" on:click=move |_| delete()>"Delete"</button>
                })}
            </p>
            <div class="markdown comment-body" inner_html=html></div>
        </div>
    }
    .into_any()
}

#[component]
fn NewComment(desk: Desk, id: NoteId, found: Found) -> impl IntoView {
    let attempt = Attempt::new();
    let body = RwSignal::new(String::new());
    let quoted =
        move || desk.selection.with(|selection| selection.as_ref().map(|selected| selected.text.clone()));
    let send = move || {
        // the mark in the text goes with the words that are selected now
        let anchor = desk.with_editor(|editor| editor.anchor()).flatten();
        let comment = CreateComment { body: body.get_untracked(), thread_id: None, anchor };
        attempt.run(
            api::send::<Comment>(Method::Post, format!("/notes/{id}/comments"), &comment),
            move |made| {
                body.set(String::new());
                desk.comment.set(Some(made.id));
                found.refetch();
            },
        );
    };
    view! {
        <form class="comment-form" on:submit=move |event| { event.prevent_default(); send(); }>
            <AttemptNote attempt/>
            <blockquote class="thread-quote" hidden=move || quoted().is_none()>{move || quoted().unwrap_or_default()}</blockquote>
            {body_field("Comment on the note, or on what is selected", body, Callback::new(move |()| send()))}
            <p class="form-foot"><Submit busy=attempt.busy>"Comment"</Submit></p>
        </form>
    }
}

#[component]
fn Reply(id: NoteId, thread: CommentId, found: Found, replying: RwSignal<bool>) -> impl IntoView {
    let attempt = Attempt::new();
    let body = RwSignal::new(String::new());
    let send = move || {
        let comment = CreateComment { body: body.get_untracked(), thread_id: Some(thread), anchor: None };
        attempt.run(
            api::send::<Comment>(Method::Post, format!("/notes/{id}/comments"), &comment),
            move |_| {
                replying.set(false);
                found.refetch();
            },
        );
    };
    view! {
        <form class="comment-form" on:submit=move |event| { event.prevent_default(); send(); }>
            <AttemptNote attempt/>
            {body_field("Reply", body, Callback::new(move |()| send()))}
            <p class="form-foot"><Submit busy=attempt.busy>"Reply"</Submit></p>
        </form>
    }
}

fn body_field(label: &'static str, body: RwSignal<String>, send: Callback<()>) -> AnyView {
    view! {
        <textarea class="comment-field" rows="2" aria-label=label placeholder=label prop:value=move || body.get()
            on:input=move |event| body.set(event_target_value(&event))
            on:keydown=move |event| if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
                event.prevent_default();
                send.run(());
            }></textarea>
    }
    .into_any()
}
