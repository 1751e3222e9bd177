//! What a note's Markdown says beside its words: links, tags, people, and the passages it is found
//! by. Pure.

use super::frontmatter;
use crate::files::Spot;
use crate::passages::{MOST_TOKENS, tokens};
use crate::text::first_words;
use embeddings::Shape;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};
use shared::note::headings::Headings;
use std::ops::Range;

/// Characters of an excerpt.
const EXCERPT: usize = 200;
/// Tags of one note that are kept, and the longest of them in characters.
const MOST_TAGS: usize = 32;
const LONGEST_TAG: usize = 50;
/// Links of one note that are kept.
const MOST_LINKS: usize = 5000;
/// Passages of one note that are kept.
const MOST_PASSAGES: usize = 10_000;

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Markup {
    /// The first words, without marks.
    pub excerpt: String,
    pub words: i32,
    /// In lower case, without `#`, in their order.
    pub tags: Vec<String>,
    /// Other names of the note, in lower case.
    pub aliases: Vec<String>,
    pub links: Vec<Link>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkKind {
    Wikilink,
    Person,
}

impl LinkKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wikilink => "wikilink",
            Self::Person => "person",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Link {
    pub kind: LinkKind,
    /// Where the name stands in the text: without brackets, heading and label.
    pub name: Range<usize>,
    /// Whether it is `![[…]]`, which shows what it names.
    pub embed: bool,
}

impl Link {
    /// The name in lower case, as links are compared.
    pub fn key(&self, text: &str) -> String {
        text[self.name.clone()].to_lowercase()
    }

    /// Whether it shows a file (`![[picture.png]]`) rather than names a note.
    pub fn is_file(&self, text: &str) -> bool {
        self.embed
            && text[self.name.clone()].rsplit_once('.').is_some_and(|(_, end)| {
                (1..=5).contains(&end.len()) && end.chars().all(char::is_alphanumeric)
            })
    }
}

impl Markup {
    pub fn of(text: &str) -> Self {
        let (block, body) = frontmatter::split(text);
        let mut reader = Reader { text, markup: Self::default(), shown: String::new(), run: 0..0, links: 0 };
        if let Some(block) = block {
            for tag in frontmatter::values(block, "tags").iter().chain(&frontmatter::values(block, "tag")) {
                reader.tag(tag.trim_start_matches('#'));
            }
            let mut aliases = frontmatter::values(block, "aliases");
            aliases.extend(frontmatter::values(block, "alias"));
            reader.markup.aliases = aliases.iter().map(|a| a.to_lowercase()).take(MOST_TAGS).collect();
        }
        let start = text.len() - body.len();
        for (event, range) in Parser::new_ext(body, dialect()).into_offset_iter() {
            reader.take(&event, range.start + start..range.end + start);
        }
        reader.flush();
        reader.markup.excerpt = first_words(&reader.shown, EXCERPT);
        reader.markup
    }
}

fn dialect() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_WIKILINKS
}

struct Reader<'a> {
    text: &'a str,
    markup: Markup,
    /// The beginning of the text as it reads.
    shown: String,
    /// Plain text not yet looked through; the parser gives it in pieces.
    run: Range<usize>,
    /// How many links, of any kind, it is inside of.
    links: u32,
}

