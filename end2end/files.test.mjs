// Files in the workspace: how they come (chosen, dropped, pasted, through a network that breaks), the list,
// the page of one with what was read in it, the bin.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { faults } from "./faults.mjs";
import { shell } from "./process.mjs";
import { LIMIT, OWNER, PATIENCE_MS, Stage, counted, open, ready, until } from "./stage.mjs";
import { NETWORK_AWAY, NOT_FOUND } from "./watch.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const LEASE = `# Lease

The tenant is the gardener.

## Rent

| Month | Rent |
| --- | --- |
| June | 310 |

## Notice

Three months, in writing.
${"\nNothing else is agreed about this.\n".repeat(40)}
## Keys

Two, of brass.
`;

const list = (page) => page.getByRole("navigation", { name: "Files" });
const row = (page, name) => list(page).locator(".rows .row").filter({ hasText: name });
const transfer = (page, name) => list(page).getByRole("region", { name: "Uploads" }).getByRole("listitem").filter({ hasText: name });
const text = (content) => Buffer.from(content, "utf8");
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");

async function choose(page, files) {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), list(page).getByRole("button", { name: /^Upload files/ }).click()]);
  await chooser.setFiles(files);
}

/** Puts files into an event as a hand would that drops or pastes them. */
async function hand(page, kind, files) {
  await page.locator(".files-list").evaluate(
    (target, [kind, files]) => {
      const data = new DataTransfer();
      for (const [name, content] of files) data.items.add(new File([content], name));
      const options = { bubbles: true, cancelable: true };
      target.dispatchEvent(kind === "paste" ? new ClipboardEvent(kind, { ...options, clipboardData: data }) : new DragEvent(kind, { ...options, dataTransfer: data }));
    },
    [kind, files],
  );
}

describe("files in the workspace", () => {
  let stage;
  let key;
  let folder;
  let browser;
  before(async () => {
    stage = await Stage.start();
    key = await shell(["key", "create", "--data", stage.data, "--user", OWNER.email, "--name", "Files"]);
    folder = await mkdtemp(join(tmpdir(), "sidebar-files-test-"));
  }, LIMIT);
  after(async () => {
    await stage?.end();
    if (folder) await rm(folder, { recursive: true, force: true });
  }, LIMIT);
  afterEach(() => browser?.context.close());

  /** Keeps a file as a program would. */
  async function keep(name, bytes, { folder = "" } = {}) {
    const response = await fetch(`${stage.url}/api/v1/files?${new URLSearchParams({ name, folder })}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/octet-stream" },
      body: bytes,
    });
    assert.ok(response.ok, `${response.status} ${await response.clone().text()}`);
    return (await response.json()).data;
  }

  async function wasRead(id) {
    await until("it was read", async () => ["indexing", "ready", "failed"].includes((await stage.api("GET", `/files/${id}`)).state));
    return stage.api("GET", `/files/${id}`);
  }

  const named = async (name) => (await stage.api("GET", `/files?q=${encodeURIComponent(name)}`)).items.find((file) => file.name === name);

  test("a file is chosen, stands in the list, is read and shown, and search leads to the place", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/f");
    await choose(page, [{ name: "Lease.md", mimeType: "text/markdown", buffer: text(LEASE) }]);
    await row(page, "Lease.md").getByRole("link").click();
    await page.waitForURL(/\/f\/./);
    const sheet = page.getByRole("article", { name: "File" });
    await sheet.getByRole("cell", { name: "310" }).waitFor();
    await sheet.getByText("Markdown", { exact: true }).waitFor();
    await until("the list says nothing more about it", async () => (await row(page, "Lease.md").locator(".file-state").count()) === 0);
    await until("its words are found", async () => {
      await open(page, "/search?q=brass");
      return (await page.locator(".hit").count()) > 0;
    });
    const hit = page.getByRole("link", { name: /File:.*Lease/ });
    await hit.click();
    await page.waitForURL(/\/f\/[^#]+#./);
    const marked = page.locator(".file-section.is-marked");
    await marked.getByText("Two, of brass.").waitFor();
    await until("it is seen", () => marked.evaluate((section) => section.getBoundingClientRect().top >= 0 && section.getBoundingClientRect().top < innerHeight));
    await page.getByRole("region", { name: /Rent/ }).getByRole("link").first().click();
    await page.locator(".file-section.is-marked").getByRole("cell", { name: "310" }).waitFor();
    await counted(page.locator(".file-section.is-marked"), 1);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("lease");
    await page.getByRole("option", { name: /Lease\.md/ }).getByText("File", { exact: true }).waitFor();
    watched.assertSilent();
  });

  test("a file is complete HTML without scripts", LIMIT, async () => {
    const { id } = await keep("Without scripts.md", text(LEASE.replace("gardener", "reader")));
    const { sections } = await wasRead(id);
    browser = await stage.owner({ javaScriptEnabled: false });
    const { page, watched } = browser;
    await page.goto("/f");
    await row(page, "Without scripts.md").getByRole("link").click();
    await page.getByRole("cell", { name: "310" }).waitFor();
    await counted(page.locator(".file-section"), sections.length);
    await page.getByText("Two, of brass.").waitFor();
    await page.waitForLoadState();
    assert.equal(await page.locator("[style]").count(), 0, "the policy admits no style attributes");
    const last = sections.at(-1).anchor;
    await page.goto(`/f/${id}#${last}`);
    await until("the section is seen", () => page.locator(`#${last}`).evaluate((section) => section.matches(":target") && section.getBoundingClientRect().top >= 0 && section.getBoundingClientRect().top < 900));
    watched.assertSilent();
  });

  test("files are dropped and pasted, folders come with what is in them", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, "/f");
    await hand(page, "dragover", [["a.txt", "x"]]);
    await page.locator(".drop-veil").waitFor();
    await hand(page, "drop", [["Dropped one.txt", "One."], ["Dropped two.txt", "Two."]]);
    await row(page, "Dropped one.txt").waitFor();
    await row(page, "Dropped two.txt").waitFor();
    await page.locator(".drop-veil").waitFor({ state: "hidden" });
    await hand(page, "paste", [["Pasted.txt", "Three."]]);
    await row(page, "Pasted.txt").waitFor();
    const roses = join(folder, "Roses");
    await mkdir(join(roses, "Old"), { recursive: true });
    await writeFile(join(roses, "Index.txt"), "All roses.");
    await writeFile(join(roses, "Old", "Alba.txt"), "White.");
    await writeFile(join(roses, ".DS_Store"), "not meant");
    const devtools = await browser.context.newCDPSession(page);
    const data = { items: [], files: [roses], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) await devtools.send("Input.dispatchDragEvent", { type, x: 200, y: 300, data });
    await row(page, "Alba.txt").getByText("Roses › Old").waitFor();
    await row(page, "Index.txt").getByText("Roses", { exact: false }).waitFor();
    assert.equal(await named(".DS_Store"), undefined);
    await row(page, "Alba.txt").getByRole("link").click();
    await page.getByRole("article").getByRole("link", { name: "Roses › Old" }).click();
    await until("the list is narrowed", async () => (await list(page).locator(".rows .row").count()) === 1);
    await list(page).getByRole("button", { name: "Show all files" }).click();
    await row(page, "Pasted.txt").waitFor();
    await list(page).getByRole("searchbox").fill("pasted");
    await until("the list is filtered", async () => (await list(page).locator(".rows .row").count()) === 1);
    watched.assertSilent();
  });

  test("a file is renamed in two places, moved, deleted with a way back, and restored from the bin", LIMIT, async () => {
    const { id } = await keep("Plan.txt", text("Plant the Alba by the wall."));
    await wasRead(id);
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/f/${id}`);
    const name = page.getByRole("textbox", { name: "Name of the file" });
    await name.fill("Plan of June.txt");
    await name.press("Enter");
    await row(page, "Plan of June.txt").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Rename" }).click();
    const field = list(page).getByRole("textbox", { name: "Name of the file" });
    await field.fill("Plan of July.txt");
    await field.press("Enter");
    await until("the page has the name", async () => (await name.inputValue()) === "Plan of July.txt");
    await page.getByRole("button", { name: "More about this file" }).click();
    await page.getByRole("menuitem", { name: "Move to a folder…" }).click();
    await page.getByRole("textbox", { name: "Folder" }).or(page.getByRole("combobox", { name: "Folder" })).fill("Garden / Plans");
    await page.getByRole("button", { name: "Move it there" }).click();
    await page.getByRole("article").getByRole("link", { name: "Garden › Plans" }).waitFor();
    await until("the server has it", async () => (await stage.api("GET", `/files/${id}`)).folder === "Garden/Plans");
    assert.equal((await stage.api("GET", `/files/${id}`)).name, "Plan of July.txt");
    await page.getByRole("button", { name: "More about this file" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.waitForURL(/\/f$/);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.waitForURL(new RegExp(id));
    await page.getByText("Plant the Alba by the wall.").waitFor();
    await row(page, "Plan of July.txt").waitFor();
    // what is on its way would be asked for in vain
    await watched.quiet();
    await stage.api("DELETE", `/files/${id}`);
    await until("it left the list", async () => (await row(page, "Plan of July.txt").count()) === 0);
    await open(page, "/bin");
    await page.getByRole("listitem").filter({ hasText: "Plan of July.txt" }).getByRole("button", { name: "Restore" }).click();
    await page.getByRole("button", { name: "Open" }).click();
    await page.waitForURL(new RegExp(id));
    watched.assertSilent();
  });

  test("what is downloaded is the file; what cannot be read says why and is tried again", LIMIT, async () => {
    const broken = text("%PDF-1.4 and nothing that follows from it");
    const { id } = await keep("Broken.pdf", broken);
    assert.equal((await wasRead(id)).state, "failed");
    browser = await stage.owner();
    const { page, watched } = browser;
    await open(page, `/f/${id}`);
    await page.getByRole("article").getByText("This file could not be read.").waitFor();
    await row(page, "Broken.pdf").getByText(/^Failed: /).waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("article").getByRole("link", { name: "Download" }).click()]);
    assert.equal(download.suggestedFilename(), "Broken.pdf");
    assert.deepEqual(await readFile(await download.path()), broken);
    await page.getByRole("article").getByRole("button", { name: "Try again" }).click();
    await until("it was tried", async () => (await stage.api("GET", `/files/${id}`)).state === "failed");
    await page.getByRole("article").getByText("This file could not be read.").waitFor();
    watched.assertSilent();
  });

  test("a large file goes on where the network was cut, and can be paused and withdrawn", LIMIT, async () => {
    const bytes = randomBytes(27 << 20);
    const path = join(folder, "Large.bin");
    await writeFile(path, bytes);
    const line = await stage.line();
    browser = await stage.owner({ at: line.url });
    const { page, watched } = browser;
    watched.allow([...NETWORK_AWAY, ...NOT_FOUND]);
    await open(page, "/f");
    const devtools = await browser.context.newCDPSession(page);
    await devtools.send("Network.enable");
    const speed = (uploadThroughput) => devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
    const sent = [];
    page.on("request", (request) => request.method() === "PUT" && sent.push(new URL(request.url()).pathname.split("/").at(-1)));
    // slow enough to be met half-way, also when the machine does much else
    await speed(2 << 20);
    await choose(page, path);
    const job = transfer(page, "Large.bin");
    const percent = async () => Number(/(\d+) %/.exec(await job.locator(".transfer-state").textContent())?.[1] ?? 0);
    await until("a part is there", async () => (await percent()) > 20);
    await line.cut();
    await job.getByText(/goes on when the server can be reached/).waitFor();
    await line.mend();
    await job.getByText(/% of 28 MB/).waitFor();
    await job.getByRole("button", { name: "Pause Large.bin" }).click();
    await job.getByText(/^Paused at/).waitFor();
    const before = await percent();
    assert.ok(before >= 29, "what was there stays there");
    await speed(20 << 20);
    await job.getByRole("button", { name: "Continue Large.bin" }).click();
    await row(page, "Large.bin").waitFor({ timeout: 2 * PATIENCE_MS });
    await counted(job, 0);
    assert.equal(sent.filter((number) => number === "0").length, 1, "the first part was sent once");
    const file = await named("Large.bin");
    assert.deepEqual([file.size, file.sha256], [bytes.length, hash(bytes)]);

    await writeFile(path, randomBytes(20 << 20));
    await speed(1 << 20);
    await choose(page, path);
    const warned = page.waitForEvent("dialog");
    await job.getByText(/% of 21 MB/).waitFor();
    page.close({ runBeforeUnload: true });
    const dialog = await warned;
    assert.equal(dialog.type(), "beforeunload");
    await dialog.dismiss();
    await job.getByRole("button", { name: "Cancel Large.bin" }).click();
    await until("it is gone", async () => (await job.count()) === 0);
    watched.assertSilent();
  });

  test("on a phone the list comes first, then the file, and nothing leaves the screen", LIMIT, async () => {
    const long = `A rather long name of a file that nobody would want to read aloud to anybody.md`;
    const { id } = await keep(long, text("Short."), { folder: "A long folder/with another/and another" });
    await wasRead(id);
    browser = await stage.owner(PHONE);
    const { page, watched } = browser;
    await open(page, "/");
    await page.getByRole("navigation", { name: "Sections for phones" }).getByRole("link", { name: "Files" }).tap();
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await row(page, long).getByRole("link").tap();
    await page.waitForURL(/\/f\/./);
    assert.ok((await wide()) <= 0);
    await page.getByRole("article").getByText("Short.").waitFor();
    assert.ok((await wide()) <= 0);
    await list(page).waitFor({ state: "hidden" });
    watched.assertSilent();
  });

  for (const theme of ["light", "dark"]) {
    test(`axe finds nothing in the ${theme} theme`, LIMIT, async () => {
      const code = "/// Roses.\nfn main() {\n    let alba = 42;\n}\n";
      const files = await Promise.all([
        keep(`Seen in ${theme}.md`, text(`${LEASE}\n${theme}`), { folder: "Seen" }),
        keep(`Seen in ${theme}.rs`, text(`${code}// ${theme}\n`)),
        keep(`Seen in ${theme}.pdf`, text(`%PDF-1.4 ${theme}`)),
        keep(`Seen in ${theme}.svg`, text(`<svg xmlns="http://www.w3.org/2000/svg"><!-- ${theme} --></svg>`)),
      ]);
      for (const { id } of files) await wasRead(id);
      browser = await stage.owner({ theme, viewport: { width: 1440, height: 900 } });
      const { page, watched } = browser;
      await stage.api("DELETE", `/files/${files[3].id}`);
      for (const address of ["/f", "/f?folder=Seen", "/bin", "/search?q=tenant"]) {
        await open(page, address);
        assert.deepEqual(await faults(page), [], address);
      }
      for (const { id, name } of files.slice(0, 3)) {
        await open(page, `/f/${id}`);
        await page.getByRole("article").getByRole("textbox", { name: "Name of the file" }).waitFor();
        assert.deepEqual(await faults(page), [], name);
      }
      await page.getByRole("button", { name: "More about this file" }).click();
      await page.getByRole("menuitem", { name: "Delete" }).waitFor();
      assert.deepEqual(await faults(page), [], "its menu");
      await page.keyboard.press("Escape");
      await page.route("**/api/v1/files?name=*", (route) => route.fulfill({ status: 413, contentType: "text/html", body: "" }));
      watched.allow([/status of 413/]);
      await choose(page, [{ name: "Refused.txt", mimeType: "text/plain", buffer: text("x") }]);
      await transfer(page, "Refused.txt").getByText("That is too large to send.").waitFor();
      assert.deepEqual(await faults(page), [], "with an upload that failed");
      watched.assertSilent();
    });
  }

  test("a picture says that nobody reads it, until a model is named that does", LIMIT, async () => {
    browser = await stage.owner();
    const { page } = browser;
    const { id } = await keep("letter.png", await page.screenshot());
    await wasRead(id);
    await open(page, `/f/${id}`);
    const sheet = page.getByRole("article", { name: "File" });
    await sheet.getByText("No text: no model for pictures is set up.").waitFor();
    assert.deepEqual(await faults(page), []);
    await browser.context.close();

    await stage.stopServer("SIGTERM");
    await stage.startServer({ more: ["--vision-model", "fake/small"] });
    browser = await stage.owner();
    const again = browser.page;
    await open(again, `/f/${id}`);
    await again.getByText(/this was read before a model for pictures was set up/).waitFor();
    await again.getByRole("article", { name: "File" }).getByRole("button", { name: /^More/ }).click();
    await again.getByRole("menuitem", { name: "Read again" }).click();
    const seen = again.getByRole("region", { name: "Text in the picture" });
    await seen.getByText("Payable within 14 days.").waitFor();
    await again.getByRole("region", { name: "What it shows" }).getByText("a blue seal").waitFor();
    assert.deepEqual(await faults(again), []);
  });

  test("an address of no file helps on", LIMIT, async () => {
    browser = await stage.owner();
    const { page, watched } = browser;
    watched.allow(NOT_FOUND);
    const answer = await page.goto("/f/01900000-0000-7000-8000-000000000000");
    assert.equal(answer.status(), 404);
    await ready(page);
    await page.getByRole("link", { name: "To your files" }).click();
    await page.getByRole("heading", { name: "Files", level: 1 }).waitFor();
    watched.assertSilent();
  });
});
