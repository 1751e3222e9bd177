//! XML parts of office files as a tree, asked by local names: the prefixes differ between programs.
//!
//! Entities that multiply are refused by the parser; depth is bounded before it starts, because a tree
//! is walked with the stack.

use crate::failure::Failure;
use roxmltree::{Document, Node, ParsingOptions};

/// Real documents stay below fifty.
const DEEPEST: usize = 512;

pub(crate) fn parse(text: &str) -> Result<Document<'_>, Failure> {
    if depth(text) > DEEPEST {
        return Err(Failure::damaged("its parts are nested too deeply"));
    }
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(Failure::damaged)
}

pub(crate) fn child<'a, 'd>(node: Node<'a, 'd>, name: &str) -> Option<Node<'a, 'd>> {
    node.children().find(|child| child.has_tag_name_local(name))
}

/// Follows one name after another downwards.
pub(crate) fn at<'a, 'd>(node: Node<'a, 'd>, path: &[&str]) -> Option<Node<'a, 'd>> {
    path.iter().try_fold(node, |node, name| child(node, name))
}

pub(crate) fn find<'a, 'd>(node: Node<'a, 'd>, name: &str) -> Option<Node<'a, 'd>> {
    node.descendants().find(|node| node.has_tag_name_local(name))
}

pub(crate) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value())
}

/// The id of a relationship, which shares its local name with other ids.
pub(crate) fn relation<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.attributes()
        .find(|attribute| {
            attribute.name() == "id"
                && attribute.namespace().is_some_and(|space| space.ends_with("/relationships"))
        })
        .map(|attribute| attribute.value())
}

pub(crate) trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// An upper bound read off the brackets; comments can only make it larger.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = text.as_bytes();
    while let Some(open) = rest.iter().position(|&byte| byte == b'<') {
        rest = &rest[open + 1..];
        match rest.first() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'?' | b'!') | None => {}
            Some(_) => {
                let end = rest.iter().position(|&byte| byte == b'>').unwrap_or(rest.len());
                if end == 0 || rest.get(end - 1) != Some(&b'/') {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                rest = &rest[end..];
            }
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_that_multiply_are_refused() {
        let mut bomb = String::from("<!DOCTYPE a [<!ENTITY a0 \"ha\">");
        for level in 1..40 {
            let before = level - 1;
            bomb.push_str(&format!("<!ENTITY a{level} \"&a{before};&a{before};\">"));
        }
        bomb.push_str("]><a>&a39;</a>");
        assert!(matches!(parse(&bomb), Err(Failure::Damaged { .. })));
    }

    #[test]
    fn a_million_nested_parts_are_refused_before_the_stack_is_used() {
        let bomb = "<a>".repeat(1_000_000);
        let expected = "its parts are nested too deeply".to_owned();
        assert_eq!(parse(&bomb).err(), Some(Failure::Damaged { reason: expected }));
    }
}
