// A conversation as a thing to read, write and keep: hostile content, drafts, long histories,
// searching, deleting and having back.

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { LIMIT, LONG_LIMIT } from "./process.mjs";
import { Stage, answers, composer, counted, open, ready, say, settled, until } from "./stage.mjs";


/** What a hostile page that a model quotes might try; each would set `ran` or ask a stranger. */
const HOSTILE = [
  '<img src=x onerror="window.ran = 1">',
  "<script>window.ran = 1</script>",
  '<svg onload="window.ran = 1"><iframe srcdoc="<script>parent.ran = 1</script>"></iframe>',
  "[a link](javascript:window.ran=1) and [another](data:text/html,<script>opener.ran=1</script>)",
  "![a picture](http://stranger.invalid/picture.png) ![inline](data:image/svg+xml,<svg/onload=ran=1>)",
  "<style>@import url(http://stranger.invalid/style.css);</style><link rel=stylesheet href=http://stranger.invalid>",
  '```"><img src=x onerror=window.ran=1>\n</code><img src=x onerror=window.ran=1>\n```',
  "<form action=http://stranger.invalid><button autofocus onfocus=window.ran=1>press</button></form>",
  "The end of it.",
].join("\n\n");

async function assertHarmless(page) {
  const thread = page.getByRole("main").getByRole("log");
  await thread.getByText("The end of it.").last().waitFor();
  const dangerous = "img, script, iframe, style, link, form, svg:not(.icon), [onerror], [onload], [onfocus]";
  assert.equal(await thread.locator(dangerous).count(), 0);
  const links = await thread.locator("a[href]").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  for (const link of links) assert.doesNotMatch(link, /^\s*(javascript|data|vbscript):/i);
  assert.equal(await page.evaluate(() => window.ran), undefined);
}

