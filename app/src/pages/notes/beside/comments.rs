//! Comments on the note, in threads. Those on a stretch of text are marked in it; pressing one leads to
//! the other.

use crate::client::api::{self, Method};
use crate::client::json::{Fetched, fetched};
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
use shared::note::{Access, Comment, CreateComment, UpdateComment};
use shared::{CommentId, NoteId};

/// What is said beside one note. Threads are changed in place, so that nobody's reply is lost when somebody else
/// says something.
#[derive(Clone, Copy)]
struct Discussion {
    note: NoteId,
    desk: Desk,
    threads: RwSignal<Vec<Thread>>,
}

impl Discussion {
    fn path(self, comment: CommentId) -> String {
        format!("/notes/{}/comments/{comment}", self.note)
    }

    fn take(self, comments: Vec<Comment>) {
        // by now another note may be open
        if self.desk.id().is_none_or(|open| open == self.note) {
            self.desk.take_comments(&comments);
        }
        self.threads.try_set(threads(comments));
    }

    fn fetch(self) {
        spawn_local(async move {
            match api::get::<Vec<Comment>>(format!("/notes/{}/comments", self.note)).await {
                Ok(comments) => self.take(comments),
                // the line that brought the news is gone again: with the next one they are asked for
                Err(problem) => leptos::logging::warn!("{problem}"),
            }
        });
    }

    fn send(self, sent: api::Call<Value>) {
        spawn_local(async move {
            match sent.await {
                Ok(_) => self.fetch(),
                Err(problem) => self.desk.notes.toasts.problem(&problem),
            }
        });
    }
}

