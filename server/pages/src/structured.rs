//! What a page says of itself in JSON-LD: the one place where a machine is meant to read it.

use dom_query::Document;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What is looked at of a page's graph.
const MOST_NODES: usize = 2000;
const MOST_AUTHORS: usize = 5;

type Node = Map<String, Value>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Structured {
    pub is_article: bool,
    pub headline: Option<String>,
    pub author: Option<String>,
    pub published: Option<String>,
    pub site: Option<String>,
    pub language: Option<String>,
    pub description: Option<String>,
    pub image: Option<String>,
    pub url: Option<String>,
}

pub(crate) fn read(document: &Document) -> Structured {
    let scripts = document.select("script[type='application/ld+json']");
    let texts = scripts.iter().map(|script| script.text());
    let values: Vec<Value> = texts.filter_map(|text| serde_json::from_str(text.trim()).ok()).collect();
    let mut graph = Graph::default();
    for value in &values {
        graph.add(value);
    }
    let best = graph.nodes.iter().filter_map(|node| Some((rank(node)?, *node)));
    // The first of the best: `min_by_key` keeps it.
    let Some((rank, node)) = best.min_by_key(|(rank, _)| *rank) else { return Structured::default() };
    graph.describe(node, rank)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Article,
    Page,
}

fn rank(node: &Node) -> Option<Rank> {
    let types = match node.get("@type")? {
        Value::String(one) => vec![one.as_str()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let is_article = |name: &&str| {
        name.ends_with("Article")
            || name.ends_with("Posting")
            || matches!(*name, "Report" | "Recipe" | "Review")
    };
    if types.iter().any(is_article) {
        return Some(Rank::Article);
    }
    types.iter().any(|name| name.ends_with("Page")).then_some(Rank::Page)
}

#[derive(Default)]
struct Graph<'a> {
    nodes: Vec<&'a Node>,
    by_id: HashMap<&'a str, &'a Node>,
}

impl<'a> Graph<'a> {
    fn add(&mut self, value: &'a Value) {
        let mut waiting = vec![value];
        while let Some(value) = waiting.pop() {
            match value {
                Value::Array(values) => waiting.extend(values.iter().rev()),
                Value::Object(node) if self.nodes.len() < MOST_NODES => {
                    if let Some(id) = node.get("@id").and_then(Value::as_str).filter(|_| node.len() > 1) {
                        self.by_id.entry(id).or_insert(node);
                    }
                    self.nodes.push(node);
                    waiting.extend(node.get("@graph"));
                    waiting.extend(node.get("mainEntity"));
                }
                _ => {}
            }
        }
    }

    fn describe(&self, node: &Node, rank: Rank) -> Structured {
        let text = |key: &str| node.get(key).and_then(Value::as_str).map(str::to_owned);
        Structured {
            is_article: rank == Rank::Article,
            headline: text("headline").or_else(|| text("name")),
            author: node.get("author").or_else(|| node.get("creator")).and_then(|author| self.names(author)),
            published: text("datePublished").or_else(|| text("dateCreated")),
            site: node.get("publisher").or_else(|| node.get("isPartOf")).and_then(|site| self.name(site)),
            language: node.get("inLanguage").and_then(|language| self.name(language)),
            description: text("description"),
            image: node.get("image").and_then(|image| self.address(image)),
            url: text("url").or_else(|| node.get("mainEntityOfPage").and_then(|page| self.address(page))),
        }
    }

    fn names(&self, value: &Value) -> Option<String> {
        let names: Vec<String> = match value {
            Value::Array(values) => {
                values.iter().take(MOST_AUTHORS).filter_map(|value| self.name(value)).collect()
            }
            value => self.name(value).into_iter().collect(),
        };
        (!names.is_empty()).then(|| names.join(", "))
    }

    fn name(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(name) if !name.starts_with("http") => Some(name.clone()),
            Value::Array(values) => values.iter().find_map(|value| match value {
                Value::Array(_) => None,
                value => self.name(value),
            }),
            Value::Object(node) => self.text_of(node, &["name", "alternateName"]),
            _ => None,
        }
    }

    fn address(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(address) => Some(address.clone()),
            Value::Array(values) => values.iter().find_map(|value| match value {
                Value::Array(_) => None,
                value => self.address(value),
            }),
            Value::Object(node) => self.text_of(node, &["url", "contentUrl", "@id"]),
            _ => None,
        }
    }

    /// A text of the node, or of the one it points at.
    fn text_of(&self, node: &Node, keys: &[&str]) -> Option<String> {
        let own = |node: &Node| keys.iter().find_map(|key| node.get(*key)?.as_str().map(str::to_owned));
        let pointed = || self.by_id.get(node.get("@id")?.as_str()?).and_then(|node| own(node));
        if node.len() == 1 { pointed().or_else(|| own(node)) } else { own(node).or_else(pointed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structured(json: &str) -> Structured {
        read(&Document::from(format!("<script type='application/ld+json'>{json}</script>")))
    }

    #[test]
    fn an_article_in_a_graph_is_found_with_what_it_points_at() {
        let found = structured(
            r##"{"@context": "https://schema.org", "@graph": [
                {"@type": "WebPage", "@id": "#page", "name": "A page", "datePublished": "2020-01-01"},
                {"@type": ["NewsArticle", "Thing"], "headline": "A headline", "author": [{"@id": "#one"}, {"name": "Two"}],
                 "publisher": {"@id": "#site"}, "image": {"@id": "#image"}, "mainEntityOfPage": {"@id": "https://a.example/page"}},
                {"@type": "Person", "@id": "#one", "name": "One"},
                {"@type": "ImageObject", "@id": "#image", "url": "/image.png"},
                {"@type": "Organization", "@id": "#site", "name": "The Site"}]}"##,
        );
        assert!(found.is_article);
        assert_eq!(found.headline.as_deref(), Some("A headline"));
        assert_eq!(found.author.as_deref(), Some("One, Two"));
        assert_eq!(found.site.as_deref(), Some("The Site"));
        assert_eq!(found.image.as_deref(), Some("/image.png"));
        assert_eq!(found.url.as_deref(), Some("https://a.example/page"));
        assert_eq!(found.published, None);
    }

    #[test]
    fn json_of_no_use_is_passed_over() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        let nested = "{\"@graph\":[".repeat(60) + &"]}".repeat(60);
        for json in ["", "{", "null", "[]", "3", "{\"@type\": 4}", "{\"@type\": \"Person\"}", &deep, &nested]
        {
            assert_eq!(structured(json), Structured::default(), "{json}");
        }
        let odd =
            structured(r#"{"@type": "Article", "headline": 4, "author": {"name": []}, "image": [[["x"]]]}"#);
        assert_eq!(odd, Structured { is_article: true, ..Structured::default() });
    }
}
