//! JSON read into our types, small rather than fast: one parser for all of them, and for each type only what takes
//! its fields out of the parsed tree. What serde_json compiles for every type by itself was a good part of what a
//! page had to load.

use super::api::Call;
use leptos::prelude::Resource;
use leptos::server::codee::{Decoder, Encoder};
use serde::Serialize;
use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Error, Number, Value};
use shared::Problem;

pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    T::deserialize(Tree(serde_json::from_str(text)?))
}

/// Reads an enum whose variant the field `type` names: what it holds is the field `content`, or all other fields.
#[cfg(target_arch = "wasm32")]
pub fn tagged<T: DeserializeOwned>(text: &str, content: Option<&str>) -> Result<T, Error> {
    T::deserialize(Tree(untagged(serde_json::from_str(text)?, content)?))
}

/// Elsewhere the types say by themselves how they are tagged.
#[cfg(not(target_arch = "wasm32"))]
pub fn tagged<T: DeserializeOwned>(text: &str, _content: Option<&str>) -> Result<T, Error> {
    from_str(text)
}

/// The same with the tag as the name of the only field, as enums are read that have no tag.
#[cfg(any(target_arch = "wasm32", test))]
fn untagged(value: Value, content: Option<&str>) -> Result<Value, Error> {
    let Value::Object(mut fields) = value else { return Err(unexpected("an object")) };
    let Some(Value::String(name)) = fields.remove("type") else { return Err(unexpected("a type")) };
    let held = match content {
        Some(content) => fields.remove(content).unwrap_or_default(),
        None => Value::Object(fields),
    };
    Ok(Value::Object([(name, held)].into_iter().collect()))
}

/// How what the server fetched for a page travels in it.
pub struct Json;

impl<T: Serialize> Encoder<T> for Json {
    type Error = Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Json {
    type Error = Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Error> {
        from_str(text)
    }
}

/// What a page begins with: fetched by the server, or by the browser where one came from another page.
pub type Fetched<T> = Resource<Result<T, Problem>, Json>;

/// Fetches, and again whenever `source` is another.
pub fn fetched<T, S, Fut>(
    source: impl Fn() -> S + Send + Sync + 'static,
    fetch: impl Fn(S) -> Fut + Send + Sync + 'static,
) -> Fetched<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    S: PartialEq + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<T, Problem>> + Send + 'static,
{
    // Behind one type each, so that what a resource is made of is compiled once for all closures.
    let source: Box<dyn Fn() -> S + Send + Sync> = Box::new(source);
    let fetch: Box<dyn Fn(S) -> Call<T> + Send + Sync> = Box::new(move |of| Box::pin(fetch(of)));
    Resource::new_with_options(source, fetch, false)
}

struct Tree(Value);

fn unexpected(wanted: &str) -> Error {
    Error::custom(format_args!("{wanted} was expected"))
}

fn number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Error> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(number), ..) => visitor.visit_u64(number),
        (_, Some(number), _) => visitor.visit_i64(number),
        (.., Some(number)) => visitor.visit_f64(number),
        _ => Err(unexpected("a smaller number")),
    }
}

/// Methods that take one kind of value each: what a type does not ask for is not compiled for it.
macro_rules! numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                Value::Number(found) => number(&found, visitor),
                _ => Err(unexpected("a number")),
            }
        })*
    };
}

