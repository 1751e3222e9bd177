//! What passages are, for texts as people write them and for any text at all.

use embeddings::{Passage, Shape, approximate_tokens, passages};
use proptest::prelude::*;

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn cut(text: &str, shape: Shape, most: usize) -> Vec<Passage> {
    passages(text, shape, &words, most)
}

fn texts(text: &str, shape: Shape, most: usize) -> Vec<String> {
    cut(text, shape, most).into_iter().map(|passage| passage.text).collect()
}

#[test]
fn small_paragraphs_are_joined_up_to_the_limit() {
    let text = "one two three\n\nfour five\n\nsix seven eight nine\n\nten";
    assert_eq!(texts(text, Shape::Prose, 5), ["one two three\n\nfour five", "six seven eight nine\n\nten"]);
}

#[test]
fn a_long_paragraph_is_cut_between_sentences_even_with_hard_line_breaks() {
    let text = "This sentence goes on\nover two lines. The second\ndoes as well. A third.";
    assert_eq!(
        texts(text, Shape::Prose, 8),
        ["This sentence goes on\nover two lines.", "The second\ndoes as well. A third."]
    );
}

#[test]
fn without_sentences_lines_are_cut_and_without_lines_words() {
    assert_eq!(texts("a b c\nd e f\ng h i", Shape::Prose, 4), ["a b c", "d e f", "g h i"]);
    assert_eq!(texts("a b c d e f g", Shape::Prose, 3), ["a b c", "d e f", "g"]);
}

