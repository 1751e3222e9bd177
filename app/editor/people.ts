// How somebody is shown: a colour of eight that follows from who they are, and initials.

/** The light theme's `--person-1` to `--person-8`, for clients that are not ours. */
const COLOURS = ["#0f6b64", "#8a4b12", "#4c5bb0", "#9b2f5e", "#3f6b1f", "#6a4397", "#1f6486", "#7a3b2e"];

/** 1 to 8, as the page's own avatars have it. */
export function colourOf(id: string): number {
  const hex = id.replaceAll("-", "");
  let sum = 0;
  if (/^[0-9a-f]{32}$/i.test(hex)) {
    for (let at = 0; at < 32; at += 2) sum += Number.parseInt(hex.slice(at, at + 2), 16);
  } else {
    for (const character of id) sum += character.codePointAt(0)!;
  }
  return (sum % 8) + 1;
}

export function colourValue(colour: number): string {
  return COLOURS[colour - 1] ?? COLOURS[0]!;
}

export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  return letters.map((word) => [...word][0]!.toUpperCase()).join("") || "?";
}
