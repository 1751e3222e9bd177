// The network between a browser and the server, which can be cut and mended: connections that are
// open are reset, new ones are closed at once. Chromium's own switch leaves open sockets and streams
// as they are, so it cannot show what a person on a train sees.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Line {
  #listener;
  #sockets = new Set();
  #isCut = false;

  static async to(port) {
    const line = new Line();
    line.#listener = createServer((near) => line.#join(near, port));
    line.#listener.listen(0, "127.0.0.1");
    await once(line.#listener, "listening");
    line.url = `http://127.0.0.1:${line.#listener.address().port}`;
    return line;
  }

  #join(near, port) {
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
      one.pipe(other);
    }
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#isCut = false;
  }

  async end() {
    this.cut();
    this.#listener.close();
    await once(this.#listener, "close");
  }
}
