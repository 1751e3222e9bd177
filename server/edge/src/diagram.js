// Draws diagrams for the page that holds this frame. It has no origin and may load nothing.
let ready;
let queue = Promise.resolve();

function load(library) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = URL.createObjectURL(new Blob([library], { type: "text/javascript" }));
    script.onload = resolve;
    script.onerror = () => reject(new Error("the library did not load"));
    document.head.append(script);
  });
}

/** As large as it was drawn, and not as wide as there is room. */
function sized(svg) {
  const [, width, height] = /viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
  return width ? svg.replace(/\swidth="100%"/, ` width="${Math.ceil(width)}" height="${Math.ceil(height)}"`) : svg;
}

async function draw({ job, source, isDark }) {
  try {
    await ready;
    mermaid.initialize({
      startOnLoad: false,
      securityLevel: "strict",
      theme: isDark ? "dark" : "neutral",
      fontFamily: "system-ui, sans-serif",
      htmlLabels: false,
      flowchart: { htmlLabels: false },
    });
    const { svg } = await mermaid.render(`diagram-${job}`, source);
    return { job, svg: sized(svg) };
  } catch (cause) {
    return { job, error: String(cause?.message ?? cause).split("\n")[0].slice(0, 200) };
  }
}

addEventListener("message", ({ data, source }) => {
  if (source !== parent || typeof data !== "object" || data === null) return;
  if (typeof data.library === "string") ready = load(data.library);
  else if (typeof data.job === "number") queue = queue.then(() => draw(data)).then((drawn) => parent.postMessage(drawn, "*"));
});
