// Keeps everything that the pages of a browser complain about, so that a test can demand silence:
// hydration warnings, script errors, refusals of the content security policy, requests to strangers.

import assert from "node:assert/strict";
import { until } from "./process.mjs";

/** Chromium's own remark about timing, which says nothing of the page's correctness. */
const UNIMPORTANT = [/was preloaded using link preload but not used/];

/** What a browser says when the network is away, which some tests bring about. */
export const NETWORK_AWAY = [
  /Failed to load resource: net::/,
  /WebSocket connection to .* failed/,
  // it looks for a newer service worker
  /An unknown error occurred when fetching the script/,
  // an area that was on its way: it is asked for again when somebody goes there
  /TypeError: Failed to fetch/,
  /WebAssembly compilation aborted: Network error/,
];

/** What a server answers that is just about to stop. */
export const RESTARTING = [/Failed to load resource: the server responded with a status of 503/];

export const NOT_FOUND = [/Failed to load resource: the server responded with a status of 404/];

export function watchPage(context, origin) {
  const watched = new Watched();
  context.on("console", (message) => {
    if (["error", "warning", "assert"].includes(message.type())) {
      watched.complain(`${message.type()} on ${message.page()?.url()}: ${message.text()}`);
    }
  });
  context.on("weberror", (error) => {
    const { name, message, stack } = error.error();
    watched.complain(`script error on ${error.page()?.url()}: ${name} ${message} ${stack}`);
  });
  context.on("request", (request) => {
    const url = request.url();
    if (/^(https?|wss?):/.test(url) && new URL(url).host !== new URL(origin).host) {
      watched.complain(`a request to a stranger: ${url}`);
    }
    watched.asked(request);
  });
  context.on("requestfinished", (request) => watched.answered(request));
  context.on("requestfailed", (request) => watched.answered(request));
  return watched;
}

/** So long a page asks for nothing once it has all that it wants. */
const QUIET_MS = 500;

class Watched {
  #complaints = [];
  #allowed = [...UNIMPORTANT];
  /** What was asked for and has not come. */
  #open = new Set();
  #heardAt = Date.now();

  asked(request) {
    // A beacon's end is not told.
    if (request.resourceType() === "ping") return;
    this.#open.add(request);
    this.#heardAt = Date.now();
  }

  answered(request) {
    this.#open.delete(request);
    this.#heardAt = Date.now();
  }

  /** Waits until the pages have all that they asked for, and ask for no more. */
  async quiet() {
    await until("the pages to have all they asked for", () => {
      const since = Date.now() - this.#heardAt;
      // The end of one may not have been told.
      return since > (this.#open.size === 0 ? QUIET_MS : 20 * QUIET_MS);
    });
  }

  complain(text) {
    this.#complaints.push(text);
  }

  /** Complaints like these belong to what the test does. */
  allow(patterns) {
    this.#allowed.push(...patterns);
  }

  /** Demands that nothing was complained about so far. */
  assertSilent() {
    const complaints = this.#complaints.filter((text) => !this.#allowed.some((pattern) => pattern.test(text)));
    assert.deepEqual(complaints, []);
  }
}
