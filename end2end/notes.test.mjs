// The workspace around a note: the list and its folders, the page before and after scripts, what stands
// beside it, the bin, links for visitors, leaving.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { faults } from "./faults.mjs";
import { LIMIT, Stage, counted, focused, open, ready, until } from "./stage.mjs";
import { NETWORK_AWAY, NOT_FOUND } from "./watch.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const RICH = `Roses want *sun*. See [[Soil]].

# In spring

- [ ] Cut back
- [x] Order compost

## By the wall

| Rose | Blooms |
| --- | --- |
| Alba | June |

\`\`\`rust
fn main() {}
\`\`\`

The area is $\\pi r^2$. #garden`;

const paper = (page) => page.locator(".note-write .cm-content");
const list = (page) => page.getByRole("navigation", { name: "Notes" });
const row = (page, title) => list(page).locator(".rows .row-link").filter({ hasText: title });
const words = (page) => page.locator(".note-state-words");

async function write(page, text) {
  await paper(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(text);
}

async function saved(page) {
  await until("all is saved", async () => (await words(page).textContent()) === "Saved");
}

describe("notes in the workspace", () => {
  let stage;
  let browser;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => browser?.context.close());

  const make = (note) => stage.api("POST", "/notes", note);

  test("a note is complete HTML without scripts, and its links lead to notes", LIMIT, async () => {
    const { id } = await make({ title: "Rose garden", content: RICH });
    const soil = await make({ title: "Soil", content: "Loam." });
    browser = await stage.owner({ javaScriptEnabled: false });
    const { page, watched } = browser;
    await page.goto(`/n/${id}`);
    const text = page.locator(".note-read");
    await text.getByRole("heading", { name: "In spring", level: 2 }).waitFor();
    await text.getByRole("cell", { name: "Alba" }).waitFor();
    assert.equal(await text.getByRole("checkbox").first().isDisabled(), true);
    assert.equal(await text.locator("math").count(), 1);
    assert.equal(await page.locator("[style]").count(), 0, "the policy admits no style attributes");
    await text.getByRole("link", { name: "Soil" }).click();
    await page.locator(".cards").getByRole("link", { name: "Soil" }).click();
    await page.waitForURL(new RegExp(soil.id));
    watched.assertSilent();
  });

  test("a note is made by a key, written, named and found again", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/n");
    await page.locator("body").press("n");
    const title = page.getByRole("textbox", { name: "Title" });
    await focused(title);
    await title.fill("Written now");
    await title.press("Enter");
    await page.keyboard.type("The first line.");
    // what is typed before the editor came is put into it a moment after that
    await paper(page).getByText("The first line.").waitFor();
    await saved(page);
    await row(page, "Written now").waitFor();
    const id = new URL(page.url()).pathname.slice(3);
    // the list shows the title at once
    await until("the title is stored", async () => (await stage.api("GET", `/notes/${id}`)).title === "Written now");
    const note = await stage.api("GET", `/notes/${id}`);
    assert.deepEqual([note.title, note.content], ["Written now", "The first line."]);
    await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
    await until("what is printed is the whole text", async () => (await page.locator(".note-read").textContent()).trim() === "The first line.");
    await page.reload();
    await ready(page);
    await paper(page).getByText("The first line.").waitFor();
    assert.equal(await title.inputValue(), "Written now");
    watched.assertSilent();
  });

  test("the scratchpad is one key away and stays the same", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/search");
    await page.getByRole("main").focus();
    await page.keyboard.press("s");
    await page.waitForURL(/\/n\/./);
    const address = page.url();
    await open(page, "/bin");
    await page.locator("body").press("s");
    await page.waitForURL(address);
    await open(page, "/n");
    await page.locator("body").press("d");
    await page.waitForURL(/\/n\/./);
    assert.notEqual(page.url(), address, "today's note is another");
    watched.assertSilent();
  });

  test("folders are made, and notes go into them by hand and by menu", LIMIT, async () => {
    const dragged = await make({ title: "To be dragged" });
    await make({ title: "To be moved" });
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/n");
    await page.getByRole("button", { name: "More about notes" }).click();
    await page.getByRole("menuitem", { name: "New folder" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Drawer");
    await page.getByRole("button", { name: "Make the folder" }).click();
    const drawer = list(page).getByRole("link", { name: "Drawer" });
    // the list is in order of change: a row may move once while the new notes settle
    await until("it was moved", async () => {
      await row(page, "To be dragged").dragTo(drawer, { timeout: 5000 }).catch(() => {});
      return (await stage.api("GET", `/notes/${dragged.id}`)).folder_id;
    });
    await row(page, "To be moved").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Move to a folder" }).click();
    await page.getByRole("combobox", { name: "Folder" }).selectOption({ label: "Drawer" });
    await page.getByRole("button", { name: "Move it there" }).click();
    await drawer.click();
    await row(page, "To be dragged").waitFor();
    await row(page, "To be moved").waitFor();
    await counted(list(page).locator(".rows .row"), 2);
    watched.assertSilent();
  });

  test("deleting has a way back, now and from the bin", LIMIT, async () => {
    const { id } = await make({ title: "Thrown away" });
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/n/${id}`);
    await page.getByRole("button", { name: "More about this note" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.waitForURL(/\/n$/);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.waitForURL(new RegExp(id));
    await row(page, "Thrown away").waitFor();
    await saved(page);
    // what is on its way would be asked for in vain
    await watched.quiet();
    await stage.api("DELETE", `/notes/${id}`);
    await until("it left the list", async () => (await row(page, "Thrown away").count()) === 0);
    await open(page, "/bin");
    const deleted = page.getByRole("listitem").filter({ hasText: "Thrown away" });
    await deleted.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("button", { name: "Open" }).click();
    await page.waitForURL(new RegExp(id));
    watched.assertSilent();
  });

  test("a long list holds only the rows that are near", LIMIT, async () => {
    for (let at = 0; at < 400; at += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, one) => make({ title: `Many ${at + one}` })));
    }
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/n");
    const scroller = list(page).locator(".list-scroll");
    const rows = list(page).locator(".rows > .row");
    await until("the end was reached", async () => {
      await scroller.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      assert.ok((await rows.count()) <= 90, "a window of rows");
      return (await row(page, "Many 0").count()) > 0 && (await scroller.evaluate((e) => e.scrollHeight)) > 400 * 32;
    });
    await scroller.evaluate((element) => element.scrollTo(0, 0));
    await row(page, "Many 399").waitFor();
    watched.assertSilent();
  });

  test("comments stand at their words, are answered and resolved", LIMIT, async () => {
    const { id } = await make({ title: "Discussed", content: "These words are doubtful." });
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/n/${id}`);
    await paper(page).click();
    await page.keyboard.press("Control+a");
    await page.getByRole("button", { name: "Comments" }).click();
    const beside = page.getByRole("tabpanel");
    await beside.getByRole("textbox", { name: /Comment on/ }).fill("Are they?");
    await beside.getByRole("button", { name: "Comment" }).click();
    const thread = beside.getByRole("listitem").filter({ hasText: "Are they?" });
    await thread.getByText("These words are doubtful.").waitFor();
    await thread.getByRole("button", { name: "Reply" }).click();
    const reply = thread.getByRole("textbox", { name: "Reply" });
    await reply.fill("They are");
    // what others say meanwhile takes no word away
    await stage.api("POST", `/notes/${id}/comments`, { body: "And this?" });
    await beside.getByText("And this?").waitFor();
    await reply.pressSequentially(".");
    await until("no word is missing", async () => (await reply.inputValue()) === "They are.");
    await thread.getByRole("textbox", { name: "Reply" }).press("Control+Enter");
    await thread.getByText("They are.").waitFor();
    await thread.getByRole("button", { name: "Delete" }).last().click();
    await thread.getByText("They are.").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await thread.getByText("They are.").waitFor();
    await thread.getByRole("button", { name: "Resolve" }).click();
    await beside.getByRole("button", { name: "Show 1 resolved thread" }).click();
    await thread.getByRole("button", { name: "Open again" }).waitFor();
    watched.assertSilent();
  });

  test("what links here is shown, and a mention becomes a link", LIMIT, async () => {
    const { id } = await make({ title: "Compost heap", content: "Warm." });
    const linking = await make({ title: "Plan", content: "Turn the [[Compost heap]]." });
    const naming = await make({ title: "Diary", content: "Sat by the compost heap." });
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/n/${id}`);
    await page.getByRole("button", { name: "More about this note" }).click();
    await page.getByRole("menuitem", { name: "Links to this note" }).click();
    const beside = page.getByRole("tabpanel");
    await beside.getByRole("link", { name: /Plan/ }).waitFor();
    await until("the mention is offered", async () => {
      const offer = beside.getByRole("button", { name: "Link it" });
      if (await offer.waitFor({ timeout: 2000 }).then(() => true, () => false)) return true;
      await page.reload();
      await ready(page);
      return false;
    });
    await beside.getByRole("button", { name: "Link it" }).click();
    await until("it is a link", async () => (await stage.api("GET", `/notes/${naming.id}`)).content.includes("[[Compost heap|compost heap]]"));
    await until("the list was read again", async () => (await beside.getByRole("button", { name: "Link it" }).count()) === 0);
    await beside.getByRole("link", { name: /Plan/ }).click();
    await page.waitForURL(new RegExp(linking.id));
    watched.assertSilent();
  });

  test("a version is kept, compared and gone back to", LIMIT, async () => {
    const { id } = await make({ title: "Versions", content: "Before." });
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/n/${id}`);
    await page.getByRole("button", { name: "More about this note" }).click();
    await page.getByRole("menuitem", { name: "Versions" }).click();
    const beside = page.getByRole("tabpanel");
    await beside.getByRole("textbox", { name: "Keep the note as it is now" }).fill("First");
    await beside.getByRole("button", { name: "Keep" }).click();
    const version = beside.getByRole("listitem").filter({ hasText: "First" });
    await version.waitFor();
    await write(page, " After.");
    await saved(page);
    await version.getByRole("button", { expanded: false }).click();
    await version.getByRole("button", { name: "Go back to this" }).click();
    await until("it is as before", async () => (await stage.api("GET", `/notes/${id}`)).content === "Before.");
    await paper(page).getByText("Before.", { exact: true }).waitFor();
    watched.assertSilent();
  });

  test("a visitor by a link reads the note in a plain frame, until the link is taken back", LIMIT, async () => {
    const { id } = await make({ title: "For visitors", content: "Welcome here." });
    const share = await stage.api("POST", `/notes/${id}/shares`, { access: "view" });
    browser = await stage.visitor();
    const page = await browser.context.newPage();
    await page.goto(new URL(share.url, stage.url).pathname);
    await ready(page);
    await page.getByText("Welcome here.").first().waitFor();
    assert.equal(await page.getByRole("navigation", { name: "Sections" }).count(), 0);
    await until("it is read-only", async () => /^Read-only/.test(await words(page).textContent()));
    browser.watched.assertSilent();
    browser.watched.allow(NOT_FOUND);
    await stage.api("DELETE", `/notes/${id}/shares/${share.id}`);
    await page.reload();
    await page.waitForURL(/sign-in/);
  });

  test("on a phone a note is for reading, until writing is switched on", LIMIT, async () => {
    const { id } = await make({ title: "In the pocket", content: "Read me." });
    browser = await stage.owner(PHONE);
    const { page, watched } = browser;
    await open(page, "/n");
    await page.getByRole("link", { name: /In the pocket/ }).tap();
    await paper(page).getByText("Read me.").waitFor();
    await until("it says so", async () => /^Read-only: on a phone/.test(await words(page).textContent()));
    assert.equal(await paper(page).getAttribute("contenteditable"), "false");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, "nothing leaves the screen");
    await open(page, "/settings/notes");
    await page.getByRole("checkbox", { name: /Write on a phone/ }).tap();
    await open(page, `/n/${id}`);
    await until("it can be written", async () => (await paper(page).getAttribute("contenteditable")) === "true");
    watched.assertSilent();
  });

  test("leaving says what was not sent, and takes everything from the device", LIMIT, async () => {
    const { id } = await make({ title: "Unsent", content: "Start." });
    const line = await stage.line();
    browser = await stage.owner({ at: line.url });
    const { page, watched } = browser;
    watched.allow(NETWORK_AWAY);
    await open(page, `/n/${id}`);
    await saved(page);
    // the settings, and what asks about the notes when one leaves, come when the page has time
    await page.waitForFunction(() => {
      const { href } = new URL(document.querySelector("meta[name=local]").content, location);
      return performance.getEntriesByName(href).length > 0;
    });
    await watched.quiet();
    await line.cut();
    await write(page, " More");
    await until("it says so", async () => /^Offline, \d+ not sent, kept on this device$/.test(await words(page).textContent()));
    await page.getByRole("navigation", { name: "Sections", exact: true }).getByRole("link", { name: "Settings" }).click();
    await page.getByRole("navigation", { name: "Settings" }).getByRole("button", { name: "Sign out" }).click();
    const dialog = page.getByRole("dialog", { name: "Not everything is saved" });
    await dialog.getByRole("button", { name: "Stay" }).click();
    await line.mend();
    await page.getByRole("navigation", { name: "Sections", exact: true }).getByRole("link", { name: "Notes" }).click();
    await row(page, "Unsent").click();
    await saved(page);
    assert.equal((await stage.api("GET", `/notes/${id}`)).content, "Start. More");
    await page.getByRole("navigation", { name: "Sections", exact: true }).getByRole("link", { name: "Settings" }).click();
    await page.getByRole("navigation", { name: "Settings" }).getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/sign-in/);
    const left = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    assert.deepEqual(left.filter((name) => name.startsWith("sidebar-notes")), []);
  });

  for (const theme of ["light", "dark"]) {
    test(`axe finds nothing in the ${theme} theme`, LIMIT, async () => {
      const { id } = await make({ title: `Seen in ${theme}`, content: RICH });
      await stage.api("POST", `/notes/${id}/comments`, { body: "A remark." });
      browser = await stage.owner({ theme, viewport: { width: 1440, height: 900 } });
      const { page, watched } = browser;
      for (const address of ["/n", "/n?title=Nothing%20like%20it", "/settings/notes", "/settings/people", "/bin"]) {
        await open(page, address);
        assert.deepEqual(await faults(page), [], address);
      }
      await open(page, `/n/${id}`);
      await saved(page);
      assert.deepEqual(await faults(page), [], "a note");
      await page.getByRole("button", { name: "More about this note" }).click();
      await page.getByRole("menuitem", { name: "Versions" }).waitFor();
      assert.deepEqual(await faults(page), [], "its menu");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /What is beside/ }).click();
      for (const tab of ["Links", "Comments", "Versions", "Share", "Chat"]) {
        await page.getByRole("tab", { name: tab }).click();
        await watched.quiet();
        assert.deepEqual(await faults(page), [], tab);
      }
      watched.assertSilent();
    });
  }
});
