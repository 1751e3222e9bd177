// What one changes about oneself: the picture, the password, which browsers are signed in.

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, describe, test } from "node:test";
import { LIMIT, OWNER, Stage, open, until } from "./stage.mjs";

/** A red dot. */
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==",
  "base64",
);

describe("settings", () => {
  let stage;
  let browser;
  before(async () => (stage = await Stage.start()), LIMIT);
  after(() => stage?.end(), LIMIT);
  beforeEach(async () => (browser = await stage.owner()));
  afterEach(() => stage?.leave());

  test("take a picture, show it everywhere at once, and take it away again", LIMIT, async () => {
    const { page, watched, context } = browser;
    await open(page, "/settings/profile");
    const field = page.getByLabel("Choose a picture");
    await field.setInputFiles({ name: "me.png", mimeType: "image/png", buffer: PICTURE });
    const rail = page.getByRole("navigation", { name: "Sections", exact: true });
    for (const place of [page.getByRole("main"), rail]) {
      const image = place.locator("img");
      await image.waitFor();
      await until("a picture that loads", () => image.evaluate((image) => image.complete && image.naturalWidth === 5));
    }
    const address = await rail.locator("img").getAttribute("src");
    assert.deepEqual(await (await context.request.get(address)).body(), PICTURE);

    await field.setInputFiles({ name: "large.png", mimeType: "image/png", buffer: Buffer.alloc(300 * 1024) });
    await page.getByText("larger than 256 KB").waitFor();
    await page.getByRole("button", { name: "Remove" }).click();
    await rail.locator("img").waitFor({ state: "detached" });
    watched.assertSilent();
  });

  test("change the password: the old one opens nothing, and other browsers are led to sign in", LIMIT, async () => {
    const { page, watched } = browser;
    const other = await stage.owner();
    await open(other.page, "/c");
    await other.page.getByText("Connected").waitFor();
    await open(page, "/settings/security");
    const change = async (from, to) => {
      await page.getByLabel("Current password").fill(from);
      await page.getByLabel("New password").fill(to);
      await page.getByRole("button", { name: "Change the password" }).click();
    };
    watched.allow([/the server responded with a status of 401/]);
    await change("not the password", "a new one, long enough");
    await page.getByText("The current password is wrong").waitFor();
    await change(OWNER.password, "a new one, long enough");
    await page.getByText("Password changed.").waitFor();
    await other.page.waitForURL(/\/sign-in\?next=/);

    const signIn = async (password) => {
      const { context } = await stage.visitor();
      const response = await context.request.post("/api/v1/sessions", {
        headers: { origin: stage.url },
        data: { email: OWNER.email, password },
      });
      const status = response.status();
      await context.close();
      return status;
    };
    assert.equal(await signIn(OWNER.password), 401);
    assert.equal(await signIn("a new one, long enough"), 200);
    await change("a new one, long enough", OWNER.password);
    await until("the old password again", async () => (await signIn(OWNER.password)) === 200);
    watched.assertSilent();
    other.watched.assertSilent();
  });

  test("end the session of another browser, which is led to sign in at once", LIMIT, async () => {
    const { page, watched } = browser;
    const other = await stage.owner({ userAgent: "Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1" });
    await open(other.page, "/c");
    await other.page.getByText("Connected").waitFor();
    await open(page, "/settings/security");
    const row = page.getByRole("listitem").filter({ hasText: "Safari on iPhone" });
    await row.getByRole("button", { name: "End this one" }).click();
    await row.waitFor({ state: "detached" });
    await other.page.waitForURL(/\/sign-in\?next=%2Fc$/);
    assert.equal((await other.context.request.get("/api/v1/me")).status(), 401);
    await page.getByText("This one", { exact: true }).waitFor();
    watched.assertSilent();
    other.watched.assertSilent();
  });
});
