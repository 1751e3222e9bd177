// What axe finds on a page as it is, once nothing on it moves.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Waits until nothing fades or moves. What does so without end does not count. */
export async function still(page) {
  await page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const isMoving = (one) => one.playState === "running" && one.effect?.getTiming().iterations !== Infinity;
    for (;;) {
      await frame();
      await frame();
      const moving = document.getAnimations().filter(isMoving);
      if (moving.length === 0) return;
      await Promise.allSettled(moving.map((one) => one.finished));
    }
  });
}

/** In lines that say where. What is found must stay: something may have come in just then, half faded. */
export async function faults(page) {
  await still(page);
  const found = await examined(page);
  if (found.length === 0) return found;
  await pause(1000);
  await still(page);
  return examined(page);
}

async function examined(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${help}) at ${target.join(" ")}: ${failureSummary.split("\n").slice(1).join(" ").trim()}`),
  );
}