describe("a conversation", () => {
  let stage;
  let browser;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  beforeEach(async () => (browser = await stage.owner()));
  afterEach(() => browser?.context.close());

  test("quotes hostile Markdown without running or fetching anything, streamed and loaded", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, `[[say ${HOSTILE}]]`);
    await settled(page);
    await assertHarmless(page);
    await page.reload();
    await ready(page);
    await assertHarmless(page);
    watched.assertSilent();
  });

  test("shows tables, coloured code, math and tasks as what they are", LIMIT, async () => {
    const { page, watched } = browser;
    const table = "| Rose | Blooms |\n| --- | --- |\n| Alba | June |";
    const text = `${table}\n\n\`\`\`rust\nfn main() {}\n\`\`\`\n\nEuler: $e^{i\\pi} + 1 = 0$\n\n- [x] planted\n- [ ] watered`;
    await open(page, "/c");
    await say(page, `[[say ${text}]]`);
    await settled(page);
    const answer = answers(page).last();
    await answer.getByRole("cell", { name: "Alba" }).waitFor();
    await answer.locator("code .hljs-keyword", { hasText: "fn" }).waitFor();
    await answer.locator("math msup").first().waitFor();
    await counted(answer.getByRole("checkbox"), 2);
    watched.assertSilent();
  });

  test("gives its code to the clipboard", LIMIT, async () => {
    const { page, watched, context } = browser;
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(page, "/c");
    await say(page, "[[say ```js\nlet rose = 1;\n```]]");
    await settled(page);
    await answers(page).last().getByRole("button", { name: "Copy", exact: true }).click();
    await page.getByText("Copied").waitFor();
    assert.equal((await page.evaluate(() => navigator.clipboard.readText())).trim(), "let rose = 1;");
    watched.assertSilent();
  });

  test("keeps what was typed and not sent, for itself only, until it is sent", LIMIT, async () => {
    const { page, watched } = browser;
    const [one, other] = [await stage.conversation([], { title: "One" }), await stage.conversation([], { title: "Other" })];
    await open(page, `/c/${one}`);
    await composer(page).pressSequentially("half a thought");
    await page.reload();
    await ready(page);
    await until("the half thought", async () => (await composer(page).inputValue()) === "half a thought");
    await open(page, `/c/${other}`);
    assert.equal(await composer(page).inputValue(), "");
    await open(page, `/c/${one}`);
    await until("the half thought again", async () => (await composer(page).inputValue()) === "half a thought");
    await composer(page).press("Enter");
    await settled(page);
    await page.reload();
    await ready(page);
    assert.equal(await composer(page).inputValue(), "");
    watched.assertSilent();
  });

  test("keeps what is typed in a field while another conversation is opened and left", LIMIT, async () => {
    const { page, watched } = browser;
    const one = await stage.conversation([], { title: "Left for a moment" });
    await stage.conversation([], { title: "Looked into" });
    await open(page, `/c/${one}`);
    await composer(page).fill("half a thought");
    await page.getByRole("link", { name: /Looked into/ }).click();
    await page.getByRole("heading", { name: "Looked into" }).waitFor();
    await until("an empty field", async () => (await composer(page).inputValue()) === "");
    await page.goBack();
    await page.getByRole("heading", { name: "Left for a moment" }).waitFor();
    await until("the half thought", async () => (await composer(page).inputValue()) === "half a thought");
    watched.assertSilent();
  });

  test("is renamed in place, and the list shows it", LIMIT, async () => {
    const { page, watched } = browser;
    const id = await stage.conversation(["[[say Fine.]]"], { title: "Before" });
    await open(page, `/c/${id}`);
    await page.getByRole("button", { name: "More about this conversation" }).click();
    await page.getByRole("menuitem", { name: "Rename" }).click();
    const field = page.getByRole("main").getByRole("textbox", { name: "Title of the conversation" });
    await field.fill("After all");
    await field.press("Enter");
    await page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: /After all/ }).waitFor();
    await until("the new title stored", async () => (await stage.api("GET", `/conversations/${id}`)).title === "After all");
    watched.assertSilent();
  });

  test("takes a reaction to a message, and takes it back", LIMIT, async () => {
    const { page, watched } = browser;
    const id = await stage.conversation(["[[say Fine.]]"], { title: "Liked" });
    const reactions = async () => (await stage.api("GET", `/conversations/${id}`)).messages.at(-1).reactions ?? [];
    await open(page, `/c/${id}`);
    const answer = answers(page).last();
    await answer.hover();
    await answer.getByRole("button", { name: "React" }).click();
    await answer.getByRole("button", { name: "Celebrate", exact: true }).click();
    await until("a stored reaction", async () => (await reactions())[0]?.emoji === "🎉");
    await answer.getByRole("button", { name: "Celebrate: 1" }).click();
    await until("no reaction", async () => (await reactions()).length === 0);
    watched.assertSilent();
  });

  test("is handed out as Markdown and as JSON", LIMIT, async () => {
    const { page, watched } = browser;
    const id = await stage.conversation(["[[say Fine **indeed**.]]"], { title: "Handed out" });
    await open(page, `/c/${id}`);
    for (const [name, ending] of [["Export as Markdown", ".md"], ["Export as JSON", ".json"]]) {
      await page.getByRole("button", { name: "More about this conversation" }).click();
      const coming = page.waitForEvent("download");
      await page.getByRole("menuitem", { name }).click();
      const download = await coming;
      assert.ok(download.suggestedFilename().endsWith(ending), download.suggestedFilename());
      await page.keyboard.press("Escape");
    }
    watched.assertSilent();
  });

  test("is deleted with a way back at once, and from the bin later", LIMIT, async () => {
    const { page, watched } = browser;
    const id = await stage.conversation(["[[say Fine.]]"], { title: "Nearly lost" });
    const inList = page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: /Nearly lost/ });
    const remove = async () => {
      await open(page, `/c/${id}`);
      await page.getByRole("button", { name: "More about this conversation" }).click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      await inList.waitFor({ state: "detached" });
    };
    await remove();
    await page.getByRole("button", { name: "Undo" }).click();
    await inList.waitFor();

    await remove();
    await until("it is gone", async () => !JSON.stringify(await stage.api("GET", "/conversations")).includes(id));
    await open(page, "/bin");
    const row = page.getByRole("listitem").filter({ hasText: "Nearly lost" });
    await row.getByRole("button", { name: "Restore" }).click();
    await row.waitFor({ state: "detached" });
    await open(page, `/c/${id}`);
    await page.getByText("Fine.", { exact: true }).waitFor();
    watched.assertSilent();
  });
});

