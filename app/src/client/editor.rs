//! The editor of notes, which is a script of its own, loaded with the first note: what is told to it
//! and what it tells. Both travel as JSON, so that little code stands between the two.

use serde::{Deserialize, Serialize};
use shared::UserId;
use shared::note::Anchor;

/// What the editor needs to begin.
#[derive(Serialize)]
pub struct Opening {
    pub note: String,
    pub title: String,
    pub account: Account,
    /// `view`, `comment` or `edit`.
    pub access: &'static str,
    #[serde(rename = "readOnlyReason", skip_serializing_if = "Option::is_none")]
    pub read_only_reason: Option<String>,
    pub preferences: Preferences,
    /// For the requests that the editor makes by itself.
    pub token: Option<String>,
}

#[derive(Serialize)]
pub struct Account {
    pub id: String,
    pub name: String,
}

/// How one likes to write. Kept in a cookie, so that the settings show it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    pub vim: bool,
    /// Show the marks rather than what they mean.
    pub source: bool,
    pub spellcheck: bool,
    /// Write on a phone too.
    pub phone: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { vim: false, source: false, spellcheck: true, phone: false }
    }
}

/// How safe what was typed is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Status {
    Saved,
    Saving { n: u32 },
    Offline { n: u32, stored: bool },
    Unsaved { n: u32, reason: String },
    ReadOnly { reason: String },
}