#[test]
fn headings_stand_with_what_follows_and_name_every_passage_below() {
    let text = "Intro.\n\n# Garden\n\n## Trees\n\nOak and elm.\n\n## Herbs *and* more\n\nMint one. Sage two. Dill three.\n\n# House\n\nWalls.";
    let found: Vec<_> =
        cut(text, Shape::Markdown, 8).into_iter().map(|p| (p.heading.unwrap_or_default(), p.text)).collect();
    let expected = [
        ("", "Intro."),
        ("Garden › Trees", "# Garden\n\n## Trees\n\nOak and elm."),
        ("Garden › Herbs and more", "## Herbs *and* more\n\nMint one. Sage two."),
        ("Garden › Herbs and more", "Dill three."),
        ("House", "# House\n\nWalls."),
    ];
    assert_eq!(found, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
}

#[test]
fn lists_and_tables_and_code_are_cut_between_items_rows_and_lines() {
    let list = "- one two three\n- four five six\n  - seven eight\n- nine ten";
    assert_eq!(
        texts(list, Shape::Markdown, 8),
        ["- one two three\n- four five six", "- seven eight\n- nine ten"]
    );
    let table = "| a | b |\n|---|---|\n| one | two |\n| three | four |\n| five | six |";
    let rows = texts(table, Shape::Markdown, 11);
    assert_eq!(rows, ["| a | b |\n|---|---|\n| one | two |", "| three | four |\n| five | six |"]);
    let code = "```rust\nlet a = 1;\n\nlet b = 2. No. End;\nlet c = 3;\n```";
    assert_eq!(
        texts(code, Shape::Markdown, 8),
        ["```rust\nlet a = 1;", "let b = 2. No. End;", "let c = 3;\n```"]
    );
}

#[test]
fn a_block_that_fits_is_not_cut_to_fill_the_passage_before() {
    let text = "one two three\n\n| a | b |\n|---|---|\n| c | d |\n\nend";
    assert_eq!(
        texts(text, Shape::Markdown, 12),
        ["one two three", "| a | b |\n|---|---|\n| c | d |\n\nend"].map(str::to_owned)
    );
}

#[test]
fn code_is_cut_where_declarations_begin() {
    let text = "fn a() {\n    one();\n\n    two();\n}\n\nfn b() {\n    three();\n}\n";
    assert_eq!(
        texts(text, Shape::Code, 8),
        ["fn a() {\n    one();\n\n    two();\n}", "fn b() {\n    three();\n}"]
    );
}

#[test]
fn text_without_spaces_is_cut_between_characters() {
    let chinese = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏".repeat(20);
    let found = passages(&chinese, Shape::Prose, &approximate_tokens, 50);
    assert_eq!(found.iter().map(|passage| passage.text.as_str()).collect::<String>(), chinese);
    assert!(
        found.iter().all(|passage| passage.text.chars().count() == 50 || passage.range.end == chinese.len())
    );
    let marks = format!("{} end", "e\u{301}".repeat(100));
    for passage in passages(&marks, Shape::Prose, &|text| text.chars().count(), 7) {
        assert!(!passage.text.starts_with('\u{301}'), "a mark was parted from its letter");
    }
}

#[test]
fn what_a_tokenizer_takes_for_one_word_does_not_become_one_passage() {
    let blob = "QUJD".repeat(50_000);
    let found = passages(&blob, Shape::Prose, &words, 100);
    assert!(found.len() > 100);
    assert!(found.iter().all(|passage| passage.text.len() <= 1600));
}

#[test]
fn a_change_in_one_section_leaves_the_passages_of_the_others() {
    let section = |name: &str, words: usize| format!("# {name}\n\n{}\n\n", "word. ".repeat(words));
    let texts_of = |b: usize| -> Vec<(Option<String>, String)> {
        cut(&(section("A", 70) + &section("B", b) + &section("C", 90)), Shape::Markdown, 20)
            .into_iter()
            .filter(|passage| passage.heading.as_deref() != Some("B"))
            .map(|passage| (passage.heading, passage.text))
            .collect()
    };
    assert_eq!(texts_of(10), texts_of(55));
}

#[test]
fn a_whole_with_more_tokens_than_its_parts_is_parted_again() {
    let square = |text: &str| words(text) * words(text);
    let found = passages(&"word ".repeat(100), Shape::Prose, &square, 30);
    assert!(found.iter().all(|passage| square(&passage.text) <= 30));
    assert_eq!(found.iter().map(|passage| words(&passage.text)).sum::<usize>(), 100);
}

#[test]
fn nothing_has_no_passages() {
    for shape in [Shape::Prose, Shape::Markdown, Shape::Code] {
        assert!(cut("", shape, 200).is_empty());
        assert!(cut(" \n\n\t\u{a0}\r\n", shape, 200).is_empty());
    }
}

#[test]
fn hostile_texts_take_no_longer_than_others() {
    let size = 300_000;
    let patterns = [
        "\n",
        "a\n",
        "# \n",
        "> ",
        "- ",
        "[",
        "*a_",
        "`",
        "|a",
        "1.",
        ". ",
        "e\u{301}",
        "\u{200d}",
        "🇩🇪",
        "<b",
        "<pre>\n\n",
    ];
    for pattern in patterns {
        let text = format!("x{}y", pattern.repeat(size / pattern.len()));
        for shape in [Shape::Prose, Shape::Markdown, Shape::Code] {
            let began = std::time::Instant::now();
            let found = passages(&text, shape, &approximate_tokens, 200);
            assert!(!found.is_empty());
            let took = began.elapsed();
            assert!(took.as_secs() < 20, "{pattern:?} as {shape:?} took {took:?}");
        }
    }
}

fn dense(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn holds(text: &str, shape: Shape, most: usize) -> Result<(), TestCaseError> {
    let found = passages(text, shape, &approximate_tokens, most);
    let mut end = 0;
    for passage in &found {
        prop_assert!(passage.range.start >= end && passage.range.end > passage.range.start);
        prop_assert_eq!(dense(&text[end..passage.range.start]), "", "left out");
        prop_assert_eq!(&text[passage.range.clone()], &passage.text);
        prop_assert!(approximate_tokens(&passage.text) <= most, "{:?} is too long", passage.text);
        end = passage.range.end;
    }
    prop_assert_eq!(dense(&text[end..]), "", "left out at the end");
    prop_assert_eq!(passages(text, shape, &approximate_tokens, most), found, "not the same again");
    Ok(())
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![Just(Shape::Prose), Just(Shape::Markdown), Just(Shape::Code)]
}

/// Text made of the pieces that structure is made of.
fn structured() -> impl Strategy<Value = String> {
    let pieces = [
        "# ",
        "## ",
        "\n",
        "\n\n",
        "\r\n",
        "- ",
        "1. ",
        "  ",
        "    ",
        "> ",
        "```\n",
        "~~~",
        "|",
        "---\n",
        "===\n",
        "[a]: b\n",
        "[^1]",
        "[^1]: note\n",
        "<div>",
        "<!--",
        "word ",
        "Two words. ",
        "東京",
        "한국어",
        "e\u{301}",
        "👩‍👩‍👧",
        "\t",
        "\u{0}",
        "\u{feff}",
        "\u{2028}",
        "**",
        "`",
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo",
        "*",
        "\\",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn passages_of_any_text_are_the_text(text in any::<String>(), shape in shapes(), most in 3..60_usize) {
        holds(&text, shape, most)?;
    }

    #[test]
    fn passages_of_structured_text_are_the_text(text in structured(), shape in shapes(), most in 3..60_usize) {
        holds(&text, shape, most)?;
    }

    #[test]
    fn a_heading_is_never_the_end_of_a_passage_that_something_follows(
        bodies in prop::collection::vec("[a-z]{1,9}( [a-z]{1,9}){0,40}\\.", 1..12), most in 12..60_usize,
    ) {
        let text: String = bodies.iter().map(|body| format!("# Head\n\n{body}\n\n")).collect();
        for passage in passages(&text, Shape::Markdown, &words, most) {
            prop_assert!(!passage.text.ends_with("Head"), "{:?}", passage.text);
        }
    }
}
