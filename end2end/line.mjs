// The network between a browser and the server, which can be cut and mended: connections that are
// open are reset, new ones are closed at once. It can also fall silent, as when a train enters a
// tunnel: everything stays open and nothing gets through. Chromium's own switch leaves open sockets and streams
// as they are, so it cannot show what a person on a train sees.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Line {
  #listener;
  #sockets = new Set();
  #isCut = false;
  #isSilent = false;

  static async to(port) {
    const line = new Line();
    line.#listener = createServer((near) => line.#join(near, port));
    line.#listener.listen(0, "127.0.0.1");
    await once(line.#listener, "listening");
    line.url = `http://127.0.0.1:${line.#listener.address().port}`;
    return line;
  }

  #join(near, port) {
    // The browser may have given it up in the same moment.
    near.on("error", () => {});
    if (this.#isCut) return near.resetAndDestroy();
    const far = connect(port, "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      // The end of one side is the end of both; its cause is what the test brought about.
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.on("data", (data) => this.#isSilent || other.write(data));
      one.on("end", () => other.end());
    }
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** What is sent from now on is lost, and nobody is told. */
  fallSilent() {
    this.#isSilent = true;
  }

  mend() {
    this.#isCut = false;
    if (!this.#isSilent) return;
    // What was lost is not made up for: these connections are broken.
    this.#isSilent = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async end() {
    this.cut();
    // A reset waits for what is on its way to be sent.
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    await once(this.#listener, "close");
  }
}
