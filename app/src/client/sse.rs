//! Reads server-sent events from bytes as they arrive, however they are cut. No I/O.

/// One event of the stream. What a field does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: String,
}

/// An event longer than this is given up: nothing of ours comes near.
const LONGEST_EVENT_BYTES: usize = 16 << 20;

#[derive(Default)]
pub struct Parser {
    /// Bytes of the line that has not ended yet.
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// The last byte was a carriage return, so a line feed that follows belongs to it.
    after_return: bool,
}

impl Parser {
    /// Takes the next bytes and gives the events that are complete with them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            let was_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if was_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ if self.line.len() < LONGEST_EVENT_BYTES => self.line.push(byte),
                _ => {}
            }
        }
        events
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "id" => value.clone_into(&mut self.event.id),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            // A comment (no field name), `retry`, or a field of a later version.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": keep-alive\n\nevent: delta\nid: 7\ndata: {\"text\":\"é🙂\"}\n\ndata: a\r\ndata: b\r\n\r\nid: 9\n\n";

    fn expected() -> Vec<Event> {
        vec![
            Event { name: "delta".into(), id: "7".into(), data: "{\"text\":\"é🙂\"}".into() },
            Event { name: String::new(), id: String::new(), data: "a\nb".into() },
        ]
    }

    #[test]
    fn events_are_the_same_wherever_the_bytes_are_cut() {
        for cut in 0..=STREAM.len() {
            let mut parser = Parser::default();
            let mut events = parser.push(&STREAM.as_bytes()[..cut]);
            events.extend(parser.push(&STREAM.as_bytes()[cut..]));
            assert_eq!(events, expected(), "cut at {cut}");
        }
        let mut parser = Parser::default();
        let single: Vec<_> = STREAM.bytes().flat_map(|byte| parser.push(&[byte])).collect();
        assert_eq!(single, expected());
    }

    #[test]
    fn an_event_that_was_cut_off_is_not_given() {
        let mut parser = Parser::default();
        assert_eq!(parser.push(b"event: delta\ndata: half"), []);
    }
}
