//! The pages of people who are not signed in, and the pages that say no: plain HTML, forms that work
//! without a script. Only on the server.

use leptos::prelude::*;
use shared::{ErrorCode, Problem};

/// What a form's failure means for the person, by its code.
fn explain(error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::WrongCredentials => "That address and password do not go together. Try again.",
        ErrorCode::RateLimited => "Too many tries. Wait a minute, then try again.",
        ErrorCode::SetupCodeRequired => {
            "The code is missing or is another. The server printed it when it started."
        }
        ErrorCode::SetupDone => "This server has its owner already. Sign in instead.",
        ErrorCode::InvalidInput => {
            "Something is missing: an e-mail address, a name, and a password of at least 10 characters."
        }
        ErrorCode::DatabaseUnavailable => {
            "The database is away for the moment. Nothing was changed; try again shortly."
        }
        ErrorCode::OriginNotAllowed => "The form came from another site. Open this page again and repeat.",
        _ => "That did not work. Nothing was changed; try again.",
    }
}

#[component]
pub(super) fn Card(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <main class="card">
            <p class="mark" aria-hidden="true"><span class="mark-leaf"></span>"sideBar"</p>
            <h1>{title}</h1>
            {children()}
        </main>
    }
}

#[component]
pub(super) fn FormError(error: Option<ErrorCode>) -> impl IntoView {
    error.map(|error| view! { <p class="form-error" role="alert">{explain(error)}</p> })
}

#[component]
pub fn SignInPage(next: String, error: Option<ErrorCode>) -> impl IntoView {
    view! {
        <Card title="Sign in">
            <FormError error/>
            <form method="post" action="/sign-in">
                <input type="hidden" name="next" value=next/>
                <label class="field">
                    <span>"E-mail"</span>
                    <input type="email" name="email" required autocomplete="username" autofocus autocapitalize="none"/>
                </label>
                <label class="field">
                    <span>"Password"</span>
                    <input type="password" name="password" required autocomplete="current-password"/>
                </label>
                <button type="submit" class="button is-main">"Sign in"</button>
            </form>
            <p class="card-note">"Forgotten? Whoever runs this server can give you a new password."</p>
        </Card>
    }
}

#[component]
pub fn SetupPage(code_required: bool, error: Option<ErrorCode>) -> impl IntoView {
    view! {
        <Card title="Make your account">
            <p class="card-lead">"This server is new and yours. The account you make now owns it."</p>
            <FormError error/>
            <form method="post" action="/setup">
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
                {code_required.then(|| view! {
                    <label class="field">
                        <span>"Set-up code"</span>
                        <input name="code" required autocomplete="off" autocapitalize="none" aria-describedby="code-note"/>
                        <small id="code-note">"The server printed it when it started."</small>
                    </label>
                })}
                <button type="submit" class="button is-main">"Make the account"</button>
            </form>
        </Card>
    }
}

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Card title="There is nothing here">
            <p class="card-lead">"The address may be mistyped, or what was here was deleted. Deleted conversations wait in the bin for 30 days."</p>
            <p class="card-links">
                <a class="button is-main" href="/">"Conversations"</a>
                <a class="button" href="/search">"Search"</a>
                <a class="button" href="/bin">"The bin"</a>
            </p>
        </Card>
    }
}

#[component]
pub fn Failed(problem: Problem) -> impl IntoView {
    let id = problem.request_id.clone();
    view! {
        <Card title="Not available right now">
            <p class="card-lead">{problem.error.clone()}</p>
            <p class="card-links"><a class="button is-main" href="">"Try again"</a></p>
            {(!id.is_empty()).then(|| view! { <p class="card-note">"Request " <code>{id}</code></p> })}
        </Card>
    }
}
