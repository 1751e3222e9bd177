//! What a message asks the fake provider to do: directives in double brackets, in the last message
//! of the user. Text without one is answered with a pleasant echo.
//!
//! | directive | what happens |
//! | --- | --- |
//! | `[[say some text]]` | answers the text, word by word |
//! | `[[reason some text]]` | reasons it, word by word |
//! | `[[tokens 200 every 5ms first 20ms]]` | that many words at that pace |
//! | `[[stamped 200 5 20]]` | tokens ` <seq>@<unix micros>\|`, count, pace and first wait in ms |
//! | `[[tool name {"json":"args"}]]` | calls a tool; several are parallel calls of one turn. What is not JSON is sent as it is. Once results are there, they are quoted |
//! | `[[tool-forever name {}]]` | calls it again after each result |
//! | `[[fail 429 retry-after 7]]` | that status instead of an answer |
//! | `[[error overloaded_error]]` | an error inside the stream, after what was said |
//! | `[[stall]]` | silence, after what was said |
//! | `[[cut]]` | half an event, then the connection is closed |
//! | `[[malformed]]` | an event that is not JSON |
//! | `[[endless]]` | text without end, 4 KB each millisecond |
//! | `[[length]]`, `[[refuse]]` | ends for that reason |
//! | `[[bytewise]]` | each byte is written by itself |
//! | `[[no-stream-options]]` | (OpenAI) 400 for a request that has them |
//! | `[[only-max-completion-tokens]]` | (OpenAI) 400 for a request with `max_tokens` |

use serde_json::Value;
use std::time::Duration;

/// Between words of a text that was given, and of an echo.
const SAY_EVERY: Duration = Duration::from_millis(2);
const ECHO_EVERY: Duration = Duration::from_millis(20);
/// Said before an ending that is to come in the middle of an answer, where nothing else is.
const BEFORE_THE_END: &str = "This answer will not";

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Script {
    /// The status instead of an answer, and the seconds of its `retry-after`.
    pub failure: Option<(u16, Option<u32>)>,
    pub acts: Vec<Act>,
    pub calls: Vec<Call>,
    pub ending: Ending,
    pub bytewise: bool,
    pub refuses: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    Say { text: String, every: Duration },
    Reason(String),
    Tokens { kind: TokenKind, count: u64, pace: Pace },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TokenKind {
    Words,
    /// Each carries its number and the time it was sent.
    Stamped,
    /// 4 KB each.
    Bulk,
}

/// When tokens are due, from the moment of the request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    pub every: Duration,
    pub first: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub name: String,
    /// As it goes over the wire.
    pub arguments: String,
    pub forever: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    Stop,
    Length,
    Refuse,
    Error(String),
    Stall,
    Cut,
    Malformed,
}

/// A field of a request that a strict server does not know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field {
    StreamOptions,
    MaxTokens,
}

/// A result that came back, in the order they came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToolResult {
    pub name: String,
    pub content: String,
}

impl Script {
    fn empty() -> Self {
        Self {
            failure: None,
            acts: Vec::new(),
            calls: Vec::new(),
            ending: Ending::Stop,
            bytewise: false,
            refuses: Vec::new(),
        }
    }

    pub fn say(text: impl Into<String>) -> Self {
        Self { acts: vec![Act::Say { text: text.into(), every: SAY_EVERY }], ..Self::empty() }
    }

    pub fn stamped(count: u64, pace: Pace) -> Self {
        Self { acts: vec![Act::Tokens { kind: TokenKind::Stamped, count, pace }], ..Self::empty() }
    }

    /// What to do about the last message of the user and the results that came after it.
    pub fn read(user: &str, results: &[ToolResult]) -> Self {
        let mut script = Self::empty();
        let mut directives = 0;
        let mut rest = user;
        while let Some(at) = rest.find("[[") {
            rest = &rest[at + 2..];
            if let Some(after) = script.directive(rest) {
                rest = after;
                directives += 1;
            }
        }
        if directives == 0 {
            script.acts.push(Act::Say { text: echo(user), every: ECHO_EVERY });
        }
        if !results.is_empty() {
            script.after(results);
        }
        if script.ending != Ending::Stop && script.acts.is_empty() && script.calls.is_empty() {
            script.acts.push(Act::Say { text: BEFORE_THE_END.to_owned(), every: SAY_EVERY });
        }
        script
    }

