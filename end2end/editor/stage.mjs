// What the editor's tests play on: the built assets, a page that does nothing but open a note, rooms
// kept by Yjs, and Chromium. No server of ours; nothing beyond loopback.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { chromium } from "playwright-core";
import { WebSocketServer } from "ws";
import { PATIENCE_MS } from "../process.mjs";
import { Room } from "./room.mjs";

export { LIMIT } from "../process.mjs";

const TYPES = { ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".woff2": "font/woff2" };
const NONCE = "dGVzdHM";
/** That of the product's pages. */
const POLICY =
  `default-src 'none'; script-src 'self' 'nonce-${NONCE}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-${NONCE}'; ` +
  "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'";

const FRAME_POLICY =
  `sandbox allow-scripts; default-src 'none'; script-src 'nonce-${NONCE}' blob:; style-src 'unsafe-inline'; ` +
  "img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

function html(response, policy, body) {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy, "x-frame-options": "DENY" }).end(body);
}

export const ACCOUNT = { id: "0190c0de-0000-7000-8000-000000000001", name: "Ada Lovelace" };

function site() {
  const { SIDEBAR_SITE, SIDEBAR_BIN } = process.env;
  if (SIDEBAR_SITE) return SIDEBAR_SITE;
  if (!SIDEBAR_BIN) throw new Error("SIDEBAR_BIN is not set: run the browser tests by `cargo xtask test --only browser`");
  return join(dirname(SIDEBAR_BIN), "site");
}

export class Stage {
  rooms = new Map();
  sockets = new Set();
  /** Whether new sockets are refused and pages not served. */
  isCut = false;
  /** Of the build, as the service worker sees it. */
  version = "1";
  #browser;

  static async start() {
    const stage = new Stage();
    stage.site = site();
    stage.manifest = JSON.parse(await readFile(join(stage.site, "manifest.json"), "utf8"));
    stage.http = createServer((request, response) => void stage.#serve(request, response));
    stage.ws = new WebSocketServer({ server: stage.http, path: "/api/v1/ws", verifyClient: () => !stage.isCut });
    stage.ws.on("connection", (socket) => stage.#join(socket));
    stage.http.listen(0, "127.0.0.1");
    await once(stage.http, "listening");
    stage.url = `http://127.0.0.1:${stage.http.address().port}`;
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    try {
      stage.#browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
    } catch (cause) {
      await stage.end();
      throw cause;
    }
    return stage;
  }

  async end() {
    // Its contexts end with it; one by one they may wait for pages that do not answer.
    await this.#browser?.close().catch((cause) => console.warn(`while tidying up: ${cause.message}`));
    for (const socket of this.sockets) socket.terminate();
    for (const room of this.rooms.values()) room.awareness.destroy();
    this.http.closeAllConnections();
    this.http.close();
  }

  /** A new note with this text. */
  note(text = "") {
    const id = randomUUID();
    const room = new Room(id);
    if (text) room.edit(0, 0, text);
    this.rooms.set(id.replaceAll("-", ""), room);
    return { id, room };
  }

  #join(socket) {
    this.sockets.add(socket);
    socket.on("message", (data) => {
      const bytes = new Uint8Array(data);
      this.rooms.get(Buffer.from(bytes.subarray(0, 16)).toString("hex"))?.take(socket, bytes.subarray(16));
    });
    socket.on("close", () => {
      this.sockets.delete(socket);
      for (const room of this.rooms.values()) room.leave(socket);
    });
  }

  cut() {
    this.isCut = true;
    for (const socket of this.sockets) socket.terminate();
    this.http.closeAllConnections();
  }

  mend() {
    this.isCut = false;
  }

  async #serve(request, response) {
    const path = new URL(request.url, this.url).pathname;
    if (this.isCut) return request.socket.destroy();
    try {
      if (path.startsWith("/assets/")) {
        const body = await readFile(join(this.site, path));
        return response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(body);
      }
      if (path.startsWith("/n/")) return html(response, POLICY, this.#page());
      if (path === "/worker.js") return await this.#worker(response);
      if (path === "/offline") return html(response, POLICY, this.#document("", "offline.js", 'class="offline"', '<div id="offline"></div>'));
      if (path === "/frame/diagram") return html(response, FRAME_POLICY, await this.#diagram());
      if (path === "/favicon.ico") return response.writeHead(204).end();
    } catch (cause) {
      return response.writeHead(500).end(String(cause));
    }
    return response.writeHead(404).end();
  }

  #page() {
    const body = '<main class="note-page"><h1 class="visually-hidden">A note</h1><div id="note" class="note-editor"></div></main>';
    const script = `window.library = await import("${this.manifest["editor.js"]}");`;
    return this.#document(script, null, "", body);
  }

  #document(script, source, attributes, body) {
    const from = source ? ` src="${this.manifest[source]}"` : "";
    return `<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Note</title>
      <meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="${this.manifest["main.css"]}"></head>
      <body ${attributes}>${body}<script type="module" nonce="${NONCE}"${from}>${script}</script></body></html>`;
  }

  /** As the server puts it together. */
  async #worker(response) {
    const [assets, worker] = await Promise.all([
      readFile(join(this.site, "offline.json"), "utf8"),
      readFile(join(this.site, this.manifest["worker.js"]), "utf8"),
    ]);
    const headers = { "content-type": "text/javascript", "content-security-policy": "default-src 'none'; connect-src 'self'" };
    response.writeHead(200, headers).end(`const KEPT = { name: "sidebar-${this.version}", assets: ${assets} };\n${worker}`);
  }

