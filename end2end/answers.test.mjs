// Answers while they are written: growing, cut off, stopped, waiting, and what is left of them
// after the page, the network or the server went away.

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { NETWORK_AWAY, RESTARTING } from "./watch.mjs";
import { LIMIT, PATIENCE_MS, Stage, answers, composer, counted, open, ready, say, settled, until } from "./stage.mjs";

/** Long enough to be met half-way, also on a machine that does much else: eight seconds. */
const LONG = "[[tokens 200 every 40ms]]";
const VERY_LONG = "[[tokens 1000 every 20ms]]";

async function textOf(page) {
  return (await answers(page).last().locator(".markdown").allInnerTexts()).join("");
}

async function wordsOf(page) {
  return (await textOf(page)).split(/\s+/).filter(Boolean).length;
}

/** Waits until at least so many words of the last answer are on the page. */
async function words(page, count) {
  await until(`${count} words of an answer`, async () => (await wordsOf(page)) >= count);
}

/** What is stored of the conversation's last answer. */
async function stored(stage, page) {
  const id = new URL(page.url()).pathname.split("/").at(-1);
  return (await stage.api("GET", `/conversations/${id}`)).messages.at(-1);
}

function plain(text) {
  return text.split(/\s+/).filter(Boolean).join(" ");
}