    /// The turn after a tool's: what was called once is not called again, and what was said or
    /// reasoned before the calls is not said again.
    fn after(&mut self, results: &[ToolResult]) {
        if self.calls.is_empty() {
            return;
        }
        self.calls.retain(|call| call.forever);
        self.acts.clear();
        if self.calls.is_empty() {
            let quoted = results.iter().map(|result| format!("`{}` said: {}", result.name, result.content));
            self.acts.push(Act::Say { text: quoted.collect::<Vec<_>>().join("\n\n"), every: SAY_EVERY });
        }
    }

    /// Takes in the directive that `text` starts with and answers what is behind it; none when it
    /// is no directive.
    fn directive<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let name_end = text.find(|c: char| c.is_whitespace() || c == ']')?;
        let (name, rest) = (&text[..name_end], text[name_end..].trim_start());
        if matches!(name, "tool" | "tool-forever") {
            let (call, after) = call(rest)?;
            self.calls.push(Call { forever: name == "tool-forever", ..call });
            return Some(after);
        }
        let (arguments, after) = rest.split_once("]]")?;
        let words: Vec<&str> = arguments.split_whitespace().collect();
        match name {
            "say" => self.acts.push(Act::Say { text: arguments.to_owned(), every: SAY_EVERY }),
            "reason" => self.acts.push(Act::Reason(arguments.to_owned())),
            "tokens" => self.acts.push(tokens(TokenKind::Words, &words)),
            "stamped" => self.acts.push(tokens(TokenKind::Stamped, &words)),
            "endless" => self.acts.push(Act::Tokens {
                kind: TokenKind::Bulk,
                count: u64::MAX,
                pace: Pace {
                    every: named(&words, "every").unwrap_or(Duration::from_millis(1)),
                    first: Duration::ZERO,
                },
            }),
            "fail" => {
                let status = words.first().and_then(|word| word.parse().ok()).unwrap_or(500);
                let wait = words.iter().position(|word| *word == "retry-after");
                let wait = wait.and_then(|at| words.get(at + 1)).and_then(|word| word.parse().ok());
                self.failure = Some((status, wait));
            }
            "error" => {
                self.ending = Ending::Error(words.first().copied().unwrap_or("overloaded_error").to_owned())
            }
            "stall" => self.ending = Ending::Stall,
            "cut" => self.ending = Ending::Cut,
            "malformed" => self.ending = Ending::Malformed,
            "length" => self.ending = Ending::Length,
            "refuse" => self.ending = Ending::Refuse,
            "bytewise" => self.bytewise = true,
            "no-stream-options" => self.refuses.push(Field::StreamOptions),
            "only-max-completion-tokens" => self.refuses.push(Field::MaxTokens),
            _ => return None,
        }
        Some(after)
    }
}

/// The tool's name and arguments that `text` starts with, and what is behind them.
fn call(text: &str) -> Option<(Call, &str)> {
    let name_end = text.find(|c: char| c.is_whitespace() || c == ']')?;
    let (name, rest) = (&text[..name_end], text[name_end..].trim_start());
    // Valid JSON may itself hold `]]`.
    let mut json = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let whole = json.next().and_then(Result::ok).map(|_| json.byte_offset());
    let json_end = whole.filter(|end| rest[*end..].trim_start().starts_with("]]"));
    let (arguments, after) = match json_end {
        Some(end) => (&rest[..end], rest[end..].trim_start().strip_prefix("]]")?),
        None => rest.split_once("]]")?,
    };
    Some((Call { name: name.to_owned(), arguments: arguments.trim().to_owned(), forever: false }, after))
}

