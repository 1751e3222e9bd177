//! The pages on the way in by a link: an invitation, a shared note's password, a shared folder's list. Plain HTML,
//! forms that work without a script. Only on the server.

use super::plain::{Card, FormError};
use leptos::prelude::*;
use shared::{ErrorCode, NoteId};

#[component]
pub fn JoinPage(error: Option<ErrorCode>) -> impl IntoView {
    let taken = error == Some(ErrorCode::Conflict);
    view! {
        <Card title="Make your account">
            <p class="card-lead">"You are invited to this server. The account you make now is yours."</p>
            {match taken {
                true => view! {
                    <p class="form-error" role="alert">
                        "There is an account with this address already. " <a href="/sign-in">"Sign in"</a> " instead."
                    </p>
                }
                .into_any(),
                false => view! { <FormError error/> }.into_any(),
            }}
            <form method="post" action="">
                <label class="field">
                    <span>"Name"</span>
                    <input name="display_name" required maxlength="100" autocomplete="name" autofocus/>
                </label>
                <label class="field">
                    <span>"E-mail"</span>
                    <input type="email" name="email" required autocomplete="username" autocapitalize="none"/>
                </label>
                <label class="field">
                    <span>"Password"</span>
                    <input type="password" name="password" required minlength="10" autocomplete="new-password" aria-describedby="password-note"/>
                    <small id="password-note">"At least 10 characters."</small>
                </label>
                <button type="submit" class="button is-main">"Join"</button>
            </form>
        </Card>
    }
}

#[component]
pub fn LinkPasswordPage(error: Option<ErrorCode>) -> impl IntoView {
    let wrong = error.map(|error| match error {
        ErrorCode::WrongCredentials => "That is not the password of this link. Try again.",
        ErrorCode::RateLimited => "Too many tries. Wait a minute, then try again.",
        _ => "That did not work. Try again shortly.",
    });
    view! {
        <Card title="Shared with you">
            <p class="card-lead">"This link has a password. Whoever sent it to you knows it."</p>
            {wrong.map(|wrong| view! { <p class="form-error" role="alert">{wrong}</p> })}
            <form method="post" action="">
                <label class="field">
                    <span>"Password"</span>
                    <input type="password" name="password" required autocomplete="off" autofocus/>
                </label>
                <button type="submit" class="button is-main">"Open"</button>
            </form>
        </Card>
    }
}

#[component]
pub fn LinkEndedPage() -> impl IntoView {
    view! {
        <Card title="This link leads nowhere">
            <p class="card-lead">
                "It may be mistyped, have ended, or have been taken back. Ask whoever sent it to you."
            </p>
            <p class="card-links"><a class="button" href="/">"To sideBar"</a></p>
        </Card>
    }
}

#[component]
pub fn SharedFolderPage(name: String, notes: Vec<(String, String, NoteId)>) -> impl IntoView {
    let empty = notes.is_empty();
    view! {
        <Card title=name>
            {empty.then(|| view! { <p class="card-lead">"There is nothing in this folder yet."</p> })}
            <ul class="card-list">
                {notes
                    .into_iter()
                    .map(|(path, title, id)| view! { <li>{path}<a href=format!("/n/{id}")>{title}</a></li> })
                    .collect_view()}
            </ul>
        </Card>
    }
}
