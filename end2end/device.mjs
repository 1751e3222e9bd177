// What a browser keeps of notes on its device.

/** How many changes are written down there and wait for the server. What is typed gets there a moment later. */
export function waitingOnDevice(page) {
  return page.evaluate(async () => {
    const answer = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    let changes = 0;
    for (const { name } of await indexedDB.databases()) {
      if (!name.startsWith("sidebar-notes-")) continue;
      const database = await answer(indexedDB.open(name));
      const rows = await answer(database.transaction("updates").objectStore("updates").index("waiting").getAll());
      database.close();
      for (const row of rows) changes += row.changes;
    }
    return changes;
  });
}
