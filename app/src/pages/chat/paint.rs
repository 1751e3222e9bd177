//! Keeps the HTML of a stretch of text up to date in the page: only blocks that changed are touched.
//! Also lets received text appear at the pace of reading. Browser only.

use super::cites::Citing;
use super::code;
use super::pace::Pace;
use super::parts::{self, ALL, is_active};
use super::thread::Item;
use crate::client::document::note;
use crate::client::typesetter::{self, Setting};
use leptos::html;
use leptos::prelude::*;
use shared::context::Source;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use web_sys::Element;

thread_local! {
    /// How long the last change of the page took, so that a long block is not made anew every frame.
    static COST_MS: Cell<f64> = const { Cell::new(0.0) };
    static KEY_MS: Cell<f64> = const { Cell::new(f64::MIN) };
}

/// The share of time that painting may take: one part in four.
const REST_AFTER_COST: f64 = 3.0;
/// While somebody types the text appears in larger steps, and never in the frame that is to show a key.
const TYPES_FOR_MS: f64 = 250.0;
const REST_WHILE_TYPING_MS: f64 = 64.0;
const SAME_FRAME_MS: f64 = 14.0;
const LONGEST_REST_MS: f64 = 130.0;

/// Something was typed: that is shown before anything else.
pub fn give_way() {
    KEY_MS.set(now_ms());
}

/// Whether text may appear in this frame when it last did so long ago.
fn has_its_turn(since_painted: f64, now: f64) -> bool {
    let (cost, since_key) = (COST_MS.get(), now - KEY_MS.get());
    let by_cost = cost < 4.0 || since_painted > cost * (1.0 + REST_AFTER_COST);
    let by_keys = since_key > TYPES_FOR_MS
        || since_painted > LONGEST_REST_MS
        || (since_painted > REST_WHILE_TYPING_MS && since_key > SAME_FRAME_MS);
    by_cost && by_keys
}

/// Keeps `holder` showing the text of the part that begins at `from`.
pub fn keep(holder: NodeRef<html::Div>, item: Item, from: usize) {
    let footnotes = parts::footnotes(item.id, from);
    let painter = Rc::new(RefCell::new(Painter { footnotes, ..Painter::default() }));
    Effect::new(move |_| {
        let Some(holder) = holder.get() else { return };
        let shown = item.shown.get();
        item.message.with(|message| {
            let text = parts::text(message, from, shown);
            let is_whole = shown == ALL || from + text.len() < parts::shown_end(message, shown);
            painter.borrow_mut().paint(&holder, text, is_whole, message.sources.as_deref());
        });
    });
}

#[derive(Default)]
struct Painter {
    setting: Option<Setting>,
    /// From [`parts::footnotes`].
    footnotes: String,
    state: State,
    /// What was cited when the text was set.
    sources: Option<Vec<Source>>,
}

#[derive(Default, PartialEq)]
enum State {
    /// The page has what it came with, if anything.
    #[default]
    Untouched,
    /// It came with this many bytes of text, finished.
    AsItCame(usize),
    Painted,
    /// Links in it are something else now.
    Stale,
}

impl Painter {
    fn paint(&mut self, holder: &Element, text: &str, is_whole: bool, sources: Option<&[Source]>) {
        let began = now_ms();
        if self.sources.as_deref() != sources {
            // what came with the page knows its sources
            if self.state != State::Untouched {
                self.state = State::Stale;
            }
            self.sources = sources.map(<[Source]>::to_vec);
        }
        match self.state {
            State::Untouched if is_whole && holder.first_element_child().is_some() => {
                self.state = State::AsItCame(text.len());
                return code::colour(holder);
            }
            State::AsItCame(length) if length == text.len() && is_whole => return,
            _ => {}
        }
        if !typesetter::is_ready() {
            // what stands there is right but for its citations
            if self.state == State::Stale {
                return;
            }
            return holder.set_text_content(Some(text));
        }
        if self.state != State::Painted {
            holder.set_inner_html("");
            self.setting = typesetter::begin(&self.footnotes);
            self.state = State::Painted;
        }
        if let Some(setting) = &self.setting {
            let citing = Citing::of(self.sources.as_deref());
            note(setting.set(holder, text, !is_whole, code::highlighter(), citing.function()));
        }
        code::colour(holder);
        COST_MS.set(now_ms() - began);
    }
}

/// Lets the text of a message appear steadily while it comes in.
pub fn reveal(item: Item) {
    let reveal = Rc::new(Reveal {
        item: item.clone(),
        pace: RefCell::new(Pace::default()),
        is_running: Cell::new(false),
        last_ms: Cell::new(0.0),
        painted_ms: Cell::new(0.0),
    });
    Effect::new(move |_| {
        item.message.track();
        if item.shown.get_untracked() != ALL && !reveal.is_running.replace(true) {
            reveal.last_ms.set(now_ms());
            request_animation_frame({
                let reveal = reveal.clone();
                move || frame(reveal)
            });
        }
    });
}

struct Reveal {
    item: Item,
    pace: RefCell<Pace>,
    is_running: Cell<bool>,
    last_ms: Cell<f64>,
    painted_ms: Cell<f64>,
}

fn frame(reveal: Rc<Reveal>) {
    let shown = reveal.item.shown.get_untracked();
    let (length, active) = reveal.item.message.with_untracked(|m| (m.content.len(), is_active(m.status)));
    if shown == ALL || shown >= length {
        reveal.is_running.set(false);
        if shown != ALL && !active {
            reveal.item.shown.set(ALL);
        }
        return;
    }
    let now = now_ms();
    if has_its_turn(now - reveal.painted_ms.get(), now) {
        let elapsed = now - reveal.last_ms.replace(now);
        let backlog = length - shown;
        let step = if wants_no_motion() { backlog } else { reveal.pace.borrow_mut().step(backlog, elapsed) };
        if step > 0 {
            let to = reveal
                .item
                .message
                .with_untracked(|message| message.content.ceil_char_boundary(shown + step));
            reveal.item.shown.set(to);
            reveal.painted_ms.set(now);
        }
    }
    request_animation_frame(move || frame(reveal));
}

fn wants_no_motion() -> bool {
    let query = window().match_media("(prefers-reduced-motion: reduce)").ok().flatten();
    query.is_some_and(|query| query.matches())
}

fn now_ms() -> f64 {
    window().performance().map_or_else(js_sys::Date::now, |performance| performance.now())
}
