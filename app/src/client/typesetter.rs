//! The module that sets Markdown in the page. It is loaded once somebody is there, or earlier when there
//! is something to set: a page that only shows what the server set does not need it. Browser only; on the
//! server every text is set at once.

use shared::NoteId;

#[cfg(feature = "hydrate")]
pub use browser::{
    Setting, begin, formula, html, html_of_message, is_ready, load_with_the_first_act, note,
    note as note_with_places,
};

/// How the addresses of a note's own files begin, before a file's name.
pub fn files_of(note: NoteId) -> String {
    format!("/api/v1/notes/{note}/attachments/named/")
}

/// The HTML of a note, or of another text that is one; `files` is from [`files_of`]. In the browser nothing
/// while the module is not there, as when the browser takes over a page: then it has the HTML already.
#[cfg(not(feature = "hydrate"))]
pub fn note(text: &str, files: Option<&str>) -> Option<String> {
    let options = markdown::Options { files, ..markdown::Options::default() };
    Some(markdown::render_as(markdown::Dialect::Note, text, options))
}

/// The same of a whole note, each heading with the place that an address names. In the browser the editor takes the
/// text's place at once, and finds them.
#[cfg(not(feature = "hydrate"))]
pub fn note_with_places(text: &str, files: Option<&str>) -> Option<String> {
    let headings = std::cell::RefCell::new(shared::note::headings::Headings::default());
    let place = |words: &str| headings.borrow_mut().place(words);
    let options = markdown::Options { files, place: Some(&place), ..markdown::Options::default() };
    Some(markdown::render_as(markdown::Dialect::Note, text, options))
}

/// The HTML of a short text that is finished.
#[cfg(not(feature = "hydrate"))]
pub fn html(text: &str, _growing: bool) -> Option<String> {
    Some(markdown::render(text, markdown::Options::default()))
}

/// Loads the module, for what is about to be shown. Gives up when it cannot be had: texts are then
/// shown as they were written.
pub async fn ready() {
    #[cfg(feature = "hydrate")]
    send_wrapper::SendWrapper::new(browser::wait()).await;
}

#[cfg(feature = "hydrate")]
mod browser {
    use futures::channel::oneshot::{Sender, channel};
    use js_sys::Function;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use std::cell::{Cell, OnceCell, RefCell};
    use std::time::Duration;
    use wasm_bindgen::prelude::*;
    use web_sys::Element;

    #[wasm_bindgen(inline_js = "export const imported = (address) => import(address);")]
    extern "C" {
        #[wasm_bindgen(catch)]
        async fn imported(address: &str) -> Result<Module, JsValue>;

        #[derive(Clone)]
        type Module;
        #[wasm_bindgen(method)]
        fn begin(this: &Module, footnotes: &str) -> Setting;
        #[wasm_bindgen(method)]
        fn html(
            this: &Module,
            text: &str,
            growing: bool,
            footnotes: Option<String>,
            cite: Option<Function>,
        ) -> String;
        #[wasm_bindgen(method)]
        fn note(this: &Module, text: &str, files: Option<String>) -> String;
        #[wasm_bindgen(method)]
        fn formula(this: &Module, tex: &str, display: bool) -> Option<String>;

        /// A text in the page that may grow.
        pub type Setting;
        #[wasm_bindgen(method, catch)]
        pub fn set(
            this: &Setting,
            holder: &Element,
            text: &str,
            growing: bool,
            highlight: Option<Function>,
            cite: Option<Function>,
        ) -> Result<(), JsValue>;
    }

    thread_local! {
        static MODULE: OnceCell<Module> = const { OnceCell::new() };
        static IS_ASKED_FOR: Cell<bool> = const { Cell::new(false) };
        static WAITING: RefCell<Vec<Sender<()>>> = const { RefCell::new(Vec::new()) };
        static CAME: ArcTrigger = ArcTrigger::new();
    }

    /// Between two askings.
    const REST: Duration = Duration::from_secs(3);

    /// Whether texts can be set; views are told when it comes. Asks for the module.
    pub fn is_ready() -> bool {
        ask();
        CAME.with(ArcTrigger::track);
        is_here()
    }

    fn is_here() -> bool {
        MODULE.with(|module| module.get().is_some())
    }

    /// `footnotes` tells those of the text from those of all others in the page.
    pub fn begin(footnotes: &str) -> Option<Setting> {
        MODULE.with(|module| module.get().map(|module| module.begin(footnotes)))
    }

    pub fn html(text: &str, growing: bool) -> Option<String> {
        MODULE.with(|module| module.get().map(|module| module.html(text, growing, None, None)))
    }

    /// The same of a message, which has footnotes (see [`begin`]) and may cite sources.
    pub fn html_of_message(
        text: &str,
        growing: bool,
        footnotes: &str,
        cite: Option<Function>,
    ) -> Option<String> {
        let footnotes = Some(footnotes.to_owned());
        MODULE.with(|module| module.get().map(|module| module.html(text, growing, footnotes, cite)))
    }

    pub fn note(text: &str, files: Option<&str>) -> Option<String> {
        MODULE.with(|module| module.get().map(|module| module.note(text, files.map(str::to_owned))))
    }

    /// A formula as MathML; nothing where it is none, or while the module is on its way.
    pub fn formula(tex: &str, display: bool) -> Option<String> {
        MODULE.with(|module| module.get().and_then(|module| module.formula(tex, display)))
    }

    /// Loads the module when somebody acts.
    pub fn load_with_the_first_act() {
        crate::client::document::with_the_first_act(ask);
    }

    pub async fn wait() {
        if is_here() {
            return;
        }
        let (came, coming) = channel();
        WAITING.with_borrow_mut(|waiting| waiting.push(came));
        ask();
        // an asking that ended badly ends the waiting too
        let _ = coming.await;
    }

    fn ask_again() {
        IS_ASKED_FOR.set(false);
        ask();
    }

    fn ask() {
        if is_here() || IS_ASKED_FOR.replace(true) {
            return;
        }
        let meta = document().query_selector("meta[name=typesetter]").ok().flatten();
        let address = meta.and_then(|meta| meta.get_attribute("content")).unwrap_or_default();
        spawn_local(async move {
            match imported(&address).await {
                Ok(module) => {
                    MODULE.with(|place| drop(place.set(module)));
                    CAME.with(ArcTrigger::notify);
                }
                // The network is cut, or a new version took this one's place: texts are shown as they
                // were written meanwhile.
                Err(_) => set_timeout(ask_again, REST),
            }
            for waiting in WAITING.take() {
                let _ = waiting.send(());
            }
        });
    }
}
