//! Tool calls while they arrive: their ids, their arguments, and a bound on what is held of them.

use crate::{CallRequest, Error, Prompt, Turn};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How much of one answer may be held, in arguments of calls and in what may have to be given back
/// to the provider. Twice what an answer may be long, so that whoever reads the answer stops first.
const MOST_HELD_BYTES: usize = 8 << 20;
const MOST_CALLS: usize = 128;
/// Ids made up here start with it; they mean nothing to a provider that gives none.
const MADE_UP: &str = "call-";

/// Gives each call an id that no other call of the prompt or the answer has.
pub(crate) struct CallIds {
    taken: HashSet<String>,
}

impl CallIds {
    pub fn new(prompt: &Prompt) -> Self {
        let taken = prompt
            .turns
            .iter()
            .filter_map(|turn| match turn {
                Turn::Assistant { tool_calls, .. } => Some(tool_calls),
                _ => None,
            })
            .flatten()
            .map(|call| call.id.clone())
            .collect();
        Self { taken }
    }

    /// The provider's own id where it can be; some count from zero in every answer, or give none.
    pub fn assign(&mut self, given: &str) -> String {
        let id = if given.is_empty() || self.taken.contains(given) {
            format!("{MADE_UP}{}", uuid::Uuid::new_v4().simple())
        } else {
            given.to_owned()
        };
        self.taken.insert(id.clone());
        id
    }
}

/// Whether a provider knows this id.
pub(crate) fn is_the_providers(id: &str) -> bool {
    !id.starts_with(MADE_UP)
}

/// The arguments as an object; anything else as the text that came.
pub(crate) fn read_arguments(raw: &str) -> Value {
    if raw.trim().is_empty() {
        return Value::Object(Map::new());
    }
    match serde_json::from_str(raw) {
        Ok(Value::Object(fields)) => Value::Object(fields),
        _ => Value::String(raw.to_owned()),
    }
}

/// The same for wires that carry arguments as JSON.
pub(crate) fn check_arguments(arguments: Value) -> Value {
    match arguments {
        Value::Null => Value::Object(Map::new()),
        Value::Object(_) => arguments,
        Value::String(raw) => read_arguments(&raw),
        other => Value::String(other.to_string()),
    }
}

/// For wires on which arguments must be an object: what was unreadable goes back under a name that
/// says so.
pub(crate) fn as_object(call: &CallRequest) -> Value {
    match call.unreadable_arguments() {
        Some(raw) => serde_json::json!({ "unreadable_arguments": raw }),
        None => call.arguments.clone(),
    }
}

/// Counts what is held back.
#[derive(Default)]
pub(crate) struct Held {
    bytes: usize,
}

impl Held {
    pub fn add(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes += bytes;
        if self.bytes > MOST_HELD_BYTES {
            return Err(Error::Malformed("its tool calls and thoughts are longer than 8 MB".to_owned()));
        }
        Ok(())
    }
}

pub(crate) fn check_count(calls: usize) -> Result<(), Error> {
    if calls > MOST_CALLS {
        return Err(Error::Malformed(format!("it calls more than {MOST_CALLS} tools at once")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_that_are_not_an_object_stay_as_the_model_wrote_them() {
        assert_eq!(read_arguments(""), json!({}));
        assert_eq!(read_arguments("{\"a\":1}"), json!({"a": 1}));
        for raw in ["{\"a\":", "[1]", "null", "7", "\"x\"", "{} {}"] {
            let call = CallRequest { id: String::new(), name: String::new(), arguments: read_arguments(raw) };
            assert_eq!(call.unreadable_arguments(), Some(raw));
        }
        assert_eq!(check_arguments(json!("{\"a\":1}")), json!({"a": 1}));
        assert_eq!(check_arguments(json!([1])), json!("[1]"));
    }

    #[test]
    fn ids_that_a_provider_repeats_or_leaves_out_are_made_up() {
        let call = CallRequest { id: "call_0".into(), name: "t".into(), arguments: json!({}) };
        let turns = vec![Turn::Assistant { text: String::new(), tool_calls: vec![call], opaque: None }];
        let mut ids = CallIds::new(&Prompt { turns, ..Prompt::default() });
        let (repeated, own, again, none) =
            (ids.assign("call_0"), ids.assign("call_1"), ids.assign("call_1"), ids.assign(""));
        assert_eq!(own, "call_1");
        let all: HashSet<_> = [&repeated, &own, &again, &none, "call_0"].map(ToOwned::to_owned).into();
        assert_eq!(all.len(), 5);
        assert!(!is_the_providers(&repeated) && is_the_providers(&own));
    }
}
