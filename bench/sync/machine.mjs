// What a server costs: processor time and memory, of the process itself and of its database.

import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;

function stat(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND };
}

/** Resident, in megabytes. */
export function resident(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024) / 1e6;
}

/** Seconds of processor time of a process and everything below it. */
function below(root) {
  const children = new Map();
  const seconds = new Map();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      const { parent, seconds: own } = stat(pid);
      seconds.set(pid, own);
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const sum = (pid) => (children.get(pid) ?? []).reduce((all, child) => all + sum(child), seconds.get(pid) ?? 0);
  return sum(root);
}

/** Watches a server from now on. */
export class Watch {
  #began = performance.now();

  constructor({ pid, database }) {
    this.pid = pid;
    this.database = database;
    this.#seconds = stat(pid).seconds;
    this.#databaseSeconds = database ? below(database) : 0;
    this.highest = resident(pid);
    this.#timer = setInterval(() => {
      this.highest = Math.max(this.highest, resident(this.pid));
    }, 200);
  }

  #timer;
  #seconds;
  #databaseSeconds;

  /** Shares of one core, in percent; megabytes at the highest. */
  end() {
    clearInterval(this.#timer);
    const elapsed = (performance.now() - this.#began) / 1000;
    const share = (seconds) => (seconds / elapsed) * 100;
    return {
      server_percent: share(stat(this.pid).seconds - this.#seconds),
      database_percent: this.database ? share(below(this.database) - this.#databaseSeconds) : 0,
      highest_mb: Math.max(this.highest, resident(this.pid)),
    };
  }
}
