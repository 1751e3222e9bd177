//! The only place that writes HTML: one tag for each construct, everything else escaped.

mod callouts;
mod footnotes;

pub use footnotes::{Extent, Footnotes};

use crate::definitions::Definitions;
use crate::links::{self, Destination};
use crate::math::{self, Place};
use crate::{Citation, Dialect, Options, grammar, vetted};
use callouts::Title;
use pulldown_cmark::{
    Alignment, BrokenLink, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Parser, Tag, TagEnd,
    TextMergeWithOffset,
};
use std::borrow::Cow;
use std::ops::Range;

/// Lists and quotations nested deeper are shown flat: browsers do not nest without end either.
const DEEPEST: usize = 32;

/// Appends the HTML of `source`, whole blocks, and adds to the footnotes of the text that they are of.
pub fn html(
    out: &mut String,
    source: &str,
    definitions: &Definitions,
    footnotes: &mut Footnotes,
    kind: Dialect,
    options: Options<'_>,
) {
    let source = math::with_dollars(source);
    let preamble = match (kind, options.footnotes) {
        (Dialect::Message, Some(_)) => definitions.preamble(&source),
        // a note is parsed as one piece
        (Dialect::Message, None) | (Dialect::Note, _) => String::new(),
    };
    let begin = preamble.len();
    let source = if begin == 0 { source } else { Cow::Owned(format!("{preamble}{source}")) };
    let resolve = |link: BrokenLink<'_>| {
        let destination = definitions.destination(&link.reference)?;
        Some((CowStr::from(destination.to_owned()), CowStr::Borrowed("")))
    };
    let parser = Parser::new_with_broken_link_callback(&source, grammar(kind, options), Some(resolve));
    let mut writer = Writer { out, source: &source, footnotes, kind, options, state: State::default() };
    for (event, range) in TextMergeWithOffset::new(parser.into_offset_iter()) {
        if range.start >= begin {
            writer.event(event, range);
        }
    }
}

/// Appends what stands before a note's text, as it is written.
pub fn properties(out: &mut String, properties: Option<&str>) {
    if let Some(properties) = properties.filter(|lines| !lines.trim().is_empty()) {
        out.push_str("<pre class=\"properties\">");
        escape(out, properties);
        out.push_str("</pre>\n");
    }
}

struct Writer<'a> {
    out: &'a mut String,
    source: &'a str,
    footnotes: &'a mut Footnotes,
    kind: Dialect,
    options: Options<'a>,
    state: State,
}

#[derive(Default)]
struct State {
    /// How many lists and quotations are open.
    depth: usize,
    /// For each open link, whether it was written as one.
    links: Vec<Written>,
    /// Where the words begin of a link that is to be a mark alone, and its mark.
    mark: Option<(usize, String)>,
    /// Language and text so far of the code block that is open.
    code: Option<(String, String)>,
    image: Option<Image>,
    /// What closes each open quotation.
    quotes: Vec<&'static str>,
    /// The callout whose title is being written.
    title: Option<Title>,
    /// Where each open footnote begins, with its label.
    open_footnotes: Vec<(String, usize)>,
    /// Where the place of the heading that is open is to be written, and its words so far.
    heading: Option<(usize, String)>,
    alignments: Vec<Alignment>,
    column: usize,
    row: Row,
}

