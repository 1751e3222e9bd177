//! Pictures in a message. It sees whether they are pictures, and says of any of them what is always said.

use crate::wire::Refusal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What it says of any picture, as the product asks for it.
pub(crate) const SEEN: &str =
    "Invoice 4711\n\nPayable within 14 days.\n\nDESCRIPTION\nA letter with a blue seal on a wooden table.";

/// A part of OpenAI's, with a `data:` address.
pub(crate) fn image_url(part: &Value) -> Result<(), Refusal> {
    let url = part["image_url"]["url"].as_str().unwrap_or_default();
    let parts = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let (media_type, data) = parts.ok_or_else(|| Refusal::bad_request("Invalid image URL."))?;
    check(media_type, data)
}

/// A block of Anthropic's.
pub(crate) fn image_block(block: &Value) -> Result<(), Refusal> {
    let source = &block["source"];
    if source["type"] != "base64" {
        return Err(Refusal::bad_request("image.source.type: Input should be 'base64'"));
    }
    let field = |name: &str| source[name].as_str().unwrap_or_default();
    check(field("media_type"), field("data"))
}

/// A picture that stands in JSON as base64 alone.
pub(crate) fn base64(media_type: &Value, data: &Value) -> Result<(), Refusal> {
    check(media_type.as_str().unwrap_or_default(), data.as_str().unwrap_or_default())
}

fn check(media_type: &str, data: &str) -> Result<(), Refusal> {
    let bytes = STANDARD.decode(data).map_err(|_| Refusal::bad_request("image: invalid base64 data"))?;
    let is_so = match media_type {
        "image/jpeg" => bytes.starts_with(&[0xFF, 0xD8, 0xFF]),
        "image/png" => bytes.starts_with(b"\x89PNG"),
        _ => false,
    };
    match is_so {
        true => Ok(()),
        false => Err(Refusal::bad_request(format!("Could not process image: no {media_type}"))),
    }
}
