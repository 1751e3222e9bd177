// Two servers on one Postgres of its own. No browser: what is shown is that either answers for the other.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { OWNER } from "./stage.mjs";
import { LIMIT, Process, freePort, setting, shell, until } from "./process.mjs";

/** Postgres refuses to run as root: root lends it the user `nobody`. */
function lent() {
  if (process.getuid() !== 0) return {};
  const [, , uid, gid] = /^nobody:.*$/m.exec(readFileSync("/etc/passwd", "utf8"))[0].split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

/** The events of a stream as they come, until it ends or is broken off. */
async function* events(response) {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length > 0) yield JSON.parse(data.map((line) => line.slice(5)).join("\n"));
    }
  }
}

/** What a reader has after these events. */
function apply(text, event) {
  if (event.type === "delta") return text + event.text;
  return event.type === "reset" ? event.content : text;
}

describe("two servers on one database", () => {
  let folder;
  let database;
  let upstream;
  let env;
  let key;
  const servers = [];

  async function startServer(name) {
    const port = await freePort();
    const where = ["--addr", `127.0.0.1:${port}`, "--data", join(folder, name)];
    const server = new Process(setting("SIDEBAR_BIN"), ["serve", ...where, "--embeddings", "none"], { env });
    await server.says(/sideBar is ready/);
    servers.push({ url: `http://127.0.0.1:${port}`, process: server });
  }

  function call(server, method, path, body) {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    return fetch(`${servers[server].url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  }

  async function read(server, path) {
    const response = await call(server, "GET", path);
    assert.equal(response.status, 200);
    return (await response.json()).data;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sidebar-two-servers-"));
    const data = join(folder, "postgres");
    await mkdir(data, { mode: 0o700 });
    const user = lent();
    if (user.uid) [folder, data].forEach((path) => chownSync(path, user.uid, user.gid));
    const program = (name) => join(setting("SIDEBAR_POSTGRES"), "bin", name);
    const libraries = { LD_LIBRARY_PATH: join(setting("SIDEBAR_POSTGRES"), "lib") };
    const options = ["-D", data, "--username", "sidebar", "--auth", "trust", "--encoding", "UTF8", "--no-sync"];
    const made = spawnSync(program("initdb"), options, { ...user, env: libraries, encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
    const port = await freePort();
    const listen = ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-k", folder];
    database = new Process(program("postgres"), listen, { ...user, env: libraries });
    await database.says(/ready to accept connections/);

    upstream = new Process(setting("SIDEBAR_UPSTREAM_BIN"), []);
    const [, address] = await upstream.says(/listening on (http:\S+)/);
    env = {
      DATABASE_URL: `postgres://sidebar@127.0.0.1:${port}/postgres`,
      SIDEBAR_SECRET_KEY: "5".repeat(64),
      SIDEBAR_REQUESTS_PER_MINUTE: "100000",
    };
    // At once: the migrations take turns.
    await Promise.all([startServer("one"), startServer("two")]);
    const set = await fetch(`${servers[0].url}/api/v1/setup`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: servers[0].url },
      body: JSON.stringify({ email: OWNER.email, display_name: OWNER.name, password: OWNER.password }),
    });
    assert.equal(set.status, 200, await set.text());
    const at = ["--data", join(folder, "shell")];
    key = await shell(["key", "create", ...at, "--user", OWNER.email, "--name", "Tests"], "", env);
    const model = ["--kind", "openai", "--name", "fake", "--base-url", `${address}/v1`, "--model", "small"];
    await shell(["provider", "add", ...at, ...model, "--api-key-stdin"], "test-key", env);
  }, LIMIT);

  after(async () => {
    const failures = [];
    const ends = [...servers.map(({ process }) => [process, "SIGTERM"]), [upstream, "SIGTERM"], [database, "SIGINT"]];
    for (const [process, signal] of ends) await process?.end(signal).catch((cause) => failures.push(cause));
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }).catch((cause) => console.warn(cause.message));
    if (failures.length > 0) throw failures[0];
  }, LIMIT);

  test("one dies in the middle of an answer: the other ends it with what was written, and goes on", LIMIT, async () => {
    await until("the provider known to both", async () => {
      const models = await Promise.all([read(0, "/models"), read(1, "/models")]);
      return models.every((list) => JSON.stringify(list).includes("fake/small"));
    });
    const made = await call(0, "POST", "/conversations", { title: "Shared" });
    const { id } = (await made.json()).data;
    const asked = await call(0, "POST", `/conversations/${id}/messages`, { content: "[[tokens 2000 every 10ms]]" });
    let seen = "";
    let answer;
    const reading = (async () => {
      for await (const event of events(asked)) {
        answer ??= event.message_id;
        seen = apply(seen, event);
      }
    })().catch(() => "the server died");
    await until("a hundred words", () => seen.split(" ").length > 100);

    // Meanwhile somebody reads the same answer at the other server.
    let followed = "";
    let last;
    const following = (async () => {
      const path = `/conversations/${id}/messages/${answer}/events`;
      for await (const event of events(await call(1, "GET", path))) {
        followed = apply(followed, event);
        last = event;
      }
    })();
    await until("the other server follows", () => followed.split(" ").length > 50);
    // How far what is stored is behind on this machine, by what the other server has.
    let behind = 0;
    for (let look = 0; look < 40; look++) {
      await pause(50);
      behind = Math.max(behind, seen.length - followed.length);
    }
    servers[0].process.child.kill("SIGKILL");
    const died = Date.now();
    await reading;
    await following;
    const took = Date.now() - died;
    console.log(`the other server ended the answer ${took} ms after the crash; what it had was up to ${behind} bytes behind before`);
    assert.equal(last.type, "error", JSON.stringify(last));
    assert.ok(took < 15_000, `a lease of five seconds and a round of two, not ${took} ms`);

    const stored = (await read(1, `/conversations/${id}`)).messages.at(-1);
    assert.equal(stored.status, "error");
    assert.equal(stored.content, followed, "who followed has what is stored");
    // What was on its way in a bundle may be stored and not seen; what was not stored yet, seen and lost.
    const [less, more] = [seen, stored.content].sort((one, other) => one.length - other.length);
    assert.ok(more.startsWith(less), "and that is what was written, up to the last half second");
    assert.ok(more.length - less.length < Math.max(100 * 8, 2 * behind), `${seen.length - stored.content.length} bytes were lost`);

    const again = await call(1, "POST", `/conversations/${id}/messages/${answer}/continue`, {});
    let continued = stored.content;
    for await (const event of events(again)) {
      continued = apply(continued, event);
      if (continued.length > stored.content.length + 200) break;
    }
    assert.ok(continued.startsWith(stored.content), "it goes on where it was");
    const { messages, answering } = await read(1, `/conversations/${id}`);
    assert.ok(answering);
    await call(1, "POST", `/conversations/${id}/messages/${messages.at(-1).id}/stop`, {});
    await until("it is stopped", async () => !(await read(1, `/conversations/${id}`)).answering);
  });
});