describe("an answer", () => {
  let stage;
  let browser;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  beforeEach(async () => (browser = await stage.owner()));
  afterEach(() => browser?.context.close());

  test("appears word by word while it is written, and its address is known at once", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    // Noted in the page itself: whoever looks from outside may look late.
    await page.evaluate(() => {
      window.grown = [];
      const look = () => {
        const parts = [...document.querySelectorAll("main article.is-answer .markdown")];
        const count = parts.map((part) => part.innerText).join("").split(/\s+/).filter(Boolean).length;
        if (count > (window.grown.at(-1) ?? 0)) window.grown.push(count);
      };
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await say(page, LONG);
    await page.waitForURL(/\/c\/[0-9a-f-]{36}$/);
    await words(page, 200);
    const seen = await page.evaluate(() => window.grown);
    assert.ok(seen.length >= 8, `it grew in ${seen.length} steps: ${seen}`);
    assert.ok(seen[0] < 60, `its first words were seen early: ${seen[0]}`);
    await settled(page);
    watched.assertSilent();
  });

  test("goes on after the page is loaded again in its middle, and ends whole", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, LONG);
    await words(page, 30);
    await page.reload();
    await ready(page);
    await words(page, 30);
    await settled(page);
    const message = await stored(stage, page);
    assert.equal(message.status, "complete");
    assert.equal(plain(await textOf(page)), plain(message.content));
    assert.equal(message.usage.output_tokens, 200);
    watched.assertSilent();
  });

  test("is stopped by its button, keeps what had arrived, and can be continued", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, VERY_LONG);
    await words(page, 20);
    await page.getByRole("button", { name: "Stop the answer" }).click();
    await page.getByText("You stopped this answer.").waitFor();
    await settled(page);
    const kept = await wordsOf(page);
    assert.ok(kept >= 20 && kept < 1000, `${kept} words`);
    const message = await stored(stage, page);
    assert.equal(message.stop_reason, "stopped");
    assert.equal(plain(await textOf(page)), plain(message.content));
    await page.getByRole("button", { name: "Continue" }).waitFor();
    watched.assertSilent();
  });

  test("is waited for by a message that was sent meanwhile, which says so", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, LONG);
    await words(page, 10);
    await say(page, "[[say The second answer.]]");
    await page.getByText("Waits for its turn").waitFor();
    await page.getByText("The second answer.", { exact: true }).waitFor();
    await settled(page);
    assert.equal(await answers(page).count(), 2);
    await counted(page.getByText("Waits for its turn"), 0);
    watched.assertSilent();
  });

  test("and another in the same new conversation, however quickly both were asked for", LIMIT, async () => {
    const { page, watched } = browser;
    const before = (await stage.api("GET", "/conversations?limit=100")).items.length;
    await page.route("**/api/v1/conversations", async (route) => {
      if (route.request().method() === "POST") await new Promise((done) => setTimeout(done, 1000));
      await route.continue();
    });
    await open(page, "/c");
    await say(page, "[[say The first answer.]]");
    await say(page, "[[say The next answer.]]");
    await page.getByText("The next answer.", { exact: true }).waitFor();
    await settled(page);
    assert.equal(await answers(page).count(), 2);
    const after = (await stage.api("GET", "/conversations?limit=100")).items.length;
    assert.equal(after, before + 1, "one conversation");
    watched.assertSilent();
  });

  test("that fails on the provider's side says why and offers to continue", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    const sentence = "The beginning of it, which takes a moment to be shown to its last word. ".repeat(6).trim();
    await say(page, `[[say ${sentence}]] [[cut]]`);
    // What was seen in the very frame in which it could first be continued.
    const seen = await page.waitForFunction(() => {
      const answer = document.querySelector("main article.is-answer");
      return answer?.querySelector(".standing button") && answer.querySelector(".markdown").textContent;
    });
    assert.equal(plain(await seen.jsonValue()), sentence, "not before its last word is seen");
    await page.getByRole("button", { name: "Continue" }).waitFor();
    await settled(page);
    assert.equal((await stored(stage, page)).status, "error");
    watched.assertSilent();
  });

  test("shows what the model thought and which tools it used, with arguments and results", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, '[[reason The clock will know.]] [[tool current_time {}]] [[tool search_workspace {"query":"roses"}]]');
    const used = page.getByRole("main").getByText("Looked at the clock");
    await used.waitFor();
    await settled(page);
    await page.getByText("Thought about it").click();
    await page.getByText("The clock will know.", { exact: true }).waitFor();
    const search = page.locator("details").filter({ hasText: /Searched the workspace for “roses”/ });
    await search.locator("summary").click();
    await search.getByText('"query": "roses"').waitFor();
    watched.assertSilent();
  });

  test("can be given anew: the earlier one stays a step away", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, "What is a rose?");
    await settled(page);
    const before = await stored(stage, page);
    await answers(page).last().hover();
    await page.getByRole("button", { name: "Answer again" }).click();
    await until("another answer", async () => (await stored(stage, page)).id !== before.id);
    await page.getByText("2/2").waitFor();
    await settled(page);
    await answers(page).last().hover();
    await page.getByRole("button", { name: "The variant before" }).click();
    await page.getByText("1/2").waitFor();
    await page.reload();
    await ready(page);
    await page.getByText("1/2").waitFor();
    await until("it is stored", async () => (await stored(stage, page)).id === before.id);
    watched.assertSilent();
  });

  test("belongs to a question that can be edited and sent again, by ↑ in an empty field", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await say(page, "[[say First wording answered.]]");
    await settled(page);
    await composer(page).press("ArrowUp");
    await page.getByText("Editing an earlier message").waitFor();
    await until("its words in the field", async () => (await composer(page).inputValue()) === "[[say First wording answered.]]");
    await composer(page).fill("[[say Second wording answered.]]");
    await composer(page).press("Enter");
    await page.getByText("Second wording answered.", { exact: true }).waitFor();
    await settled(page);
    await counted(page.getByText("First wording answered.", { exact: true }), 0);
    await page.locator("article.is-own").hover();
    await page.getByRole("button", { name: "The variant before" }).first().click();
    await page.getByText("First wording answered.", { exact: true }).waitFor();
    watched.assertSilent();
  });

  test("is the same, live, in two tabs", LIMIT, async () => {
    const { page, watched, context } = browser;
    const id = await stage.conversation(["[[say Where it begins.]]"], { title: "Seen twice" });
    const other = await context.newPage();
    await open(page, `/c/${id}`);
    await open(other, `/c/${id}`);
    await say(page, LONG);
    await words(other, 20);
    await other.getByRole("button", { name: "Stop the answer" }).waitFor();
    await settled(page);
    await words(other, 200);
    await settled(other);
    await until("the same in both", async () => (await textOf(other)) === (await textOf(page)));
    await page.getByRole("button", { name: "Pin this conversation" }).click();
    await other.getByRole("heading", { name: "Pinned" }).waitFor();
    watched.assertSilent();
  });
});

