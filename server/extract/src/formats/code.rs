//! Source code: one section for each item at the top, with the comments and attributes above it, found
//! in the syntax tree. Languages without a grammar here are cut into windows of lines.

use crate::document::{Document, Kind, Place};
use crate::failure::Failure;
use crate::formats::plain;
use crate::limits::Reading;
use crate::markdown;
use tree_sitter::{Language, Node, Parser};

pub(crate) fn read(text: &str, language: &str, reading: &mut Reading) -> Result<Document, Failure> {
    let mut document = Document::new(Kind::Code);
    document.property("code_language", language);
    let lines: Vec<&str> = text.lines().collect();
    document.property("lines", lines.len());
    let items = match grammar(language) {
        Some(grammar) => items(text, &grammar, lines.len())?,
        None => Vec::new(),
    };
    let items = if items.is_empty() { by_lines(&lines) } else { items };
    for item in items {
        let code = lines[item.from..item.to].join("\n");
        if code.trim().is_empty() {
            continue;
        }
        let place = Place::Lines { from: item.from as u32 + 1, to: item.to as u32, symbol: item.symbol };
        reading.section(&mut document, place, markdown::fenced(&code, language))?;
    }
    Ok(document)
}

fn grammar(language: &str) -> Option<Language> {
    Some(match language {
        "rust" => tree_sitter_rust::LANGUAGE.into(),
        "python" => tree_sitter_python::LANGUAGE.into(),
        "typescript" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        "tsx" => tree_sitter_typescript::LANGUAGE_TSX.into(),
        "javascript" => tree_sitter_javascript::LANGUAGE.into(),
        "go" => tree_sitter_go::LANGUAGE.into(),
        "sql" => tree_sitter_sequel::LANGUAGE.into(),
        "json" => tree_sitter_json::LANGUAGE.into(),
        "toml" => tree_sitter_toml_ng::LANGUAGE.into(),
        "yaml" => tree_sitter_yaml::LANGUAGE.into(),
        _ => return None,
    })
}

/// Lines counted from zero, the end not inside.
struct Item {
    from: usize,
    to: usize,
    symbol: Option<String>,
}

fn by_lines(lines: &[&str]) -> Vec<Item> {
    plain::windows(lines).into_iter().map(|(from, to)| Item { from, to, symbol: None }).collect()
}

/// Together they hold every line once: what stands between two items belongs to the second.
fn items(text: &str, grammar: &Language, lines: usize) -> Result<Vec<Item>, Failure> {
    let mut parser = Parser::new();
    parser.set_language(grammar).map_err(Failure::damaged)?;
    let Some(tree) = parser.parse(text, None) else { return Ok(Vec::new()) };
    let mut items: Vec<Item> = Vec::new();
    for node in top(tree.root_node()) {
        if is_leading(node.kind()) {
            continue;
        }
        let end = node.end_position();
        // Some grammars end an item with its line break.
        let to = if end.column == 0 { end.row.max(node.start_position().row + 1) } else { end.row + 1 };
        push(&mut items, node.start_position().row, to.min(lines), symbol(node, text));
    }
    if let Some(last) = items.last_mut() {
        last.to = lines;
    }
    Ok(items)
}

/// Items that share a line are one; so are neighbours without a name, such as imports.
fn push(items: &mut Vec<Item>, start: usize, to: usize, symbol: Option<String>) {
    let from = items.last().map_or(0, |last| last.to);
    match items.last_mut() {
        Some(last) if start < last.to => {
            last.to = last.to.max(to);
            last.symbol = last.symbol.take().or(symbol);
        }
        Some(last) if symbol.is_none() && last.symbol.is_none() && last.to - last.from < plain::WINDOW => {
            last.to = to;
        }
        _ if to > from => items.push(Item { from, to, symbol }),
        _ => {}
    }
}

/// The children that count as items: in data formats they lie below a wrapper or two.
fn top(root: Node) -> Vec<Node> {
    let mut node = root;
    loop {
        let children: Vec<Node> = node.named_children(&mut node.walk()).collect();
        let mut solid = children.iter().filter(|child| !is_leading(child.kind()));
        match (solid.next(), solid.next()) {
            (Some(only), None) if is_wrapper(only.kind()) => node = *only,
            _ => return children,
        }
    }
}

fn is_wrapper(kind: &str) -> bool {
    matches!(
        kind,
        "document"
            | "object"
            | "array"
            | "block_node"
            | "block_mapping"
            | "block_sequence"
            | "flow_node"
            | "flow_mapping"
    )
}

fn is_leading(kind: &str) -> bool {
    kind.contains("comment") || matches!(kind, "attribute_item" | "decorator" | "hash_bang_line")
}

fn symbol(node: Node, text: &str) -> Option<String> {
    let name = match node.kind() {
        "impl_item" => {
            let of = field(node, "type", text)?;
            match field(node, "trait", text) {
                Some(what) => format!("{what} for {of}"),
                None => of,
            }
        }
        kind if kind.starts_with("import") => return None,
        "export_statement" => return inner(node, "declaration", text),
        "decorated_definition" => return inner(node, "definition", text),
        "lexical_declaration"
        | "variable_declaration"
        | "type_declaration"
        | "const_declaration"
        | "var_declaration"
        | "expression_statement"
        | "statement" => {
            return node.named_children(&mut node.walk()).find_map(|child| symbol(child, text));
        }
        "method_declaration" => {
            let name = field(node, "name", text)?;
            match node.child_by_field_name("receiver").and_then(|receiver| last_type(receiver, text)) {
                Some(of) => format!("{of}.{name}"),
                None => name,
            }
        }
        "assignment" => field(node, "left", text)?,
        "pair" | "block_mapping_pair" | "table" | "table_array_element" => return key(node, text),
        kind if kind.starts_with("create_") || kind.starts_with("alter_") => object(node, text)?,
        _ => field(node, "name", text)?,
    };
    Some(name).filter(|name| !name.is_empty() && name.len() <= 200).map(one_line)
}