#[component]
pub fn Comments(id: NoteId) -> impl IntoView {
    let desk = use_desk();
    let discussion = Discussion { note: id, desk, threads: RwSignal::new(Vec::new()) };
    let first: Fetched<Vec<Comment>> = fetched(
        || (),
        move |()| async move {
            let found = api::get::<Vec<Comment>>(format!("/notes/{id}/comments"));
            futures::join!(found, typesetter::ready()).0
        },
    );
    Effect::new(move |before: Option<()>| {
        desk.annotated.get();
        if before.is_some() {
            discussion.fetch();
        }
    });
    view! {
        <NewComment discussion/>
        <Suspense fallback=|| view! { <Skeleton rows=4/> }>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(comments) => {
                        discussion.take(comments);
                        view! { <Threads discussion/> }.into_any()
                    }
                    Err(problem) => view! { <Trouble problem retry=move |()| first.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// Whether one may only read here. What is not known yet is left to the server to refuse.
fn only_read(desk: Desk, id: NoteId) -> bool {
    desk.notes
        .open
        .with(|note| note.as_ref().is_some_and(|note| note.id == id && note.access < Access::Comment))
}

/// A first comment with its answers, oldest first.
#[derive(Clone, PartialEq)]
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

#[component]
fn Threads(discussion: Discussion) -> impl IntoView {
    let Discussion { note, desk, threads } = discussion;
    let resolved_too = RwSignal::new(false);
    let resolved = Memo::new(move |_| {
        threads.with(|threads| threads.iter().filter(|thread| thread.first.resolved).count())
    });
    let nothing = move || threads.with(Vec::len) == resolved.get();
    let show = move || match (resolved_too.get(), resolved.get()) {
        (true, _) => "Hide what is resolved".to_owned(),
        (false, 1) => "Show 1 resolved thread".to_owned(),
        (false, count) => format!("Show {count} resolved threads"),
    };
    let ids =
        move || threads.with(|threads| threads.iter().map(|thread| thread.first.id).collect::<Vec<_>>());
    view! {
        {move || nothing().then(|| view! {
            <p class="list-empty">"No open comments."<span hidden=move || only_read(desk, note)>" Select words in the note to comment on them."</span></p>
        })}
        <ol class="threads">
            <For each=ids key=|id| *id let:id>{thread_view(discussion, id, resolved_too)}</For>
        </ol>
        {move || (resolved.get() > 0).then(|| view! {
            <Button look=Look::Plain on_click=move |()| resolved_too.update(|too| *too = !*too)>{show}</Button>
        })}
    }
}

fn thread_view(discussion: Discussion, first: CommentId, resolved_too: RwSignal<bool>) -> AnyView {
    let Discussion { note, desk, threads } = discussion;
    let thread = Memo::new(move |_| {
        threads.with(|threads| threads.iter().find(|thread| thread.first.id == first).cloned())
    });
    let resolved =
        Memo::new(move |_| thread.with(|thread| thread.as_ref().is_some_and(|thread| thread.first.resolved)));
    let chosen = Memo::new(move |_| desk.comment.get() == Some(first));
    let element = NodeRef::<html::Li>::new();
    Effect::new(move |_| {
        if let (true, Some(element)) = (chosen.get(), element.get()) {
            element.scroll_into_view();
        }
    });
    let replying = RwSignal::new(false);
    let turn = move || {
        let change = UpdateComment { resolved: Some(!resolved.get_untracked()), ..Default::default() };
        discussion.send(api::send::<Value>(Method::Patch, discussion.path(first), &change));
    };
    let said = move || {
        thread.get().map(|Thread { first, answers }| {
            let quote = first.anchor.as_ref().map(|anchor| anchor.quote.clone());
            view! {
                {quote.map(|quote| view! { <blockquote class="thread-quote">{quote}</blockquote> })}
                {std::iter::once(first).chain(answers).map(|one| comment_view(discussion, one)).collect_view()}
            }
        })
    };
    view! {
        <li class="thread-card" class:is-chosen=chosen node_ref=element hidden=move || resolved.get() && !resolved_too.get()>
            {said}
            <div class="thread-foot" hidden=move || only_read(desk, note)>
                <Button look=Look::Plain on_click=move |()| replying.update(|on| *on = !*on)>"Reply"</Button>
                <Button look=Look::Plain on_click=move |()| turn()>
                    {move || if resolved.get() { "Open again" } else { "Resolve" }}
                </Button>
            </div>
            {move || replying.get().then(|| view! { <Reply discussion thread=first replying/> })}
        </li>
    }
    .into_any()
}

fn comment_view(discussion: Discussion, comment: Comment) -> AnyView {
    let path = discussion.path(comment.id);
    let delete = move || {
        let sent = api::delete::<Value>(path.clone());
        let back = format!("{path}/restore");
        spawn_local(async move {
            match sent.await {
                Ok(_) => {
                    discussion.fetch();
                    discussion.desk.notes.toasts.undo("Comment deleted.", move || {
                        discussion.send(api::act::<Value>(Method::Post, back.clone()));
                    });
                }
                Err(problem) => discussion.desk.notes.toasts.problem(&problem),
            }
        });
    };
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
fn NewComment(discussion: Discussion) -> impl IntoView {
    let Discussion { note: id, desk, .. } = discussion;
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
                discussion.fetch();
            },
        );
    };
    view! {
        <form class="comment-form" hidden=move || only_read(desk, id) on:submit=move |event| { event.prevent_default(); send(); }>
            <AttemptNote attempt/>
            <blockquote class="thread-quote" hidden=move || quoted().is_none()>{move || quoted().unwrap_or_default()}</blockquote>
            {body_field("Comment on the note, or on what is selected", body, Callback::new(move |()| send()))}
            <p class="form-foot"><Submit busy=attempt.busy>"Comment"</Submit></p>
        </form>
    }
}

#[component]
fn Reply(discussion: Discussion, thread: CommentId, replying: RwSignal<bool>) -> impl IntoView {
    let attempt = Attempt::new();
    let body = RwSignal::new(String::new());
    let send = move || {
        let comment = CreateComment { body: body.get_untracked(), thread_id: Some(thread), anchor: None };
        attempt.run(
            api::send::<Comment>(Method::Post, format!("/notes/{}/comments", discussion.note), &comment),
            move |_| {
                replying.set(false);
                discussion.fetch();
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
