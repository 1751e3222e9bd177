//! What the main constructs become.

use markdown::{Document, Options, Progress, render};

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
    assert_eq!(note("[[Roses#Pruning|how to]]"), "<p><a href=\"/n?title=Roses\">how to</a></p>\n");
    assert_eq!(note("# A"), "<h2 class=\"level-1\">A</h2>\n");
    assert_eq!(note("`[[x]]`"), "<p><code>[[x]]</code></p>\n");
    assert_eq!(html("[[x]]"), "<p>[[x]]</p>\n", "a message has none");
}
