// What the browser tests play on: a fake model provider, the real server with a data folder of its
// own, and Chromium. It ends what it started and nothing else, and it never reaches beyond loopback.
//
// Needs SIDEBAR_BIN, SIDEBAR_UPSTREAM_BIN, SIDEBAR_POSTGRES and CHROMIUM, which `cargo xtask test` sets.

import assert from "node:assert/strict";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Line } from "./line.mjs";
import { PATIENCE_MS, Process, databasePid, freePort, killDatabase, setting, shell, until } from "./process.mjs";
import { watchPage } from "./watch.mjs";

export { LIMIT, PATIENCE_MS, until } from "./process.mjs";

export const OWNER = { email: "owner@example.org", name: "The Owner", password: "correct horse battery" };

const CHROMIUM_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export class Stage {
  #key;
  #browser;
  #contexts = new Set();
  #lines = [];
  #members = new Set();

  /** Starts all. `owner: "none"` leaves the server empty; `provider: "none"` leaves it without a model. */
  static async start({ owner = "made", provider = "fake" } = {}) {
    const stage = new Stage();
    try {
      stage.data = await mkdtemp(join(tmpdir(), "sidebar-browser-test-"));
      stage.port = await freePort();
      stage.url = `http://127.0.0.1:${stage.port}`;
      await stage.startServer();
      await stage.#startUpstream();
      if (owner === "made") await stage.#makeOwner();
      if (owner === "made" && provider === "fake") await stage.addProvider();
      stage.#browser = await chromium.launch({ executablePath: setting("CHROMIUM"), args: CHROMIUM_FLAGS });
      return stage;
    } catch (cause) {
      await stage.end().catch(() => {});
      throw cause;
    }
  }

  /** `site`: a folder of assets, instead of those built with the executable. `more`: further options. */
  async startServer({ site, more = [] } = {}) {
    const limits = ["--sign-in-per-minute", "1000", "--requests-per-minute", "100000"];
    // by words, so that what is measured is not the model of embeddings at work beside it
    const search = ["--embeddings", "none"];
    const where = ["--addr", `127.0.0.1:${this.port}`, "--data", this.data, ...search, ...(site ? ["--site", site] : [])];
    this.server = new Process(setting("SIDEBAR_BIN"), ["serve", ...where, ...limits, ...more]);
    await this.server.says(/sideBar is ready/);
  }

  /** `SIGTERM` asks it to stop, `SIGKILL` is a crash. */
  async stopServer(signal) {
    await this.server.end(signal);
  }

  async #startUpstream() {
    this.upstream = new Process(setting("SIDEBAR_UPSTREAM_BIN"), []);
    const [, address] = await this.upstream.says(/listening on (http:\S+)/);
    this.upstreamUrl = address;
  }

  async #makeOwner() {
    const body = { email: OWNER.email, display_name: OWNER.name, password: OWNER.password };
    const response = await fetch(`${this.url}/api/v1/setup`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: this.url },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.text());
    this.#key = await shell(["key", "create", "--data", this.data, "--user", OWNER.email, "--name", "Tests"]);
  }

  async addProvider() {
    const where = ["--base-url", `${this.upstreamUrl}/v1`, "--api-key-stdin", "--model", "small", "--model", "large"];
    await shell(["provider", "add", "--data", this.data, "--kind", "openai", "--name", "fake", ...where], "test-key");
  }

  /** Calls the API as the owner's program would; gives what is in the envelope. */
  async api(method, path, body) {
    const response = await this.ask(method, path, body);
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return response.headers.get("content-type")?.includes("json") ? JSON.parse(text).data : text;
  }

  /** The same, whatever the answer is. */
  async ask(method, path, body, headers = {}) {
    return fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#key}`, "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** A network to the server that can be cut. A browser opened `at` its address goes through it. */
  async line() {
    const line = await Line.to(this.port);
    this.#lines.push(line);
    return line;
  }

  /** A conversation in which these messages were sent and answered, one after the other. */
  async conversation(messages, { title } = {}) {
    const { id } = await this.api("POST", "/conversations", { title });
    for (const content of messages) await this.api("POST", `/conversations/${id}/messages`, { content });
    return id;
  }

  /** A browser of somebody who is not signed in. Every page in it is watched. `at`: see `line`. */
  async visitor({ theme, at = this.url, ...options } = {}) {
    const context = await this.#browser.newContext({ baseURL: at, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    if (theme) await context.addCookies([{ name: "theme", value: theme, url: at }]);
    this.#contexts.add(context);
    context.on("close", () => this.#contexts.delete(context));
    return { context, watched: watchPage(context, at) };
  }

  /** A browser in which the owner is signed in, with one page. */
  async owner(options) {
    return this.#signedIn(OWNER, options);
  }

  /** A browser in which somebody else is, whose account is made when there is none yet. */
  async member(person, options) {
    if (!this.#members.has(person.email)) {
      const account = ["--email", person.email, "--display-name", person.name, "--role", "developer", "--password-stdin"];
      await shell(["user", "create", "--data", this.data, ...account], `${OWNER.password}\n`);
      this.#members.add(person.email);
    }
    return this.#signedIn({ ...person, password: OWNER.password }, options);
  }

  async #signedIn({ email, password }, options) {
    const { context, watched } = await this.visitor(options);
    const origin = options?.at ?? this.url;
    const response = await context.request.post("/api/v1/sessions", { headers: { origin }, data: { email, password } });
    assert.equal(response.status(), 200, await response.text());
    const page = await context.newPage();
    return { context, watched, page };
  }

  /** Closes every browser: pages that nobody looks at any more would go on asking, beside the next test. */
  async leave() {
    for (const context of this.#contexts) await context.close();
  }

  /** Ends everything, whatever of it fails. That the server does not end in order is a fault; the rest is told. */
  async end() {
    const tell = (cause) => console.warn(`while tidying up: ${cause.message}`);
    // Ending the browser ends its contexts; one by one they may wait for pages that do not answer.
    await this.#browser?.close().catch(tell);
    for (const line of this.#lines) await line.end().catch(tell);
    const failures = [];
    for (const process of [this.server, this.upstream]) {
      await process?.end("SIGTERM").catch((cause) => failures.push(cause));
    }
    if (failures.length > 0) await this.#endDatabase().catch(tell);
    if (this.data) await rm(this.data, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }).catch(tell);
    if (failures.length > 0) throw failures[0];
  }

  /** Ends this server's own database at once, as a fault of the machine would. */
  async killDatabase() {
    await killDatabase(this.data);
  }

  /** Ends the database and keeps it from starting again, until `returnDatabase`. */
  async loseDatabase() {
    await rename(join(this.data, "postgres", "postgresql.conf"), join(this.data, "postgresql.conf.away"));
    await this.killDatabase();
  }

  async returnDatabase() {
    await rename(join(this.data, "postgresql.conf.away"), join(this.data, "postgres", "postgresql.conf"));
  }

  /** The database of a server that could not end it any more. */
  async #endDatabase() {
    const pid = await databasePid(this.data);
    if (pid > 1) process.kill(pid, "SIGQUIT");
  }
}

