// What the build puts in place: the replica's glue, its module's address, the address of the diagram
// library, and the shape of the replica's class (written in Rust, `app/replica`).

declare module "replica" {
  export class Replica {
    constructor(client: number);
    apply(update: Uint8Array): unknown[];
    edit(changes: unknown[]): Uint8Array;
    undo(): [unknown[], Uint8Array] | undefined;
    redo(): [unknown[], Uint8Array] | undefined;
    seal(): void;
    text(): string;
    stateVector(): Uint8Array;
    diff(stateVector: Uint8Array): Uint8Array;
    exceeds(stateVector: Uint8Array): boolean;
    hasMissing(): boolean;
    sticky(position: number, before: boolean): Uint8Array;
    resolve(sticky: Uint8Array): number | undefined;
    proposals(): string;
    free(): void;
  }
  export function merge(updates: Uint8Array[]): Uint8Array;
  export default function init(options: { module_or_path: string }): Promise<unknown>;
}

declare module "replica-module" {
  const address: string;
  export default address;
}

declare const DIAGRAMS: string;

declare module "typesetter" {
  export function begin(): unknown;
  export function html(text: string, growing: boolean): string;
  export function note(text: string): string;
  export function formula(tex: string, display: boolean): string | undefined;
  export default function init(options: { module_or_path: string }): Promise<unknown>;
}

declare module "typesetter-module" {
  const address: string;
  export default address;
}
