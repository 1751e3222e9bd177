//! The bookmark that sends a page as its reader sees it. What it runs stands here whole: on the page it opens
//! a small window of ours, waits for that window to say that it is ready, and hands the page over to it and
//! to nobody else. Nothing is sent before the person says so there ([`super::clip`]).

use crate::client::document;
use crate::components::button::Button;
use crate::components::toast::use_toasts;
use leptos::prelude::*;

/// The window's own address carries the page's behind `#`, which no server sees: where a page keeps windows of
/// others apart from itself, the address is all that comes over.
const CODE: &str = "javascript:(()=>{const o='ORIGIN',u=location.href,w=open(o+'/p/clip#'+encodeURIComponent(u),'_blank','popup,width=480,height=560');\
if(!w){location.href=o+'/p/clip#'+encodeURIComponent(u);return}\
addEventListener('message',function h(e){if(e.source!==w||e.origin!==o||e.data!=='sidebar-ready')return;removeEventListener('message',h);\
w.postMessage({url:u,title:document.title,html:'<!DOCTYPE html>'+document.documentElement.outerHTML},o)})})()";

fn code_for(origin: &str) -> String {
    CODE.replace("ORIGIN", origin)
}

#[component]
pub fn Bookmarklet() -> impl IntoView {
    let toasts = use_toasts();
    let code = RwSignal::new(None::<String>);
    // the server does not know under which name it is reached
    Effect::new(move |_| code.set(origin().map(|origin| code_for(&origin))));
    let copy = move || {
        if let Some(code) = code.get_untracked() {
            document::copy(code, move |copied| {
                toasts.say(match copied {
                    true => "Copied. Make a new bookmark and paste it as its address.",
                    false => "The browser did not allow copying. Drag the button instead.",
                });
            });
        }
    };
    view! {
        <section class="saved-bookmarklet" aria-labelledby="bookmarklet-title">
            <h2 id="bookmarklet-title">"Pages behind a sign-in"</h2>
            <p>
                "What only you can see, the server cannot fetch. This bookmark sends the page as it stands in your browser. Drag it to the bookmarks bar; then press it on a page that you want to keep."
            </p>
            {move || code.get().map(|code| view! {
                <p class="note-ways">
                    <a class="button" href=code draggable="true"
                        on:click=move |event| {
                            event.prevent_default();
                            toasts.say("Drag this to the bookmarks bar, and press it there on the page to save.");
                        }>"Save to sideBar"</a>
                    <Button on_click=move |()| copy()>"Copy its code"</Button>
                </p>
            })}
            <p class="file-hint">
                "It opens a small window of this site, which shows what it was given and asks before it keeps anything. Only this site gets the page, never its passwords or cookies; what you typed into the page may stand in it."
            </p>
        </section>
    }
}

fn origin() -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        window().location().origin().ok()
    }
    #[cfg(not(feature = "hydrate"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bookmark_names_this_site_and_fits_on_one_line() {
        let code = code_for("https://sidebar.example");
        assert!(code.starts_with("javascript:(()=>{const o='https://sidebar.example'"));
        assert!(!code.contains('\n') && !code.contains("ORIGIN") && !code.contains("  "));
    }
}
