//! Bundles the scripts and styles of the site with esbuild, and reads from its report what became of
//! them: the manifest, and the list of what the offline page needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::browser::Bound;
use crate::place::{Place, Profile};
use crate::{setup, tool};

/// Names as the sources know them, addresses with their content hash.
pub(crate) type Manifest = BTreeMap<String, String>;

/// Entries beside those in `app/web`.
const ENTRIES: [&str; 3] = ["app/editor/editor.ts", "app/editor/offline.ts", "style/main.css"];
/// What a reload without network needs, with all that it imports.
const OFFLINE: [&str; 3] = ["app/editor/editor.ts", "app/editor/offline.ts", "style/main.css"];
/// Diagrams are drawn in a frame that may load nothing: it is handed this one script whole.
const DIAGRAMS: &str = "node_modules/mermaid/dist/mermaid.min.js";

pub(crate) struct Bundled {
    pub(crate) manifest: Manifest,
    /// Addresses that the service worker keeps.
    pub(crate) offline: BTreeSet<String>,
}

/// Bundles all entries.
pub(crate) fn bundle(
    place: &Place,
    profile: Profile,
    app: &Bound,
    others: &[Bound],
    assets: &Path,
) -> Result<Bundled> {
    let report = place.work(profile).join("esbuild.json");
    let diagrams = keep(&place.root.join(DIAGRAMS), assets)?;
    let mut command = Command::new(place.npm_program("esbuild"));
    command
        .current_dir(&place.root)
        .args(entries(place)?)
        .arg(app.folder.join("app.js"))
        .args(["--bundle", "--splitting", "--format=esm", "--target=es2022", "--log-level=warning"])
        // the glue names the script that loads the areas once for each of them
        .arg("--log-override:duplicate-object-key=silent")
        .args(["--entry-names=[name].[hash]", "--chunk-names=[name].[hash]", "--asset-names=[name].[hash]"])
        .args(["--public-path=/assets", "--loader:.woff2=file", "--loader:.svg=file", "--loader:.png=file"])
        .arg("--loader:.wasm=file")
        .args(others.iter().flat_map(aliases))
        .arg(format!("--define:DIAGRAMS={diagrams:?}"))
        .arg(format!("--outdir={}", assets.display()))
        .arg(format!("--metafile={}", report.display()));
    if profile == Profile::Release {
        command.args(["--minify", "--legal-comments=none"]);
    }
    tool::run(&mut command)?;
    let report = fs::read_to_string(&report).context("esbuild left no report")?;
    let report: Value = serde_json::from_str(&report).context("esbuild's report is no JSON")?;
    Ok(Bundled { manifest: manifest_of(&report)?, offline: needed_by(&report, &OFFLINE)? })
}

/// A script imports a module's glue by the module's name, and its address as `{name}-module`.
fn aliases(Bound { name, folder }: &Bound) -> [String; 2] {
    let file = |file: String| folder.join(file).display().to_string();
    [
        format!("--alias:{name}={}", file(format!("{name}.js"))),
        format!("--alias:{name}-module={}", file(format!("{name}_bg.wasm"))),
    ]
}

/// Copies a file into the assets under a name with its hash; gives its address.
pub(crate) fn keep(file: &Path, assets: &Path) -> Result<String> {
    let name = name_with_hash(file)?;
    fs::copy(file, assets.join(&name))?;
    Ok(address(&name))
}

/// The name of a file with the hash of what it holds.
pub(crate) fn name_with_hash(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("{} is missing", file.display()))?;
    let hash = setup::hex(&Sha256::digest(&bytes));
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    Ok(format!("{stem}.{}.{extension}", hash.get(..16).unwrap_or(&hash)))
}

pub(crate) fn address(name: &str) -> String {
    format!("/assets/{name}")
}

/// Each script in `app/web`, and the others.
fn entries(place: &Place) -> Result<Vec<PathBuf>> {
    let folder = place.root.join("app/web");
    let mut entries = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let declarations = path.to_string_lossy().ends_with(".d.ts");
            if path.extension().is_some_and(|extension| extension == "ts") && !declarations {
                entries.push(path);
            }
        }
    }
    entries.sort();
    entries.extend(ENTRIES.map(|entry| place.root.join(entry)));
    Ok(entries)
}

