// A reporter for `node --test`: the files in which a test failed, one a line. `cargo xtask test` runs them once
// more.

export default async function* failures(events) {
  const files = new Set();
  for await (const { type, data } of events) {
    if (type === "test:fail" && data.file) files.add(data.file);
  }
  yield [...files].join("\n");
}