  async #diagram() {
    const script = await readFile(new URL("../../server/edge/src/diagram.js", import.meta.url), "utf8");
    return `<!doctype html><html lang="en"><head><title>Diagram</title></head><body><script nonce="${NONCE}">${script}</script></body></html>`;
  }

  /** A browser of its own. Whatever goes wrong in its pages is kept in `wrongs`, but for what is in `expected`. */
  async browser(options = {}) {
    const context = await this.#browser.newContext({ baseURL: this.url, viewport: { width: 1000, height: 700 }, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    context.wrongs = [];
    // the last: without network it looks for a newer worker
    context.expected = [/net::ERR/, /WebSocket/, /An unknown error occurred when fetching the script/];
    context.on("page", (page) => {
      page.on("pageerror", (error) => context.wrongs.push(String(error.stack ?? error)));
      page.on("console", (message) => {
        const isExpected = context.expected.some((pattern) => pattern.test(message.text()));
        if (message.type() === "error" && !isExpected) context.wrongs.push(message.text());
      });
    });
    return context;
  }

  /** A page with the note open in it. */
  async open(context, id, options = {}) {
    const page = await context.newPage();
    await page.goto(`/n/${id}`);
    await openIn(page, id, options);
    return page;
  }
}

/** Opens the note in a page that is there. What the editor reports is in `window.seen`. */
export async function openIn(page, id, options = {}) {
  await page.waitForFunction(() => window.library);
  await page.evaluate(
    async ([note, account, given]) => {
      /** A line that can be cut for this page alone: what is on its way is lost. */
      function lineOf(connect) {
        const [frames, states] = [new Set(), new Set()];
        let [inner, state] = [null, "lost"];
        const is = (next) => {
          state = next;
          for (const tell of states) tell(next);
        };
        const line = {
          send: (frame) => inner?.send(frame) ?? false,
          onFrame: (listener) => (frames.add(listener), () => frames.delete(listener)),
          onState: (listener) => (states.add(listener), listener(state), () => states.delete(listener)),
          cut() {
            inner?.close();
            inner = null;
            if (state !== "offline") is("offline");
          },
          mend() {
            if (inner) return;
            const own = (inner = connect());
            own.onFrame((frame) => own === inner && frames.forEach((tell) => tell(frame)));
            own.onState((next) => own === inner && is(next));
          },
        };
        line.mend();
        return line;
      }
      const seen = { status: null, statuses: [], presence: [], outline: [], count: null, comments: [], selection: null, navigated: [], decided: [] };
      window.seen = seen;
      window.line ??= lineOf(window.library.connect);
      const notes = [{ id: "1", title: "Garden plan" }, { id: "2", title: "Gardening tools" }, { id: "3", title: "Taxes" }];
      const matching = (all, prefix, of) => all.filter((each) => of(each).toLowerCase().startsWith(prefix.toLowerCase()));
      window.editor = await window.library.open({
        parent: document.querySelector("#note"),
        note,
        title: "A note",
        account,
        access: "edit",
        transport: window.line,
        preferences: { vim: false, source: false, spellcheck: false },
        hooks: {
          completeNotes: async (prefix) => matching(notes, prefix, (each) => each.title),
          createNote: async (title) => (seen.created = { id: "9", title }),
          people: async (prefix) => matching([{ id: "5", name: "Grace Hopper" }, { id: "6", name: "Alan Turing" }], prefix, (each) => each.name),
          tags: async (prefix) => matching(["home", "house/roof", "work"], prefix, (each) => each),
          upload: async (file) => ({ url: `/files/${file.name}`, name: file.name, mime: file.type }),
          navigate: (url) => seen.navigated.push(url),
          renderMath: (tex, display) => `<math display="${display ? "block" : "inline"}"><mi>${tex.replace(/[<>&]/g, "")}</mi></math>`,
          readNote: async (title) => (title === "Garden plan" ? { id: "1", text: "# Beds\n\nFour.\n\n## Soil\n\nLoam.\n\n# Paths\n\nGravel." } : null),
          renderNote: (text) => text.split("\n\n").map((block) => `<p id="x">${block.replace(/[<>&]/g, "")}</p>`).join("") + '<a href="#x">1</a>',
          fileUrl: (name) => `/assets/${name}`,
          decideProposal: async (...decision) => void seen.decided.push(decision),
          onStatus: (status) => seen.statuses.push((seen.status = status)),
          onPresence: (presence) => (seen.presence = presence),
          onOutline: (outline) => (seen.outline = outline),
          onCount: (count) => (seen.count = count),
          onComment: (comment) => seen.comments.push(comment),
          onSelection: (selection) => (seen.selection = selection),
        },
        ...given,
      });
    },
    [id, options.account ?? ACCOUNT, options.given ?? {}],
  );
  if (options.synchronised !== false) await status(page, "saved", "read_only");
}

/** Waits until the editor reports one of these. */
export async function status(page, ...kinds) {
  await page.waitForFunction((wanted) => wanted.includes(window.seen.status?.kind), kinds);
  return page.evaluate(() => window.seen.status);
}

export const text = (page) => page.evaluate(() => window.editor.getText());
export const field = (page) => page.locator(".cm-content");

/** Asks again until the answer is true. */
export async function until(what, condition, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  for (;;) {
    // Looked at once more after the end: it may be this very process that was not let run.
    const isLast = Date.now() > end;
    const met = await condition();
    if (met) return met;
    if (isLast) throw new Error(`waited ${patience} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until the text of the note is as wanted. Where it never is, both are shown. */
export async function reads(page, wanted) {
  const isSo = async () => (await text(page)) === wanted;
  await until("the text", isSo, 10_000).catch(async () => assert.equal(await text(page), wanted));
}

/** Numbers that look random and are the same for the same seed. */
export function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
