//! The document around the app: head, theme, what to load. Only on the server.
//! Pages for people who are not signed in are whole here: forms without any script.

use crate::areas::Area;
use crate::assets::Assets;
use crate::frame::theme::Theme;
use crate::pages::links::{JoinPage, LinkEndedPage, LinkPasswordPage, SharedFolderPage};
use crate::pages::plain::{Failed, NotFoundPage, SetupPage, SignInPage};
use crate::route::{Route, Section};
use crate::workspace::{Start, Workspace};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;
use shared::{ErrorCode, NoteId, Problem};

/// A page without the workspace around it.
#[derive(Clone)]
pub enum PlainPage {
    SignIn {
        next: String,
        error: Option<ErrorCode>,
    },
    Setup {
        code_required: bool,
        error: Option<ErrorCode>,
    },
    /// The form of who was invited.
    Join {
        error: Option<ErrorCode>,
    },
    /// A link with a password.
    LinkPassword {
        error: Option<ErrorCode>,
    },
    /// A link that leads nowhere, any more or ever.
    LinkEnded,
    /// What is in a shared folder: the folders on the way, the title, the id.
    SharedFolder {
        name: String,
        notes: Vec<(String, String, NoteId)>,
    },
    NotFound,
    Failed(Problem),
}

/// A leaf of paper with a margin line, as the product's mark.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect x='3' y='3' width='26' height='26' rx='7' fill='%230f6b64'/%3E%3Cpath d='M20 3v26' stroke='%23fff' stroke-opacity='.9' stroke-width='2.5'/%3E%3C/svg%3E";

/// The document of the workspace.
pub fn shell() -> impl IntoView {
    let start = expect_context::<Start>();
    let assets = expect_context::<Assets>();
    let script = boot_script(&assets);
    let path = start.address.split('?').next().unwrap_or_default();
    let sizes = start.layout.css(Route::parse(path).map_or(Section::Conversations, Route::section));
    let area = Area::of(Route::parse(path)).map(|area| assets.of_area(area)).unwrap_or_default();
    let app_js = assets.get("app.js").map(str::to_owned);
    let app_wasm = assets.get("app_bg.wasm").map(str::to_owned);
    // what is loaded on demand: what scripts call it, and where it is
    let on_demand = [
        ("highlight", "highlight.js"),
        ("typesetter", "typesetter.js"),
        ("editor", "note.js"),
        ("local", "local.js"),
    ]
    .map(|(name, file)| assets.get(file).map(|address| (name, address.to_owned())));
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=start.theme.name()>
            <head>
                <Common assets theme=start.theme/>
                <meta name="build" content=start.build.clone()/>
                {on_demand.into_iter().flatten().map(|(name, address)| view! { <meta name=name content=address/> }).collect_view()}
                <style nonce=use_nonce() inner_html=sizes></style>
                {app_js.map(|address| view! { <link rel="modulepreload" href=address/> })}
                {app_wasm.into_iter().chain(area).map(|address| view! {
                    <link rel="preload" href=address r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                }).collect_view()}
                <script type="module" nonce=use_nonce() inner_html=script></script>
                <MetaTags/>
            </head>
            <body><Workspace/></body>
        </html>
    }
}

/// The document of a plain page: no script at all.
pub fn plain_shell(page: PlainPage, theme: Theme) -> impl IntoView {
    let assets = expect_context::<Assets>();
    let (title, body) = match page {
        PlainPage::SignIn { next, error } => ("Sign in", view! { <SignInPage next error/> }.into_any()),
        PlainPage::Setup { code_required, error } => {
            ("Set up", view! { <SetupPage code_required error/> }.into_any())
        }
        PlainPage::Join { error } => ("Join", view! { <JoinPage error/> }.into_any()),
        PlainPage::LinkPassword { error } => ("Shared", view! { <LinkPasswordPage error/> }.into_any()),
        PlainPage::LinkEnded => ("Not found", view! { <LinkEndedPage/> }.into_any()),
        PlainPage::SharedFolder { name, notes } => {
            ("Shared folder", view! { <SharedFolderPage name notes/> }.into_any())
        }
        PlainPage::NotFound => ("Not found", view! { <NotFoundPage/> }.into_any()),
        PlainPage::Failed(problem) => ("Not available", view! { <Failed problem/> }.into_any()),
    };
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.name()>
            <head>
                <Common assets theme/>
                <title>{format!("{title} · sideBar")}</title>
            </head>
            <body class="plain">{body}</body>
        </html>
    }
}

#[component]
fn Common(assets: Assets, theme: Theme) -> impl IntoView {
    let css = assets.get("main.css").map(str::to_owned);
    let font = assets.get("inter.woff2").map(str::to_owned);
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"/>
        <meta name="color-scheme" content=theme.color_scheme()/>
        <meta name="robots" content="noindex"/>
        <link rel="icon" href=ICON/>
        {font.map(|address| view! { <link rel="preload" href=address r#as="font" r#type="font/woff2" crossorigin="anonymous"/> })}
        {css.map(|address| view! { <link rel="stylesheet" href=address/> })}
    }
}

/// Loads the app, and once there is time what measures it and what opens notes without network.
fn boot_script(assets: &Assets) -> String {
    let mut script = String::from("window.sidebarImport=(address)=>import(address);");
    if let (Some(js), Some(wasm)) = (assets.get("app.js"), assets.get("app_bg.wasm")) {
        script.push_str(&format!(
            "import init,{{hydrate}} from {js:?};init({{module_or_path:{wasm:?}}}).then(hydrate);"
        ));
    }
    for later in ["vitals.js", "local.js"].into_iter().filter_map(|name| assets.get(name)) {
        script.push_str(&format!(
            "addEventListener('load',()=>(window.requestIdleCallback||setTimeout)(()=>import({later:?}).catch(()=>{{}})));"
        ));
    }
    script
}