impl Reader<'_> {
    fn take(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Text(words) => {
                self.show(words);
                if self.run.end != range.start {
                    self.flush();
                    self.run.start = range.start;
                }
                self.run.end = range.end;
                if self.links > 0 {
                    self.run.start = self.run.end;
                }
                return;
            }
            Event::Code(words) | Event::InlineMath(words) | Event::DisplayMath(words) => self.show(words),
            Event::Start(Tag::Link { link_type: LinkType::WikiLink { .. }, .. }) => {
                self.wikilink(range);
                self.links += 1;
            }
            Event::Start(Tag::Image { link_type: LinkType::WikiLink { .. }, .. }) => {
                self.wikilink(range);
                self.links += 1;
            }
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_)) => self.links += 1,
            Event::End(TagEnd::Link | TagEnd::Image) => self.links -= 1,
            Event::End(TagEnd::CodeBlock) => {
                self.links -= 1;
                self.show(" ");
            }
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) => {}
            Event::End(_) | Event::SoftBreak | Event::HardBreak => self.show(" "),
            _ => {}
        }
        self.flush();
    }

    fn show(&mut self, words: &str) {
        self.markup.words = self.markup.words.saturating_add(
            i32::try_from(words.split_whitespace().filter(|w| w.contains(char::is_alphanumeric)).count())
                .unwrap_or(i32::MAX),
        );
        if self.shown.len() < EXCERPT * 6 {
            self.shown.push_str(words);
        }
    }

    /// `[[name#heading|label]]`, with `!` before it where it embeds.
    fn wikilink(&mut self, range: Range<usize>) {
        let written = &self.text[range.clone()];
        let Some(open) = written.find("[[") else { return };
        let inner = &written[open + 2..];
        let end = inner.find(['#', '|', '^', ']', '\n']).unwrap_or(inner.len());
        let name = inner[..end].trim_end_matches('\\');
        let trimmed = name.trim();
        if trimmed.is_empty() || self.markup.links.len() >= MOST_LINKS {
            return;
        }
        let start = range.start + open + 2 + (name.len() - name.trim_start().len());
        self.markup.links.push(Link {
            kind: LinkKind::Wikilink,
            name: start..start + trimmed.len(),
            embed: written.starts_with('!'),
        });
    }

    /// Looks through a run of plain text for `#tags` and `@people`.
    fn flush(&mut self) {
        let run = std::mem::replace(&mut self.run, 0..0);
        let mut at = run.start;
        while let Some(found) = self.text[at..run.end].find(['#', '@']) {
            let mark = at + found;
            at = mark + 1;
            let before = self.text[..mark].chars().next_back();
            if before.is_some_and(|c| !(c.is_whitespace() || matches!(c, '(' | ',' | ';' | '"' | '“'))) {
                continue;
            }
            let tag = self.text[mark..].starts_with('#');
            let rest = &self.text[at..run.end];
            let length = rest
                .find(|c: char| {
                    !(c.is_alphanumeric() || matches!(c, '_' | '-') || tag && c == '/' || !tag && c == '.')
                })
                .unwrap_or(rest.len());
            let name = rest[..length].trim_end_matches(['-', '.', '/']);
            let range = at..at + name.len();
            at += length;
            if tag {
                let name = self.text[range].to_owned();
                self.tag(&name);
            } else if name.starts_with(char::is_alphabetic) && self.markup.links.len() < MOST_LINKS {
                self.markup.links.push(Link { kind: LinkKind::Person, name: range, embed: false });
            }
        }
    }

    fn tag(&mut self, name: &str) {
        let name = name.trim().to_lowercase();
        let names = name.contains(|c: char| c.is_alphanumeric() && !c.is_ascii_digit());
        let fits = self.markup.tags.len() < MOST_TAGS && name.chars().count() <= LONGEST_TAG;
        if names && fits && !self.markup.tags.contains(&name) {
            self.markup.tags.push(name);
        }
    }
}

/// What to put where, back to front, so that links to `old` name `new`. A link may also name the
/// folder before the title; that stays.
pub(crate) fn renamed(text: &str, old: &str, new: &str) -> Vec<Range<usize>> {
    let old = old.to_lowercase();
    if new.contains(['[', ']', '|', '#', '^', '\n']) {
        return Vec::new();
    }
    let mut places: Vec<Range<usize>> = Markup::of(text)
        .links
        .into_iter()
        .filter(|link| link.kind == LinkKind::Wikilink)
        .filter_map(|link| {
            if link.key(text) == old {
                return Some(link.name);
            }
            let last = text[link.name.clone()].rfind('/')? + 1;
            let title = link.name.start + last..link.name.end;
            (text[title.clone()].to_lowercase() == old).then_some(title)
        })
        .collect();
    places.reverse();
    places
}

/// A passage of a note, and the heading that it stands under.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Passage<'a> {
    pub text: &'a str,
    pub spot: Option<Spot>,
}

/// The text in passages to be found by, without its properties.
pub(crate) fn passages(text: &str) -> Vec<Passage<'_>> {
    let (_, body) = frontmatter::split(text);
    let headings = headings(body);
    let cut = embeddings::passages(body, Shape::Markdown, &tokens, MOST_TOKENS);
    let placed = cut.into_iter().map(|passage| {
        // Headings stand at the beginning of a passage: the last one is its own.
        let above = headings.partition_point(|(at, _)| *at < passage.range.end).checked_sub(1);
        let spot =
            above.zip(passage.heading).map(|(at, label)| Spot { anchor: headings[at].1.clone(), label });
        Passage { text: &body[passage.range], spot }
    });
    placed.take(MOST_PASSAGES).collect()
}

/// The text under each of its headings; what stands above the first, properties included, has no place.
pub(crate) fn sections(text: &str) -> Vec<(Option<String>, &str)> {
    let (_, body) = frontmatter::split(text);
    let headings = headings(body);
    let first = text.len() - body.len() + headings.first().map_or(body.len(), |(at, _)| *at);
    let ends = headings.iter().skip(1).map(|(at, _)| *at).chain([body.len()]);
    let under = headings.iter().zip(ends).map(|((at, place), end)| (Some(place.clone()), &body[*at..end]));
    [(None, &text[..first])].into_iter().chain(under).collect()
}