fn inner(node: Node, name: &str, text: &str) -> Option<String> {
    symbol(node.child_by_field_name(name)?, text)
}

fn field(node: Node, name: &str, text: &str) -> Option<String> {
    source(node.child_by_field_name(name)?, text)
}

fn source(node: Node, text: &str) -> Option<String> {
    text.get(node.byte_range()).map(str::to_owned)
}

fn one_line(name: String) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The key of a pair, or the name in a table's brackets.
fn key(node: Node, text: &str) -> Option<String> {
    let key = node.child_by_field_name("key").or_else(|| node.named_child(0))?;
    let name = source(key, text)?;
    let name = name.trim_matches(['"', '\'']);
    (name.len() <= 200 && !name.is_empty()).then(|| one_line(name.to_owned()))
}

/// What an SQL statement creates or changes.
fn object(node: Node, text: &str) -> Option<String> {
    let mut cursor = node.walk();
    let children: Vec<Node> = node.named_children(&mut cursor).collect();
    let names = ["object_reference", "identifier", "literal"];
    source(*children.iter().find(|child| names.contains(&child.kind()))?, text)
}

/// `(s *Server)` is `Server`.
fn last_type(receiver: Node, text: &str) -> Option<String> {
    let text = source(receiver, text)?;
    let name = text.trim_matches(['(', ')']).rsplit([' ', '*']).next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn sections(language: &str, text: &str) -> Vec<(u32, u32, String)> {
        let limits = Limits::default();
        let mut ignore = |_| {};
        let document = read(text, language, &mut Reading::new(&limits, &mut ignore)).unwrap();
        let place = |place: &Place| match place {
            Place::Lines { from, to, symbol } => (*from, *to, symbol.clone().unwrap_or_default()),
            place => panic!("{place:?}"),
        };
        document.sections.iter().map(|section| place(&section.place)).collect()
    }

    fn expect(language: &str, text: &str, expected: &[(u32, u32, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(from, to, name)| (*from, *to, name.to_string())).collect();
        assert_eq!(sections(language, text), expected, "{language}");
    }

    #[test]
    fn an_item_keeps_the_comments_and_attributes_above_it() {
        let text = "//! About.\n\nuse a::b;\nuse c;\n\n/// Says.\n#[derive(Debug)]\nstruct S {\n    x: u8,\n}\n\n\
            impl Clone for S {}\n\n// why\nfn f() {}\n";
        expect("rust", text, &[(1, 4, ""), (5, 10, "S"), (11, 12, "Clone for S"), (13, 15, "f")]);
    }

    #[test]
    fn every_grammar_names_its_items() {
        expect(
            "python",
            "import os\n\n@cached\ndef f():\n    pass\n\nclass C:\n    x = 1\n\nY = 2\n",
            &[(1, 1, ""), (2, 5, "f"), (6, 8, "C"), (9, 10, "Y")],
        );
        expect(
            "typescript",
            "import x from 'x';\nexport interface I { a: string }\nexport const f = () => 1;\n",
            &[(1, 1, ""), (2, 2, "I"), (3, 3, "f")],
        );
        expect("tsx", "export function App() {\n  return <b>hi</b>;\n}\n", &[(1, 3, "App")]);
        expect("javascript", "class A {}\nfunction b() {}\n", &[(1, 1, "A"), (2, 2, "b")]);
        expect(
            "go",
            "package p\n\ntype T struct{}\n\n// M does.\nfunc (t *T) M() {}\n",
            &[(1, 1, ""), (2, 3, "T"), (4, 6, "T.M")],
        );
        expect(
            "sql",
            "CREATE TABLE notes (id uuid);\n\n-- why\nCREATE INDEX by_id ON notes (id);\n",
            &[(1, 1, "notes"), (2, 4, "by_id")],
        );
        expect("json", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 2\n  }\n}\n", &[(1, 2, "a"), (3, 6, "b")]);
        expect(
            "toml",
            "[package]\nname = \"x\"\n\n[[bin]]\nname = \"y\"\n",
            &[(1, 3, "package"), (4, 5, "bin")],
        );
        expect(
            "yaml",
            "services:\n  db:\n    image: x\nvolumes:\n  data: {}\n",
            &[(1, 3, "services"), (4, 5, "volumes")],
        );
    }

    #[test]
    fn a_language_without_a_grammar_is_cut_into_windows() {
        let text = "int x;\n".repeat(400);
        let found = sections("c", &text);
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].0, found[2].1), (1, 400));
    }

    #[test]
    fn broken_code_loses_no_line() {
        let text = "fn f( {\n}}}\nstruct\n\nlet x = ;\n#[a\nfn g() {}\n";
        let found = sections("rust", text);
        assert_eq!(found.first().unwrap().0, 1);
        assert_eq!(found.last().unwrap().1, 7);
        assert!(found.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
    }
}