macro_rules! texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0 {
                Value::String(text) => visitor.visit_string(text),
                _ => Err(unexpected("a text")),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Error;

    numbers! {
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_f32 deserialize_f64
    }

    texts! { deserialize_str deserialize_string deserialize_char deserialize_identifier }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(found) => number(&found, visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Value::Object(fields) => visitor.visit_map(Fields { left: fields.into_iter(), value: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Bool(value) => visitor.visit_bool(value),
            _ => Err(unexpected("true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            _ => Err(unexpected("nothing")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            _ => Err(unexpected("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(fields) => visitor.visit_map(Fields { left: fields.into_iter(), value: None }),
            _ => Err(unexpected("an object")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (name, value) = match self.0 {
            Value::String(name) => (name, Value::Null),
            Value::Object(fields) => fields.into_iter().next().ok_or_else(|| unexpected("a variant"))?,
            _ => return Err(unexpected("a variant")),
        };
        visitor.visit_enum(Variant { name, value })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf unit_struct tuple_struct }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.0.next().map(|value| seed.deserialize(Tree(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Fields {
    left: serde_json::map::IntoIter,
    value: Option<Value>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((name, value)) = self.left.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Tree(Value::String(name))).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Tree(self.value.take().unwrap_or_default()))
    }
}

struct Variant {
    name: String,
    value: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Tree;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Tree), Error> {
        let name: StringDeserializer<Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Tree(self.value)))
    }
}

impl<'de> VariantAccess<'de> for Tree {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    fn same<T: DeserializeOwned + PartialEq + Debug>(text: &str) {
        let (ours, theirs) = (from_str::<T>(text), serde_json::from_str::<T>(text));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{text}: {ours:?}, not {theirs:?}"),
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        count: u32,
        #[serde(default)]
        part: f64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Tagged {
        Plain,
        Full { text: String },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Outer {
        Plain,
        One(Inner),
        Pair(i64, bool),
        Named { list: Vec<Option<char>> },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Whole {
        #[serde(flatten)]
        inner: Inner,
        tagged: Tagged,
        outer: Outer,
        pair: (u8, String),
        map: BTreeMap<String, Value>,
        nothing: Option<Box<Inner>>,
    }

    #[test]
    fn a_tag_is_put_aside_whether_what_is_held_stands_in_a_field_or_beside_it() {
        let read = |text: &str, content| {
            Outer::deserialize(Tree(untagged(serde_json::from_str(text).unwrap(), content).unwrap())).unwrap()
        };
        let one = || Outer::One(Inner { count: 3, part: 0.0 });
        assert_eq!(read(r#"{"type": "One", "count": 3}"#, None), one());
        assert_eq!(read(r#"{"more": 1, "payload": {"count": 3}, "type": "One"}"#, Some("payload")), one());
        assert_eq!(read(r#"{"type": "Plain"}"#, Some("payload")), Outer::Plain);
        assert_eq!(read(r#"{"type": "Plain"}"#, None), Outer::Plain);
        let named = Outer::Named { list: vec![Some('x'), None] };
        assert_eq!(read(r#"{"type": "Named", "list": ["x", null]}"#, None), named);
        assert!(untagged(Value::Null, None).is_err() && untagged(serde_json::json!({"a": 1}), None).is_err());
    }

    #[test]
    fn what_is_read_is_what_serde_json_reads() {
        let whole = |outer: &str, tagged: &str, nothing: &str| {
            format!(
                r#"{{"count": 3, "tagged": {tagged}, "outer": {outer}, "pair": [1, "ü"], "more": [{{}}],
                     "map": {{"a": [1, -2, 2.5, null, "x"], "b": {{"c": true}}}}, "nothing": {nothing}}}"#
            )
        };
        for outer in [
            r#""Plain""#,
            r#"{"One": {"count": 1}}"#,
            r#"{"Pair": [-1, true]}"#,
            r#"{"Named": {"list": ["x", null]}}"#,
            "7",
            r#""Other""#,
        ] {
            for tagged in [r#"{"kind": "plain"}"#, r#"{"kind": "full", "text": "\n"}"#, r#"{"kind": "full"}"#]
            {
                for nothing in ["null", r#"{"count": 9, "part": 1}"#, "[]"] {
                    same::<Whole>(&whole(outer, tagged, nothing));
                }
            }
        }
        same::<Result<u8, String>>(r#"{"Ok": 200}"#);
        same::<Result<u8, String>>(r#"{"Ok": 300}"#);
        same::<Vec<f32>>("[1, 1.5, -3]");
        same::<()>("null");
        same::<Inner>("{");
    }
}
