//! The update that a note begins with. It is made where the note is made, once, so that nobody who
//! opens it has to put anything in.

use crate::document::Document;

/// A text as one update of a new document.
pub fn seed(text: &str) -> Vec<u8> {
    let made = Document::load(&[])
        .and_then(|document| document.change(|draft| draft.replace(0..0, text)))
        .map(|((), update)| update);
    // An insertion into an empty document cannot fail; the empty update would only be an empty note.
    made.ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_the_whole_text() {
        let text = "# Über 👩‍🚀\n\nمرحبا";
        assert_eq!(Document::load(&[seed(text)]).unwrap().content(), text);
    }
}