describe("a conversation of a thousand messages", () => {
  let stage;
  let id;
  let short;
  const text = "About the roses along the southern wall, their pruning and the water they need in a dry June. ".repeat(3);
  before(async () => {
    stage = await Stage.start();
    const messages = Array.from({ length: 500 }, (_, n) => `Question ${n}. ${text}[[say Answer ${n}.]]`);
    messages[20] = "Where does the **quagga** live? [[say In no place any more.]]";
    id = await stage.conversation(messages, { title: "A long one" });
    short = await stage.conversation(["Question. [[say A short answer.]]"], { title: "A short one" });
  }, LONG_LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => stage?.leave());

  test("opens fast, at its end", LIMIT, async () => {
    const { page, watched } = await stage.owner({ viewport: { width: 1280, height: 800 } });
    const opening = async (conversation, last) => {
      await open(page, "/keys");
      const begun = Date.now();
      await page.goto(`/c/${conversation}`, { waitUntil: "commit" });
      await page.getByText(last, { exact: true }).waitFor();
      const seen = Date.now() - begun;
      await ready(page);
      return [seen, Date.now() - begun];
    };
    // This machine may have much else to do: so long takes one of two messages.
    const [control] = await opening(short, "A short answer.");
    const limit = Math.max(3000, 4 * control);
    const took = [];
    do {
      const [seen, done] = await opening(id, "Answer 499.");
      console.log(`1,000 messages: last answer seen after ${seen} ms, page ready after ${done} ms; of two after ${control} ms`);
      took.push(seen);
    } while (Math.min(...took) >= limit && took.length < 4);
    assert.ok(Math.min(...took) < limit, `${took.join(", ")} ms`);
    await untilInView(page, page.getByText("Answer 499.", { exact: true }));

    watched.assertSilent();
  });

  test("takes what is typed without delay while an answer streams", LIMIT, async () => {
    const { page, watched } = await stage.owner({ viewport: { width: 1280, height: 800 } });
    await open(page, `/c/${id}`);
    await page.evaluate(() => {
      window.presses = [];
      const keep = (list) => window.presses.push(...list.getEntries().filter(({ name }) => name.startsWith("key")));
      new PerformanceObserver(keep).observe({ type: "event", durationThreshold: 16 });
    });
    const letters = "typing goes on while an answer is written, and none of it is held up by the other";
    /** The milliseconds within which 95% of the keys are seen. */
    const typing = async (when) => {
      await page.evaluate(() => (window.presses.length = 0));
      await composer(page).fill("");
      await composer(page).pressSequentially(letters, { delay: 30 });
      assert.equal(await composer(page).inputValue(), letters);
      const durations = await page.evaluate(() => window.presses.filter(({ name }) => name === "keydown").map(({ duration }) => duration));
      // What took less than 16 ms is not reported by the browser.
      const all = [...durations, ...Array(Math.max(0, letters.length - durations.length)).fill(8)].sort((a, b) => a - b);
      const [median, high, most] = [0.5, 0.95, 1].map((part) => all[Math.ceil(all.length * part) - 1]);
      console.log(`a key until the next paint, ${when}: median ${median} ms, 95% within ${high} ms, at most ${most} ms`);
      return high;
    };
    // Aimed at are 50 ms; this machine may have much else to do, as it had without any answer, or have it just then.
    const control = await typing("without an answer");
    const limit = Math.max(150, 3 * control);
    const stop = page.getByRole("button", { name: "Stop the answer" });
    const took = [];
    do {
      await say(page, "[[tokens 8000 every 5ms]]");
      await stop.waitFor();
      await page.waitForTimeout(1000);
      took.push(await typing("while one is written"));
      assert.ok(await stop.isVisible(), "the answer was still being written at the end of the typing");
      await stop.click();
      await settled(page);
    } while (Math.min(...took) > limit && took.length < 4);
    assert.ok(Math.min(...took) <= limit, `95% within ${took.join(", ")} ms`);
    watched.assertSilent();
  });

  test("does not scroll away from somebody who reads further up", LIMIT, async () => {
    const { page, watched } = await stage.owner({ viewport: { width: 1280, height: 800 } });
    await open(page, `/c/${id}`);
    await page.getByRole("log").hover();
    await page.mouse.wheel(0, -1200);
    await scrolled(page);
    const anchor = await messageInTheMiddle(page);
    await stage.api("POST", `/conversations/${id}/messages`, { content: "[[tokens 100 every 5ms]]" });
    const pill = page.getByRole("button", { name: /New below/ });
    await pill.waitFor();
    const moved = (await topOf(page, anchor.id)) - anchor.top;
    assert.ok(Math.abs(moved) < 5, `what was read moved by ${moved} px`);
    await pill.click();
    await settled(page);
    await untilInView(page, answers(page).last());
    watched.assertSilent();
  });

  test("shows earlier messages without moving what is read", LIMIT, async () => {
    const { page, watched } = await stage.owner({ viewport: { width: 1280, height: 800 } });
    await open(page, `/c/${id}`);
    await page.getByRole("log").hover();
    await page.mouse.wheel(0, -1200);
    await scrolled(page);
    const left = await earlier(page);
    assert.ok(left >= 960, "none is fetched before one comes near it");
    const anchor = await messageInTheMiddle(page);
    await page.getByRole("button", { name: /earlier messages/ }).evaluate((button) => button.click());
    await until("earlier messages", async () => (await earlier(page)) === left - 40);
    const moved = (await topOf(page, anchor.id)) - anchor.top;
    assert.ok(Math.abs(moved) < 5, `what was read moved by ${moved} px`);
    watched.assertSilent();
  });

  test("shows earlier messages when one scrolls up to them, a page at a time", LIMIT, async () => {
    const { page, watched } = await stage.owner({ viewport: { width: 1280, height: 800 } });
    await open(page, `/c/${id}`);
    const left = await earlier(page);
    let asked = 0;
    page.on("request", (request) => (asked += /[?&]before=/.test(request.url()) ? 1 : 0));
    await page.getByRole("log").hover();
    // no further than that they are asked for: whoever scrolls on gets more
    await until("earlier messages asked for", async () => {
      if (asked === 0) await page.mouse.wheel(0, -1000);
      return asked > 0;
    });
    await until("earlier messages", async () => (await earlier(page)) < left);
    await page.waitForTimeout(1000);
    assert.equal(await earlier(page), left - 40, "one page was fetched, and the reader was not carried on to the next");
    await page.getByText(/Question 47\d\./).first().waitFor();
    watched.assertSilent();
  });

  test("is read from its beginning to its end, in order, with few of its messages in the page", LONG_LIMIT, async () => {
    const { page, watched } = await stage.owner({ viewport: { width: 1280, height: 800 } });
    const { messages } = await stage.api("GET", `/conversations/${id}`);
    await open(page, `/c/${id}#m-${messages[2].id}`);
    const thread = page.locator("main .thread");
    await until("the second question in view", () => isInView(page, page.getByText("Question 1.")));
    assert.equal(await earlier(page), 0);
    const place = () =>
      thread.evaluate((thread) => {
        const view = thread.getBoundingClientRect();
        const articles = [...thread.querySelectorAll("article")];
        const seen = articles.filter((article) => {
          const { top, bottom } = article.getBoundingClientRect();
          return bottom > view.top && top < view.bottom;
        });
        const boxes = seen.map((article) => article.getBoundingClientRect());
        const covered = Math.max(...boxes.map(({ bottom }) => bottom)) - Math.min(...boxes.map(({ top }) => top));
        const isAtEnd = thread.scrollTop > -1;
        return { count: articles.length, first: seen[0]?.id, covered, height: view.height, isAtEnd, top: boxes[0]?.top };
      });
    const order = new Map(messages.map((message, at) => [`m-${message.id}`, at]));
    await thread.hover();
    let before = await place();
    for (let step = 0; !before.isAtEnd; step += 1) {
      assert.ok(step < 2000, "the end is reached");
      const px = step % 7 === 6 ? 2500 : 400;
      await page.mouse.wheel(0, px);
      await until("scrolled", async () => {
        const next = await place();
        const moved = next.first !== before.first || next.top !== before.top;
        return moved && JSON.stringify(next) === JSON.stringify(await place());
      });
      let now = await place();
      // What it comes to: while the page is not let run it cannot bring messages in.
      const isCovered = async () => (now = await place()).covered >= now.height - 160;
      await until("messages all over the view", isCovered, 5000).catch(() => {
        assert.fail(`only ${now.covered} px of ${now.height} show messages`);
      });
      assert.ok(now.count <= 60, `${now.count} messages in the page`);
      const far = order.get(now.first) - order.get(before.first);
      assert.ok(far >= 0 && far <= 40, `from message ${order.get(before.first)} to ${order.get(now.first)}`);
      before = now;
    }
    await untilInView(page, answers(page).last());
    // A jump, as by the thumb of the scroll bar.
    await thread.evaluate((thread) => (thread.scrollTop = -thread.scrollHeight / 2));
    await until("messages in the middle", async () => (await place()).covered >= 500);
    assert.ok((await place()).count <= 60);
    watched.assertSilent();
  });

  test("is searched, and a result leads to the very message, however far up", LIMIT, async () => {
    const { page, watched } = await stage.owner({ viewport: { width: 1280, height: 800 } });
    await open(page, "/search");
    await page.getByRole("searchbox", { name: "Words to search for" }).fill("quagga");
    const hit = page.getByRole("main").getByRole("link").filter({ hasText: "quagga" });
    await hit.locator("mark", { hasText: /quagga/i }).waitFor();
    assert.match(page.url(), /\/search\?q=quagga$/);
    await hit.click();
    await page.waitForURL(/\/c\/.*#m-/);
    const message = page.locator("article.is-own").filter({ hasText: "quagga" });
    await message.waitFor();
    await until("it in view", () => isInView(page, message));
    watched.assertSilent();
  });
});

/** How many messages are not fetched yet. */
async function earlier(page) {
  const button = page.getByRole("button", { name: /earlier messages/ });
  return (await button.count()) === 0 ? 0 : Number.parseInt(await button.textContent(), 10);
}

/** The message that a reader would be reading, and where its top is. */
function messageInTheMiddle(page) {
  return page.evaluate(() => {
    const messages = [...document.querySelectorAll("main article")];
    const middle = messages.find((message) => message.getBoundingClientRect().bottom > innerHeight / 2);
    return { id: middle.id, top: middle.getBoundingClientRect().top };
  });
}

function topOf(page, id) {
  return page.evaluate((id) => document.getElementById(id).getBoundingClientRect().top, id);
}

async function isInView(page, locator) {
  const box = await locator.boundingBox();
  const { height } = page.viewportSize();
  return box !== null && box.y + box.height > 0 && box.y < height;
}

async function untilInView(page, locator) {
  await until("it is in view", () => isInView(page, locator));
}

/** Waits until the reader is further up and rests there. */
async function scrolled(page) {
  let [before, since] = [0, Date.now()];
  const place = () =>
    page.evaluate(async () => {
      for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
      return document.querySelector("main .thread").scrollTop;
    });
  await until("the reader to rest further up", async () => {
    const now = await place();
    if (now !== before) [before, since] = [now, Date.now()];
    return before !== 0 && Date.now() - since > 500;
  });
}
