// Programs that the tests start: the executable as a server and as a person at the shell would use it,
// and its database. Whatever still runs ends with the tests.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Nothing waited for takes longer than this, unless it is broken: not on a machine that does much else either. */
export const PATIENCE_MS = 60_000;
/** The most that a test or a hook may take. It only ends what hangs, and is longer than several waits. */
export const LIMIT = { timeout: 300_000 };
/** Of those that begin many servers or play many plans. */
export const LONG_LIMIT = { timeout: 900_000 };
/** A start may recover a database; an end drains connections (10 s), writes a checkpoint (20 s) and then uses force (5 s). */
const START_MS = 150_000;
const END_MS = 90_000;

export function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the browser tests by \`cargo xtask test --only browser\``);
  return value;
}

export async function freePort() {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** Asks again until the answer is true, and says what it waited for when it never is. */
export async function until(what, condition, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  for (;;) {
    // Looked at once more after the end: it may be this very process that was not let run.
    const isLast = Date.now() > end;
    const met = await condition();
    if (met) return met;
    if (isLast) throw new Error(`waited ${patience} ms for: ${what}`);
    await pause(50);
  }
}

/** Runs the executable to its end, as a person at the shell would. */
export async function shell(args, input = "", more = {}) {
  const env = { ...environment(), ...more };
  const child = spawn(setting("SIDEBAR_BIN"), args, { stdio: ["pipe", "pipe", "pipe"], env });
  let [out, error] = ["", ""];
  child.stdout.on("data", (data) => (out += data));
  child.stderr.on("data", (data) => (error += data));
  // One that ended before it read says why by its code.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = await once(child, "close");
  assert.equal(code, 0, `sidebar ${args.join(" ")}: ${error}`);
  return out.trim();
}

/** Ours, without what would lead the server to another database or other data. */
function environment() {
  const { DATABASE_URL, SIDEBAR_DATA, SIDEBAR_ADDR, ...rest } = process.env;
  return rest;
}

/** What runs of ours, so that it ends with us even when the tests are broken off. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGTERM")));
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]]) process.once(signal, () => process.exit(code));

/** A process whose output is kept to be shown when it fails. */
export class Process {
  /** `options` are those of `spawn`; what `env` holds is added to ours. */
  constructor(program, args, { env, ...options } = {}) {
    this.output = "";
    const all = { ...environment(), ...env };
    this.child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: all, ...options });
    this.child.stdout.on("data", (data) => (this.output += data));
    this.child.stderr.on("data", (data) => (this.output += data));
    running.add(this.child);
    this.ended = once(this.child, "exit").finally(() => running.delete(this.child));
  }

  get hasEnded() {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async says(pattern, patience = START_MS) {
    const said = () => {
      const found = pattern.exec(this.output);
      if (!found && this.hasEnded) throw new Error("it ended early");
      return found;
    };
    return until(String(pattern), said, patience).catch((cause) => {
      throw new Error(`${this.child.spawnfile}: ${cause.message}; it said:\n${this.output.slice(-2000)}`);
    });
  }

  async end(signal) {
    if (this.hasEnded) return;
    this.child.kill(signal);
    const late = pause(END_MS, "late", { ref: false });
    if ((await Promise.race([this.ended, late])) === "late") {
      this.child.kill("SIGKILL");
      await this.ended;
      throw new Error(`${this.child.spawnfile} did not end within ${END_MS / 1000} s of ${signal}; it said:\n${this.output.slice(-2000)}`);
    }
  }
}

/** The database of the server with this data; zero when there is none. */
export async function databasePid(data) {
  const lines = await readFile(join(data, "postgres", "postmaster.pid"), "utf8").catch(() => "0");
  return Number.parseInt(lines, 10);
}

/** Ends a server's own database at once, as a fault of the machine would. */
export async function killDatabase(data) {
  const pid = await databasePid(data);
  assert.ok(pid > 1, "the database runs");
  process.kill(pid, "SIGQUIT");
}
