//! Builds the browser half into the site folder: the app as WebAssembly, the small TypeScript
//! entries, the stylesheet and fonts, all under names that carry a hash of their content, and the
//! manifest that says which name is which. The finished folder takes the place of the old one in
//! one step; what has not changed is not made again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::place::{Place, Profile, fresh_folder, remove_folder};
use crate::{precompressed, say, setup, tool};

/// What the browsers we serve understand, and what rustc has used.
const WASM_OPT: [&str; 7] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

type Manifest = BTreeMap<String, String>;

/// Builds what has changed since the last time; gives whether the site is another than before.
pub(crate) fn build(place: &Place, profile: Profile) -> Result<bool> {
    let wasm = compile(place, profile)?;
    let bound = bind(place, profile, &wasm)?;
    assemble(place, profile, &bound)
}

/// What cargo leaves of the app.
fn compile(place: &Place, profile: Profile) -> Result<PathBuf> {
    let arguments =
        ["build", "--package", "app", "--lib", "--target", "wasm32-unknown-unknown", "--no-default-features"];
    say::step("Compiling the browser half", || {
        tool::run(tool::cargo(place, &arguments).args([
            "--features",
            "hydrate",
            "--profile",
            profile.browser(),
        ]))
    })?;
    Ok(place.target.join("wasm32-unknown-unknown").join(profile.browser()).join("app.wasm"))
}

/// The glue and the module as browsers load it: `app.js`, `app_bg.wasm`.
struct Bound {
    folder: PathBuf,
}

fn bind(place: &Place, profile: Profile, wasm: &Path) -> Result<Bound> {
    let work = place.work(profile);
    let folder = work.join("bound");
    let stamp = work.join("bound.from");
    let bytes = fs::read(wasm).with_context(|| format!("cargo left no {}", wasm.display()))?;
    let from = setup::hex(&Sha256::digest(&bytes));
    if fs::read_to_string(&stamp).is_ok_and(|last| last == from) && folder.join("app_bg.wasm").is_file() {
        return Ok(Bound { folder });
    }
    fresh_folder(&folder)?;
    say::step("Binding WebAssembly to JavaScript", || {
        let mut bindgen = Bindgen::new();
        bindgen.input_path(wasm).out_name("app").typescript(false).omit_default_module_path(true);
        bindgen.remove_name_section(profile == Profile::Release).remove_producers_section(true);
        bindgen.web(true).and_then(|bindgen| bindgen.generate(&folder)).map_err(|error| anyhow!("{error:#}"))
    })?;
    if profile == Profile::Release {
        shrink(place, &folder.join("app_bg.wasm"))?;
    }
    fs::write(&stamp, &from)?;
    Ok(Bound { folder })
}

fn shrink(place: &Place, wasm: &Path) -> Result<()> {
    say::step("Making WebAssembly small", || {
        let small = wasm.with_extension("small.wasm");
        let mut command = Command::new(place.npm_program("wasm-opt"));
        tool::run(command.args(WASM_OPT).arg(wasm).arg("-o").arg(&small))?;
        fs::rename(&small, wasm).context("wasm-opt left no module")
    })
}

fn assemble(place: &Place, profile: Profile, bound: &Bound) -> Result<bool> {
    let site = place.site(profile);
    let next = site.with_extension("next");
    let assets = next.join("assets");
    fresh_folder(&assets)?;
    let mut manifest = bundle(place, profile, bound, &assets)?;
    let wasm = fs::read(bound.folder.join("app_bg.wasm"))?;
    let hash = setup::hex(&Sha256::digest(&wasm));
    let name = format!("app_bg.{}.wasm", hash.get(..16).unwrap_or(&hash));
    fs::write(assets.join(&name), &wasm)?;
    manifest.insert("app_bg.wasm".to_owned(), address(&name));
    let text = serde_json::to_string_pretty(&manifest)?;
    if fs::read_to_string(site.join("manifest.json")).is_ok_and(|last| last == text) {
        remove_folder(&next)?;
        return Ok(false);
    }
    if profile == Profile::Release {
        say::step("Compressing the assets", || precompressed::write_beside(&assets, &site.join("assets")))?;
    }
    fs::write(next.join("manifest.json"), text)?;
    replace(&site, &next)?;
    Ok(true)
}

