//! The only door through which HTML is parsed: a page made to keep a machine busy, or to break its
//! stack with elements inside of elements, is flattened to its text first.
//!
//! An open element costs every later tag a look at it, so that nesting alone makes a few megabytes take
//! hours; and what walks a tree recursively runs out of stack, which no program survives.

use dom_query::Document;
use html5ever::interface::{ElementFlags, ExpandedName, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, ParseOpts, QualName, parse_document};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Browsers stop at 512; pages that people write stay below 60.
const DEEPEST: u32 = 200;
/// How many open elements may be looked at for each byte of the page.
const LOOKS_PER_BYTE: u64 = 20;
/// Looks that every page has.
const LOOKS: u64 = 1_000_000;
/// The tokenizer compares each attribute of a tag with the ones before it, and tells nobody: there only
/// the clock helps. Ten megabytes of an ordinary page take a tenth of this.
const LONGEST: Duration = Duration::from_secs(4);
/// After so many bytes the account is looked at.
const STRETCH_BYTES: usize = 4 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    AsWritten,
    /// Only the text is left.
    Flattened,
}

pub(crate) fn parse(html: &str) -> (Document, Shape) {
    if is_tame(html) {
        let document = Document::from(html);
        if depth(&document) <= DEEPEST {
            return (document, Shape::AsWritten);
        }
    }
    tracing::info!(bytes = html.len(), "a page is too tangled to be parsed: its text is taken");
    (Document::from(flattened(html)), Shape::Flattened)
}

/// The text of a page without building a tree, a line for each stretch between tags that break lines.
pub(crate) fn text(html: &str) -> String {
    let tokenizer = Tokenizer::new(Text::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    // The tokenizer returns at the end of each script, and wants to be asked again.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.text.into_inner()
}

/// What stands between tags, by a scan that costs the same for every byte and takes no page's word for
/// where a tag ends. References such as `&amp;` stay as they are: the text becomes HTML again.
fn flattened(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = rest.trim_start_matches('/');
        let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
        let name = name.get(..name.len().min(16)).unwrap_or_default().to_ascii_lowercase();
        if !is_inline(&name) {
            text.push('\n');
        }
        let unread = matches!(name.as_str(), "script" | "style") && !rest.starts_with('/');
        let end = if unread { rest.find("</").map(|at| at - 1) } else { rest.find('>') };
        rest = end.map_or("", |end| &rest[end + 1..]);
    }
    text.push_str(rest);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("<p>{}</p>\n", line.replace('>', "&gt;"))).collect()
}

/// Parses without keeping anything but the account of it.
fn is_tame(html: &str) -> bool {
    let options = ParseOpts {
        tokenizer: TokenizerOpts::default(),
        tree_builder: TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() },
    };
    let mut parser = parse_document(Account::default(), options);
    let mut rest = html;
    let mut allowed = LOOKS;
    let began = Instant::now();
    while !rest.is_empty() {
        let (stretch, after) = rest.split_at(rest.floor_char_boundary(STRETCH_BYTES.min(rest.len())));
        parser.process(StrTendril::from(stretch));
        rest = after;
        allowed += stretch.len() as u64 * LOOKS_PER_BYTE;
        let account = &parser.tokenizer.sink.sink;
        let is_within = account.deepest.get() <= DEEPEST && account.looks.get() <= allowed;
        if !is_within || began.elapsed() > LONGEST {
            return false;
        }
    }
    true
}

/// Exact, and itself without recursion.
fn depth(document: &Document) -> u32 {
    let mut node = document.root();
    let (mut depth, mut deepest) = (0, 0);
    loop {
        if let Some(child) = node.first_child() {
            node = child;
            depth += 1;
            deepest = deepest.max(depth);
            continue;
        }
        loop {
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            match node.parent() {
                Some(parent) if depth > 1 => node = parent,
                _ => return deepest,
            }
            depth -= 1;
        }
    }
}

/// What building a tree would cost.
#[derive(Default)]
struct Account {
    looks: Cell<u64>,
    deepest: Cell<u32>,
}

#[derive(Clone)]
struct Seen(Rc<Element>);

struct Element {
    name: QualName,
    depth: Cell<u32>,
}

impl Seen {
    fn new(name: QualName) -> Self {
        Self(Rc::new(Element { name, depth: Cell::new(0) }))
    }

    fn nameless() -> Self {
        Self::new(QualName::new(None, html5ever::ns!(), html5ever::local_name!("")))
    }
}

impl Account {
    fn place(&self, child: &NodeOrText<Seen>, depth: u32) {
        if let NodeOrText::AppendNode(child) = child {
            child.0.depth.set(depth);
            self.deepest.set(self.deepest.get().max(depth));
        }
    }
}

