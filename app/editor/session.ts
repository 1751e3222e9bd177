// One note between the editor, the local store and the server: attaches when there is a line, brings
// both sides to the same state, sends what is typed, and knows what the server has stored.
//
// away ──line open──▶ attaching ──attached──▶ greeting ──their step 1──▶ live
//   ▲                                                                      │
//   └──────────── line lost, or closed by the server ◀─────────────────────┘

import { Awareness } from "./awareness";
import { Intake, type Reader } from "./intake";
import { Replica, merge, type Recorded } from "./replica";
import { Shelf } from "./shelf";
import { refusalOf, statusOf, type Refusal } from "./status";
import type { Key } from "./store";
import type { News } from "./tabs";
import type { Access, LineState, Status, Transport } from "./types";
import * as wire from "./wire";

/** Typing goes out at most this often. */
const SEND_EVERY_MS = 15;
const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** Whoever was attached longer than this before an end begins without waiting. */
const LASTING_MS = 10_000;

const ACCESS: Access[] = ["view", "comment", "edit"];

export interface Listener extends Reader {
  onStatus(status: Status): void;
  onAccess(access: Access): void;
}

type Phase = "away" | "attaching" | "greeting" | "live";

export class Session {
  readonly awareness: Awareness;
  #phase: Phase = "away";
  #line: LineState = "lost";
  #id: Uint8Array;
  /** Typed, not yet sent and not yet written down. */
  #typed: Uint8Array[] = [];
  #sending: number | undefined;
  #flushedAt = -SEND_EVERY_MS;
  /** Messages with updates sent in this attachment and not reported stored: whose rows they carry. */
  #sent: Key[][] = [];
  #reported = 0;
  #storing = { kind: wire.Storing.normally as number, reason: "" };
  /** Why the server will not have us, until the line is new. */
  #refused: Refusal | null = null;
  #retry: number | undefined;
  #failures = 0;
  #closedAt = -LASTING_MS;
  #intake: Intake;
  #endings: (() => void)[] = [];
  #ended = false;
  #isBroken = false;
  #reporting = false;
  #told = "";

  constructor(
    note: string,
    readonly replica: Replica,
    private readonly shelf: Shelf,
    private readonly transport: Transport,
    private access: Access,
    private readOnlyReason: string | undefined,
    private readonly listener: Listener,
  ) {
    this.#id = wire.idBytes(note);
    this.#intake = new Intake(replica, listener, () => {
      if (this.#phase !== "away") this.#send(wire.step1(replica.stateVector()));
    });
    this.awareness = new Awareness(replica.client, (update) => {
      if (this.#phase === "live" || this.#phase === "greeting") this.#send(wire.awareness(update));
    });
  }

  start(): void {
    this.#endings.push(this.transport.onFrame((frame) => this.#receive(frame)));
    this.#endings.push(this.transport.onState((state) => this.#lineIs(state)));
    this.report();
  }

  /** The document does not take edits any more: nothing more may be typed that is not kept. */
  broke(cause: unknown): void {
    console.error("the note's document has failed", cause);
    this.#refused = { reason: "Something went wrong in this page. What was typed before is kept; reload to go on.", readOnly: true };
    this.#isBroken = true;
    queueMicrotask(() => this.listener.onAccess(this.access));
    this.report();
  }

  /** The text was changed here. */
  edited(update: Uint8Array): void {
    this.#typed.push(update);
    this.#sending ??= setTimeout(() => this.flush(), Math.max(0, this.#flushedAt + SEND_EVERY_MS - performance.now()));
    this.report();
  }

  undo(): Recorded | null {
    return this.replica.undo();
  }

  redo(): Recorded | null {
    return this.replica.redo();
  }

