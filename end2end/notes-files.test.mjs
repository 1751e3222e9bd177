// Notes that come as files and leave on paper: the import of a zip and of a folder from Obsidian, templates,
// what is embedded, callouts and footnotes, and printing.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { shell } from "./process.mjs";
import { LIMIT, OWNER, Stage, counted, open, until } from "./stage.mjs";

/** A red dot. */
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==",
  "base64",
);

const VAULT = {
  "Vault/Home.md": "---\ntags: [garden, plans]\naliases: [Start]\nrating: 5\n---\n![[Rose.png]]\n\nSee [[Soil#Loam|the soil]] and [the list](Lists/Shopping.md).\n",
  "Vault/Soil.md": "# Loam\n\nDark and rich.\n\n# Sand\n\nDrains well.\n",
  "Vault/Lists/Shopping.md": "- [ ] Seeds, as [[Home]] says\n\n![a rose](../files/Rose.png)\n",
  "Vault/files/Rose.png": PICTURE,
  "Vault/.obsidian/app.json": "{}",
};

const LONG = Array.from({ length: 400 }, (_, at) => `Paragraph ${at} of a long note.`).join("\n\n");

const paper = (page) => page.locator(".note-write .cm-content");
const list = (page) => page.getByRole("navigation", { name: "Notes" });
const row = (page, title) => list(page).locator(".rows .row-link").filter({ hasText: title });
const words = (page) => page.locator(".note-state-words");

async function saved(page) {
  await until("all is saved", async () => (await words(page).textContent()) === "Saved");
}

/** Whether all pictures in it came. */
const arePicturesThere = (place) =>
  place.locator("img:not(.cm-widgetBuffer)").evaluateAll((pictures) => pictures.length > 0 && pictures.every((one) => one.complete && one.naturalWidth > 0));

