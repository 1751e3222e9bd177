//! The words in double braces that a person may write into their instructions: each stands for what it is at the
//! time of an answer. Pure.

/// What the words stand for; empty where nothing is known.
#[derive(Debug, Default)]
pub(super) struct Variables<'a> {
    pub name: &'a str,
    pub date: &'a str,
    pub time: &'a str,
    pub time_zone: &'a str,
    pub place: &'a str,
    pub weather: &'a str,
    /// The title of the note that is open beside the conversation.
    pub document: &'a str,
}

impl Variables<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        let value = match name {
            "name" => self.name,
            "date" => self.date,
            "time" => self.time,
            "time_zone" => self.time_zone,
            "place" => self.place,
            "weather" => self.weather,
            "document" => self.document,
            _ => return None,
        };
        Some(if value.is_empty() { "(not known)" } else { value })
    }

    /// The text with what the words stand for. What is no such word stays as it was written.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let value =
                after.split_once("}}").and_then(|(name, left)| Some((self.value(name.trim())?, left)));
            rest = match value {
                Some((value, left)) => {
                    filled.push_str(value);
                    left
                }
                None => {
                    filled.push_str("{{");
                    after
                }
            };
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_braces_are_filled_and_others_stay() {
        let variables = Variables { name: "Ada {{date}}", place: "", date: "Monday", ..Variables::default() };
        assert_eq!(variables.fill("I am {{name}}, it is {{ date }}."), "I am Ada {{date}}, it is Monday.");
        assert_eq!(variables.fill("{{place}} {{nothing}} {{"), "(not known) {{nothing}} {{");
        assert_eq!(variables.fill("{{{{name}}"), "{{Ada {{date}}");
    }
}