  /** Writes down and sends what was typed. */
  flush(): void {
    clearTimeout(this.#sending);
    this.#sending = undefined;
    if (this.#typed.length === 0) return;
    this.#flushedAt = performance.now();
    const changes = this.#typed.length;
    const update = merge(this.#typed.splice(0));
    const live = this.#phase === "live";
    const key = this.shelf.wrote(update, changes, live);
    if (live) this.#sendUpdate(wire.update(update), [key]);
    this.report();
  }

  unsaved(): number {
    return this.shelf.changes + this.#typed.length;
  }

  /** Whether closing the page now would lose something. */
  wouldLose(): boolean {
    return this.unsaved() > 0 && (this.shelf.failure !== null || this.#typed.length > 0);
  }

  get mayEdit(): boolean {
    return this.access === "edit" && this.#storing.kind !== wire.Storing.readOnly && !this.#refused?.readOnly;
  }

  /** From another tab of this browser. */
  heard(news: News): void {
    if (news.kind !== "edit") return;
    const live = this.#phase === "live";
    // The server brings it.
    if (news.live && live) return;
    this.#intake.apply(news.update);
    if (!news.live) {
      this.shelf.adopt(news.key, news.changes);
      if (live) this.#sendUpdate(wire.update(news.update), [news.key]);
    }
    this.report();
  }

  async end(): Promise<void> {
    this.flush();
    this.#ended = true;
    clearTimeout(this.#retry);
    this.#intake.end();
    this.awareness.end();
    if (this.#phase !== "away") this.#send(wire.detach());
    for (const end of this.#endings) end();
    await this.shelf.close();
  }

  /** Says how it stands, when that is news, after the work at hand. */
  report(): void {
    if (this.#reporting) return;
    this.#reporting = true;
    queueMicrotask(() => {
      this.#reporting = false;
      const status = this.#status();
      const text = JSON.stringify(status);
      if (text === this.#told || this.#ended) return;
      this.#told = text;
      this.listener.onStatus(status);
    });
  }

  #status(): Status {
    return statusOf({
      n: this.unsaved(),
      storeFailure: this.shelf.failure,
      isLive: this.#phase === "live",
      line: this.#line,
      access: this.access,
      readOnlyReason: this.readOnlyReason,
      refused: this.#refused,
      storing: this.#storing,
    });
  }

  #lineIs(state: LineState): void {
    this.#line = state;
    this.#failures = 0;
    if (!this.#isBroken) this.#refused = null;
    this.#away();
    if (state === "open") this.#attach();
    this.report();
  }

  #away(): void {
    clearTimeout(this.#retry);
    this.#phase = "away";
    this.#sent = [];
    this.#reported = 0;
    this.#storing = { kind: wire.Storing.normally, reason: "" };
    this.awareness.forgetOthers();
  }

  #attach(): void {
    if (this.#ended || this.#line !== "open") return;
    this.#phase = "attaching";
    if (!this.#send(wire.attach())) this.#phase = "away";
  }

  #send(message: Uint8Array): boolean {
    return this.transport.send(wire.frame(this.#id, message));
  }

  #sendUpdate(message: Uint8Array, keys: Key[]): void {
    // What does not go out stays written down as waiting, and goes out with the next attachment.
    if (this.#send(message)) this.#sent.push(keys);
  }

  #receive(frame: Uint8Array): void {
    const bytes = wire.messageFor(this.#id, frame);
    if (!bytes) return;
    let message: wire.Message | null;
    try {
      message = wire.read(bytes);
    } catch (cause) {
      console.warn("a message about the note could not be read", cause);
      return;
    }
    if (message) this.#handle(message);
  }

  #handle(message: wire.Message): void {
    switch (message.kind) {
      case "attached":
        return this.#attached(ACCESS[message.access] ?? "view");
      case "step_1":
        return this.#answer(message.stateVector);
      case "update":
        this.shelf.received(message.update, message.answersStep1);
        return this.#intake.take(message.update);
      case "awareness":
        return this.awareness.apply(message.update);
      case "query_awareness":
        return this.awareness.announce();
      case "saved":
        return this.#saved(message.messages, message.seq);
      case "closed":
        return this.#closed(message.code, message.reason);
      case "state":
        this.#storing = { kind: message.storing, reason: message.reason };
        this.listener.onAccess(this.access);
        return this.report();
    }
  }

  #attached(access: Access): void {
    this.#phase = "greeting";
    this.access = access;
    this.listener.onAccess(access);
    this.#send(wire.step1(this.replica.stateVector()));
    this.awareness.renew();
    this.report();
  }

  /** What the server lacks; deletions cannot be compared, so all that waits goes with it. */
  #answer(stateVector: Uint8Array): void {
    this.flush();
    const keys = [...this.shelf.waiting.values()].map(({ key }) => key);
    this.#phase = "live";
    if (this.access === "edit" && (keys.length > 0 || this.replica.exceeds(stateVector))) {
      this.#sendUpdate(wire.step2(this.replica.diff(stateVector)), keys);
    }
    this.report();
  }

  #saved(messages: number, seq: number): void {
    const fresh = this.#sent.splice(0, messages - this.#reported);
    this.#reported = Math.max(this.#reported, messages);
    this.shelf.settled(fresh.flat(), seq);
    this.report();
  }

  #closed(code: number, reason: string): void {
    this.#away();
    this.#refused = refusalOf(code, reason);
    if (!this.#refused) this.#again(code === wire.Closed.resync);
    this.listener.onAccess(this.access);
    this.report();
  }

  /** Attaches again, sooner or later. */
  #again(atOnce: boolean): void {
    const now = performance.now();
    if (now - this.#closedAt > LASTING_MS) this.#failures = 0;
    this.#closedAt = now;
    const wait = atOnce && this.#failures === 0 ? 0 : Math.min(SHORTEST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#attach(), wait);
  }
}