describe("when the network is cut", () => {
  let stage;
  let line;
  let browser;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  beforeEach(async () => {
    line = await stage.line();
    browser = await stage.owner({ at: line.url });
    browser.watched.allow(NETWORK_AWAY);
  });
  afterEach(() => browser?.context.close());

  test("it is said, the answer goes on, and the page is whole when the network is back", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await page.getByText("Connected").waitFor();
    await say(page, LONG);
    await words(page, 10);
    line.cut();
    await page.getByText("Offline.").waitFor();
    await page.getByText("The connection was cut.").waitFor();
    await composer(page).fill("typed while offline");
    line.mend();
    await page.getByText("Connected").waitFor();
    await settled(page);
    const message = await stored(stage, page);
    assert.equal(message.status, "complete");
    await until("the page whole", async () => plain(await textOf(page)) === plain(message.content));
    assert.equal(await composer(page).inputValue(), "typed while offline");
    watched.assertSilent();
  });

  test("without a word, that is noticed within 15 seconds, and said", LIMIT, async () => {
    const { page, watched } = browser;
    await open(page, "/c");
    await page.getByText("Connected").waitFor();
    // When it was said, by the page's own clock, and how long the page was not let run meanwhile.
    await page.evaluate(() => {
      let before = performance.now();
      window.held = 0;
      setInterval(() => {
        const now = performance.now();
        window.held += Math.max(0, now - before - 150);
        before = now;
      }, 100);
      const look = () => {
        if (document.querySelector('.status[data-state="offline"]')) window.saidAt ??= Date.now();
      };
      new MutationObserver(look).observe(document.querySelector(".status"), { attributes: true });
    });
    const began = Date.now();
    line.fallSilent();
    await page.getByText("Offline.").waitFor();
    const { saidAt, held } = await page.evaluate(() => ({ saidAt: window.saidAt, held: window.held }));
    assert.ok(saidAt - began - held <= 15_000, `said after ${saidAt - began} ms, of which the page stood still for ${held.toFixed(0)}`);
    line.mend();
    await page.getByText("Connected").waitFor();
    watched.assertSilent();
  });

  test("a message is kept and says that it was not sent, and one click sends it once", LIMIT, async () => {
    const { page, watched } = browser;
    const id = await stage.conversation(["[[say Before.]]"], { title: "Away" });
    await open(page, `/c/${id}`);
    line.cut();
    await say(page, "[[say It arrived later.]]");
    await page.getByText("Not sent.").waitFor();
    line.mend();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("It arrived later.", { exact: true }).waitFor();
    await settled(page);
    assert.equal((await stage.api("GET", `/conversations/${id}`)).messages.length, 4);
    watched.assertSilent();
  });

  test("what was missed in another tab's conversation is there when the network is back", LIMIT, async () => {
    const { page, watched } = browser;
    const id = await stage.conversation(["[[say Before.]]"], { title: "Away" });
    await open(page, `/c/${id}`);
    await page.getByText("Connected").waitFor();
    line.cut();
    await page.getByText("Offline.").waitFor();
    await stage.api("POST", `/conversations/${id}/messages`, { content: "[[say Said meanwhile.]]" });
    line.mend();
    await page.getByText("Said meanwhile.", { exact: true }).waitFor();
    watched.assertSilent();
  });
});

