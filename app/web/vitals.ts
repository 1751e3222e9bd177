// Reports how the page felt and what went wrong in it, to our own server only. Nothing personal.
import { onCLS, onFCP, onINP, onLCP, onTTFB, type Metric } from "web-vitals";

const MOST_ERRORS = 5;
let errors = 0;

function send(what: string, value: unknown): void {
  const body = new Blob([JSON.stringify(value)], { type: "application/json" });
  navigator.sendBeacon(`/api/v1/metrics/${what}`, body);
}

function report(metric: Metric): void {
  send("web-vitals", { name: metric.name.toLowerCase(), value: metric.value });
}

function reportError(message: string, stack: string): void {
  if (errors++ < MOST_ERRORS) send("errors", { message: message.slice(0, 1000), stack: stack.slice(0, 8000) });
}

for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(report);

addEventListener("error", (event) => reportError(event.message, event.error?.stack ?? ""));
addEventListener("unhandledrejection", (event) => {
  const reason = event.reason;
  reportError(String(reason?.message ?? reason), String(reason?.stack ?? ""));
});
