//! Which links of an answer are citations: those that the server found to lead to something its reader may see. One
//! to a thing of ours that it did not find must not look like one.

use shared::context::{Source, Thing};

/// What a link is, before it is written.
#[derive(Debug, PartialEq, Eq)]
enum Link<'a> {
    Ordinary,
    Missing,
    Cited(usize, &'a Source),
}

/// `sources`: as long as nobody knows, every link is an ordinary one.
fn link<'a>(sources: Option<&'a [Source]>, url: &str) -> Link<'a> {
    let Some(sources) = sources.filter(|_| Thing::of_url(url).is_some()) else { return Link::Ordinary };
    match sources.iter().position(|source| source.url == url) {
        Some(at) => Link::Cited(at + 1, &sources[at]),
        None => Link::Missing,
    }
}

/// As the server sets it.
#[cfg(not(feature = "hydrate"))]
pub fn citation(sources: Option<&[Source]>, url: &str) -> markdown::Citation {
    match link(sources, url) {
        Link::Ordinary => markdown::Citation::None,
        Link::Missing => markdown::Citation::Missing,
        Link::Cited(number, source) => markdown::Citation::Source { number, label: source.label() },
    }
}

/// As the browser's typesetter asks for it.
#[cfg(feature = "hydrate")]
pub struct Citing(Option<wasm_bindgen::closure::Closure<dyn Fn(String) -> Option<String>>>);

#[cfg(feature = "hydrate")]
impl Citing {
    pub fn of(sources: Option<&[Source]>) -> Self {
        let sources = sources.map(<[Source]>::to_vec);
        Self(sources.map(|sources| {
            wasm_bindgen::closure::Closure::new(move |url: String| match link(Some(&sources), &url) {
                Link::Ordinary => None,
                Link::Missing => Some(String::new()),
                Link::Cited(number, source) => Some(format!("{number} {}", source.label())),
            })
        }))
    }

    /// Only as long as this is there.
    pub fn function(&self) -> Option<js_sys::Function> {
        use wasm_bindgen::JsCast;
        self.0.as_ref().map(|closure| closure.as_ref().unchecked_ref::<js_sys::Function>().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::context::ThingKind;

    #[test]
    fn only_what_was_found_is_cited() {
        let [seen, other] = ["1", "2"].map(|n| format!("/f/00000000-0000-0000-0000-00000000000{n}#p3"));
        let source = Source { url: seen.clone(), kind: ThingKind::File, title: "Lease".into(), place: None };
        let sources = [source];
        assert_eq!(link(Some(&sources), &seen), Link::Cited(1, &sources[0]));
        assert_eq!(link(Some(&sources), &other), Link::Missing);
        for url in ["https://example.org", "/settings/profile"] {
            assert_eq!(link(Some(&sources), url), Link::Ordinary);
        }
        assert_eq!(link(None, &other), Link::Ordinary);
    }
}
