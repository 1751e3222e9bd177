// Whatever people, networks and crashes do to a note, everybody has the same in the end, and nothing that
// was reported saved is missing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LIMIT, LONG_LIMIT, Server } from "./server.mjs";
import { soak, told } from "./soak.mjs";

const PLANS = 40;

let server;
before(async () => (server = await Server.start()), LIMIT);
after(() => server?.end(), LIMIT);

test("forty random plans end with everybody and the server having the same", LONG_LIMIT, async () => {
  const failures = await soak(server, Array.from({ length: PLANS }, (_, n) => n + 1));
  assert.equal(failures.length, 0, failures.map(told).join("\n\n"));
});