struct Image {
    address: String,
    /// Alternative text so far.
    text: String,
    written: LinkType,
    /// How many images are open in its alternative text, of which only the words count.
    inside: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    AsLink,
    AsText,
    /// Words, and the number of a source behind them.
    Cited,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Row {
    #[default]
    Body,
    Head,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        let Some(event) = self.title(event) else { return };
        if let Some((_, code)) = &mut self.state.code
            && let Event::Text(text) = &event
        {
            code.push_str(text);
            return;
        }
        if let Some(image) = &mut self.state.image {
            match &event {
                Event::Start(Tag::Image { .. }) => image.inside += 1,
                Event::End(TagEnd::Image) => match image.inside.checked_sub(1) {
                    Some(inside) => image.inside = inside,
                    None => self.image(),
                },
                Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::InlineHtml(text) => {
                    image.text.push_str(text);
                }
                Event::SoftBreak | Event::HardBreak => image.text.push(' '),
                _ => {}
            }
            return;
        }
        if let (Some((_, words)), Event::Text(text) | Event::Code(text) | Event::InlineMath(text)) =
            (&mut self.state.heading, &event)
        {
            words.push_str(text);
        }
        match event {
            Event::Start(Tag::BlockQuote(_)) => self.start_quote(&range),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.state.links.is_empty() => self.text_with_links(&text),
            Event::Text(text) => escape(self.out, &text),
            Event::Code(code) => {
                self.out.push_str("<code>");
                escape(self.out, &code);
                self.out.push_str("</code>");
            }
            Event::InlineMath(latex) => self.line_math(&latex, range),
            Event::DisplayMath(latex) => self.math(&latex, Place::Block),
            Event::InlineHtml(html) if is_line_break(&html) => self.out.push_str("<br>"),
            Event::Html(html) | Event::InlineHtml(html) => escape(self.out, &html),
            Event::FootnoteReference(label) => self.refer(&label),
            Event::SoftBreak => self.out.push('\n'),
            Event::HardBreak => self.out.push_str("<br>\n"),
            Event::Rule => self.out.push_str("<hr>\n"),
            Event::TaskListMarker(done) => self.out.push_str(if done {
                "<input type=\"checkbox\" checked disabled aria-label=\"done\"> "
            } else {
                "<input type=\"checkbox\" disabled aria-label=\"not done\"> "
            }),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.out.push_str("<p>"),
            Tag::Heading { level, .. } => {
                let number = heading_number(self.kind, level);
                self.out.push_str(&format!("<h{number} class=\"{}\"", heading_class(level)));
                if self.options.place.is_some() && self.state.depth == 0 {
                    self.state.heading = Some((self.out.len(), String::new()));
                }
                self.out.push('>');
            }
            Tag::List(None) => self.open("<ul>\n"),
            Tag::List(Some(1)) => self.open("<ol>\n"),
            Tag::List(Some(first)) => self.open(&format!("<ol start=\"{first}\">\n")),
            Tag::Item => self.out.push_str("<li>"),
            Tag::CodeBlock(kind) => self.state.code = Some((language(&kind), String::new())),
            Tag::HtmlBlock => self.out.push_str("<p class=\"source\">"),
            Tag::Table(alignments) => {
                self.state.alignments = alignments;
                self.out.push_str(
                    "<div class=\"table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>\n",
                );
            }
            Tag::TableHead => {
                self.state.row = Row::Head;
                self.state.column = 0;
                self.out.push_str("<thead><tr>");
            }
            Tag::TableRow => {
                self.state.column = 0;
                self.out.push_str("<tr>");
            }
            Tag::TableCell => self.start_cell(),
            Tag::Emphasis => self.out.push_str("<em>"),
            Tag::Strong => self.out.push_str("<strong>"),
            Tag::Strikethrough => self.out.push_str("<del>"),
            Tag::Link { dest_url, link_type, .. } => {
                let written = match link_type {
                    LinkType::Email => self.link(&format!("mailto:{dest_url}")),
                    LinkType::WikiLink { .. } => self.link_to(&links::to_note(&dest_url), Destination::Here),
                    _ => self.cited(&dest_url).unwrap_or_else(|| self.link(&dest_url)),
                };
                self.state.links.push(written);
            }
            Tag::Image { dest_url, link_type, .. } => {
                let address = dest_url.to_string();
                self.state.image =
                    Some(Image { address, text: String::new(), written: link_type, inside: 0 });
            }
            Tag::FootnoteDefinition(label) => self.start_footnote(&label),
            // Written where their range is known.
            Tag::BlockQuote(_) => {}
            // Not part of the dialect; their text is shown.
            Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.out.push_str("</p>\n"),
            TagEnd::Heading(level) => {
                self.place_heading();
                self.out.push_str(&format!("</h{}>\n", heading_number(self.kind, level)));
            }
            TagEnd::BlockQuote(_) => {
                let tag = self.state.quotes.pop().unwrap_or_default();
                self.close(tag);
            }
            TagEnd::List(true) => self.close("</ol>\n"),
            TagEnd::List(false) => self.close("</ul>\n"),
            TagEnd::Item => self.out.push_str("</li>\n"),
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::Table => self.out.push_str("</tbody></table></div>\n"),
            TagEnd::TableHead => {
                self.state.row = Row::Body;
                self.out.push_str("</tr></thead><tbody>\n");
            }
            TagEnd::TableRow => self.out.push_str("</tr>\n"),
            TagEnd::TableCell => self.out.push_str(match self.state.row {
                Row::Head => "</th>",
                Row::Body => "</td>",
            }),
            TagEnd::Emphasis => self.out.push_str("</em>"),
            TagEnd::Strong => self.out.push_str("</strong>"),
            TagEnd::Strikethrough => self.out.push_str("</del>"),
            TagEnd::Link => match self.state.links.pop() {
                Some(Written::AsLink) => self.out.push_str("</a>"),
                Some(Written::Cited) => self.mark(),
                Some(Written::AsText) | None => {}
            },
            TagEnd::FootnoteDefinition => self.end_footnote(),
            TagEnd::Image
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    fn open(&mut self, tag: &str) {
        if self.state.depth < DEEPEST {
            self.out.push_str(tag);
        }
        self.state.depth += 1;
    }

    fn close(&mut self, tag: &str) {
        self.state.depth = self.state.depth.saturating_sub(1);
        if self.state.depth < DEEPEST {
            self.out.push_str(tag);
        }
    }

    /// Its words are known only once it ends.
    fn place_heading(&mut self) {
        let (Some((at, words)), Some(name)) = (self.state.heading.take(), self.options.place) else { return };
        let mut place = String::from(" id=\"");
        escape(&mut place, &name(&words));
        place.push('"');
        self.out.insert_str(at, &place);
    }

    fn start_cell(&mut self) {
        self.out.push_str(match self.state.row {
            Row::Head => "<th scope=\"col\"",
            Row::Body => "<td",
        });
        self.out.push_str(match self.state.alignments.get(self.state.column) {
            Some(Alignment::Center) => " class=\"center\">",
            Some(Alignment::Right) => " class=\"right\">",
            Some(Alignment::Left | Alignment::None) | None => ">",
        });
        self.state.column += 1;
    }

    /// Begins a citation where the address is of a source. The words stay where they belong to a sentence; behind
    /// one that has ended, or in brackets, they only name the source again, and its mark is enough.
    fn cited(&mut self, url: &str) -> Option<Written> {
        let cite = self.options.cite?;
        match cite(url) {
            Citation::None => None,
            Citation::Missing => Some(Written::AsText),
            Citation::Source { number, label } => {
                let mut mark = String::from("<a class=\"cite\" href=\"");
                escape(&mut mark, url);
                mark.push_str("\" title=\"");
                escape(&mut mark, &label);
                mark.push_str("\" aria-label=\"Source ");
                mark.push_str(&number.to_string());
                mark.push_str(": ");
                escape(&mut mark, &label);
                mark.push_str(&format!("\">{number}</a>"));
                self.state.mark = Some((self.out.len(), mark));
                Some(Written::Cited)
            }
        }
    }

    fn mark(&mut self) {
        let Some((from, mark)) = self.state.mark.take() else { return };
        let before = self.out[..from].trim_end();
        if before.ends_with(['.', '!', '?', ':', ';', ',', '…', '”', '"', '(', '['])
            || before.ends_with("</a>")
        {
            self.out.truncate(from);
        }
        self.out.push_str(&mark);
    }

    /// Opens a link where the address may be one.
    fn link(&mut self, url: &str) -> Written {
        match links::destination(url) {
            Some(destination) => self.link_to(url, destination),
            None => Written::AsText,
        }
    }

    fn link_to(&mut self, url: &str, destination: Destination) -> Written {
        self.out.push_str("<a href=\"");
        escape(self.out, url);
        self.out.push_str(match destination {
            Destination::Here => "\">",
            Destination::Elsewhere => "\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">",
        });
        Written::AsLink
    }

    fn text_with_links(&mut self, text: &str) {
        let mut rest = text;
        while let Some(range) = links::next_in(rest) {
            escape(self.out, &rest[..range.start]);
            let address = &rest[range.clone()];
            let written = self.link(address);
            escape(self.out, address);
            if written == Written::AsLink {
                self.out.push_str("</a>");
            }
            rest = &rest[range.end..];
        }
        escape(self.out, rest);
    }

    /// A picture of ours is shown. Any other would tell a stranger that this text was read: it becomes
    /// a link that says where it leads.
    fn image(&mut self) {
        let Some(Image { address: url, text: alternative, written, .. }) = self.state.image.take() else {
            return;
        };
        if matches!(written, LinkType::WikiLink { .. }) {
            return self.embed(&url, &alternative);
        }
        if links::is_own_file(&url) {
            return self.picture(&url, &alternative);
        }
        let label = match (alternative.trim(), links::host(&url)) {
            ("", "") => "image".to_owned(),
            ("", host) => format!("image ({host})"),
            (alternative, "") => format!("image: {alternative}"),
            (alternative, host) => format!("image: {alternative} ({host})"),
        };
        self.out.push_str("<span class=\"picture\">");
        // A link within a link is not HTML: the outer one stays.
        let written =
            if self.state.links.contains(&Written::AsLink) { Written::AsText } else { self.link(&url) };
        escape(self.out, &label);
        if written == Written::AsLink {
            self.out.push_str("</a>");
        }
        self.out.push_str("</span>");
    }

    fn picture(&mut self, url: &str, alternative: &str) {
        self.out.push_str("<img loading=\"lazy\" src=\"");
        escape(self.out, url);
        self.out.push_str("\" alt=\"");
        escape(self.out, alternative);
        self.out.push_str("\">");
    }

    /// `![[…]]`: a picture of the note is shown, another file and another note are led to.
    fn embed(&mut self, what: &str, words: &str) {
        let address = match (links::embedded_file(what), self.options.files) {
            (Some(name), Some(files)) => {
                let address = format!("{files}{}", links::encoded(name));
                // what stands behind a bar is how wide it is to be
                if links::is_picture(name) {
                    return self.picture(&address, name);
                }
                address
            }
            (Some(name), None) => return escape(self.out, name),
            (None, _) => links::to_note(what),
        };
        if self.state.links.contains(&Written::AsLink) {
            return escape(self.out, words);
        }
        self.out.push_str("<a class=\"embed\" href=\"");
        escape(self.out, &address);
        self.out.push_str("\">");
        escape(self.out, &if words == what { what.replace('#', " › ") } else { words.to_owned() });
        self.out.push_str("</a>");
    }

    fn code_block(&mut self) {
        let Some((language, code)) = self.state.code.take() else {
            return;
        };
        self.out.push_str("<figure class=\"code\"><figcaption><span>");
        escape(self.out, if language.is_empty() { "text" } else { &language });
        self.out.push_str(
            "</span><button type=\"button\" data-copy>Copy</button></figcaption><pre tabindex=\"0\"><code",
        );
        if !language.is_empty() {
            self.out.push_str(" class=\"language-");
            escape(self.out, &language);
            self.out.push('"');
        }
        self.out.push('>');
        let coloured = self
            .options
            .highlight
            .filter(|_| !language.is_empty())
            .and_then(|colour| colour(&code, &language));
        match coloured.filter(|html| vetted::is_highlighted(html, &code)) {
            Some(html) => self.out.push_str(&html),
            None => escape(self.out, &code),
        }
        self.out.push_str("</code></pre></figure>\n");
    }

    /// `$5-$10` are prices: a dollar that closes a formula is not followed by a digit.
    fn line_math(&mut self, latex: &str, range: Range<usize>) {
        if self.source[range.end..].starts_with(|c: char| c.is_ascii_digit()) {
            escape(self.out, &self.source[range]);
        } else {
            self.math(latex, Place::Line);
        }
    }

    fn math(&mut self, latex: &str, place: Place) {
        match math::html(latex, place) {
            Some(mathml) => self.out.push_str(&mathml),
            None => {
                self.out.push_str("<code class=\"math\">");
                escape(self.out, latex);
                self.out.push_str("</code>");
            }
        }
    }
}

/// Messages are the page's second level: one level for all keeps the outline whole, whatever the text
/// skips. A note is its page; its headings begin below its title.
fn heading_number(kind: Dialect, level: HeadingLevel) -> u8 {
    match (kind, level) {
        (Dialect::Message, _) => 3,
        (Dialect::Note, HeadingLevel::H1) => 2,
        (Dialect::Note, HeadingLevel::H2) => 3,
        (Dialect::Note, HeadingLevel::H3) => 4,
        (Dialect::Note, HeadingLevel::H4) => 5,
        (Dialect::Note, HeadingLevel::H5 | HeadingLevel::H6) => 6,
    }
}

fn heading_class(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "level-1",
        HeadingLevel::H2 => "level-2",
        HeadingLevel::H3 => "level-3",
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => "level-4",
    }
}

/// The first word after the fence, of the characters that names of languages have.
fn language(kind: &CodeBlockKind<'_>) -> String {
    let CodeBlockKind::Fenced(info) = kind else {
        return String::new();
    };
    let word = info.split([' ', ',', '\t', '{']).next().unwrap_or("");
    word.chars().filter(|c| c.is_ascii_alphanumeric() || "+-#._".contains(*c)).take(24).collect()
}

fn is_line_break(html: &str) -> bool {
    matches!(html, "<br>" | "<br/>" | "<br />")
}

/// Appends text so that it is text in an element and in a quoted attribute.
fn escape(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(entity);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}