fn outputs(report: &Value) -> Result<&serde_json::Map<String, Value>> {
    report["outputs"].as_object().context("esbuild's report names no outputs")
}

/// An entry is known by its own name, a font by the file it was. A library's own chunk has no name.
fn manifest_of(report: &Value) -> Result<Manifest> {
    let mut manifest = Manifest::new();
    for (path, output) in outputs(report)? {
        let entry = output["entryPoint"].as_str();
        let mut inputs = output["inputs"].as_object().into_iter().flat_map(|inputs| inputs.keys());
        let is_asset = !(path.ends_with(".js") || path.ends_with(".css"));
        let source = entry.or_else(|| inputs.next().filter(|_| is_asset).map(String::as_str));
        let (Some(source), Some(file)) = (source, Path::new(path).file_name()) else {
            continue;
        };
        if entry.is_some() && source.starts_with("node_modules/") {
            continue;
        }
        let name = Path::new(source).file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".ts").map_or_else(|| name.to_string(), |stem| format!("{stem}.js"));
        manifest.insert(name, address(&file.to_string_lossy()));
    }
    Ok(manifest)
}

/// The addresses of these entries and of everything that they load by themselves. What is loaded only
/// on demand is kept when it was demanded.
fn needed_by(report: &Value, entries: &[&str]) -> Result<BTreeSet<String>> {
    let outputs = outputs(report)?;
    let is_entry =
        |output: &Value| output["entryPoint"].as_str().is_some_and(|entry| entries.contains(&entry));
    let mut waiting: Vec<&str> =
        outputs.iter().filter(|(_, output)| is_entry(output)).map(|(path, _)| path.as_str()).collect();
    let mut needed = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        let Some(file) = Path::new(path).file_name() else {
            continue;
        };
        if !needed.insert(address(&file.to_string_lossy())) {
            continue;
        }
        let imports = outputs.get(path).and_then(|output| output["imports"].as_array()).into_iter().flatten();
        for import in imports {
            let on_demand = import["kind"] == "dynamic-import";
            if let (false, Some(imported)) = (on_demand, import["path"].as_str()) {
                waiting.push(imported);
            }
        }
    }
    Ok(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Value {
        serde_json::from_str(
            r#"{"inputs":{},"outputs":{
            "t/assets/app.AAAA.js":{"entryPoint":"target/site-work/bound/app.js","inputs":{}},
            "t/assets/editor.BBBB.js":{"entryPoint":"app/editor/editor.ts","inputs":{},"imports":[
                {"path":"t/assets/chunk.DDDD.js","kind":"import-statement"},
                {"path":"/assets/replica_bg.FFFF.wasm","kind":"file-loader","external":true},
                {"path":"t/assets/index.GGGG.js","kind":"dynamic-import"}]},
            "t/assets/main.CCCC.css":{"entryPoint":"style/main.css","inputs":{},"imports":[]},
            "t/assets/chunk.DDDD.js":{"inputs":{"node_modules/x/y.js":{}},"imports":[]},
            "t/assets/index.GGGG.js":{"entryPoint":"node_modules/x/index.js","inputs":{},"imports":[]},
            "t/assets/inter-latin.EEEE.woff2":{"inputs":{"node_modules/f/inter-latin.woff2":{}}}}}"#,
        )
        .unwrap()
    }

    #[test]
    fn the_manifest_names_entries_and_fonts_but_no_shared_chunks() {
        let manifest = manifest_of(&report()).unwrap();
        let expected = [
            ("app.js", "/assets/app.AAAA.js"),
            ("editor.js", "/assets/editor.BBBB.js"),
            ("inter-latin.woff2", "/assets/inter-latin.EEEE.woff2"),
            ("main.css", "/assets/main.CCCC.css"),
        ];
        let expected: Manifest = expected.map(|(name, at)| (name.to_owned(), at.to_owned())).into();
        assert_eq!(manifest, expected);
    }

    #[test]
    fn the_offline_list_follows_imports_but_not_those_on_demand() {
        let needed = needed_by(&report(), &["app/editor/editor.ts"]).unwrap();
        let expected = ["/assets/chunk.DDDD.js", "/assets/editor.BBBB.js", "/assets/replica_bg.FFFF.wasm"];
        assert_eq!(needed, expected.map(str::to_owned).into());
    }
}
