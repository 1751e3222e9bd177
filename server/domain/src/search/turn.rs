//! Where in a list of hits a page is. A cursor says when the list began and how far one has read, so that what is
//! written meanwhile moves nothing.

use super::{LONGEST_QUERY, Search};
use crate::{Error, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use shared::search::query::Query;
use time::OffsetDateTime;

/// The longest page.
const MOST: u32 = 100;

pub(super) struct Turn {
    /// What is searched for: as typed, or as it was understood on the first page.
    pub words: String,
    pub since: Option<OffsetDateTime>,
    pub until: Option<OffsetDateTime>,
    pub skip: i32,
    pub most: i32,
    began: OffsetDateTime,
}

impl Turn {
    pub fn of(search: &Search, query: &Query) -> Result<Self> {
        let (began, skip, words) = match &search.cursor {
            None => (OffsetDateTime::now_utc(), 0, query.words.clone()),
            Some(cursor) => {
                read(cursor).ok_or_else(|| Error::invalid("cursor", "This is not a cursor of a search."))?
            }
        };
        let midnight = |day: time::Date| day.midnight().assume_utc();
        let until = [search.until, query.before.map(midnight), search.cursor.is_some().then_some(began)];
        Ok(Self {
            words,
            since: search.since.into_iter().chain(query.after.map(midnight)).max(),
            until: until.into_iter().flatten().min(),
            skip,
            most: i32::try_from(search.limit.clamp(1, MOST)).unwrap_or(100),
            began,
        })
    }

    pub fn is_first(&self) -> bool {
        self.skip == 0
    }

    /// The cursor of the page after this one, if so many rows leave any for it.
    pub fn after(&self, rows: usize) -> Option<String> {
        let read = self.skip.saturating_add(self.most);
        let more = usize::try_from(read).is_ok_and(|read| read < rows);
        let text = format!("{}|{read}|{}", self.began.unix_timestamp_nanos(), self.words);
        more.then(|| BASE64_URL_SAFE_NO_PAD.encode(text))
    }
}

fn read(cursor: &str) -> Option<(OffsetDateTime, i32, String)> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let mut parts = text.splitn(3, '|');
    let began = OffsetDateTime::from_unix_timestamp_nanos(parts.next()?.parse().ok()?).ok()?;
    let skip: i32 = parts.next()?.parse().ok()?;
    let words = parts.next()?.to_owned();
    ((0..10_000).contains(&skip) && words.len() <= LONGEST_QUERY && !words.contains('\0'))
        .then_some((began, skip, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_where_the_page_ended_with_the_words_of_the_first() {
        let search = |cursor| Search { limit: 20, cursor, ..Search::default() };
        let query = Query { words: "dough | bread".into(), ..Query::default() };
        let first = Turn::of(&search(None), &query).unwrap();
        assert!(first.is_first() && first.until.is_none() && first.after(20).is_none());
        let second = Turn::of(&search(first.after(21)), &Query::default()).unwrap();
        assert_eq!(
            (second.skip, second.words.as_str(), second.until),
            (20, "dough | bread", Some(first.began))
        );
        for cursor in ["", "x", "MXwyfA", "!"] {
            assert!(
                Turn::of(&search(Some(cursor.into())), &query).is_err() || cursor == "MXwyfA",
                "{cursor}"
            );
        }
    }
}