/// Where the headings begin that stand in nothing else, and their places.
fn headings(body: &str) -> Vec<(usize, String)> {
    let mut names = Headings::default();
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut open: Option<(usize, String)> = None;
    for (event, range) in Parser::new_ext(body, dialect()).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if matches!(tag, Tag::Heading { .. }) && depth == 0 {
                    open = Some((range.start, String::new()));
                }
                depth += 1;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                if let (TagEnd::Heading(_), Some((at, words))) = (tag, open.take_if(|_| depth == 0)) {
                    found.push((at, names.place(&words)));
                }
            }
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) => {
                if let Some((_, words)) = &mut open {
                    words.push_str(&text);
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        Markup::of(text).links.iter().map(|link| link.key(text)).collect()
    }

    #[test]
    fn links_are_read_with_headings_labels_and_folders_but_not_from_code() {
        let text = "See [[Plan]], [[ Big Idea#Why|the why]] and [[work/Plan|x]].\n\n`[[no]]`\n\n```\n[[no]]\n```\n\n![[pic.png]] [[]] [[#here]]";
        assert_eq!(keys(text), ["plan", "big idea", "work/plan", "pic.png"]);
        assert!(Markup::of(text).links[3].embed);
    }

    #[test]
    fn tags_and_people_are_read_from_plain_text_and_frontmatter() {
        let text = "---\ntags: [Home, '#two']\naliases: Other Name\n---\n#Work and #a_b/c-d, not#this, \\#nor #1 `#code` [#x](y)\n\n@zoë.k said, mail a@b.org (@Bo)\n\n# Heading";
        let markup = Markup::of(text);
        assert_eq!(markup.tags, ["home", "two", "work", "a_b/c-d"]);
        assert_eq!(markup.aliases, ["other name"]);
        assert_eq!(keys(text), ["zoë.k", "bo"]);
    }

    #[test]
    fn an_excerpt_is_without_marks() {
        let markup =
            Markup::of("---\nx: y\n---\n# Über **uns**\n\n- [ ] one\n- two `three` [four](u) [[five|six]]\n");
        assert_eq!(markup.excerpt, "Über uns one two three four six");
        assert_eq!(markup.words, 7);
    }

    #[test]
    fn a_rename_finds_each_way_of_naming() {
        let text = "[[Old]] [[old#h|x]] [[a/OLD]] [[Older]] `[[Old]]` ![[Old]]";
        let mut changed = text.to_owned();
        for place in renamed(text, "Old", "New") {
            changed.replace_range(place, "New");
        }
        assert_eq!(changed, "[[New]] [[New#h|x]] [[a/New]] [[Older]] `[[Old]]` ![[New]]");
        assert!(renamed(text, "Old", "a|b").is_empty());
    }

    #[test]
    fn the_text_falls_into_what_stands_under_each_heading() {
        let text = "---\nx: y\n---\nintro\n\n# One\n\na\n\n> # quoted\n\n## *Two*\n\nTwo\n---\n\nb";
        let parts = sections(text);
        let places: Vec<Option<&str>> = parts.iter().map(|(place, _)| place.as_deref()).collect();
        assert_eq!(places, [None, Some("h-one"), Some("h-two"), Some("h-two-2")]);
        assert_eq!(parts[1].1, "# One\n\na\n\n> # quoted\n\n");
        assert_eq!(parts.iter().map(|(_, text)| *text).collect::<String>(), text);
        assert_eq!(sections("plain"), [(None, "plain")]);
    }

    #[test]
    fn passages_begin_at_headings_and_hold_every_word() {
        let text = format!(
            "intro\n\n# One\n\n{}\n\n## Two\n```\n# not a heading\n```\nend",
            "words and more. \n\n".repeat(200)
        );
        let placed = passages(&text);
        let under = |at: usize| placed[at].spot.as_ref().map(|spot| (&*spot.anchor, &*spot.label));
        assert_eq!(under(0), None);
        assert_eq!((under(1), under(2)), (Some(("h-one", "One")), Some(("h-one", "One"))));
        assert_eq!(under(placed.len() - 1), Some(("h-two", "One › Two")));
        let cut: Vec<&str> = placed.iter().map(|passage| passage.text).collect();
        assert_eq!(cut[0], "intro");
        assert!(cut[1].starts_with("# One") && cut.len() > 3);
        assert_eq!(*cut.last().unwrap(), "## Two\n```\n# not a heading\n```\nend");
        let words = |t: &str| t.split_whitespace().count();
        assert_eq!(cut.iter().map(|p| words(p)).sum::<usize>(), words(&text));
    }
}
