// How people come to a note: by an invitation to the server, by a folder that is shared with them, by a link.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { LIMIT, OWNER, Stage, counted, open, ready, until } from "./stage.mjs";
import { NOT_FOUND } from "./watch.mjs";

const ADA = { email: "ada@example.org", name: "Ada" };
const BEN = { email: "ben@example.org", name: "Ben" };

const paper = (page) => page.locator(".note-write .cm-content");
const list = (page) => page.getByRole("navigation", { name: "Notes" });
const row = (page, title) => list(page).locator(".rows .row-link").filter({ hasText: title });
const state = (page) => page.locator(".note-state").getAttribute("data-state");
const words = (page) => page.locator(".note-state-words").textContent();

async function isAt(page, ...wanted) {
  await until(`the note is ${wanted.join(" or ")}`, async () => wanted.includes(await state(page)));
}

async function write(page, text) {
  await paper(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text, { delay: 10 });
}

/** Types on while something happens, however long that takes, and then the end of it. */
async function typingOn(page, meanwhile) {
  let isOver = false;
  const typing = (async () => {
    while (!isOver) await page.keyboard.type("and on ", { delay: 40 });
  })();
  try {
    await meanwhile();
  } finally {
    isOver = true;
    await typing.catch(() => {});
  }
  await page.keyboard.type("to the end.", { delay: 40 });
}