describe("notes as files", () => {
  let stage;
  let folder;
  let browser;
  before(async () => {
    stage = await Stage.start();
    folder = await mkdtemp(join(tmpdir(), "sidebar-notes-test-"));
    for (const [path, content] of Object.entries(VAULT)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
  }, LIMIT);
  after(async () => {
    await stage?.end();
    if (folder) await rm(folder, { recursive: true, force: true });
  }, LIMIT);
  afterEach(() => browser?.context.close());

  const make = (note) => stage.api("POST", "/notes", note);
  const titled = async (title) => (await stage.api("GET", "/notes?limit=200")).items.filter((note) => note.title === title);

  async function chooseFor(page, button, files) {
    await page.getByRole("button", { name: "More about notes" }).click();
    await page.getByRole("menuitem", { name: "Import Markdown" }).click();
    const dialog = page.getByRole("dialog", { name: "Import Markdown" });
    await dialog.getByLabel(button).setInputFiles(files);
    await dialog.waitFor({ state: "hidden" });
  }

  async function remove(titles) {
    for (const title of titles) for (const { id } of await titled(title)) await stage.api("DELETE", `/notes/${id}`);
    for (const { id, parent_id } of await stage.api("GET", "/folders")) if (!parent_id) await stage.api("DELETE", `/folders/${id}`);
  }

  /** What must be so whichever way the vault came in. */
  async function vaultIsHere(page) {
    await until("the notes are there", async () => (await titled("Shopping")).length === 1);
    await until("its tags are known", async () => (await titled("Home"))[0]?.tags.length === 2);
    const [[home], [soil], [shopping]] = await Promise.all(["Home", "Soil", "Shopping"].map(titled));
    assert.deepEqual(home.tags, ["garden", "plans"]);
    const { content } = await stage.api("GET", `/notes/${home.id}`);
    assert.match(content, /^---\ntags: \[garden, plans\]\naliases: \[Start\]\nrating: 5\n---\n/, "properties are kept");
    assert.match(content, new RegExp(`!\\[Rose.png\\]\\(/api/v1/notes/${home.id}/attachments/`), "the picture is the note's");
    assert.match(content, /\[\[Soil#Loam\|the soil\]\] and \[\[Shopping\|the list\]\]/);
    const folders = await stage.api("GET", "/folders");
    const named = (name) => folders.find((one) => one.name === name);
    assert.deepEqual(folders.map(({ name }) => name).sort(), ["Lists", "Vault"]);
    assert.equal(named("Lists").parent_id, named("Vault").id);
    assert.equal(shopping.folder_id, named("Lists").id);
    const { linked } = await until("its links are known", async () => {
      const found = await stage.api("GET", `/notes/${soil.id}/backlinks`);
      return found.linked.length > 0 && found;
    });
    assert.deepEqual(linked.map(({ title }) => title), ["Home"]);

    await list(page).getByRole("link", { name: "Vault" }).click();
    await row(page, "Home").click();
    await saved(page);
    await counted(page.locator(".md-frontmatter"), 5);
    await until("the picture is shown", () => arePicturesThere(paper(page)));
    await paper(page).getByRole("button", { name: "Open the soil" }).click();
    await page.waitForURL(new RegExp(soil.id));
    await paper(page).getByText("Dark and rich.").waitFor();
  }

  test("a zip from Obsidian keeps its folders, links, properties and pictures", LIMIT, async () => {
    execFileSync("python3", ["-c", "import shutil, sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[2], 'Vault')", join(folder, "vault"), folder]);
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/n");
    await chooseFor(page, "Choose files", join(folder, "vault.zip"));
    await page.getByText("3 notes imported").waitFor();
    await vaultIsHere(page);
    watched.assertSilent();
    await remove(["Home", "Soil", "Shopping"]);
  });

  test("a folder is imported as a zip of it would be", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/n");
    await chooseFor(page, "Choose a folder", join(folder, "Vault"));
    await page.getByText("3 notes imported").waitFor();
    await vaultIsHere(page);
    watched.assertSilent();
    await remove(["Home", "Soil", "Shopping"]);
  });

  test("one file is opened at once, and what is no text is left out with a reason", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/n");
    await chooseFor(page, "Choose files", [{ name: "Recipe.md", mimeType: "text/markdown", buffer: Buffer.from("Bread, **slowly**.") }]);
    await page.waitForURL(/\/n\/./);
    await paper(page).getByText("Bread, slowly.").waitFor();
    watched.assertSilent();
    watched.allow([/status of 400/]);
    await chooseFor(page, "Choose files", [{ name: "Broken.md", mimeType: "text/markdown", buffer: Buffer.from([0xff, 0xfe, 0x00]) }]);
    await page.getByText("The file is not text in UTF-8.").waitFor();
  });

  test("a note becomes a template, and a new note begins as it", LIMIT, async () => {
    const template = await make({ title: "Weekly", content: "# This week\n\n- [ ] Water" });
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/n/${template.id}`);
    await page.getByRole("button", { name: "More about this note" }).click();
    await page.getByRole("menuitem", { name: "Make it a template" }).click();
    await until("it left the notes", async () => (await row(page, "Weekly").count()) === 0);
    await page.getByRole("button", { name: "More about notes" }).click();
    await page.getByRole("menuitem", { name: "New note from a template" }).click();
    await page.getByRole("dialog", { name: "New note from a template" }).getByRole("button", { name: "Weekly" }).click();
    await until("another note is open", async () => !page.url().endsWith(template.id) && /\/n\/[0-9a-f-]{36}$/.test(page.url()));
    await paper(page).getByRole("checkbox", { name: "Water" }).click();
    await saved(page);
    const id = new URL(page.url()).pathname.slice(3);
    const note = await stage.api("GET", `/notes/${id}`);
    assert.deepEqual([note.kind, note.content], ["note", "# This week\n\n- [x] Water"]);
    assert.equal((await stage.api("GET", `/notes/${template.id}`)).content, "# This week\n\n- [ ] Water", "the template is as it was");
    await list(page).getByRole("link", { name: "Templates" }).click();
    await row(page, "Weekly").waitFor();
    watched.assertSilent();
  });

  test("what is embedded is shown in the place, and where one writes it is Markdown", LIMIT, async () => {
    const soil = await make({ title: "Soil types", content: "# Clay\n\nHeavy.\n\n# Peat\n\nLight and *sour*.\n" });
    const { id } = await make({ title: "Bed", content: "" });
    await fetch(`${stage.url}/api/v1/notes/${id}/attachments?name=Bed%20One.png`, {
      method: "POST",
      headers: { authorization: `Bearer ${await shell(["key", "create", "--data", stage.data, "--user", OWNER.email, "--name", "Files"])}` },
      body: PICTURE,
    });
    await stage.api("PATCH", `/notes/${id}`, { content: "Top.\n\n![[Bed One.png]]\n\n![[Soil types#Peat]]\n\n> [!warning]- Frost\n> Cover it.\n\nDug twice[^1].\n\n[^1]: In spring.\n" });
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/n/${id}`);
    await saved(page);
    await until("the picture is shown", () => arePicturesThere(paper(page)));
    await paper(page).getByText("Light and sour.").waitFor();
    assert.equal(await paper(page).getByText("Heavy.").count(), 0, "only the part that is named");
    await paper(page).getByText("Frost").waitFor();
    assert.equal(await paper(page).getByText("Cover it.").count(), 0, "folded");
    await paper(page).getByRole("button", { name: "Fold or open Warning" }).click();
    await paper(page).getByText("Cover it.").waitFor();
    await paper(page).getByRole("button", { name: "Footnote 1", exact: true }).waitFor();
    await paper(page).getByRole("link", { name: "Soil types › Peat" }).click();
    await page.waitForURL(new RegExp(soil.id));
    watched.assertSilent();
  });

  test("without scripts the same is complete HTML", LIMIT, async () => {
    await make({ title: "Tools", content: "A spade." });
    const { id } = await make({ title: "Shed", content: "---\nrating: 5\n---\n> [!tip]- Oil\n> Once a year.\n\n![[Tools]] and a rake[^r].\n\n[^r]: Lent out.\n" });
    browser = await stage.owner({ javaScriptEnabled: false });
    const { page, watched } = browser;
    await page.goto(`/n/${id}`);
    const text = page.locator(".note-read");
    await text.getByText("Tip").waitFor();
    assert.equal(await text.getByRole("heading").count(), 0, "properties are none");
    assert.equal(await text.getByText("Once a year.").isVisible(), false);
    await text.getByText("Tip").click();
    await text.getByText("Once a year.").waitFor();
    await text.getByRole("link", { name: "Footnote 1" }).click();
    await page.waitForURL(/#footnote-1$/);
    await text.getByRole("link", { name: "Back to the text" }).click();
    await page.waitForURL(/#footnote-1-from$/);
    await text.getByRole("link", { name: "Tools" }).click();
    await page.locator(".cards").getByRole("link", { name: "Tools" }).waitFor();
    watched.assertSilent();
  });

  test("on paper there is the whole text with its pictures, and nothing of the frame", LIMIT, async () => {
    const { id } = await make({ title: "For the printer", content: LONG });
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/n/${id}`);
    await saved(page);
    await paper(page).click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("\n\nThe very last words.");
    await saved(page);

    await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
    await page.emulateMedia({ media: "print" });
    for (const frame of [".rail", ".list-pane", ".panel", ".note-bar", ".note-foot", ".note-outline", ".status", ".note-write"]) {
      await counted(page.locator(frame).locator("visible=true"), 0); // it is not printed
    }
    const shown = page.locator(".note-read");
    await counted(shown.locator("p"), 401);
    await shown.getByText("The very last words.").waitFor();
    await page.getByLabel("Title").waitFor();
    await page.emulateMedia({ media: null });

    const pdf = await page.pdf({ format: "A4" });
    const key = await shell(["key", "create", "--data", stage.data, "--user", OWNER.email, "--name", "Paper"]);
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/octet-stream" };
    const kept = await fetch(`${stage.url}/api/v1/files?name=paper.pdf`, { method: "POST", headers, body: pdf });
    const file = (await kept.json()).data;
    await until("it was read", async () => ["indexing", "ready", "failed"].includes((await stage.api("GET", `/files/${file.id}`)).state));
    const read = await stage.api("GET", `/files/${file.id}/text`);
    const missing = Array.from({ length: 400 }, (_, at) => `Paragraph ${at} of a long note.`).filter((line) => !read.replaceAll(/\s+/g, " ").includes(line));
    assert.deepEqual(missing, [], "every paragraph is on some page");
    assert.match(read, /For the printer/);
    assert.match(read, /The very last words\./);
    assert.doesNotMatch(read, /Saved|Filter|Scratchpad|Export/);
    watched.assertSilent();
  });

  test("a visitor prints a note with its pictures", LIMIT, async () => {
    const { id } = await make({ title: "With a picture", content: "" });
    const key = await shell(["key", "create", "--data", stage.data, "--user", OWNER.email, "--name", "Pictures"]);
    const kept = await fetch(`${stage.url}/api/v1/notes/${id}/attachments?name=dot.png`, { method: "POST", headers: { authorization: `Bearer ${key}` }, body: PICTURE });
    const { url } = (await kept.json()).data;
    await stage.api("PATCH", `/notes/${id}`, { content: `Look:\n\n![a dot](${url})\n\n![[dot.png]]\n` });
    const share = await stage.api("POST", `/notes/${id}/shares`, { access: "view" });
    browser = await stage.visitor({ javaScriptEnabled: false });
    const page = await browser.context.newPage();
    await page.goto(new URL(share.url, stage.url).pathname);
    await page.emulateMedia({ media: "print" });
    const text = page.locator(".note-read");
    await counted(text.locator("img"), 2);
    await text.locator("img").last().scrollIntoViewIfNeeded();
    await until("the pictures are there", () => arePicturesThere(text));
    await counted(page.locator(".visit-bar").locator("visible=true"), 0);
    browser.watched.assertSilent();
  });

  /** Drops files behind the words of the first line. */
  const drop = (page, names) =>
    paper(page).evaluate(
      (element, [names, bytes]) => {
        const data = new DataTransfer();
        for (const name of names) data.items.add(new File([Uint8Array.from(bytes)], name));
        const words = document.createRange();
        words.selectNodeContents(element.querySelector(".cm-line"));
        const { right, top, height } = words.getBoundingClientRect();
        const place = { clientX: right + 4, clientY: top + height / 2 };
        element.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data, ...place }));
      },
      [names, [...PICTURE]],
    );

  /** A browser in which what is uploaded into notes waits; without the worker, which requests may go around. */
  async function waiting() {
    const opened = await stage.owner({ serviceWorkers: "block" });
    opened.watched.allow([/Service Worker registration blocked/]);
    const requests = [];
    await opened.page.route("**/attachments?name=*", (route) => void requests.push(route));
    return { ...opened, requests };
  }

  test("files are linked where they were dropped, also when one left the note before they were there", LIMIT, async () => {
    const { id } = await make({ title: "Left early", content: "Above.\n\nBelow." });
    await make({ title: "Elsewhere", content: "Another note." });
    browser = await waiting();
    const { page, watched, requests } = browser;
    await open(page, `/n/${id}`);
    await saved(page);
    await drop(page, ["Dot.png", "Words.txt"]);
    await paper(page).getByText("Uploading Dot.png…").waitFor();
    await until("it is on its way", () => requests.length === 1);
    await row(page, "Elsewhere").click();
    await paper(page).getByText("Another note.").waitFor();
    await saved(page);
    await stage.api("PATCH", `/notes/${id}`, { content: "Written meanwhile.\n\nAbove.\n\nBelow." });
    await requests[0].continue();
    const content = async () => (await stage.api("GET", `/notes/${id}`)).content;
    await until("its link is there", async () => (await content()).includes("Dot.png"));
    // back before the second is there: what the server writes comes to whoever has the note open
    await row(page, "Left early").click();
    await until("the picture is shown", () => arePicturesThere(paper(page)));
    await until("the second is on its way", () => requests.length === 2);
    await requests[1].continue();
    await paper(page).getByText("Words.txt").waitFor();
    await saved(page);
    const of = `/api/v1/notes/${id}/attachments/[0-9a-f-]{36}`;
    const links = `!\\[Dot\\.png\\]\\(${of}/Dot\\.png\\)\\[Words\\.txt\\]\\(${of}/Words\\.txt\\)`;
    assert.match(await content(), new RegExp(`^Written meanwhile\\.\\n\\nAbove\\.${links}\\n\\nBelow\\.$`));
    watched.assertSilent();
  });

  test("that a file was not uploaded is said also when one left the note", LIMIT, async () => {
    const { id } = await make({ title: "Left in vain", content: "Above." });
    browser = await waiting();
    const { page, watched, requests } = browser;
    await open(page, `/n/${id}`);
    await saved(page);
    await drop(page, ["Lost.png"]);
    await until("it is on its way", () => requests.length === 1);
    await page.getByRole("navigation", { name: "Sections", exact: true }).getByRole("link", { name: "Settings" }).click();
    await page.waitForURL(/settings/);
    watched.assertSilent();
    watched.allow([/status of 413/, /a file could not be uploaded/]);
    await requests[0].fulfill({ status: 413, contentType: "application/json", body: JSON.stringify({ error: "There is no room." }) });
    await page.getByText("Lost.png was not uploaded. There is no room.").waitFor();
    assert.equal((await stage.api("GET", `/notes/${id}`)).content, "Above.");
    watched.assertSilent();
  });
});
