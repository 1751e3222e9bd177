// Languages of code blocks, each loaded the first time one is in view.

import { LanguageDescription, LanguageSupport, StreamLanguage, type StreamParser } from "@codemirror/language";

const old = async (parser: Promise<StreamParser<unknown>>) => new LanguageSupport(StreamLanguage.define(await parser));

const language = (name: string, alias: string[], load: () => Promise<LanguageSupport>) =>
  LanguageDescription.of({ name, alias, load });

export const languages: LanguageDescription[] = [
  language("javascript", ["js", "jsx", "mjs", "cjs"], async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true })),
  language("typescript", ["ts", "tsx"], async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true, typescript: true })),
  language("python", ["py"], async () => (await import("@codemirror/lang-python")).python()),
  language("rust", ["rs"], async () => (await import("@codemirror/lang-rust")).rust()),
  language("json", ["jsonc"], async () => (await import("@codemirror/lang-json")).json()),
  language("css", ["scss", "less"], async () => (await import("@codemirror/lang-css")).css()),
  language("html", ["xml", "svg", "htm"], async () => (await import("@codemirror/lang-html")).html()),
  language("sql", ["postgres", "postgresql", "sqlite", "mysql"], async () => (await import("@codemirror/lang-sql")).sql()),
  language("yaml", ["yml"], async () => (await import("@codemirror/lang-yaml")).yaml()),
  language("cpp", ["c", "h", "c++", "hpp", "cc"], async () => (await import("@codemirror/lang-cpp")).cpp()),
  language("go", ["golang"], async () => (await import("@codemirror/lang-go")).go()),
  language("java", [], async () => (await import("@codemirror/lang-java")).java()),
  language("shell", ["sh", "bash", "zsh", "console"], () => old(import("@codemirror/legacy-modes/mode/shell").then((mode) => mode.shell))),
  language("toml", [], () => old(import("@codemirror/legacy-modes/mode/toml").then((mode) => mode.toml))),
  language("dockerfile", ["docker"], () => old(import("@codemirror/legacy-modes/mode/dockerfile").then((mode) => mode.dockerFile))),
  language("ruby", ["rb"], () => old(import("@codemirror/legacy-modes/mode/ruby").then((mode) => mode.ruby))),
  language("swift", [], () => old(import("@codemirror/legacy-modes/mode/swift").then((mode) => mode.swift))),
  language("kotlin", ["kt"], () => old(import("@codemirror/legacy-modes/mode/clike").then((mode) => mode.kotlin))),
  language("csharp", ["cs", "c#"], () => old(import("@codemirror/legacy-modes/mode/clike").then((mode) => mode.csharp))),
  language("diff", ["patch"], () => old(import("@codemirror/legacy-modes/mode/diff").then((mode) => mode.diff))),
  language("lua", [], () => old(import("@codemirror/legacy-modes/mode/lua").then((mode) => mode.lua))),
];