fn address(name: &str) -> String {
    format!("/assets/{name}")
}

/// Bundles scripts and styles; gives what the sources are called and where they went.
fn bundle(place: &Place, profile: Profile, bound: &Bound, assets: &Path) -> Result<Manifest> {
    let report = place.work(profile).join("esbuild.json");
    let mut command = Command::new(place.npm_program("esbuild"));
    command
        .current_dir(&place.root)
        .args(entries(place)?)
        .arg(bound.folder.join("app.js"))
        .args(["--bundle", "--splitting", "--format=esm", "--target=es2022", "--log-level=warning"])
        .args(["--entry-names=[name].[hash]", "--chunk-names=[name].[hash]", "--asset-names=[name].[hash]"])
        .args(["--public-path=/assets", "--loader:.woff2=file", "--loader:.svg=file", "--loader:.png=file"])
        .arg(format!("--outdir={}", assets.display()))
        .arg(format!("--metafile={}", report.display()));
    if profile == Profile::Release {
        command.args(["--minify", "--legal-comments=none"]);
    }
    tool::run(&mut command)?;
    let report = fs::read_to_string(&report).context("esbuild left no report")?;
    manifest_of(&report)
}

/// Each script in `app/web` and the stylesheet.
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
    entries.push(place.root.join("style/main.css"));
    Ok(entries)
}

/// Reads esbuild's report: an entry is known by its own name, a font by the file it was.
fn manifest_of(report: &str) -> Result<Manifest> {
    let report: serde_json::Value = serde_json::from_str(report).context("esbuild's report is no JSON")?;
    let outputs = report["outputs"].as_object().context("esbuild's report names no outputs")?;
    let mut manifest = Manifest::new();
    for (path, output) in outputs {
        let entry = output["entryPoint"].as_str();
        let mut inputs = output["inputs"].as_object().into_iter().flat_map(|inputs| inputs.keys());
        let is_asset = !(path.ends_with(".js") || path.ends_with(".css"));
        let source = entry.or_else(|| inputs.next().filter(|_| is_asset).map(String::as_str));
        let (Some(source), Some(file)) = (source, Path::new(path).file_name()) else {
            continue;
        };
        let name = Path::new(source).file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".ts").map_or_else(|| name.to_string(), |stem| format!("{stem}.js"));
        manifest.insert(name, address(&file.to_string_lossy()));
    }
    Ok(manifest)
}

/// Puts `next` where `site` is. With a site already there the two are exchanged in one step, so
/// that a server that starts meanwhile finds a whole one.
fn replace(site: &Path, next: &Path) -> Result<()> {
    let moved = if site.exists() {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, next, CWD, site, RenameFlags::EXCHANGE).map_err(std::io::Error::from)
    } else {
        fs::rename(next, site)
    };
    moved.with_context(|| format!("could not move into place {}", site.display()))?;
    remove_folder(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_entries_and_fonts_but_no_shared_chunks() {
        let report = r#"{"inputs":{},"outputs":{
            "t/assets/app.AAAA.js":{"entryPoint":"target/site-work/bound/app.js","inputs":{}},
            "t/assets/vitals.BBBB.js":{"entryPoint":"app/web/vitals.ts","inputs":{}},
            "t/assets/main.CCCC.css":{"entryPoint":"style/main.css","inputs":{}},
            "t/assets/chunk.DDDD.js":{"inputs":{"node_modules/x/y.js":{}}},
            "t/assets/inter-latin.EEEE.woff2":{"inputs":{"node_modules/f/inter-latin.woff2":{}}}}}"#;
        let manifest = manifest_of(report).unwrap();
        let expected = [
            ("app.js", "/assets/app.AAAA.js"),
            ("inter-latin.woff2", "/assets/inter-latin.EEEE.woff2"),
            ("main.css", "/assets/main.CCCC.css"),
            ("vitals.js", "/assets/vitals.BBBB.js"),
        ];
        let expected: Manifest = expected.map(|(name, at)| (name.to_owned(), at.to_owned())).into();
        assert_eq!(manifest, expected);
    }
}
