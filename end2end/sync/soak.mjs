// Plays random plans one after the other against one server, and says how each that failed is played
// alone. `cargo xtask bench soak` runs it; the test of convergence plays a few.
//
//   node end2end/sync/soak.mjs --plans 200 --seed 1

import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Plan } from "./plans.mjs";
import { Server } from "./server.mjs";

/** After so many plans the server is killed, and what it stored is looked at. */
const TOGETHER = 10;

/** Gives what failed: `{ seed, cause, story }`. */
export async function soak(server, seeds, { report = () => {} } = {}) {
  const failures = [];
  const fail = (plan, cause) => failures.push({ seed: plan.seed, cause, story: plan.story });
  for (let at = 0; at < seeds.length; at += TOGETHER) {
    const played = [];
    for (const seed of seeds.slice(at, at + TOGETHER)) {
      const plan = new Plan(seed);
      const began = Date.now();
      await plan.play(server).then(
        () => played.push(plan),
        (cause) => fail(plan, cause),
      );
      report(plan, Date.now() - began);
    }
    await server.crash();
    for (const plan of played) await plan.endures(server).catch((cause) => fail(plan, cause));
  }
  return failures;
}

export function told({ seed, cause, story }) {
  const alone = `cargo xtask bench soak --plans 1 --seed ${seed}`;
  return `seed ${seed}: ${cause.message}\n  ${story.slice(-25).join("\n  ")}\n  alone: ${alone}`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { plans: { type: "string", default: "200" }, seed: { type: "string", default: "1" } } });
  const [count, first] = [Number(values.plans), Number(values.seed)];
  const server = await Server.start();
  const began = Date.now();
  let done = 0;
  const report = (plan, ms) => {
    done += 1;
    const faults = [plan.crashAt !== null && "crash", plan.databaseAt !== null && "database"].filter(Boolean).join(", ");
    if (count <= 20 || done % 10 === 0) console.log(`${done} of ${count}: seed ${plan.seed}, ${ms} ms ${faults}`);
  };
  const failures = await soak(server, Array.from({ length: count }, (_, n) => first + n), { report });
  for (const failure of failures) console.error(told(failure));
  await server.end();
  console.log(`${count - failures.length} of ${count} plans agreed, in ${Math.round((Date.now() - began) / 1000)} s`);
  process.exit(failures.length > 0 ? 1 : 0);
}
