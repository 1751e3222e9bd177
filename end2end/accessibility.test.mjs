// Every page, in both themes, examined by axe: nothing may be found. And no page says anything on
// the console: no hydration warning, no error, no refusal by the security policy.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { faults } from "./faults.mjs";
import { NOT_FOUND } from "./watch.mjs";
import { LIMIT, Stage, open } from "./stage.mjs";

const RICH = [
  "## Roses\n\nThe **Alba** is old, and [well described](https://example.org/alba).\n\n| Rose | Blooms |\n| --- | --- |\n| Alba | June |",
  "```rust\nfn main() {\n    // roses\n    println!(\"{}\", 42);\n}\n```",
  "Euler: $e^{i\\pi} + 1 = 0$ and $$\\sum_{k=1}^n k = \\frac{n(n+1)}{2}$$",
  "> A quotation\n\n- [x] planted\n- [ ] watered\n\n1. one\n2. two\n\n~~gone~~ `code`",
].join("\n\n");

async function assertNoFaults(page, what) {
  assert.deepEqual(await faults(page), [], what);
}

for (const theme of ["light", "dark"]) {
  describe(`in the ${theme} theme axe finds nothing`, () => {
    let stage;
    let conversation;
    before(async () => {
      stage = await Stage.start();
      const tools = '[[reason Which roses are meant?]] [[tool current_time {}]] [[tool search_workspace {"query":"roses"}]] [[tool no_such_tool {}]]';
      conversation = await stage.conversation([`[[say ${RICH}]]`, tools, "[[say Half of]] [[cut]]"], { title: "Roses" });
      await stage.conversation(["[[say Pinned words.]]"], { title: "Pinned" }).then((id) => stage.api("PATCH", `/conversations/${id}`, { pinned: true }));
      await stage.conversation(["[[say Gone.]]"], { title: "Deleted" }).then((id) => stage.api("DELETE", `/conversations/${id}`));
    }, LIMIT);
    after(() => stage?.end(), LIMIT);
    afterEach(() => stage?.leave());

    test("on the pages of people who are not signed in", LIMIT, async () => {
      const { context, watched } = await stage.visitor({ theme });
      const page = await context.newPage();
      for (const address of ["/sign-in", "/sign-in?error=WRONG_CREDENTIALS&next=/c"]) {
        await page.goto(address);
        await assertNoFaults(page, address);
      }
      watched.assertSilent();
    });

    test("on a conversation with everything in it, opened and unfolded", LIMIT, async () => {
      const { page, watched } = await stage.owner({ theme, viewport: { width: 1440, height: 900 } });
      await open(page, `/c/${conversation}`);
      await page.locator("code .hljs-keyword").first().waitFor();
      for (const summary of await page.locator("main summary").all()) await summary.click();
      await assertNoFaults(page, "unfolded");
      await page.locator("article.is-own").first().hover();
      await assertNoFaults(page, "hovered");
      await page.getByRole("button", { name: "More about this conversation" }).click();
      await page.getByRole("menuitem", { name: "Rename" }).waitFor();
      await assertNoFaults(page, "with its menu");
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox", { name: "Find notes, files, conversations and commands" }).waitFor();
      await assertNoFaults(page, "with the palette");
      watched.assertSilent();
    });

    test("on every other page of the workspace", LIMIT, async () => {
      const { page, watched } = await stage.owner({ theme, viewport: { width: 1440, height: 900 } });
      watched.allow(NOT_FOUND);
      const settings = ["profile", "appearance", "security", "keys", "providers", "people"].map((section) => `/settings/${section}`);
      for (const address of ["/", "/c", "/search", "/search?q=roses", "/search?q=nowhere", "/bin", "/keys", ...settings]) {
        await open(page, address);
        await assertNoFaults(page, address);
      }
      for (const address of ["/nope", "/c/01900000-0000-7000-8000-000000000000"]) {
        await page.goto(address);
        await assertNoFaults(page, address);
      }
      watched.assertSilent();
    });

    test("on a phone, and with a conversation beside the page", LIMIT, async () => {
      const phone = await stage.owner({ theme, viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
      for (const address of ["/", `/c/${conversation}`, "/search?q=roses", "/settings", "/settings/providers"]) {
        await open(phone.page, address);
        await assertNoFaults(phone.page, `${address} on a phone`);
      }
      phone.watched.assertSilent();
      const { page, watched } = await stage.owner({ theme, viewport: { width: 1440, height: 900 } });
      await open(page, `/c/${conversation}`);
      const panel = page.getByRole("complementary", { name: "Conversation beside the page" });
      await page.getByRole("button", { name: "Conversation beside the page" }).click();
      await panel.getByRole("button", { name: "Pinned" }).click();
      await panel.getByText("Pinned words.", { exact: true }).waitFor();
      await assertNoFaults(page, "two conversations");
      watched.assertSilent();
    });
  });
}

describe("set-up", () => {
  let stage;
  before(async () => (stage = await Stage.start({ owner: "none" })), LIMIT);
  after(() => stage?.end(), LIMIT);
  afterEach(() => stage?.leave());

  test("has nothing that axe finds, in either theme, empty or refused", LIMIT, async () => {
    for (const theme of ["light", "dark"]) {
      const { context, watched } = await stage.visitor({ theme });
      const page = await context.newPage();
      for (const address of ["/setup", "/setup?error=INVALID_INPUT"]) {
        await page.goto(address);
        await assertNoFaults(page, `${address} in ${theme}`);
      }
      watched.assertSilent();
    }
  });
});
