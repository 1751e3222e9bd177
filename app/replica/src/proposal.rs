//! What models propose, read out of the document. Written by the server only.

use std::collections::HashMap;
use std::sync::Arc;

use yrs::{Any, Map, MapRef, Number, Out, ReadTxn};

use crate::position;

/// An object of proposals by id; whatever is no proposal is left out.
pub(crate) fn json<T: ReadTxn>(txn: &T, proposals: &MapRef) -> String {
    let mut all = HashMap::new();
    for (id, value) in proposals.iter(txn) {
        if let Out::Any(Any::Map(fields)) = value {
            all.insert(id.to_string(), placed(txn, &fields));
        }
    }
    let mut text = String::new();
    Any::Map(Arc::new(all)).to_json(&mut text);
    text
}

fn placed<T: ReadTxn>(txn: &T, fields: &HashMap<String, Any>) -> Any {
    let mut fields = fields.clone();
    if let Some(Any::Array(hunks)) = fields.get("hunks") {
        let hunks = hunks.iter().map(|hunk| match hunk {
            Any::Map(hunk) => Any::Map(Arc::new(resolved(txn, hunk))),
            other => other.clone(),
        });
        let hunks = Any::Array(hunks.collect());
        fields.insert("hunks".to_owned(), hunks);
    }
    Any::Map(Arc::new(fields))
}

fn resolved<T: ReadTxn>(txn: &T, hunk: &HashMap<String, Any>) -> HashMap<String, Any> {
    let mut hunk = hunk.clone();
    for end in ["from", "to"] {
        let at = match hunk.get(end) {
            Some(Any::Buffer(sticky)) => position::resolve(txn, sticky),
            _ => None,
        };
        hunk.insert(end.to_owned(), at.map_or(Any::Null, |at| Any::Number(Number::Float(f64::from(at)))));
    }
    hunk
}