describe("wherever one is", () => {
  let stage;
  let conversation;
  before(async () => {
    stage = await Stage.start();
    conversation = await stage.conversation(["[[say Before.]]"], { title: "Away" });
  }, LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => stage?.leave());

  const screens = [
    ["a desk", { viewport: { width: 1280, height: 800 } }],
    ["a phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ];
  for (const [name, screen] of screens) {
    test(`a cut network is said in words at ${name}, and so is its return`, LIMIT, async () => {
      for (const address of ["/", `/c/${conversation}`, "/search", "/settings/profile"]) {
        const line = await stage.line();
        const { page, watched, context } = await stage.owner({ at: line.url, ...screen });
        watched.allow(NETWORK_AWAY);
        await open(page, address);
        const status = page.locator(".status");
        await page.waitForSelector('.status[data-state="online"]', { state: "attached" });
        line.cut();
        await status.getByText("Offline.").waitFor();
        line.mend();
        await page.waitForSelector('.status[data-state="online"]', { state: "attached" });
        watched.assertSilent();
        await context.close();
      }
    });
  }
});

describe("when the server goes away in the middle of an answer", () => {
  let stage;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => stage?.leave());

  test("by a crash, what had arrived is kept and goes on by one click", LIMIT, async () => {
    const { page, watched } = await stage.owner();
    watched.allow(NETWORK_AWAY);
    await open(page, "/c");
    await say(page, VERY_LONG);
    // Words are stored every half second; a disk that others use may take two seconds over it.
    await words(page, 220);
    await stage.stopServer("SIGKILL");
    const seen = plain(await textOf(page));
    await page.getByText("Offline.").first().waitFor();
    await stage.startServer();
    const goOn = page.getByRole("button", { name: "Continue" });
    await goOn.waitFor({ timeout: 2 * PATIENCE_MS });
    const message = await stored(stage, page);
    assert.equal(message.status, "error");
    const kept = plain(message.content);
    assert.ok(kept.split(" ").length >= 80, `only ${kept.split(" ").length} words were kept`);
    assert.ok(seen.startsWith(kept.slice(0, 100)), "what is kept is what was seen");
    await until("the page to show what is kept", async () => plain(await textOf(page)) === kept);

    await goOn.click();
    await until("a continued answer", async () => (await stored(stage, page)).id !== message.id);
    await words(page, kept.split(" ").length + 10);
    assert.ok(plain(await textOf(page)).startsWith(kept), "it begins with what was there");
    await page.getByRole("button", { name: "Stop the answer" }).click();
    await settled(page);
    watched.assertSilent();
  });

  test("by a restart, the page finds back by itself and loses nothing", LIMIT, async () => {
    const { page, watched } = await stage.owner();
    watched.allow([...NETWORK_AWAY, ...RESTARTING]);
    await open(page, "/c");
    await say(page, VERY_LONG);
    await words(page, 60);
    await composer(page).fill("a thought for later");
    await stage.stopServer("SIGTERM");
    const seen = await wordsOf(page);
    await stage.startServer();
    await page.getByRole("button", { name: "Continue" }).waitFor({ timeout: 2 * PATIENCE_MS });
    const message = await stored(stage, page);
    // The last words come at reading pace, after the end is known.
    await until("all that was stored to be shown", async () => plain(await textOf(page)) === plain(message.content));
    assert.ok(plain(message.content).split(" ").length >= seen, "a server that was asked to stop keeps all");
    assert.equal(await composer(page).inputValue(), "a thought for later");
    await page.getByText("Connected").waitFor();
    watched.assertSilent();
  });

  test("or only its database, the answer goes on, is stored, and the next one is answered", LIMIT, async () => {
    const { page, watched } = await stage.owner();
    watched.allow([/Failed to load resource: the server responded with a status of 503/]);
    await open(page, "/c");
    await say(page, LONG);
    await words(page, 30);
    await stage.killDatabase();
    await settled(page);
    await until("the answer to be stored", () => stored(stage, page).then(({ status }) => status === "complete", () => false), 2 * PATIENCE_MS);
    const message = await stored(stage, page);
    assert.equal(message.usage.output_tokens, 200);
    await until("the page to show all of it", async () => plain(await textOf(page)) === plain(message.content));
    await say(page, "[[say All is well again.]]");
    await page.getByText("All is well again.", { exact: true }).waitFor();
    await settled(page);
    watched.assertSilent();
  });

  test("or its database stays away, the page says so, keeps what is typed, and recovers by itself", LIMIT, async () => {
    const { page, watched } = await stage.owner();
    watched.allow([/Failed to load resource: the server responded with a status of 503/]);
    const id = await stage.conversation(["[[say Before.]]"], { title: "Away" });
    await open(page, `/c/${id}`);
    await page.getByText("Connected").waitFor();
    await stage.loseDatabase();
    await page.locator(".status").getByText(/Not working right now: .*Nothing is lost\./).waitFor();
    await say(page, "[[say It arrived later.]]");
    await page.getByText("Not sent.").waitFor();
    const response = await fetch(`${stage.url}/api/v1/conversations`, { headers: { authorization: "Bearer sb_sk_any" } });
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get("retry-after")) > 0);
    await stage.returnDatabase();
    await page.getByText("Connected").waitFor({ timeout: 2 * PATIENCE_MS });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("It arrived later.", { exact: true }).waitFor();
    await settled(page);
    watched.assertSilent();
  });
});
