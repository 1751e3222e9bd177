// Reading and writing bytes as lib0 does: unsigned variable-length integers, counted arrays and
// strings. Whatever is too short or too long throws.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export class Writer {
  #bytes: number[] = [];
  #parts: Uint8Array[] = [];

  uint(value: number): this {
    let rest = value;
    while (rest > 127) {
      this.#bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
    return this;
  }

  raw(bytes: Uint8Array): this {
    if (this.#bytes.length > 0) this.#parts.push(Uint8Array.from(this.#bytes));
    this.#bytes = [];
    this.#parts.push(bytes);
    return this;
  }

  array(bytes: Uint8Array): this {
    return this.uint(bytes.length).raw(bytes);
  }

  text(value: string): this {
    return this.array(encoder.encode(value));
  }

  done(): Uint8Array {
    this.raw(new Uint8Array());
    return join(this.#parts);
  }
}

export class Reader {
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  uint(): number {
    let value = 0;
    for (let scale = 1; scale <= Number.MAX_SAFE_INTEGER; scale *= 128) {
      const byte = this.bytes[this.#at++];
      if (byte === undefined) throw new RangeError("the message ends too early");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new RangeError("a number is too large");
  }

  /** A signed one, whose first byte holds the sign and six bits. */
  int(): number {
    const first = this.bytes[this.#at++];
    if (first === undefined) throw new RangeError("the message ends too early");
    let value = first & 63;
    if (first & 128) value += this.uint() * 64;
    return first & 64 ? -value : value;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.bytes.length) throw new RangeError("the message ends too early");
    const part = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  array(): Uint8Array {
    return this.take(this.uint());
  }

  text(): string {
    return decoder.decode(this.array());
  }
}

export function join(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