impl TreeSink for Account {
    type Handle = Seen;
    type Output = ();
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) {}

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Seen {
        Seen::nameless()
    }

    fn elem_name<'a>(&'a self, target: &'a Seen) -> ExpandedName<'a> {
        self.looks.set(self.looks.get() + 1);
        target.0.name.expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> Seen {
        // The tree compares attributes with one another: they are part of the work.
        self.looks.set(self.looks.get() + attributes.len() as u64);
        Seen::new(name)
    }

    fn create_comment(&self, _: StrTendril) -> Seen {
        Seen::nameless()
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Seen {
        Seen::nameless()
    }

    fn append(&self, parent: &Seen, child: NodeOrText<Seen>) {
        self.place(&child, parent.0.depth.get() + 1);
    }

    fn append_based_on_parent_node(&self, element: &Seen, _: &Seen, child: NodeOrText<Seen>) {
        self.place(&child, element.0.depth.get());
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Seen) -> Seen {
        target.clone()
    }

    fn same_node(&self, one: &Seen, other: &Seen) -> bool {
        self.looks.set(self.looks.get() + 1);
        Rc::ptr_eq(&one.0, &other.0)
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Seen, new: NodeOrText<Seen>) {
        self.place(&new, sibling.0.depth.get());
    }

    fn add_attrs_if_missing(&self, _: &Seen, _: Vec<Attribute>) {}

    fn remove_from_parent(&self, _: &Seen) {}

    fn reparent_children(&self, _: &Seen, new_parent: &Seen) {
        self.deepest.set(self.deepest.get().max(new_parent.0.depth.get() + 1));
    }
}

/// Keeps what a reader would see.
#[derive(Default)]
struct Text {
    text: RefCell<String>,
    /// Inside an element whose text is not for reading.
    unread: Cell<bool>,
}

impl TokenSink for Text {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(characters) if !self.unread.get() => {
                self.text.borrow_mut().push_str(&characters);
            }
            Token::TagToken(tag) => {
                let starts = tag.kind == TagKind::StartTag;
                let raw = match &*tag.name {
                    "script" => Some(RawKind::ScriptData),
                    "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(RawKind::Rawtext),
                    "textarea" | "title" => Some(RawKind::Rcdata),
                    _ => None,
                };
                if !is_inline(&tag.name) {
                    self.text.borrow_mut().push('\n');
                }
                self.unread.set(starts && raw.is_some());
                return match raw {
                    Some(kind) if starts => TokenSinkResult::RawData(kind),
                    _ => TokenSinkResult::Continue,
                };
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// Elements whose edges break no line.
fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr"
            | "b"
            | "bdi"
            | "bdo"
            | "cite"
            | "code"
            | "del"
            | "em"
            | "font"
            | "i"
            | "ins"
            | "kbd"
            | "mark"
            | "q"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strong"
            | "sub"
            | "sup"
            | "u"
            | "var"
            | "wbr"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In two megabytes, as a thread for blocking work has them.
    fn shape(html: &str) -> Shape {
        let began = Instant::now();
        let (_, shape) = parse(html);
        assert!(began.elapsed().as_secs() < 30, "{} s", began.elapsed().as_secs());
        shape
    }

    #[test]
    fn elements_in_elements_without_end_are_flattened_and_cost_little() {
        for tag in [
            "<div>",
            "<b>",
            "<span>",
            "<a><div>",
            "<ul><li>",
            "<table><tr><td></div>",
            "<div><!--</div>-->",
            "<svg><g>",
            "<template>",
            "<blockquote></x>",
        ] {
            let html = tag.repeat(300_000 / tag.len());
            assert_eq!(shape(&html), Shape::Flattened, "{tag}");
        }
    }

    #[test]
    fn tags_that_close_one_another_cost_little_as_well() {
        for tag in [
            "<p><button>",
            "<select><option>",
            "<a>",
            "</p>",
            "<b></b>",
            "<b><i></b></i>",
            "</br x=1>",
            "<!--",
            "<b><p></b>",
        ] {
            shape(&tag.repeat(300_000 / tag.len()));
        }
        let attributes: String = (0..50_000).map(|n| format!(" a{n}=1")).collect();
        shape(&format!("<p{attributes}><html{attributes}><b{attributes}>").repeat(2));
    }

    #[test]
    fn long_pages_of_ordinary_kind_stay_as_written() {
        for row in [
            "<p>words",
            "<li>words",
            "<div><p>some <b>bold <i>and</i></b> words</p></div>\n",
            "<table><tr><td>a<td>b</table>",
            "<br>",
        ] {
            let html = row.repeat(200_000 / row.len());
            assert_eq!(shape(&html), Shape::AsWritten, "{row}");
        }
        assert_eq!(shape(""), Shape::AsWritten);
        assert_eq!(shape(&"<div>".repeat(100)), Shape::AsWritten);
    }

    #[test]
    fn the_text_of_a_tangled_page_is_kept() {
        let html = format!("{}<script>no()</script>first &amp; <b>last</b><p>next", "<div>".repeat(5000));
        let (document, shape) = parse(&html);
        assert_eq!(shape, Shape::Flattened);
        let lines: Vec<String> = document.select("p").iter().map(|p| p.text().to_string()).collect();
        assert_eq!(lines, ["first & last", "next"]);
    }
}
