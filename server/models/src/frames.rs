//! Cuts a response body into frames: server-sent events, or lines of JSON.
//!
//! Bytes may be split anywhere, inside a character too. What is held is bounded: it must never
//! grow with what a provider sends.

use crate::Error;

/// The longest line, and the longest event of many lines.
pub(crate) const LONGEST_FRAME_BYTES: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `text/event-stream` as the HTML standard says.
    Events,
    /// One JSON text a line.
    Lines,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The name of the event; empty for lines and for events without one.
    pub event: String,
    pub data: String,
}

pub(crate) struct Frames {
    framing: Framing,
    /// Bytes that arrived and are not part of a whole line yet, from `start` on.
    bytes: Vec<u8>,
    start: usize,
    /// Up to where there is no line end.
    scanned: usize,
    /// Whether a line feed at `start` belongs to the carriage return before it.
    after_return: bool,
    first_line: bool,
    event: String,
    data: Vec<u8>,
    data_lines: usize,
}

impl Frames {
    pub fn new(framing: Framing) -> Self {
        Self {
            framing,
            bytes: Vec::new(),
            start: 0,
            scanned: 0,
            after_return: false,
            first_line: true,
            event: String::new(),
            data: Vec::new(),
            data_lines: 0,
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, when there is one.
    pub fn next(&mut self) -> Result<Option<Frame>, Error> {
        while let Some((from, to)) = self.next_line()? {
            if let Some(frame) = self.line(from, to)? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// The body ended: the frame whose lines were whole but that nothing closed. A line without an
    /// end was cut off and is dropped for events; for lines it may be the last.
    pub fn finish(&mut self) -> Result<Option<Frame>, Error> {
        match self.framing {
            Framing::Events => Ok(self.dispatch()),
            Framing::Lines => {
                let (from, to) = (self.start, self.bytes.len());
                self.start = to;
                self.scanned = to;
                self.line(from, to)
            }
        }
    }

    /// Where the next whole line lies in `bytes`, without its end.
    fn next_line(&mut self) -> Result<Option<(usize, usize)>, Error> {
        if self.after_return && self.start < self.bytes.len() {
            self.after_return = false;
            if self.bytes[self.start] == b'\n' {
                self.start += 1;
            }
        }
        let from = self.scanned.max(self.start);
        let end = self.bytes[from..].iter().position(|b| matches!(b, b'\n' | b'\r'));
        let Some(end) = end.map(|at| from + at) else {
            self.scanned = self.bytes.len();
            if self.bytes.len() - self.start > LONGEST_FRAME_BYTES {
                return Err(too_long());
            }
            return Ok(None);
        };
        let line = (self.start, end);
        if end - self.start > LONGEST_FRAME_BYTES {
            return Err(too_long());
        }
        self.after_return = self.bytes[end] == b'\r';
        self.start = end + 1;
        self.scanned = self.start;
        Ok(Some(line))
    }

    fn line(&mut self, mut from: usize, to: usize) -> Result<Option<Frame>, Error> {
        if std::mem::take(&mut self.first_line) && self.bytes[from..to].starts_with(b"\xEF\xBB\xBF") {
            from += 3;
        }
        let line = &self.bytes[from..to];
        if self.framing == Framing::Lines {
            let data = String::from_utf8_lossy(line.trim_ascii()).into_owned();
            return Ok((!data.is_empty()).then(|| Frame { event: String::new(), data }));
        }
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let (name, value) = match line.iter().position(|b| *b == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.data.len() + value.len() > LONGEST_FRAME_BYTES {
                    return Err(too_long());
                }
                if self.data_lines > 0 {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.data_lines += 1;
            }
            b"event" => self.event = String::from_utf8_lossy(value).into_owned(),
            // Comments have an empty name; `id` and `retry` mean nothing here.
            _ => {}
        }
        Ok(None)
    }

    /// The event that the lines so far make, when they have data.
    fn dispatch(&mut self) -> Option<Frame> {
        let event = std::mem::take(&mut self.event);
        if std::mem::take(&mut self.data_lines) == 0 {
            return None;
        }
        let data = String::from_utf8(std::mem::take(&mut self.data))
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        Some(Frame { event, data })
    }
}

fn too_long() -> Error {
    Error::Malformed("it holds a line of more than 1 MB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(framing: Framing, pieces: &[&[u8]]) -> Vec<Frame> {
        let mut frames = Frames::new(framing);
        let mut found = Vec::new();
        for piece in pieces {
            frames.push(piece);
            while let Some(frame) = frames.next().expect("short frames") {
                found.push(frame);
            }
        }
        found.extend(frames.finish().expect("short frames"));
        found
    }

    fn event(event: &str, data: &str) -> Frame {
        Frame { event: event.to_owned(), data: data.to_owned() }
    }

    const STREAM: &str = "\u{feff}: hello\r\n\r\nevent: delta\r\ndata: {\"a\":\"žluťoučký 🐎\"}\r\n\r\n\
        data:one\ndata: two\n\nid: 7\nretry: 9\n\n\rdata: by return\r\rdata\n\n: keep-alive\n\ndata: [DONE]\n\n";

    fn expected() -> Vec<Frame> {
        vec![
            event("delta", "{\"a\":\"žluťoučký 🐎\"}"),
            event("", "one\ntwo"),
            event("", "by return"),
            event("", ""),
            event("", "[DONE]"),
        ]
    }

    #[test]
    fn events_are_the_same_wherever_the_bytes_are_split() {
        let bytes = STREAM.as_bytes();
        for first in 0..=bytes.len() {
            assert_eq!(
                frames(Framing::Events, &[&bytes[..first], &bytes[first..]]),
                expected(),
                "split at {first}"
            );
        }
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(frames(Framing::Events, &pieces), expected(), "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn events_are_the_same_when_each_byte_comes_alone() {
        let pieces: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(frames(Framing::Events, &pieces), expected());
    }

    #[test]
    fn lines_are_the_same_wherever_the_bytes_are_split() {
        let text = "{\"a\":\"č\"}\r\n\n  \n{\"b\":1}\n{\"c\":2}";
        let expected = vec![event("", "{\"a\":\"č\"}"), event("", "{\"b\":1}"), event("", "{\"c\":2}")];
        for at in 0..=text.len() {
            let (one, two) = text.as_bytes().split_at(at);
            assert_eq!(frames(Framing::Lines, &[one, two]), expected, "split at {at}");
        }
    }

    #[test]
    fn a_line_that_was_cut_off_is_not_an_event() {
        assert_eq!(frames(Framing::Events, &[b"data: whole\n\ndata: {\"cut"]), vec![event("", "whole")]);
    }

    #[test]
    fn a_whole_line_at_the_end_is_an_event_without_the_empty_line_after_it() {
        assert_eq!(frames(Framing::Events, &[b"data: [DONE]\n"]), vec![event("", "[DONE]")]);
    }

    #[test]
    fn bytes_that_are_not_text_become_replacement_characters() {
        assert_eq!(frames(Framing::Events, &[b"data: a\xFFb\n\n"]), vec![event("", "a\u{fffd}b")]);
    }

    #[test]
    fn a_line_without_end_is_refused_at_one_megabyte_and_not_held() {
        for framing in [Framing::Events, Framing::Lines] {
            let mut frames = Frames::new(framing);
            let mut pushed = 0;
            let refused = loop {
                frames.push(&[b'x'; 4096]);
                pushed += 4096;
                if let Err(error) = frames.next() {
                    break error;
                }
                assert!(pushed <= LONGEST_FRAME_BYTES, "{pushed} bytes were held");
            };
            assert!(matches!(refused, Error::Malformed(_)));
        }
    }

    #[test]
    fn an_event_of_many_lines_is_refused_at_one_megabyte() {
        let mut frames = Frames::new(Framing::Events);
        let line = [b"data: ".as_slice(), &[b'x'; 60_000], b"\n"].concat();
        let refused = (0..100).find_map(|_| {
            frames.push(&line);
            frames.next().err()
        });
        assert!(matches!(refused, Some(Error::Malformed(_))));
    }
}