/** Opens an address and waits until the app has taken the page over. */
export async function open(page, address) {
  const response = await page.goto(address);
  await ready(page);
  return response;
}

/** Waits until the app has taken the page over, and its line to the server stands: what happened before is not heard. */
export async function ready(page) {
  await page.waitForSelector("html[data-ready]", { state: "attached" });
  // The plain frame of visitors has a line too, but does not say so.
  await page.waitForFunction(() => document.querySelector(".status")?.dataset.state !== "starting");
}

/** Waits until this has the focus. */
export async function focused(locator) {
  await until("the focus is there", () => locator.evaluate((element) => element === document.activeElement));
}

/** Waits until there are so many of these. Where there never are, it does not wait as long as for the server. */
export async function counted(locator, wanted) {
  let count = 0;
  const same = async () => (count = await locator.count()) === wanted;
  await until("their number", same, PATIENCE_MS / 2).catch(() => assert.equal(count, wanted, String(locator)));
}

/** Writes into the composer and sends. */
export async function say(page, text) {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

export function composer(page) {
  return page.getByRole("main").getByRole("textbox", { name: "Message" });
}

/** The answers of the page, oldest first. */
export function answers(page) {
  return page.getByRole("main").locator("article.is-answer");
}

/** Waits until the last message is an answer, and none is being written. */
export async function settled(page) {
  const isSettled = () => {
    const messages = [...document.querySelectorAll("main article.message")];
    return messages.at(-1)?.matches(".is-answer") && !messages.some((message) => message.matches(".is-active"));
  };
  await page.waitForFunction(isSettled, null, { timeout: 2 * PATIENCE_MS });
}
