//! How many of what sort were found: counted among the rows of one search, so of nothing that one may not see.

use super::Row;
use shared::search::{KindFacet, SearchFacets, SourceKind, TagFacet};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Tags that are offered.
const MOST_TAGS: usize = 12;

/// Each thing counts once, however many of its parts were found.
pub(super) fn count(rows: &[Row]) -> SearchFacets {
    let mut kinds: BTreeMap<SourceKind, BTreeSet<Uuid>> = BTreeMap::new();
    let mut tags: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for row in rows {
        if let Some(kind) =
            SourceKind::ALL.into_iter().find(|kind| kind.stored().contains(&row.source_kind.as_str()))
        {
            kinds.entry(kind).or_default().insert(row.source_id);
        }
        for tag in &row.tags {
            tags.entry(tag).or_default().insert(row.source_id);
        }
    }
    let mut kinds: Vec<_> =
        kinds.into_iter().map(|(kind, of)| KindFacet { kind, count: number(&of) }).collect();
    kinds.sort_by_key(|facet| std::cmp::Reverse(facet.count));
    let mut tags: Vec<_> =
        tags.into_iter().map(|(tag, of)| TagFacet { tag: tag.to_owned(), count: number(&of) }).collect();
    tags.sort_by_key(|facet| std::cmp::Reverse(facet.count));
    tags.truncate(MOST_TAGS);
    SearchFacets { kinds, tags }
}

fn number(of: &BTreeSet<Uuid>) -> u32 {
    u32::try_from(of.len()).unwrap_or(u32::MAX)
}
