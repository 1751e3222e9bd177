// The real server without a browser, for tests of what several replicas and the server come to: started,
// killed and started again on the same data.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Process, databasePid, freePort, killDatabase, setting, shell, until } from "../process.mjs";

export { LIMIT, LONG_LIMIT } from "../process.mjs";

const PASSWORD = "correct horse battery";

function runs(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export class Server {
  #people = 0;

  static async start() {
    const server = new Server();
    server.data = await mkdtemp(join(tmpdir(), "sidebar-sync-test-"));
    server.port = await freePort();
    server.url = `http://127.0.0.1:${server.port}`;
    server.socketUrl = `ws://127.0.0.1:${server.port}`;
    try {
      await server.begin();
      server.owner = await server.person("admin");
      return server;
    } catch (cause) {
      await server.end().catch(() => {});
      throw cause;
    }
  }

  async begin() {
    const where = ["--addr", `127.0.0.1:${this.port}`, "--data", this.data];
    const limits = ["--sign-in-per-minute", "100000", "--requests-per-minute", "1000000"];
    this.process = new Process(setting("SIDEBAR_BIN"), ["serve", ...where, ...limits, "--embeddings", "none"]);
    await this.process.says(/sideBar is ready/);
  }

  /** Nobody is asked, nothing is written any more. */
  async kill() {
    await this.process.end("SIGKILL");
  }

  async crash() {
    await this.kill();
    await this.begin();
  }

  async killDatabase() {
    await killDatabase(this.data);
  }

  /** Kills it, and waits until it has ended: it may answer a moment longer. */
  async loseDatabase() {
    const pid = await databasePid(this.data);
    await this.killDatabase();
    await until("the database to end", () => !runs(pid));
  }

  get pid() {
    return this.process.child.pid;
  }

  /** Somebody with an account and a key. */
  async person(role = "developer") {
    this.#people += 1;
    const email = `person-${this.#people}@example.org`;
    const account = ["--email", email, "--role", role, "--password-stdin"];
    await shell(["user", "create", "--data", this.data, ...account], `${PASSWORD}\n`);
    const key = await shell(["key", "create", "--data", this.data, "--user", email, "--name", "Tests"]);
    return { email, password: PASSWORD, key };
  }

  /** The status and what is in the envelope. */
  async ask(method, path, body, key = this.owner.key) {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { ...(key && { authorization: `Bearer ${key}` }), "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    let envelope = {};
    try {
      envelope = JSON.parse(text);
    } catch {
      // A proxy's or a page's answer; the status says enough.
    }
    return { status: response.status, data: envelope.data, error: envelope.error, text };
  }

  async call(method, path, body, key) {
    const { status, data, text } = await this.ask(method, path, body, key);
    assert.ok(status >= 200 && status < 300, `${method} ${path}: ${status} ${text.slice(0, 500)}`);
    return data;
  }

  /** A new note's id. */
  async note(content, title = "A note") {
    const { id } = await this.call("POST", "/notes", content === undefined ? { title } : { title, content });
    return id;
  }

  async content(note) {
    return (await this.call("GET", `/notes/${note}`)).content;
  }

  async end() {
    let failure = null;
    await this.process?.end("SIGTERM").catch((cause) => (failure = cause));
    const tell = (cause) => console.warn(`while tidying up: ${cause.message}`);
    if (failure !== null) {
      const pid = await databasePid(this.data);
      // It may have ended by itself.
      if (pid > 1) await Promise.resolve(pid).then((pid) => process.kill(pid, "SIGQUIT")).catch(tell);
    }
    await rm(this.data, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }).catch(tell);
    if (failure !== null) throw failure;
  }
}
