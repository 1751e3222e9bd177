//! Sets Markdown in the page: a WebAssembly module of its own, loaded when a text is to be set that the
//! server did not set already, so that a page is usable without it.
//!
//! It must never decide what is shown or when; the app hands it the text and the place.

use js_sys::Function;
use markdown::{Citation, Document, Options, Progress};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Element;

/// Longer code stays plain: colouring it would hold up the page.
const LONGEST_COLOURED: usize = 60_000;

/// A text in the page that may grow: only blocks that changed are touched.
#[wasm_bindgen]
#[derive(Default)]
pub struct Setting {
    document: Document,
    /// Of the blocks in the page, in order.
    keys: Vec<u64>,
    /// See [`Options::footnotes`].
    footnotes: String,
}

/// Begins with an empty place. `footnotes` tells those of the text from those of all others in the page.
#[wasm_bindgen]
pub fn begin(footnotes: String) -> Setting {
    Setting { footnotes, ..Setting::default() }
}

/// The HTML of a text, block by block. `footnotes`: see [`begin`]; without it there are none. `cite`: see
/// [`Setting::set`].
#[wasm_bindgen]
pub fn html(text: &str, growing: bool, footnotes: Option<String>, cite: Option<Function>) -> String {
    let mut document = Document::default();
    let cited = |url: &str| citation(cite.as_ref(), url);
    document.update(
        text,
        progress(growing),
        Options { cite: Some(&cited), footnotes: footnotes.as_deref(), ..Options::default() },
    );
    document.blocks().iter().map(|block| format!("<div class=\"block\">{}</div>", block.html)).collect()
}

/// The HTML of a note. `files`: how the addresses of its own files begin.
#[wasm_bindgen]
pub fn note(text: &str, files: Option<String>) -> String {
    markdown::render_as(
        markdown::Dialect::Note,
        text,
        Options { files: files.as_deref(), ..Options::default() },
    )
}

/// A formula as MathML; nothing where it is none.
#[wasm_bindgen]
pub fn formula(tex: &str, display: bool) -> Option<String> {
    let place = if display { markdown::FormulaPlace::Block } else { markdown::FormulaPlace::Line };
    markdown::formula(tex, place)
}

#[wasm_bindgen]
impl Setting {
    /// Brings `holder` up to date with the text. `highlight` takes code and its language and gives HTML
    /// or `undefined`; without it code stays plain. `cite` takes the address of a link and gives its number as a
    /// source and, behind a space, what that is called; nothing for a thing that is not there; `undefined` for an
    /// ordinary link.
    pub fn set(
        &mut self,
        holder: &Element,
        text: &str,
        growing: bool,
        highlight: Option<Function>,
        cite: Option<Function>,
    ) -> Result<(), JsValue> {
        let cited = |url: &str| citation(cite.as_ref(), url);
        let highlighted = |code: &str, language: &str| {
            let highlight = highlight.as_ref().filter(|_| code.len() <= LONGEST_COLOURED)?;
            highlight.call2(&JsValue::NULL, &code.into(), &language.into()).ok()?.as_string()
        };
        self.document.update(
            text,
            progress(growing),
            Options {
                highlight: Some(&highlighted),
                cite: Some(&cited),
                footnotes: Some(&self.footnotes),
                ..Options::default()
            },
        );
        self.place(holder)
    }
}

impl Setting {
    fn place(&mut self, holder: &Element) -> Result<(), JsValue> {
        let blocks = self.document.blocks();
        let same = self.keys.iter().zip(blocks).take_while(|(key, block)| **key == block.key).count();
        let mut next = holder.children().item(u32::try_from(same).unwrap_or(u32::MAX));
        for block in &blocks[same..] {
            match next {
                Some(element) => {
                    element.set_inner_html(&block.html);
                    next = element.next_element_sibling();
                }
                None => append(holder, &block.html)?,
            }
        }
        while let Some(element) = next {
            next = element.next_element_sibling();
            element.remove();
        }
        self.keys.truncate(same);
        self.keys.extend(blocks[same..].iter().map(|block| block.key));
        Ok(())
    }
}

fn citation(cite: Option<&Function>, url: &str) -> Citation {
    let told = cite.and_then(|cite| cite.call1(&JsValue::NULL, &url.into()).ok()?.as_string());
    match told.as_deref().map(|told| told.split_once(' ')) {
        None => Citation::None,
        Some(None) => Citation::Missing,
        Some(Some((number, label))) => match number.parse() {
            Ok(number) => Citation::Source { number, label: label.to_owned() },
            Err(_) => Citation::None,
        },
    }
}

fn progress(growing: bool) -> Progress {
    if growing { Progress::Growing } else { Progress::Finished }
}

fn append(holder: &Element, html: &str) -> Result<(), JsValue> {
    let Some(page) = holder.owner_document() else { return Ok(()) };
    let block = page.create_element("div")?;
    block.set_class_name("block");
    block.set_inner_html(html);
    holder.append_child(&block).map(drop)
}
