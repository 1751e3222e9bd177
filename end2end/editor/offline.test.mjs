// Without network: the page is loaded again, the note is there, what is typed is kept, and merged a week
// later. And diagrams, which are drawn in a frame of their own.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { waitingOnDevice } from "../device.mjs";
import { LIMIT, Stage, field, status, text, until } from "./stage.mjs";


describe("offline", () => {
  let stage;
  let context;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(async () => {
    stage.mend();
    const wrongs = context?.wrongs ?? [];
    await context?.close();
    assert.deepEqual(wrongs, []);
  });

  const workerReady = (page) => page.evaluate(async () => void (await navigator.serviceWorker.ready));
  const caches = (page) => page.evaluate(() => window.caches.keys());

  test("a reload opens the note from this device, and what is typed comes back with the network", LIMIT, async () => {
    context = await stage.browser();
    const { id, room } = stage.note("# Garden\n\none\n");
    const page = await stage.open(context, id);
    await workerReady(page);
    stage.cut();
    await page.reload();
    await until("the text", async () => /Garden/.test(await field(page).innerText()));
    await page.getByRole("heading", { name: "A note" }).waitFor();
    await until("that it is offline", async () => /Offline/.test(await page.getByRole("status").innerText()));
    await field(page).press("Control+End");
    await page.keyboard.type("typed offline");
    await until("counted and kept", async () => {
      const said = /Offline, (\d+) changes? kept on this device/.exec(await page.getByRole("status").innerText());
      return said && Number(said[1]) === (await waitingOnDevice(page));
    });
    await page.close();

    const later = await context.newPage();
    await later.goto(`/n/${id}`);
    await until("still there", async () => /typed offline/.test(await field(later).innerText()));
    room.edit(0, 0, "> by others\n\n");
    stage.mend();
    await until("merged", () => room.text.toString() === "> by others\n\n# Garden\n\none\ntyped offline");
    await until("and said", async () => (await later.getByRole("status").innerText()) === "Saved");
    await later.getByRole("button", { name: "The network is back: reload" }).click();
    await later.waitForFunction(() => window.library);
  });

  test("without network the list shows the notes of this device", LIMIT, async () => {
    context = await stage.browser();
    const { id } = stage.note("one\n");
    const page = await stage.open(context, id);
    await workerReady(page);
    stage.cut();
    await page.goto("/n");
    await page.getByRole("link", { name: "A note" }).click();
    await until("the note", async () => /one/.test(await field(page).innerText()));
    await page.goto("/n/00000000-0000-4000-8000-000000000000");
    await page.getByRole("heading", { name: "This note is not on this device" }).waitFor();
  });

  test("a new build takes the place of the old one's files", LIMIT, async () => {
    context = await stage.browser();
    const { id } = stage.note("one\n");
    const page = await stage.open(context, id);
    await workerReady(page);
    assert.deepEqual(await caches(page), ["sidebar-1"]);
    const kept = await page.evaluate(async () => (await (await window.caches.open("sidebar-1")).keys()).map(({ url }) => new URL(url).pathname));
    assert.ok(kept.includes("/offline") && kept.every((path) => /^\/(assets\/|offline$|frame\/diagram$)/.test(path)), kept.join());
    stage.version = "2";
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
    await page.close();
    const next = await context.newPage();
    await until("the old one is gone", async () => {
      await next.goto("about:blank");
      await next.waitForTimeout(200);
      await next.goto(`/n/${id}`);
      return (await caches(next)).join() === "sidebar-2";
    });
  });

  test("what cannot be stored is said, and leaving warns", LIMIT, async () => {
    context = await stage.browser();
    await context.addInitScript(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    });
    const { id, room } = stage.note("one\n");
    const page = await stage.open(context, id);
    stage.cut();
    await status(page, "offline");
    await field(page).press("Control+End");
    await page.keyboard.type("two");
    await page.waitForFunction(() => window.seen.status.kind === "offline" && window.seen.status.stored === false);
    const dialog = page.waitForEvent("dialog");
    const closing = page.close({ runBeforeUnload: true });
    const asked = await dialog;
    assert.equal(asked.type(), "beforeunload");
    await asked.dismiss();
    await closing;
    stage.mend();
    await status(page, "saved");
    assert.equal(room.text.toString(), "one\ntwo");
  });

  test("a diagram is drawn where it is in view, by a library without rights", LIMIT, async () => {
    context = await stage.browser();
    const { id } = stage.note("# Flow\n\n```mermaid\nflowchart LR\n  A[Start] --> B[End]\n```\n\nend\n\n```mermaid\nnonsense here\n```\n");
    const page = await stage.open(context, id);
    const picture = page.getByRole("img", { name: "Diagram: flowchart LR" });
    await picture.waitFor();
    await page.waitForFunction(() => document.querySelector(".md-diagram img")?.naturalWidth > 40);
    await page.getByText("This diagram cannot be drawn").waitFor();
    await picture.click();
    await until("its source", async () => (await text(page)) && /flowchart LR/.test(await field(page).innerText()));
  });
});
