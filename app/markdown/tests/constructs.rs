//! What the main constructs become.

use markdown::{Citation, Document, Options, Progress, render};

fn html(source: &str) -> String {
    render(source, Options::default())
}

#[test]
fn text_and_lists() {
    insta::assert_snapshot!(html(
        "# Title\n\nSome *soft*, **strong** and ~~struck~~ `code`.\nNext line.\n\n1. one\n2. two\n   - inner\n\n- [x] done\n- [ ] open\n\n> quoted\n\n---\n"
    ), @r#"
    <h3 class="level-1">Title</h3>
    <p>Some <em>soft</em>, <strong>strong</strong> and <del>struck</del> <code>code</code>.
    Next line.</p>
    <ol>
    <li>one</li>
    <li>two<ul>
    <li>inner</li>
    </ul>
    </li>
    </ol>
    <ul>
    <li><input type="checkbox" checked disabled aria-label="done"> done</li>
    <li><input type="checkbox" disabled aria-label="not done"> open</li>
    </ul>
    <blockquote>
    <p>quoted</p>
    </blockquote>
    <hr>
    "#);
}

#[test]
fn tables_scroll_by_themselves() {
    insta::assert_snapshot!(html("| a | b | c |\n|:--|:-:|--:|\n| 1 | x<br>y | 3 |\n"), @r#"
    <div class="table" role="group" aria-label="Table" tabindex="0"><table>
    <thead><tr><th scope="col">a</th><th scope="col" class="center">b</th><th scope="col" class="right">c</th></tr></thead><tbody>
    <tr><td>1</td><td class="center">x<br>y</td><td class="right">3</td></tr>
    </tbody></table></div>
    "#);
}

#[test]
fn code_says_its_language_and_can_be_copied() {
    insta::assert_snapshot!(html("```rust ignore\nlet a = b<c>();\n```\n\n```mermaid\ngraph TD\n```\n"), @r#"
    <figure class="code"><figcaption><span>rust</span><button type="button" data-copy>Copy</button></figcaption><pre tabindex="0"><code class="language-rust">let a = b&lt;c&gt;();
    </code></pre></figure>
    <figure class="code"><figcaption><span>mermaid</span><button type="button" data-copy>Copy</button></figcaption><pre tabindex="0"><code class="language-mermaid">graph TD
    </code></pre></figure>
    "#);
}

#[test]
fn links_say_where_they_lead() {
    insta::assert_snapshot!(html(
        "[out](https://a.example/x?y=1&z=2) [in](/c/1#m-2) [bad](javascript:x) <me@b.example> https://c.example/d_e.\n\n[ref][r]\n\n[r]: https://e.example\n"
    ), @r#"
    <p><a href="https://a.example/x?y=1&amp;z=2" rel="noopener noreferrer nofollow" target="_blank">out</a> <a href="/c/1#m-2">in</a> bad <a href="mailto:me@b.example" rel="noopener noreferrer nofollow" target="_blank">me@b.example</a> <a href="https://c.example/d_e" rel="noopener noreferrer nofollow" target="_blank">https://c.example/d_e</a>.</p>
    <p><a href="https://e.example" rel="noopener noreferrer nofollow" target="_blank">ref</a></p>
    "#);
}

#[test]
fn pictures_from_elsewhere_are_links() {
    insta::assert_snapshot!(html("![a cat](https://a.example/cat.png) ![own](/f/cat.png)\n"), @r#"
    <p><span class="picture"><a href="https://a.example/cat.png" rel="noopener noreferrer nofollow" target="_blank">image: a cat (a.example)</a></span> <img loading="lazy" src="/f/cat.png" alt="own"></p>
    "#);
}

#[test]
fn html_is_shown_as_text() {
    insta::assert_snapshot!(html("a <b>bold</b> word\n\n<details>\n<summary>x</summary>\n</details>\n"), @r#"
    <p>a &lt;b&gt;bold&lt;/b&gt; word</p>
    <p class="source">&lt;details&gt;
    &lt;summary&gt;x&lt;/summary&gt;
    &lt;/details&gt;
    </p>
    "#);
}

#[test]
fn formulas_and_prices() {
    insta::assert_snapshot!(html("It is $x^2$ or \\(y\\), costs $5-$10.\n\n$$\\frac{a}{b}$$\n\n$\\nonsense{$\n"), @r#"
    <p>It is <math><msup><mi>x</mi><mn>2</mn></msup></math> or <math><mi>y</mi></math>, costs $5-$10.</p>
    <p><math display="block"><mfrac><mi>a</mi><mi>b</mi></mfrac></math></p>
    <p>$\nonsense{$</p>
    "#);
}

#[test]
fn finished_blocks_keep_their_keys_while_the_text_grows() {
    let mut document = Document::default();
    document.update("one\n\ntwo\n\nthree **fo", Progress::Growing, Options::default());
    let before: Vec<_> = document.blocks().to_vec();
    assert_eq!(before[2].html, "<p>three <strong>fo</strong></p>\n");
    document.update("one\n\ntwo\n\nthree **four**\n\nfive", Progress::Growing, Options::default());
    assert_eq!(document.blocks()[..2], before[..2]);
    assert_eq!(document.blocks().len(), 4);
}

#[test]
fn a_note_has_links_to_notes_and_headings_below_its_title() {
    use markdown::{Dialect, render_as};
    let note = |source: &str| render_as(Dialect::Note, source, Options::default());
    assert_eq!(
        note("[[Rose & thorn]]"),
        "<p><a href=\"/n?title=Rose%20%26%20thorn\">Rose &amp; thorn</a></p>\n"
    );
    assert_eq!(note("[[Roses#Pruning|how to]]"), "<p><a href=\"/n?title=Roses#Pruning\">how to</a></p>\n");
    assert_eq!(note("[[#When it rains]]"), "<p><a href=\"#When%20it%20rains\">#When it rains</a></p>\n");
    assert_eq!(note("# A"), "<h2 class=\"level-1\">A</h2>\n");
    assert_eq!(note("`[[x]]`"), "<p><code>[[x]]</code></p>\n");
    assert_eq!(html("[[x]]"), "<p>[[x]]</p>\n", "a message has none");
}

fn note(source: &str) -> String {
    let options = Options { files: Some("/api/v1/notes/1/attachments/named/"), ..Options::default() };
    markdown::render_as(markdown::Dialect::Note, source, options)
}

#[test]
fn a_callout_says_its_kind_and_may_fold() {
    insta::assert_snapshot!(html("> [!warning] Mind *the* step\n> It is high.\n>\n> - really\n\n> [!tip]- Later\n> Hidden.\n\n> [!x]+\n\n> [!note]\n> # Head\n"), @r#"
    <aside class="callout is-warning" role="note">
    <p class="callout-title"><strong>Warning</strong> Mind <em>the</em> step</p>
    <p>It is high.</p>
    <ul>
    <li>really</li>
    </ul>
    </aside>
    <aside class="callout is-tip" role="note"><details>
    <summary class="callout-title"><strong>Tip</strong> Later</summary>
    <p>Hidden.</p>
    </details></aside>
    <aside class="callout is-note" role="note"><details open>
    <summary class="callout-title"><strong>X</strong> </summary>
    </details></aside>
    <aside class="callout is-note" role="note">
    <p class="callout-title"><strong>Note</strong> </p>
    <h3 class="level-1">Head</h3>
    </aside>
    "#);
}

#[test]
fn a_callout_stands_in_a_callout_and_what_is_none_stays_a_quotation() {
    insta::assert_snapshot!(html("> [!note] Outer\n> > [!bug] Inner\n> > text\n\n> words [!note]\n\n> [!note] **bold\n> on** and\n> after\n"), @r#"
    <aside class="callout is-note" role="note">
    <p class="callout-title"><strong>Note</strong> Outer</p>
    <aside class="callout is-danger" role="note">
    <p class="callout-title"><strong>Bug</strong> Inner</p>
    <p>text</p>
    </aside>
    </aside>
    <blockquote>
    <p>words [!note]</p>
    </blockquote>
    <aside class="callout is-note" role="note">
    <p class="callout-title"><strong>Note</strong> <strong>bold
    on</strong> and</p>
    <p>after</p>
    </aside>
    "#);
}

#[test]
fn a_footnote_is_led_to_and_back_from() {
    insta::assert_snapshot!(note("[^late]: Defined *first*.\n\nOne[^a], two[^LATE], one again[^a] and none[^x].\n\n[^a]: The note.\n    Goes on.\n\n    - with a list\n\n[^unused]: Nobody asks.\n"), @r##"
    <p>One<sup id="footnote-1-from"><a href="#footnote-1" aria-label="Footnote 1">1</a></sup>, two<sup id="footnote-2-from"><a href="#footnote-2" aria-label="Footnote 2">2</a></sup>, one again<sup><a href="#footnote-1" aria-label="Footnote 1">1</a></sup> and none[^x].</p>
    <section class="footnotes" aria-label="Footnotes"><ol>
    <li id="footnote-1"><p>The note.
    Goes on.</p>
    <ul>
    <li>with a list</li>
    </ul>
     <a class="footnote-back" href="#footnote-1-from" aria-label="Back to the text">↩</a></li>
    <li id="footnote-2"><p>Defined <em>first</em>. <a class="footnote-back" href="#footnote-2-from" aria-label="Back to the text">↩</a></p>
    </li>
    <li><p>Nobody asks.</p>
    </li>
    </ol></section>
    "##);
    assert_eq!(
        html("a[^1]\n\n[^1]: b c"),
        "<p>a[^1]</p>\n<p>[^1]: b c</p>\n",
        "a message has none of itself"
    );
}

fn with_footnotes() -> Options<'static> {
    Options { footnotes: Some("m"), ..Options::default() }
}

/// A message that names its footnotes.
fn message(source: &str) -> String {
    render(source, with_footnotes())
}

/// The same while it grows.
fn growing(source: &str) -> String {
    let mut document = Document::default();
    document.update(source, Progress::Growing, with_footnotes());
    document.blocks().iter().map(|block| block.html.as_str()).collect()
}

#[test]
fn a_message_leads_to_its_footnotes_across_its_blocks() {
    insta::assert_snapshot!(message("One[^a], two[^2].\n\n[^a]: The *note*.\n\nOne again[^A] and none[^x].\n\n[^2]: Second,\n    see[^a].\n\n    - with a list\n"), @r##"
    <p>One<sup id="footnote-m-1-from"><a href="#footnote-m-1" aria-label="Footnote 1">1</a></sup>, two<sup id="footnote-m-2-from"><a href="#footnote-m-2" aria-label="Footnote 2">2</a></sup>.</p>
    <p>One again<sup><a href="#footnote-m-1" aria-label="Footnote 1">1</a></sup> and none[^x].</p>
    <section class="footnotes" aria-label="Footnotes"><ol>
    <li id="footnote-m-1"><p>The <em>note</em>. <a class="footnote-back" href="#footnote-m-1-from" aria-label="Back to the text">↩</a></p>
    </li>
    <li id="footnote-m-2"><p>Second,
    see<sup><a href="#footnote-m-1" aria-label="Footnote 1">1</a></sup>.</p>
    <ul>
    <li>with a list</li>
    </ul>
     <a class="footnote-back" href="#footnote-m-2-from" aria-label="Back to the text">↩</a></li>
    </ol></section>
    "##);
}

#[test]
fn texts_in_one_page_keep_their_footnotes_apart() {
    for text in ["0191-0", "a\"b"] {
        let options = Options { footnotes: Some(text), ..Options::default() };
        let html = render("One[^1].\n\n[^1]: Note.", options);
        let escaped = text.replace('"', "&quot;");
        for place in ["id=\"footnote-{}-1\"", "href=\"#footnote-{}-1-from\""] {
            assert!(html.contains(&place.replace("{}", &escaped)), "{html}");
        }
    }
}

#[test]
fn what_only_looks_like_a_footnote_stays_as_it_is() {
    assert_eq!(message("`[^1]`\n\n[^1]: Note.").matches("<code>[^1]</code>").count(), 1);
    for text in ["```\n[^1] [^2]", "    [^1] [^2]", "- ```\n  [^1] [^2]"] {
        for html in [growing(text), message(&format!("{text}\n"))] {
            assert!(html.contains("[^1] [^2]") && !html.contains("<hr>"), "{html}");
        }
    }
    assert_eq!(growing("[^a-z] and [^abc] negate"), "<p>[^a-z] and [^abc] negate</p>\n");
    let list = message("- one[^1]\n- two\n\n[^1]: Note.");
    assert!(list.contains("<li>two</li>\n</ul>\n<section"), "a list stays tight: {list}");
}

#[test]
fn a_footnote_that_grows_does_not_flash() {
    let number =
        "<sup id=\"footnote-m-1-from\"><a href=\"#footnote-m-1\" aria-label=\"Footnote 1\">1</a></sup>";
    for half in ["One[", "One[^", "One[^1"] {
        assert_eq!(growing(half), "<p>One</p>\n", "{half:?}");
    }
    let referred = format!("<p>One{number}</p>\n");
    for rest in ["", "\n\n[", "\n\n[^", "\n\n[^1", "\n\n[^1]", "\n\n[^1]:", "\n\n[^1]: ", "\n[^1]"] {
        assert_eq!(growing(&format!("One[^1]{rest}")).trim_end(), referred.trim_end(), "{rest:?}");
    }
    let begun = growing("One[^1]\n\n[^1]: The **no");
    assert!(begun.starts_with(&referred), "{begun}");
    assert!(begun.contains("<li id=\"footnote-m-1\"><p>The <strong>no</strong> <a "), "{begun}");
    let second = growing("One[^1], two[^2]\n\n[^2]: Second.");
    assert!(second.contains("<li id=\"footnote-m-2\" value=\"2\">"), "its number is right: {second}");
}

#[test]
fn a_message_that_ends_keeps_its_references() {
    let text = "One[^1].\n\n```\ncode\n```\n\nTwo[^2].\n\n[^1]: First.\n[^2]: Second.\n";
    let mut document = Document::default();
    let mut seen = Vec::new();
    for (at, _) in text.char_indices() {
        document.update(&text[..at], Progress::Growing, with_footnotes());
        seen = document.blocks().to_vec();
    }
    document.update(text, Progress::Finished, with_footnotes());
    assert_eq!(document.blocks(), seen, "nothing moves at the end");
    let html: String = document.blocks().iter().map(|block| block.html.as_str()).collect();
    assert_eq!(html, message(text));
}

#[test]
fn a_reference_to_nothing_is_text_once_the_message_ends() {
    let mut document = Document::default();
    document.update("One[^1].", Progress::Growing, with_footnotes());
    assert!(document.blocks()[0].html.contains("<sup"));
    document.update("One[^1].", Progress::Finished, with_footnotes());
    assert_eq!(document.blocks()[0].html, "<p>One[^1].</p>\n");
}

#[test]
fn a_footnote_may_be_an_address_alone() {
    let html = message("One[^1].\n\n[^1]: https://a.example");
    assert!(html.contains("<li id=\"footnote-m-1\"><p><a href=\"https://a.example\" "), "{html}");
}

#[test]
fn an_embed_shows_a_picture_and_leads_to_files_and_notes() {
    insta::assert_snapshot!(note("![[Pic One.png]] ![[files/a.jpg|300]] ![[d.pdf]]\n\n![[Soil#Loam]] ![[Soil|the soil]]\n"), @r#"
    <p><img loading="lazy" src="/api/v1/notes/1/attachments/named/Pic%20One.png" alt="Pic One.png"> <img loading="lazy" src="/api/v1/notes/1/attachments/named/a.jpg" alt="a.jpg"> <a class="embed" href="/api/v1/notes/1/attachments/named/d.pdf">d.pdf</a></p>
    <p><a class="embed" href="/n?title=Soil#Loam">Soil › Loam</a> <a class="embed" href="/n?title=Soil">the soil</a></p>
    "#);
    let elsewhere = |source: &str| markdown::render_as(markdown::Dialect::Note, source, Options::default());
    assert_eq!(elsewhere("![[a.png]]"), "<p>a.png</p>\n", "where there are no files it is named");
}

#[test]
fn a_pictures_address_may_be_that_of_a_notes_file() {
    assert_eq!(
        note("![a](/api/v1/notes/0191/attachments/0192/a%20b.png)"),
        "<p><img loading=\"lazy\" src=\"/api/v1/notes/0191/attachments/0192/a%20b.png\" alt=\"a\"></p>\n"
    );
}

#[test]
fn properties_before_a_note_are_no_heading() {
    insta::assert_snapshot!(note("---\ntags: [<x>]\nkind: y\n---\n# One\n\n---\n"), @r#"
    <pre class="properties">tags: [&lt;x&gt;]
    kind: y</pre>
    <h2 class="level-1">One</h2>
    <hr>
    "#);
    assert_eq!(note("---\n\ntext"), "<hr>\n<p>text</p>\n");
}

#[test]
fn links_to_sources_become_marks_and_what_is_not_there_is_no_link() {
    let cite = |url: &str| match url {
        "/f/1#p3" => Citation::Source { number: 1, label: "Lease \"2\", Page 3".into() },
        "/f/9" => Citation::Missing,
        _ => Citation::None,
    };
    let html = |text: &str| render(text, Options { cite: Some(&cite), ..Options::default() });
    let mark = "<a class=\"cite\" href=\"/f/1#p3\" title=\"Lease &quot;2&quot;, Page 3\" \
                aria-label=\"Source 1: Lease &quot;2&quot;, Page 3\">1</a>";
    assert_eq!(html("Three months. [Lease, page 3](/f/1#p3)"), format!("<p>Three months. {mark}</p>\n"));
    assert_eq!(html("(see [Lease](/f/1#p3))"), format!("<p>(see Lease{mark})</p>\n"));
    assert_eq!(html("([Lease](/f/1#p3))"), format!("<p>({mark})</p>\n"));
    assert_eq!(html("As the [*lease*](/f/1#p3) says"), format!("<p>As the <em>lease</em>{mark} says</p>\n"));
    assert_eq!(html("So. [Old](/f/9)"), "<p>So. Old</p>\n");
    assert_eq!(html("[other](/c/1)"), "<p><a href=\"/c/1\">other</a></p>\n");
}