/// Somebody else who has the note open.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Presence {
    pub client: u32,
    #[serde(default)]
    pub id: Option<UserId>,
    pub name: String,
    pub initials: String,
    /// 1 to 8.
    pub colour: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Heading {
    pub level: u8,
    pub text: String,
    /// Where it begins, in UTF-16 units.
    pub from: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Count {
    pub words: u32,
    pub characters: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Selected {
    pub text: String,
}

/// A comment's place in the text.
#[derive(Serialize)]
pub struct CommentRange {
    pub id: String,
    pub from: String,
    pub to: String,
    pub resolved: bool,
}

/// What the editor tells.
#[derive(Debug, Deserialize)]
#[serde(tag = "tell", content = "with", rename_all = "snake_case")]
pub enum Told {
    Status(Status),
    Presence(Vec<Presence>),
    Outline(Vec<Heading>),
    Count(Count),
    /// A comment's mark was pressed.
    Comment(String),
    Selection(Option<Selected>),
    Navigate(String),
    /// It has the text and can be shown.
    Ready(()),
    /// Something that the editor tried did not work, in words.
    Trouble(String),
}

#[cfg(feature = "hydrate")]
pub use browser::{Editor, follow_line, load, open};

/// Stands for the editor where there is none.
#[cfg(not(feature = "hydrate"))]
#[derive(Clone)]
pub struct Editor;

#[cfg(not(feature = "hydrate"))]
impl Editor {
    pub fn call(&self, _what: &str, _with: &impl Serialize) -> String {
        String::new()
    }
}

impl Editor {
    /// A place in the text that moves with it; nothing where nothing is selected.
    pub fn anchor(&self) -> Option<Anchor> {
        serde_json::from_str(&self.call("anchorSelection", &())).ok().flatten()
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::{Opening, Told};
    use crate::client::document::note;
    use crate::client::socket::{Connection, on_binary, send_binary, use_socket};
    use crate::client::typesetter;
    use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
    use leptos::prelude::*;
    use serde::Serialize;
    use std::cell::RefCell;
    use std::rc::Rc;
    use wasm_bindgen::closure::Closure;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;

    /// What is to be done when a note closes.
    type End = Box<dyn FnOnce()>;

    /// An opened note. The last copy that goes does not close it; [`Editor::close`] does.
    #[derive(Clone)]
    pub struct Editor {
        handle: Object,
        ends: Rc<RefCell<Vec<End>>>,
    }

    impl Editor {
        /// Calls a function of the editor with JSON; gives its answer as JSON.
        pub fn call(&self, what: &str, with: &impl Serialize) -> String {
            let Ok(json) = serde_json::to_string(with) else { return String::new() };
            call(&self.handle, "call", &[what.into(), json.into()])
                .and_then(|answer| answer.as_string())
                .unwrap_or_default()
        }

        pub fn close(&self) {
            for end in self.ends.borrow_mut().drain(..) {
                end();
            }
            call(&self.handle, "close", &[]);
        }
    }

    fn call(object: &JsValue, name: &str, with: &[JsValue]) -> Option<JsValue> {
        let function: Function = Reflect::get(object, &name.into()).ok()?.dyn_into().ok()?;
        match Reflect::apply(&function, object, &with.iter().collect()) {
            Ok(answer) => Some(answer),
            Err(cause) => {
                note::<()>(Err(cause));
                None
            }
        }
    }

    /// Loads the editor where it is not loaded yet, and opens a note in `parent`.
    pub async fn open(
        parent: web_sys::HtmlElement,
        opening: Opening,
        tell: impl Fn(Told) + 'static,
    ) -> Result<Editor, String> {
        let failed = |cause: JsValue| format!("{cause:?}");
        let (module, ()) = futures::join!(load("editor"), typesetter::ready());
        let module = module.map_err(failed)?;
        let options = serde_json::to_string(&opening).map_err(|cause| cause.to_string())?;
        let send = Closure::<dyn Fn(Uint8Array) -> bool>::new(|frame: Uint8Array| send_binary(&frame));
        let told = Closure::<dyn Fn(String)>::new(move |json: String| match serde_json::from_str(&json) {
            Ok(told) => tell(told),
            Err(cause) => leptos::logging::warn!("the editor was not understood: {cause}: {json}"),
        });
        let formula = Closure::<dyn Fn(String, bool) -> JsValue>::new(|tex: String, display: bool| {
            typesetter::formula(&tex, display).map_or(JsValue::UNDEFINED, JsValue::from)
        });
        let set = Closure::<dyn Fn(String, Option<String>) -> JsValue>::new(
            |text: String, files: Option<String>| {
                typesetter::note(&text, files.as_deref()).map_or(JsValue::UNDEFINED, JsValue::from)
            },
        );
        let given =
            [send.into_js_value(), told.into_js_value(), formula.into_js_value(), set.into_js_value()];
        let [send, told, formula, set] = given;
        let opened = call(&module, "openNote", &[parent.into(), options.into(), send, told, formula, set])
            .ok_or("the script has no openNote")?;
        let handle = JsFuture::from(Promise::from(opened)).await.map_err(failed)?;
        let handle: Object = handle.unchecked_into();
        let editor = Editor { handle: handle.clone(), ends: Rc::default() };
        let frames = handle.clone();
        let end = on_binary(move |frame| {
            call(&frames, "frame", &[frame.into()]);
        });
        editor.ends.borrow_mut().push(Box::new(end));
        Ok(editor)
    }

    /// Tells the editor how the line stands, now and whenever that changes. In a component.
    pub fn follow_line(editor: &Editor) {
        let (socket, handle) = (use_socket(), editor.handle.clone());
        Effect::new(move |_| {
            let state = match socket.connection.get() {
                Connection::Online | Connection::Degraded(_) => "open",
                Connection::Offline if !window().navigator().on_line() => "offline",
                Connection::Offline | Connection::Starting => "lost",
            };
            call(&handle, "line", &[state.into()]);
        });
    }

    /// Imports one of our scripts, which a `<meta>` of this name has the address of.
    pub async fn load(name: &str) -> Result<JsValue, JsValue> {
        let meta = document().query_selector(&format!("meta[name={name}]"))?;
        let address = meta.and_then(|meta| meta.get_attribute("content"));
        let address = address.ok_or_else(|| JsValue::from(format!("there is no {name} in this build")))?;
        let module = call(&window(), "sidebarImport", &[address.into()])
            .ok_or_else(|| JsValue::from("scripts cannot be imported"))?;
        JsFuture::from(Promise::from(module)).await
    }
}
