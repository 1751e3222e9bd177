//! The tool `read_file`.

use super::{Context, Tool};
use async_trait::async_trait;
use models::ToolSpec;
use serde_json::{Value, json};
use shared::FileId;

/// Bytes of a file that one call gives.
const MOST: usize = 40 << 10;

pub(super) struct ReadFile;

#[async_trait]
impl Tool for ReadFile {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "read_file".into(),
            description: "Reads what stands in one of the person's files, from the place that the url names or from the beginning, 40 KB at a time. Each part begins with its place and its url, to be cited as a Markdown link. The end of the answer says where to go on."
                .into(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "url": { "type": "string", "description": "As a search gave it, such as /f/0190…#p3." },
                },
                "required": ["url"],
            }),
        }
    }

    async fn run(&self, context: &Context<'_>, arguments: &Value) -> Result<String, String> {
        let url = arguments["url"].as_str().ok_or("The argument ‘url’ is missing: give it as a string.")?;
        let (id, anchor) =
            place_of(url).ok_or("This is not the url of a file: it looks like /f/0190…#p3.")?;
        let sections = context
            .domain
            .sections_of_file(context.user_id, id)
            .await
            .map_err(|error| format!("The file cannot be read: {error}"))?;
        let from = match anchor {
            Some(anchor) => sections
                .iter()
                .position(|section| section.anchor == anchor)
                .ok_or_else(|| format!("The file has no place ‘{anchor}’."))?,
            None => 0,
        };
        let mut text = String::new();
        for section in &sections[from..] {
            let url = format!("/f/{id}#{}", section.anchor);
            if !text.is_empty() && text.len() + section.markdown.len() > MOST {
                text.push_str(&format!("\n[It goes on at {url}]"));
                break;
            }
            text.push_str(&format!("\n[{}]({url})\n\n{}\n", section.label, section.markdown.trim_end()));
        }
        match text.is_empty() {
            true => Err("Nothing was read in this file; perhaps it was not read yet.".into()),
            false => Ok(text),
        }
    }
}

fn place_of(url: &str) -> Option<(FileId, Option<&str>)> {
    let (_, rest) = url.split_once("/f/")?;
    let (id, anchor) = match rest.split_once('#') {
        Some((id, anchor)) => (id, Some(anchor)),
        None => (rest, None),
    };
    Some((id.trim_end_matches('/').parse().ok()?, anchor.filter(|anchor| !anchor.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_and_perhaps_a_place() {
        let id = FileId::new();
        assert_eq!(place_of(&format!("/f/{id}#p3")), Some((id, Some("p3"))));
        assert_eq!(place_of(&format!("https://example.org/f/{id}")), Some((id, None)));
        assert_eq!(place_of("/n/x"), None);
    }
}
