// What this browser keeps of one's notes, without the editor itself: asked at sign-out, and the service
// worker that opens notes without network.

import { exists, remove, Store } from "../editor/store";

/** How many changes of this account wait on this device for the server. */
export async function waiting(account: string): Promise<number> {
  if (!(await exists(account))) return 0;
  const store = await Store.open(account);
  try {
    return await store.unsaved();
  } finally {
    store.close();
  }
}

/** Removes everything of the account from this device. */
export async function clear(account: string): Promise<void> {
  localStorage.removeItem("sidebar.account");
  await remove(account);
}

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/worker.js").catch(() => {});
