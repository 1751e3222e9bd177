// What the page gives the editor and gets from it. The editor knows nothing of the page beyond this.

export type Access = "view" | "comment" | "edit";

/** The line to the server, owned by the page: whole binary frames of the app's one socket. */
export interface Transport {
  /** `false` when there is no line to send on. */
  send(frame: Uint8Array): boolean;
  /** Gives back what ends the listening. */
  onFrame(listener: (frame: Uint8Array) => void): () => void;
  /** Called at once with how it stands, then whenever that changes. */
  onState(listener: (state: LineState) => void): () => void;
}
export type LineState = "open" | "lost" | "offline";

/** How safe what was typed is. `n` counts changes made here that the server has not reported stored. */
export type Status =
  | { kind: "saved" }
  | { kind: "saving"; n: number }
  | { kind: "offline"; n: number; stored: boolean }
  | { kind: "unsaved"; n: number; reason: string }
  | { kind: "read_only"; reason: string };

/** Somebody else who has the note open. `colour` is 1 to 8. */
export interface Presence {
  client: number;
  id: string | null;
  name: string;
  initials: string;
  colour: number;
  /** Where their cursor is, when they have one. */
  head: number | null;
}

export interface Heading { level: number; text: string; from: number }
export interface Count { words: number; characters: number }
export interface NoteName { id: string; title: string }
export interface Person { id: string; name: string }
export interface Uploaded { url: string; name: string; mime: string }
export interface Selected { from: number; to: number; text: string }
/** Positions that stay at their text, in base64. */
export interface Anchor { from: string; to: string; quote: string }
export interface CommentRange { id: string; from: string; to: string; resolved: boolean }
export interface Preferences { vim: boolean; source: boolean; spellcheck: boolean }

export interface Hooks {
  completeNotes(prefix: string): Promise<NoteName[]>;
  createNote(title: string): Promise<NoteName>;
  people(prefix: string): Promise<Person[]>;
  tags(prefix: string): Promise<string[]>;
  upload(file: File): Promise<Uploaded>;
  /** The server writes it, once the editor is gone. `at` is a position that stays at its text, in base64. */
  insertAt(at: string, text: string): Promise<void>;
  navigate(url: string): void;
  /** MathML of the formula. */
  renderMath?(tex: string, display: boolean): string;
  /** Another note, where there is one of this title that one may read. */
  readNote?(title: string): Promise<{ id: string; text: string } | null>;
  /** HTML of a note's text that can run nothing; nothing where it cannot be had now. */
  renderNote?(text: string, note: string): string;
  /** Where a file of this note is read by its name. */
  fileUrl?(name: string): string;
  /** The server applies it; `null` means all hunks. */
  decideProposal(id: string, hunkIds: string[] | null, accept: boolean): Promise<void>;
  onStatus(status: Status): void;
  onPresence(people: Presence[]): void;
  onOutline(headings: Heading[]): void;
  onCount(count: Count): void;
  onComment(id: string): void;
  onSelection(selection: Selected | null): void;
}

export interface Options {
  parent: HTMLElement;
  note: string;
  title: string;
  account: { id: string; name: string };
  access: Access;
  readOnlyReason?: string;
  transport: Transport;
  hooks: Hooks;
  preferences: Preferences;
}

export interface NoteEditor {
  destroy(): void;
  focus(): void;
  setPreferences(preferences: Preferences): void;
  goTo(from: number): void;
  /** Keeps somebody's cursor in view, until one scrolls or types oneself; `null` ends it. */
  follow(client: number | null): void;
  showComments(comments: CommentRange[]): void;
  anchorSelection(): Anchor | null;
  insert(text: string): void;
  getText(): string;
  unsaved(): number;
  selection(): Selected | null;
}