describe("people and notes", () => {
  let stage;
  let browsers = [];
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(async () => {
    for (const { context, watched } of browsers.splice(0)) {
      await context.close();
      watched.assertSilent();
    }
  });

  async function kept(opening) {
    const browser = await opening;
    browsers.push(browser);
    return browser;
  }

  const make = (note) => stage.api("POST", "/notes", note);
  const stored = async (id) => (await stage.api("GET", `/notes/${id}`)).content;

  async function fillJoin(page, { email, name }) {
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Join" }).click();
  }

  test("an admin invites, one person joins with the link, and nobody else", LIMIT, async () => {
    const owner = await kept(stage.owner());
    await open(owner.page, "/settings/people");
    await owner.page.getByLabel("They join as").selectOption({ label: "Developer" });
    await owner.page.getByRole("button", { name: "Make an invitation" }).click();
    const url = await owner.page.locator(".secret code").textContent();
    assert.match(url, new RegExp(`^${stage.url}/join/`), "an address that can be sent as it is");

    const grace = await kept(stage.visitor());
    const page = await grace.context.newPage();
    await page.goto(url);
    await fillJoin(page, { email: "grace@example.org", name: "Grace" });
    await ready(page);
    assert.equal(new URL(page.url()).origin, stage.url);
    await open(page, "/n");
    await page.locator("body").press("n");
    await page.waitForURL(/\/n\/./);
    await isAt(page, "saved");

    const late = await kept(stage.visitor());
    late.watched.allow(NOT_FOUND);
    const other = await late.context.newPage();
    const response = await other.goto(url);
    assert.equal(response.status(), 404, "it works once");
    assert.equal(await other.getByRole("button", { name: "Join" }).count(), 0);

    await owner.page.reload();
    await ready(owner.page);
    await owner.page.getByRole("listitem").filter({ hasText: "grace@example.org" }).getByText("developer", { exact: true }).waitFor();
    await owner.page.getByRole("listitem").filter({ hasText: "Joins as developer" }).getByText("Used").waitFor();
  });

  test("an invitation that was taken back lets nobody in", LIMIT, async () => {
    const owner = await kept(stage.owner());
    await open(owner.page, "/settings/people");
    await owner.page.getByLabel("They join as").selectOption({ label: "Viewer" });
    await owner.page.getByRole("button", { name: "Make an invitation" }).click();
    const url = await owner.page.locator(".secret code").textContent();
    const guest = await kept(stage.visitor());
    guest.watched.allow(NOT_FOUND);
    const page = await guest.context.newPage();
    await page.goto(url);
    await owner.page.getByRole("listitem").filter({ hasText: "Joins as viewer" }).getByRole("button", { name: "Take back" }).click();
    await until("it is gone", async () => (await stage.api("GET", "/invites")).every((invite) => invite.role !== "viewer"));
    await fillJoin(page, { email: "late@example.org", name: "Late" });
    await until("it is refused", async () => (await page.getByRole("button", { name: "Join" }).count()) === 0);
    assert.ok(!(await stage.api("GET", "/users")).some(({ email }) => email === "late@example.org"));
  });

  test("a folder is shared for writing: what is in it, and what comes into it, can be written until it is taken back", LIMIT, async () => {
    const ada = await kept(stage.member(ADA));
    const folder = await stage.api("POST", "/folders", { name: "Common" });
    const inner = await stage.api("POST", "/folders", { name: "Inner", parent_id: folder.id });
    const plan = await make({ title: "Plan", content: "The plan. ", folder_id: inner.id });
    const own = await make({ title: "Not common", content: "Mine." });
    await open(ada.page, "/n");
    assert.equal(await list(ada.page).getByRole("link", { name: "Common" }).count(), 0);

    const owner = await kept(stage.owner());
    await open(owner.page, "/n");
    await owner.page.getByRole("button", { name: "More about the folder Common" }).click();
    await owner.page.getByRole("menuitem", { name: "Share" }).click();
    const dialog = owner.page.getByRole("dialog", { name: "Share the folder “Common”" });
    await dialog.getByLabel("Name or e-mail address").fill(ADA.email);
    await dialog.getByLabel("They").selectOption({ label: "May write" });
    await dialog.getByRole("button", { name: "Share" }).click();
    await dialog.getByRole("listitem").filter({ hasText: "Ada" }).getByText("may write").waitFor();

    // She sees it come, without asking.
    await list(ada.page).getByRole("link", { name: "Common" }).waitFor();
    await list(ada.page).getByRole("link", { name: "Inner" }).click();
    await row(ada.page, "Plan").click();
    await isAt(ada.page, "saved");
    await write(ada.page, "Ada writes. ");
    await isAt(ada.page, "saved");
    assert.equal(await stored(plan.id), "The plan. Ada writes. ");
    assert.equal((await ada.context.request.get(`/api/v1/notes/${own.id}`)).status(), 404);
    const later = await make({ title: "Later", content: "Came later.", folder_id: folder.id });
    await list(ada.page).getByRole("link", { name: "Common" }).click();
    await row(ada.page, "Later").waitFor();

    await write(ada.page, "And on ");
    await typingOn(ada.page, async () => {
      await until("some of it arrived", async () => (await stored(plan.id)).includes("And on and on "));
      await dialog.getByRole("listitem").filter({ hasText: "Ada" }).getByRole("button", { name: "Take back" }).click();
      await until("it is said", async () => /no longer/i.test(await words(ada.page)));
    });
    ada.watched.allow([/status of 40[34]/]);
    assert.doesNotMatch(await stored(plan.id), /to the end/);
    await until("they left her list", async () => (await list(ada.page).getByRole("link", { name: "Common" }).count()) === 0);
    for (const { id } of [plan, later]) assert.equal((await ada.context.request.get(`/api/v1/notes/${id}`)).status(), 404);
    const before = await stored(plan.id);
    await pause(500);
    assert.equal(await stored(plan.id), before, "nothing arrives any more");
  });

  test("a folder shared for reading is read, followed live and not written", LIMIT, async () => {
    const ben = await kept(stage.member(BEN));
    const folder = await stage.api("POST", "/folders", { name: "To read" });
    const { id } = await make({ title: "News", content: "First.", folder_id: folder.id });
    const share = await stage.api("POST", `/folders/${folder.id}/shares`, { email: BEN.email, access: "view" });
    await open(ben.page, `/n/${id}`);
    await isAt(ben.page, "read-only");
    await paper(ben.page).click();
    await ben.page.keyboard.type("not mine");
    const owner = await kept(stage.owner());
    await open(owner.page, `/n/${id}`);
    await isAt(owner.page, "saved");
    await write(owner.page, " Second.");
    await paper(ben.page).getByText("First. Second.").waitFor();
    assert.equal(await stored(id), "First. Second.");

    // More than reading, without a reload.
    await stage.api("DELETE", `/folders/${folder.id}/shares/${share.id}`);
    await until("it is said", async () => /no longer/i.test(await words(ben.page)));
    ben.watched.allow([/status of 40[34]/]);
    await stage.api("POST", `/folders/${folder.id}/shares`, { email: BEN.email, access: "edit" });
    await open(ben.page, `/n/${id}`);
    await isAt(ben.page, "saved");
    await write(ben.page, " Third.");
    await paper(owner.page).getByText("First. Second. Third.").waitFor();
  });

  test("a visitor by a link sees marks of comments come and go", LIMIT, async () => {
    const { id } = await make({ title: "Discussed", content: "These words are doubtful." });
    const share = await stage.api("POST", `/notes/${id}/shares`, { access: "view" });
    const visitor = await kept(stage.visitor());
    const page = await visitor.context.newPage();
    await page.goto(new URL(share.url, stage.url).pathname);
    await ready(page);
    await isAt(page, "read-only");
    // It is read-only before its line stands: what is written now comes by that.
    await stage.api("PATCH", `/notes/${id}`, { content: "These words are doubtful. So they say." });
    await paper(page).getByText("So they say.").waitFor();
    assert.equal(await page.locator(".note-comment").count(), 0);
    const anchor = { from: "", to: "", quote: "doubtful" };
    const comment = await stage.api("POST", `/notes/${id}/comments`, { body: "Are they?", anchor });
    await page.locator(".note-comment").getByText("doubtful").waitFor();
    const beside = page.getByRole("region", { name: "Comments" });
    await beside.getByText("Are they?").waitFor();
    await counted(beside.getByRole("button", { name: "Reply" }), 0); // a reader answers nothing
    await counted(beside.getByRole("textbox"), 0);
    await stage.api("PATCH", `/notes/${id}/comments/${comment.id}`, { resolved: true });
    await until("what is resolved is not marked", async () => (await page.locator(".note-comment").count()) === 0);
  });
});
