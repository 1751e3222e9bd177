// What the editor does while one writes: the preview, lists and boxes, menus, pasting, moving.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { LIMIT, Stage, field, reads, text, until } from "./stage.mjs";


describe("editing", () => {
  let stage;
  let context;
  let page;
  let room;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(async () => {
    const wrongs = context?.wrongs ?? [];
    await context?.close();
    assert.deepEqual(wrongs, []);
  });

  async function open(content, options) {
    context = await stage.browser(options);
    const note = stage.note(content);
    room = note.room;
    page = await stage.open(context, note.id);
    return page;
  }

  /** Puts the cursor behind this text. */
  const cursorBehind = (found) =>
    page.evaluate((wanted) => {
      const { view } = window.editor;
      const at = view.state.doc.toString().indexOf(wanted) + wanted.length;
      view.dispatch({ selection: { anchor: at } });
      view.focus();
    }, found);

  const shown = () => field(page).evaluate((element) => element.innerText);

  /** Goes down the list that completes until this is chosen, and takes it. */
  async function complete(name) {
    const chosen = page.locator(".cm-tooltip-autocomplete [aria-selected=true]");
    await page.getByRole("option", { name }).waitFor();
    await until(`${name} is chosen`, async () => {
      // Keys are the list's only some time after it came, and another one may be on its way.
      await page.waitForTimeout(250);
      if ((await chosen.innerText()).includes(name)) return true;
      await page.keyboard.press("ArrowDown");
      return false;
    });
    await page.keyboard.press("Enter");
  }

  const paste = (html, plain) =>
    page.evaluate(
      ([rich, words]) => {
        const data = new DataTransfer();
        data.setData("text/html", rich);
        data.setData("text/plain", words);
        document.querySelector(".cm-content").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      },
      [html, plain],
    );

  test("marks are hidden but where one writes", LIMIT, async () => {
    await open("# Title\n\nSome **bold** words and a [link](https://example.org).\n\nlast");
    await until("no marks", async () => !/[#*\]]|https/.test(await shown()));
    await cursorBehind("Some **bo");
    await until("the marks of what is touched", async () => (await shown()).includes("**bold**"));
    await until("and no others", async () => !/#|https/.test(await shown()));
    await cursorBehind("# Ti");
    await until("the heading's mark", async () => (await shown()).includes("# Title"));
    await until("and no other", async () => !/\*\*/.test(await shown()));
  });

  test("a box can be ticked, and others see it", LIMIT, async () => {
    await open("- [ ] seeds\n- [x] water\n");
    await page.getByRole("checkbox", { name: "seeds" }).click();
    await until("ticked", () => room.text.toString() === "- [x] seeds\n- [x] water\n");
    await page.getByRole("checkbox", { name: "water" }).click();
    await until("not ticked", () => room.text.toString() === "- [x] seeds\n- [ ] water\n");
  });

  test("a table is one while one is elsewhere, and its source where one clicks", LIMIT, async () => {
    await open("before\n\n| A | B |\n| - | -: |\n| one | 2 |\n\nafter");
    await page.getByRole("cell", { name: "one" }).click();
    await until("the source", async () => (await shown()).includes("| one | 2 |"));
    await page.keyboard.type("X");
    await until("typed into the cell", () => room.text.toString().includes("| Xone | 2 |"));
    await cursorBehind("after");
    await page.getByRole("cell", { name: "Xone" }).waitFor();
    room.edit(0, 0, "| not |\n\n");
    room.edit(room.text.toString().indexOf("2 |"), room.text.toString().indexOf("2 |") + 1, "345");
    await page.getByRole("cell", { name: "345" }).waitFor();
  });

  test("the arrows lead into a table, from above and from below", LIMIT, async () => {
    await open("before\n\n| A | B |\n| - | - |\n| one | 2 |\n\nafter");
    await page.getByRole("cell", { name: "one" }).waitFor();
    await cursorBehind("before\n");
    await page.keyboard.press("ArrowDown");
    await until("its source", async () => (await shown()).includes("| A | B |"));
    await cursorBehind("2 |\n");
    await page.getByRole("cell", { name: "one" }).waitFor();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.type("x");
    await until("typed into the table", async () => /\nx\| one/.test(await text(page)));
  });

  test("fields before a note are no heading", LIMIT, async () => {
    await open("---\ntitle: x\n---\n\n# One\n");
    await page.waitForFunction(() => window.seen.outline.length === 1);
    await until("their lines", async () => (await page.locator(".md-frontmatter").count()) === 3);
    await until("the heading", async () => (await page.locator(".md-heading").count()) === 1);
  });

  test("lists go on with Enter, end on an empty item, and count", LIMIT, async () => {
    await open("");
    await field(page).focus();
    await page.keyboard.type("1. one\ntwo\n\nplain\n- [x] task\nnext\n\n> quote\nmore");
    await reads(page, "1. one\n2. two\nplain\n- [x] task\n- [ ] next\n> quote\n> more");
    await cursorBehind("1. one");
    await page.keyboard.press("Enter");
    await page.keyboard.type("between");
    assert.match(await text(page), /^1\. one\n2\. between\n3\. two\n/, "those behind count on");
  });

  test("Tab nests an item and Backspace takes its mark away", LIMIT, async () => {
    await open("- one\n- two");
    await cursorBehind("- tw");
    await page.keyboard.press("Tab");
    await reads(page, "- one\n  - two");
    await page.keyboard.press("Shift+Tab");
    await reads(page, "- one\n- two");
    await cursorBehind("one\n- ");
    await page.keyboard.press("Backspace");
    await reads(page, "- one\ntwo");
  });

  test("keys for emphasis put marks on and take them off", LIMIT, async () => {
    await open("a word");
    await cursorBehind("a wo");
    await page.keyboard.press("Control+b");
    await reads(page, "a **word**");
    await page.keyboard.press("Control+b");
    await reads(page, "a word");
  });

  test("the slash menu makes what one chooses", LIMIT, async () => {
    await open("first\n");
    await cursorBehind("first\n");
    await page.keyboard.type("/");
    await page.getByRole("option", { name: /Heading 1/ }).waitFor();
    await page.keyboard.type("tas");
    await complete("Task");
    await reads(page, "first\n- [ ] ");
    await page.keyboard.type("water");
    await reads(page, "first\n- [ ] water");
    await page.keyboard.type(" and/or");
    await page.waitForTimeout(300);
    assert.equal(await page.locator(".cm-tooltip-autocomplete").count(), 0, "only at the start of a line");
  });

  test("notes, people and tags complete, and a new note can be made", LIMIT, async () => {
    await open("");
    await field(page).focus();
    await page.keyboard.type("see [[gard");
    await page.getByRole("option", { name: "Garden plan" }).waitFor();
    await complete("Gardening tools");
    await reads(page, "see [[Gardening tools]]");
    await page.keyboard.type(" @gra");
    await complete("Grace Hopper");
    await reads(page, "see [[Gardening tools]] @Grace Hopper ");
    await page.keyboard.type("#ho");
    await page.getByRole("option", { name: "house/roof" }).waitFor();
    await complete("home");
    await reads(page, "see [[Gardening tools]] @Grace Hopper #home ");
    await page.keyboard.type("[[Compost");
    await page.getByRole("option", { name: "New note “Compost”" }).click();
    await page.waitForFunction(() => window.seen.created?.title === "Compost");
    await until("its link", async () => /\[\[Compost\]\]$/.test(await text(page)));
  });

  test("a link opens with Ctrl and a click, and by its arrow", LIMIT, async () => {
    await open("go to [[Taxes]] and [settings](/settings)\n\nend");
    await page.locator(".md-wikilink").click({ modifiers: ["Control"] });
    await page.waitForFunction(() => window.seen.navigated.includes("/n/3"));
    await page.getByRole("button", { name: "Open settings" }).click();
    await page.waitForFunction(() => window.seen.navigated.includes("/settings"));
  });

  test("Ctrl-Enter follows the link at the cursor, or ticks the task of the line", LIMIT, async () => {
    await open("go to [[Taxes]], [[Taxes#When due|then]] and [[#Below]]\n- [ ] seeds");
    const links = [["[[Ta", "/n/3"], ["[[Taxes#When", "/n/3#When%20due"], ["[[#Be", "#Below"]];
    for (const [place, address] of links) {
      await cursorBehind(place);
      await page.keyboard.press("Control+Enter");
      await page.waitForFunction((address) => window.seen.navigated.includes(address), address);
    }
    await cursorBehind("see");
    await page.keyboard.press("Control+Enter");
    await reads(page, "go to [[Taxes]], [[Taxes#When due|then]] and [[#Below]]\n- [x] seeds");
  });

  test("a character that is being composed survives what others write", LIMIT, async () => {
    await open("first\nsecond\n");
    await cursorBehind("second");
    const input = await context.newCDPSession(page);
    await input.send("Input.imeSetComposition", { text: "に", selectionStart: 1, selectionEnd: 1 });
    room.edit(0, 0, "by others\n");
    await input.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
    room.edit(0, 0, "more\n");
    await page.waitForTimeout(250);
    await input.send("Input.insertText", { text: "日本" });
    await until("both", async () => (await text(page)) === "more\nby others\nfirst\nsecond日本\n");
    await until("in the room", () => room.text.toString() === "more\nby others\nfirst\nsecond日本\n");
  });

  test("pasted HTML becomes Markdown, and nothing in it runs", LIMIT, async () => {
    await open("");
    await field(page).focus();
    await paste(
      `<meta charset="utf-8"><b style="font-weight:normal"><h2>Plan</h2><p>Some <b>bold</b> and <a href="https://example.org/a(b)">a link</a>,
       <a href="javascript:window.ran=1">not this</a>.<script>window.ran=1</script><img src=x onerror="window.ran=1"></p>
       <ul><li>one<ul><li>inner</li></ul></li><li><input type="checkbox" checked>two</li></ul>
       <table><tr><th>A</th><th>B|</th></tr><tr><td>1</td><td><i>2</i></td></tr></table><pre><code class="language-js">let a = 1;\nlet b;</code></pre></b>`,
      "plain",
    );
    await reads(
      page,
      [
        "## Plan",
        "Some **bold** and [a link](https://example.org/a%28b%29), not this.",
        "- one\n  - inner\n- [x] two",
        "| A | B\\| |\n| --- | --- |\n| 1 | *2* |",
        "```js\nlet a = 1;\nlet b;\n```",
      ].join("\n\n"),
    );
    assert.equal(await page.evaluate(() => window.ran), undefined);
  });

  test("an address pasted over words becomes their link", LIMIT, async () => {
    await open("read this now");
    await page.evaluate(() => {
      window.editor.view.dispatch({ selection: { anchor: 5, head: 9 } });
      window.editor.focus();
    });
    await paste("", "https://example.org/x");
    await reads(page, "read [this](https://example.org/x) now");
  });

  test("a pasted picture is uploaded and shown", LIMIT, async () => {
    await open("x ");
    context.expected.push(/status of 404/); // there is no such file here
    await cursorBehind("x ");
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["…"], "bed plan.png", { type: "image/png" }));
      document.querySelector(".cm-content").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await until("its link", async () => (await text(page)) === "x ![bed plan.png](/files/bed%20plan.png)");
  });

  test("Alt with an arrow moves an item with what hangs under it", LIMIT, async () => {
    await open("- one\n  - inner\n- two\n\npara\n\nlast");
    await cursorBehind("- on");
    await page.keyboard.press("Alt+ArrowDown");
    await reads(page, "- two\n- one\n  - inner\n\npara\n\nlast");
    await page.keyboard.press("Alt+ArrowUp");
    await reads(page, "- one\n  - inner\n- two\n\npara\n\nlast");
    await cursorBehind("pa");
    await page.keyboard.press("Alt+ArrowDown");
    await reads(page, "- one\n  - inner\n- two\n\nlast\n\npara");
  });

  test("the handle drags an item to another place", LIMIT, async () => {
    await open("- one\n- two\n- three\n");
    const lines = page.locator(".cm-line");
    await lines.nth(0).hover();
    const handle = page.getByRole("button", { name: "Move this block" });
    await handle.hover();
    await page.mouse.down();
    const target = await lines.nth(2).boundingBox();
    await page.mouse.move(target.x + 60, target.y + 3, { steps: 4 });
    await page.mouse.up();
    await reads(page, "- two\n- one\n- three\n");
  });

  test("words, headings and the selection are told", LIMIT, async () => {
    await open("# One\n\ntwo three 日本\n\n```\n# not one\n```\n\n## Four **five**\n");
    await page.waitForFunction(() => window.seen.count?.words === 9);
    await cursorBehind("three");
    await page.keyboard.type(" more words");
    await page.waitForFunction(() => window.seen.count?.words === 11);
    const outline = () => page.evaluate(() => window.seen.outline.map(({ level, text }) => [level, text]));
    await until("the headings", async () => JSON.stringify(await outline()) === '[[1,"One"],[2,"Four five"]]');
    await page.keyboard.press("Shift+Control+ArrowLeft");
    await page.waitForFunction(() => window.seen.selection?.text === "words");
  });

  test("find and replace opens with Ctrl-F and closes with Escape", LIMIT, async () => {
    await open("cat and cat");
    await field(page).focus();
    await page.keyboard.press("Control+f");
    await page.getByRole("textbox", { name: "Find" }).fill("cat");
    await page.getByRole("textbox", { name: "Replace" }).fill("dog");
    await page.getByRole("button", { name: "replace all" }).click();
    await reads(page, "dog and dog");
    await page.keyboard.press("Escape");
    await until("closed", async () => (await page.locator(".cm-search").count()) === 0);
  });

  test("Vim's keys come when wanted, with the document's own undo", LIMIT, async () => {
    await open("one two\n");
    await page.evaluate(() => window.editor.setPreferences({ vim: true, source: true, spellcheck: false }));
    await page.locator(".cm-vim-panel, .cm-fat-cursor").first().waitFor({ state: "attached" });
    await field(page).focus();
    await page.keyboard.type("ggdw");
    await until("a word is gone", async () => (await text(page)) === "two\n");
    await page.keyboard.type("u");
    await until("and back", async () => (await text(page)) === "one two\n");
    await until("in the room too", () => room.text.toString() === "one two\n");
  });

  test("who may only read sees the preview and cannot write", LIMIT, async () => {
    context = await stage.browser();
    const note = stage.note("# Title\n\n- [ ] box\n");
    note.room.access = 0;
    page = await stage.open(context, note.id, { given: { access: "view" } });
    assert.equal((await page.evaluate(() => window.seen.status)).kind, "read_only");
    assert.equal(await field(page).getAttribute("contenteditable"), "false");
    assert.ok(await page.getByRole("checkbox", { name: "box" }).isDisabled());
    await page.locator(".cm-line").first().click();
    await until("no mark", async () => !/#/.test(await shown()));
  });
});
