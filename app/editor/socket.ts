// A line to the server of the editor's own, where no page lends it one: the offline page and tests.
// The page's socket and this one carry the same frames.

import type { LineState, Transport } from "./types";

const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;

/** Keeps a WebSocket open, as long as anyone listens. */
export function connect(address = ownAddress()): Transport & { close(): void } {
  const frames = new Set<(frame: Uint8Array) => void>();
  const states = new Set<(state: LineState) => void>();
  let socket: WebSocket | undefined;
  let state: LineState = navigator.onLine ? "lost" : "offline";
  let failures = 0;
  let retry: number | undefined;
  let ended = false;

  function is(next: LineState): void {
    if (next === state) return;
    state = next;
    for (const listener of states) listener(state);
  }

  function open(): void {
    clearTimeout(retry);
    if (ended || socket) return;
    const opening = new WebSocket(address);
    socket = opening;
    opening.binaryType = "arraybuffer";
    opening.onopen = () => {
      failures = 0;
      is("open");
    };
    opening.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      const frame = new Uint8Array(data);
      for (const listener of frames) listener(frame);
    };
    opening.onclose = () => {
      socket = undefined;
      is(navigator.onLine ? "lost" : "offline");
      const wait = Math.min(SHORTEST_WAIT_MS * 2 ** failures++, LONGEST_WAIT_MS);
      retry = setTimeout(open, wait);
    };
  }

  const online = () => {
    failures = 0;
    open();
  };
  const offline = () => socket?.close();
  addEventListener("online", online);
  addEventListener("offline", offline);
  open();

  return {
    send(frame) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(frame as Uint8Array<ArrayBuffer>);
      return true;
    },
    onFrame(listener) {
      frames.add(listener);
      return () => frames.delete(listener);
    },
    onState(listener) {
      states.add(listener);
      listener(state);
      return () => states.delete(listener);
    },
    close() {
      ended = true;
      clearTimeout(retry);
      removeEventListener("online", online);
      removeEventListener("offline", offline);
      socket?.close();
    },
  };
}

function ownAddress(): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/ws`;
}
