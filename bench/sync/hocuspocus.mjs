// `@hocuspocus/server` as it comes: in memory, and nothing that would store is configured, so that what it
// is measured at is the best it can do.
//
//   node hocuspocus.mjs <port>

import { Server } from "@hocuspocus/server";

const server = new Server({ port: Number(process.argv[2]), address: "127.0.0.1", quiet: true });
await server.listen();
console.log("listening");
