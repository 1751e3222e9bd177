// A note's room as the server keeps it, with Yjs for a document: the other side of the editor in its
// tests. It speaks the messages of the app's socket, and can be late, full, rude or away on demand.

import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as awarenessProtocol from "y-protocols/awareness";
import * as syncProtocol from "y-protocols/sync";
import * as Y from "yjs";

const [SYNC, AWARENESS, QUERY] = [0, 1, 3];
const [SAVED, ATTACH, ATTACHED, DETACH, CLOSED, STATE] = [100, 101, 102, 103, 104, 105];

export class Room {
  doc = new Y.Doc();
  awareness = new awarenessProtocol.Awareness(this.doc);
  access = 2;
  /** Whether updates are reported as stored. */
  stores = true;
  seq = 0;
  #members = new Set();

  constructor(id) {
    this.id = Uint8Array.from(id.replaceAll("-", "").match(/../g), (byte) => parseInt(byte, 16));
    this.text = this.doc.getText("content");
    this.doc.on("update", (update, origin) => {
      this.#tell((encoder) => syncProtocol.writeUpdate(this.#of(encoder, SYNC), update), origin);
    });
    this.awareness.setLocalState(null);
    this.awareness.on("update", ({ added, updated, removed }, origin) => {
      const clients = [...added, ...updated, ...removed];
      for (const client of added) origin?.clients?.add(client);
      const update = awarenessProtocol.encodeAwarenessUpdate(this.awareness, clients);
      this.#tell((encoder) => encoding.writeVarUint8Array(this.#of(encoder, AWARENESS), update), origin);
    });
  }

  get members() {
    return this.#members.size;
  }

  /** Replaces part of the text, as somebody else would. */
  edit(from, to, insert) {
    this.doc.transact(() => {
      if (to > from) this.text.delete(from, to - from);
      if (insert) this.text.insert(from, insert);
    }, "elsewhere");
  }

  take(socket, bytes) {
    const decoder = decoding.createDecoder(bytes);
    const type = decoding.readVarUint(decoder);
    if (type === ATTACH) return this.#attach(socket);
    if (type === DETACH) return this.leave(socket);
    const member = [...this.#members].find((each) => each.socket === socket);
    if (!member) return undefined;
    if (type === AWARENESS) {
      return awarenessProtocol.applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), member);
    }
    if (type === QUERY) return this.#greet(member);
    if (type !== SYNC) throw new Error(`a message of type ${type}`);
    return this.#sync(member, decoder);
  }

  #sync(member, decoder) {
    const step = decoding.readVarUint(decoder);
    const payload = decoding.readVarUint8Array(decoder);
    if (step === 0) {
      return this.#send(member, (encoder) => syncProtocol.writeSyncStep2(this.#of(encoder, SYNC), this.doc, payload));
    }
    if (this.access !== 2) throw new Error("a viewer has sent an update");
    member.received += 1;
    Y.applyUpdate(this.doc, payload, member);
    if (this.stores) this.report();
    return undefined;
  }

  /** Says that everything sent so far is stored. */
  report() {
    this.seq += 1;
    for (const member of this.#members) {
      if (member.reported === member.received) continue;
      member.reported = member.received;
      this.#send(member, (encoder) => {
        encoding.writeVarUint(this.#of(encoder, SAVED), member.received);
        encoding.writeVarUint(encoder, this.seq);
      });
    }
  }

  /** 0 storing, 1 not now, 2 read-only. */
  state(kind, reason) {
    this.#tell((encoder) => {
      encoding.writeVarUint(this.#of(encoder, STATE), kind);
      encoding.writeVarString(encoder, reason);
    });
  }

  /** Ends every attachment. */
  close(code, reason) {
    this.#tell((encoder) => {
      encoding.writeVarUint(this.#of(encoder, CLOSED), code);
      encoding.writeVarString(encoder, reason);
    });
    this.#members.clear();
  }

  leave(socket) {
    for (const member of this.#members) {
      if (member.socket !== socket) continue;
      this.#members.delete(member);
      awarenessProtocol.removeAwarenessStates(this.awareness, [...member.clients], null);
    }
  }

  #attach(socket) {
    const member = { socket, received: 0, reported: 0, clients: new Set() };
    this.#members.add(member);
    this.#send(member, (encoder) => {
      encoding.writeVarUint(this.#of(encoder, ATTACHED), this.access);
      encoding.writeVarUint(encoder, this.seq);
    });
    this.#send(member, (encoder) => syncProtocol.writeSyncStep1(this.#of(encoder, SYNC), this.doc));
    this.#greet(member);
  }

  #greet(member) {
    const clients = [...this.awareness.getStates().keys()];
    if (clients.length === 0) return;
    const update = awarenessProtocol.encodeAwarenessUpdate(this.awareness, clients);
    this.#send(member, (encoder) => encoding.writeVarUint8Array(this.#of(encoder, AWARENESS), update));
  }

  #of(encoder, type) {
    encoding.writeVarUint(encoder, type);
    return encoder;
  }

  #tell(write, except) {
    for (const member of this.#members) if (member !== except) this.#send(member, write);
  }

  #send({ socket }, write) {
    const encoder = encoding.createEncoder();
    encoding.writeUint8Array(encoder, this.id);
    write(encoder);
    socket.send(encoding.toUint8Array(encoder));
  }
}
