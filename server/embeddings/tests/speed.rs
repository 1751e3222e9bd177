//! How long cutting takes with the real tokenizer. By itself, because other tests beside it would be
//! measured too.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use embeddings::{Embedder, MiniLm, Shape, passages, weights_folder};

#[test]
fn a_megabyte_is_cut_within_a_second() {
    let code = concat!(
        include_str!("../src/openai.rs"),
        include_str!("../src/bert.rs"),
        include_str!("minilm.rs"),
        include_str!("passages.rs"),
    );
    let code = code.repeat(1_000_000 / code.len());
    for shape in [Shape::Prose, Shape::Markdown, Shape::Code] {
        let quickest = (0..3).map(|_| took(&code, shape)).min().unwrap_or_default();
        // Without optimisation nothing is quick.
        assert!(cfg!(debug_assertions) || quickest < Duration::from_secs(1), "{shape:?}: {quickest:?}");
    }
}

/// With a model that has not met a word yet.
fn took(text: &str, shape: Shape) -> Duration {
    let folder = weights_folder().expect("run `cargo xtask setup` first");
    let model = MiniLm::load(&folder, NonZeroUsize::MIN).unwrap();
    let count = |text: &str| model.count_tokens(text);
    let began = Instant::now();
    let found = passages(text, shape, &count, 200);
    let took = began.elapsed();
    assert!(found.iter().all(|passage| count(&passage.text) <= 200));
    took
}
