// The service worker: keeps the built files of the editor and one page, so that a reload without
// network opens a note that is on this device. It keeps nothing that belongs to anybody.
//
// The server puts `KEPT` before this script: what to keep, under a name that changes with it.

declare const KEPT: { name: string; assets: string[] };

interface ExtendableEvent extends Event { waitUntil(work: Promise<unknown>): void }
interface FetchEvent extends ExtendableEvent { request: Request; respondWith(answer: Promise<Response>): void }
interface Scope {
  addEventListener(kind: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(kind: "fetch", listener: (event: FetchEvent) => void): void;
  clients: { claim(): Promise<void> };
}

const scope = self as unknown as Scope;
const OURS = "sidebar-";
const OFFLINE = "/offline";
const DIAGRAM = "/frame/diagram";
/** Who waits longer than this sees what is on the device. */
const PATIENCE_MS = 4000;

scope.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT.name).then((cache) => cache.addAll([...KEPT.assets, OFFLINE, DIAGRAM])));
});

scope.addEventListener("activate", (event) => event.waitUntil(tidy()));

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("/assets/")) event.respondWith(asset(request));
  else if (request.mode === "navigate" && /^\/n(\/[^/]*)?$/.test(pathname)) event.respondWith(page(request, OFFLINE));
  else if (pathname === DIAGRAM) event.respondWith(page(request, DIAGRAM));
});

async function tidy(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OURS) && name !== KEPT.name).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** A name with a hash is the same content for ever. */
async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(KEPT.name);
  const kept = await cache.match(request);
  if (kept) return kept;
  const fresh = await fetch(request);
  // A full disk is no reason to fail.
  if (fresh.status === 200) await cache.put(request, fresh.clone()).catch(() => {});
  return fresh;
}

/** From the server; without it, or when what stands before it has lost it, from here. */
async function page(request: Request, instead: string): Promise<Response> {
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
  const fresh = await Promise.race([fetch(request).catch(() => null), late]);
  const isThere = fresh !== null && ![502, 503, 504].includes(fresh.status);
  if (isThere) return fresh;
  const kept = await caches.open(KEPT.name).then((cache) => cache.match(instead));
  return kept ?? fresh ?? Response.error();
}

export {};
