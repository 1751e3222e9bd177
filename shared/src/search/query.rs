//! What somebody typed to search with: words, and among them what narrows the search. Read here and nowhere else,
//! and written back the same way, so that a filter can be taken away by a click.

use super::SourceKind;
use std::fmt;
use time::Date;
use time::macros::format_description;

/// `lease kind:file in:"Flat 3" tag:home after:2026-01-31`, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What is searched for, quotes and minuses included.
    pub words: String,
    /// Any of these; all when empty.
    pub kinds: Vec<SourceKind>,
    /// All of these, in lower case and without `#`.
    pub tags: Vec<String>,
    /// In a folder of any of these names, or below it; in lower case.
    pub folders: Vec<String>,
    /// Not older than this day.
    pub after: Option<Date>,
    /// Older than this day.
    pub before: Option<Date>,
}

/// A filter that says nothing we understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError(pub String);

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for QueryError {}

impl Query {
    pub fn parse(typed: &str) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let mut words = Vec::new();
        for word in tokens(typed) {
            match word.split_once(':') {
                Some((name, value)) if is_filter(name) && !value.is_empty() => {
                    query.narrow(name, unquoted(value))?
                }
                _ => words.push(word),
            }
        }
        query.words = words.join(" ");
        Ok(query)
    }

    fn narrow(&mut self, name: &str, value: &str) -> Result<(), QueryError> {
        match name {
            "kind" => push_new(&mut self.kinds, kind_of(value)?),
            "tag" => push_new(&mut self.tags, value.trim_start_matches('#').to_lowercase()),
            "in" => push_new(&mut self.folders, value.trim_matches('/').to_lowercase()),
            "after" => self.after = Some(day_of(name, value)?),
            _ => self.before = Some(day_of(name, value)?),
        }
        Ok(())
    }

    pub fn is_narrowed(&self) -> bool {
        *self != Self { words: self.words.clone(), ..Self::default() }
    }

    /// The same, of this kind alone.
    pub fn of_kind(&self, kind: SourceKind) -> Self {
        Self { kinds: vec![kind], ..self.clone() }
    }

    /// The same, with this tag as well.
    pub fn with_tag(&self, tag: &str) -> Self {
        let mut query = self.clone();
        push_new(&mut query.tags, tag.to_lowercase());
        query
    }

    /// Each filter by itself as one reads it, and the query without it.
    pub fn filters(&self) -> Vec<(String, Self)> {
        let mut filters = Vec::new();
        for (at, kind) in self.kinds.iter().enumerate() {
            filters.push((kind.title().to_owned(), Self { kinds: without(&self.kinds, at), ..self.clone() }));
        }
        for (at, tag) in self.tags.iter().enumerate() {
            filters.push((format!("#{tag}"), Self { tags: without(&self.tags, at), ..self.clone() }));
        }
        for (at, folder) in self.folders.iter().enumerate() {
            filters
                .push((format!("In {folder}"), Self { folders: without(&self.folders, at), ..self.clone() }));
        }
        if let Some(day) = self.after {
            filters.push((format!("From {day}"), Self { after: None, ..self.clone() }));
        }
        if let Some(day) = self.before {
            filters.push((format!("Before {day}"), Self { before: None, ..self.clone() }));
        }
        filters
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![self.words.clone()];
        parts.extend(self.kinds.iter().map(|kind| format!("kind:{}", kind.as_str())));
        parts.extend(self.tags.iter().map(|tag| format!("tag:{}", quoted(tag))));
        parts.extend(self.folders.iter().map(|folder| format!("in:{}", quoted(folder))));
        parts.extend(self.after.map(|day| format!("after:{day}")));
        parts.extend(self.before.map(|day| format!("before:{day}")));
        parts.retain(|part| !part.is_empty());
        f.write_str(&parts.join(" "))
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}

fn without<T: Clone>(list: &[T], at: usize) -> Vec<T> {
    list.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, one)| one.clone()).collect()
}

fn is_filter(name: &str) -> bool {
    matches!(name, "kind" | "tag" | "in" | "after" | "before")
}

/// Words between spaces. A filter's value in quotes is one, with its spaces; other quotes stay as they are.
fn tokens(typed: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = typed.trim_start();
    while !rest.is_empty() {
        let quoted = rest.split_once(":\"").filter(|(name, _)| is_filter(name)).and_then(|(name, value)| {
            let end = value.find('"')?;
            Some(name.len() + 2 + end + 1)
        });
        let end = quoted.or_else(|| rest.find(char::is_whitespace)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

fn unquoted(value: &str) -> &str {
    value.trim_matches('"').trim()
}

fn quoted(value: &str) -> String {
    match value.contains(char::is_whitespace) {
        true => format!("\"{value}\""),
        false => value.to_owned(),
    }
}

fn kind_of(value: &str) -> Result<SourceKind, QueryError> {
    SourceKind::named(value).ok_or_else(|| {
        let known: Vec<&str> = SourceKind::ALL.iter().map(|kind| kind.as_str()).collect();
        QueryError(format!("There is no kind ‘{value}’: {}.", known.join(", ")))
    })
}

fn day_of(name: &str, day: &str) -> Result<Date, QueryError> {
    Date::parse(day, format_description!("[year]-[month]-[day]"))
        .map_err(|_| QueryError(format!("‘{name}:’ takes a day, as in {name}:2026-01-31.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn what_narrows_is_taken_out_of_the_words() {
        let query = Query::parse(
            "lease  kind:files in:\"Flat Three\" tag:#Home after:2026-01-31 before:2026-02-01 notice: \"by post\"",
        )
        .unwrap();
        assert_eq!(query.words, "lease notice: \"by post\"");
        assert_eq!(
            (query.kinds.clone(), query.tags.clone()),
            (vec![SourceKind::File], vec!["home".to_owned()])
        );
        assert_eq!(query.folders, ["flat three"]);
        assert_eq!((query.after, query.before), (Some(date!(2026 - 01 - 31)), Some(date!(2026 - 02 - 01))));
        assert_eq!(Query::parse(&query.to_string()).unwrap(), query, "it reads what it writes");
    }

    #[test]
    fn a_filter_that_is_still_being_typed_is_a_word_and_one_that_means_nothing_is_refused() {
        assert_eq!(Query::parse("kind: x in:").unwrap().words, "kind: x in:");
        assert_eq!(
            Query::parse("see https://example.org std::fmt").unwrap().words,
            "see https://example.org std::fmt"
        );
        assert!(Query::parse("kind:spoon x").is_err() && Query::parse("after:soon x").is_err());
        assert!(Query::parse("in:\"never closed").unwrap().folders == ["never"]);
    }

    #[test]
    fn each_filter_can_be_taken_away_and_put_there() {
        let query = Query::parse("tea kind:note tag:drinks").unwrap();
        let without: Vec<_> =
            query.filters().into_iter().map(|(name, rest)| (name, rest.to_string())).collect();
        let expected = [("Notes", "tea tag:drinks"), ("#drinks", "tea kind:note")];
        assert_eq!(without, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(
            Query::parse("tea").unwrap().of_kind(SourceKind::File).with_tag("Hot").to_string(),
            "tea kind:file tag:hot"
        );
    }
}
