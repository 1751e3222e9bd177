// Set-up, signing in and out, and what is there for people whose browser runs no scripts.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { NOT_FOUND } from "./watch.mjs";
import { LIMIT, OWNER, Stage, answers, open, ready, say, settled } from "./stage.mjs";

async function signIn(page, password) {
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

describe("an empty server", () => {
  let stage;
  before(async () => (stage = await Stage.start({ owner: "none" })), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => stage?.leave());

  test("leads to set-up, makes the owner's account there, and answers without any model", LIMIT, async () => {
    const { context, watched } = await stage.visitor();
    const page = await context.newPage();
    await page.goto("/");
    assert.equal(new URL(page.url()).pathname, "/setup");
    await page.getByLabel("Name").fill(OWNER.name);
    await page.getByLabel("E-mail").fill(OWNER.email);
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Make the account" }).click();
    await ready(page);
    await page.getByText("No language model is connected yet.").waitFor();

    await say(page, "Where did we write about roses?");
    await settled(page);
    await answers(page).getByText(/not a language model/).first().waitFor();
    assert.match(new URL(page.url()).pathname, /^\/c\/[0-9a-f-]{36}$/);

    await page.goto("/setup");
    assert.notEqual(new URL(page.url()).pathname, "/setup", "set-up is never shown again");
    watched.assertSilent();
  });
});

describe("signing in", () => {
  let stage;
  let conversation;
  before(async () => {
    stage = await Stage.start();
    conversation = await stage.conversation(["[[say A first answer, about **roses**.]]"], { title: "Roses" });
  }, LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => stage?.leave());

  test("a stranger is led to sign-in, and from there back to where they wanted to go", LIMIT, async () => {
    const { context, watched } = await stage.visitor();
    const page = await context.newPage();
    await page.goto(`/c/${conversation}`);
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await signIn(page, OWNER.password);
    await ready(page);
    assert.equal(new URL(page.url()).pathname, `/c/${conversation}`);
    await page.getByText("A first answer, about roses.", { exact: true }).waitFor();
    watched.assertSilent();
  });

  test("a wrong password is said in words and nobody is signed in", LIMIT, async () => {
    const { context, watched } = await stage.visitor();
    const page = await context.newPage();
    await page.goto("/sign-in");
    await signIn(page, "wrong horse battery");
    await page.getByRole("alert").getByText("do not go together").waitFor();
    await page.goto("/");
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await signIn(page, OWNER.password);
    await ready(page);
    watched.assertSilent();
  });

  test("signing out ends the session for every tab", LIMIT, async () => {
    const { context, watched, page } = await stage.owner();
    await open(page, "/settings/security");
    const cookies = await context.cookies();
    const session = cookies.find(({ name }) => name === "sidebar_session");
    assert.ok(session.httpOnly, "no script may read the session's cookie");
    await page.locator("#main").getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/\/sign-in/);
    await context.addCookies([session]);
    await page.goto("/");
    assert.equal(new URL(page.url()).pathname, "/sign-in", "the old cookie opens nothing");
    watched.assertSilent();
  });

  test("an address that was never given out shows a page that helps", LIMIT, async () => {
    const { watched, page } = await stage.owner();
    watched.allow(NOT_FOUND);
    for (const address of ["/nope", "/c/01900000-0000-7000-8000-000000000000"]) {
      const response = await page.goto(address);
      assert.equal(response.status(), 404, address);
      assert.ok((await page.getByRole("link", { name: /conversation/i }).count()) > 0, "a way on");
    }
    watched.assertSilent();
  });
});

describe("without scripts", () => {
  let stage;
  let conversation;
  before(async () => {
    stage = await Stage.start();
    const table = "| Rose | Blooms |\n| --- | --- |\n| Alba | June |\n";
    conversation = await stage.conversation(["[[say Roses bloom from June on.]]", `[[say ${table}]]`], {
      title: "Roses",
    });
  }, LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => stage?.leave());

  test("one signs in, finds a conversation in the list and reads it whole", LIMIT, async () => {
    const { context, watched } = await stage.visitor({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto("/");
    await signIn(page, OWNER.password);
    await page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: /Roses/ }).click();
    await page.waitForURL(`**/c/${conversation}`);
    await page.getByText("Roses bloom from June on.").last().waitFor();
    await page.getByRole("cell", { name: "Alba" }).waitFor();
    // Chromium's switch for scripts leaves noscript elements unshown, so only their text is looked at.
    const notice = await page.locator("noscript").textContent();
    assert.match(notice, /Writing needs scripts; reading does not\./);
    watched.assertSilent();
  });

  test("one searches, and leaves", LIMIT, async () => {
    const { context, watched } = await stage.visitor({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto("/search?q=bloom");
    await signIn(page, OWNER.password);
    await page.waitForURL(/\/search\?q=bloom$/);
    await page.getByRole("main").getByRole("link", { name: /Roses/ }).first().waitFor();
    await page.goto("/settings/security");
    await page.locator("#main").getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/\/sign-in/);
    await page.goto("/");
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    watched.assertSilent();
  });
});