/// A short title for a conversation that starts with `user`.
pub(crate) fn title(user: &str) -> String {
    let mut plain = String::new();
    let mut rest = user;
    while let Some((before, directive)) = rest.split_once("[[") {
        plain.push_str(before);
        rest = directive.split_once("]]").map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let words: Vec<&str> = plain.split_whitespace().take(4).collect();
    if words.is_empty() { "A short conversation".to_owned() } else { format!("About {}", words.join(" ")) }
}

fn echo(user: &str) -> String {
    let quoted: String = user.trim().chars().take(300).collect();
    let quoted = quoted.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n");
    let words = user.split_whitespace().count();
    format!(
        "You wrote:\n\n{quoted}\n\nThat makes **{words} words**. A few thoughts on them:\n\n\
         1. They arrived *whole*, and in order.\n2. They were read once, from the left.\n\
         3. This answer is made up by a fake provider, so do not take it to heart.\n\n\
         ```rust\nfn main() {{\n    println!(\"{words} words\");\n}}\n```\n"
    )
}

/// `200 every 5ms first 20ms`, or `200 5 20` in milliseconds.
fn tokens(kind: TokenKind, words: &[&str]) -> Act {
    let at = |place: usize| words.get(place).copied().and_then(duration);
    let every = named(words, "every").or_else(|| at(1)).unwrap_or(Duration::from_millis(5));
    let first = named(words, "first").or_else(|| at(2)).unwrap_or(Duration::from_millis(20));
    let count = words.first().and_then(|word| word.parse().ok()).unwrap_or(200);
    Act::Tokens { kind, count, pace: Pace { every, first } }
}

fn named(words: &[&str], name: &str) -> Option<Duration> {
    let at = words.iter().position(|word| *word == name)?;
    words.get(at + 1).copied().and_then(duration)
}

/// `5ms`, `2s`, `500us`; a bare number is milliseconds.
fn duration(word: &str) -> Option<Duration> {
    let units = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("", 1e-3)];
    units.iter().find_map(|(unit, seconds)| {
        let number: f64 = word.strip_suffix(unit)?.parse().ok()?;
        Duration::try_from_secs_f64(number * seconds).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn directives_are_read_in_order_and_other_text_is_ignored() {
        let script = Script::read(
            r#"please [[reason hm]] then [[say Hello there]] [[tool a {"x":[[1]]}]][[tool b {broken]] [[stall]]"#,
            &[],
        );
        let call = |name: &str, arguments: &str| Call {
            name: name.into(),
            arguments: arguments.into(),
            forever: false,
        };
        assert_eq!(
            script.acts,
            [Act::Reason("hm".into()), Act::Say { text: "Hello there".into(), every: SAY_EVERY }]
        );
        assert_eq!(script.calls, [call("a", r#"{"x":[[1]]}"#), call("b", "{broken")]);
        assert_eq!(script.ending, Ending::Stall);
    }

    #[test]
    fn paces_are_read_with_units_and_without() {
        let pace = |text: &str| Script::read(text, &[]).acts;
        let expected = |kind| [Act::Tokens { kind, count: 200, pace: Pace { every: ms(5), first: ms(20) } }];
        assert_eq!(pace("[[tokens 200 every 5ms first 0.02s]]"), expected(TokenKind::Words));
        assert_eq!(pace("[[stamped 200 5 20]]"), expected(TokenKind::Stamped));
        assert_eq!(pace("[[stamped]]"), expected(TokenKind::Stamped));
    }

    #[test]
    fn failures_carry_their_wait() {
        assert_eq!(Script::read("[[fail 429 retry-after 7]]", &[]).failure, Some((429, Some(7))));
        assert_eq!(Script::read("[[fail 503]]", &[]).failure, Some((503, None)));
    }

    #[test]
    fn results_are_quoted_once_they_are_there_and_only_endless_calls_repeat() {
        let results = [ToolResult { name: "clock".into(), content: "noon".into() }];
        let script = Script::read("[[say wait]] [[tool clock {}]]", &results);
        assert!(script.calls.is_empty());
        assert_eq!(script.acts, [Act::Say { text: "`clock` said: noon".into(), every: SAY_EVERY }]);
        let again = Script::read("[[tool-forever clock {}]]", &results);
        assert_eq!(again.calls.len(), 1);
        assert!(again.acts.is_empty());
    }

    #[test]
    fn titles_are_short_and_without_directives() {
        assert_eq!(title("[[say x]] how do bees find home [[cut]]"), "About how do bees find");
        assert_eq!(title("[[say x]]"), "A short conversation");
    }

    #[test]
    fn brackets_that_are_no_directive_are_text() {
        let script = Script::read("see [[a note]] and [[]] and [[", &[]);
        assert!(matches!(&script.acts[..], [Act::Say { text, .. }] if text.contains("[[a note]]")));
    }
}
