//! Builds the browser half into the site folder: the app, the notes' replica and the typesetter as
//! WebAssembly, the TypeScript entries, the stylesheet and fonts, all under names that carry a hash of
//! their content, and the manifest that says which name is which. The finished folder takes the place of the old one in
//! one step; what has not changed is not made again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::place::{Place, Profile, fresh_folder, remove_folder};
use crate::prune::prune;
use crate::{precompressed, say, scripts, setup, split, tool};

/// What the browsers we serve understand, and what rustc has used.
const WASM_OPT: [&str; 9] = [
    "-Oz",
    "--converge",
    "--strip-debug",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The one that is taken apart.
const APP: &str = "app";

/// Builds what has changed since the last time; gives whether the site is another than before.
pub(crate) fn build(place: &Place, profile: Profile) -> Result<bool> {
    let app = module(place, profile, APP, &["--features", "hydrate"])?;
    let replica = module(place, profile, "replica", &[])?;
    let typesetter = module(place, profile, "typesetter", &[])?;
    assemble(place, profile, &app, &[replica, typesetter])
}

/// One WebAssembly module, compiled and bound. Each has a cargo call of its own: their features would
/// unite.
fn module(place: &Place, profile: Profile, package: &'static str, features: &[&str]) -> Result<Bound> {
    let wasm = compile(place, profile, package, features)?;
    bind(place, profile, package, &wasm)
}

/// What cargo leaves of a package.
fn compile(place: &Place, profile: Profile, package: &str, features: &[&str]) -> Result<PathBuf> {
    let arguments = ["build", "--lib", "--target", "wasm32-unknown-unknown", "--no-default-features"];
    say::step(&format!("Compiling `{package}` for the browser"), || {
        let mut command = tool::cargo(place, &arguments);
        let command = command.args(["--package", package, "--profile", profile.browser()]);
        tool::run(command.args(features))
    })?;
    let folder = place.target.join("wasm32-unknown-unknown").join(profile.browser());
    Ok(folder.join(format!("{package}.wasm")))
}

/// The glue and the module as browsers load it: `app.js`, `app_bg.wasm`.
pub(crate) struct Bound {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
}

fn bind(place: &Place, profile: Profile, name: &'static str, wasm: &Path) -> Result<Bound> {
    let work = place.work(profile);
    let folder = work.join(format!("bound-{name}"));
    let stamp = work.join(format!("bound-{name}.from"));
    let module = folder.join(format!("{name}_bg.wasm"));
    let bytes = fs::read(wasm).with_context(|| format!("cargo left no {}", wasm.display()))?;
    let from = setup::hex(&Sha256::digest(&bytes));
    if fs::read_to_string(&stamp).is_ok_and(|last| last == from) && module.is_file() {
        return Ok(Bound { name, folder });
    }
    fresh_folder(&folder)?;
    let pieces = match name {
        APP => Some(say::step("Taking WebAssembly apart", || split::split(&bytes, &folder))?),
        _ => None,
    };
    let main = pieces.as_ref().map_or(wasm, |pieces| &pieces.main);
    say::step("Binding WebAssembly to JavaScript", || {
        let mut bindgen = Bindgen::new();
        bindgen.input_path(main).out_name(name).typescript(false).omit_default_module_path(true);
        // what the pieces share is exported
        bindgen.remove_producers_section(true).keep_lld_exports(pieces.is_some());
        let bound = bindgen.web(true).and_then(Bindgen::generate_output);
        let mut bound = bound.map_err(|error| anyhow!("{error:#}"))?;
        if profile == Profile::Release {
            prune(bound.wasm_mut());
        }
        bound.emit(&folder).map_err(|error| anyhow!("{error:#}"))
    })?;
    if profile == Profile::Release {
        shrink(place, &module)?;
    }
    if let Some(pieces) = pieces {
        if profile == Profile::Release {
            pieces.modules().iter().try_for_each(|piece| shrink(place, piece))?;
        }
        pieces.name_by_content()?;
    }
    fs::write(&stamp, &from)?;
    Ok(Bound { name, folder })
}

fn shrink(place: &Place, wasm: &Path) -> Result<()> {
    say::step("Making WebAssembly small", || {
        let small = wasm.with_extension("small.wasm");
        let mut command = Command::new(place.npm_program("wasm-opt"));
        tool::run(command.args(WASM_OPT).arg(wasm).arg("-o").arg(&small))?;
        fs::rename(&small, wasm).context("wasm-opt left no module")
    })
}

fn assemble(place: &Place, profile: Profile, app: &Bound, others: &[Bound]) -> Result<bool> {
    let site = place.site(profile);
    let next = site.with_extension("next");
    let assets = next.join("assets");
    fresh_folder(&assets)?;
    let scripts::Bundled { mut manifest, offline } = scripts::bundle(place, profile, app, others, &assets)?;
    let module = scripts::keep(&app.folder.join("app_bg.wasm"), &assets)?;
    manifest.extend(split::keep(&app.folder, &assets)?);
    manifest.insert("app_bg.wasm".to_owned(), module);
    let text = serde_json::to_string_pretty(&manifest)?;
    if fs::read_to_string(site.join("manifest.json")).is_ok_and(|last| last == text) {
        remove_folder(&next)?;
        return Ok(false);
    }
    if profile == Profile::Release {
        say::step("Compressing the assets", || precompressed::write_beside(&assets, &site.join("assets")))?;
    }
    fs::write(next.join("manifest.json"), text)?;
    fs::write(next.join("offline.json"), serde_json::to_string_pretty(&offline)?)?;
    replace(&site, &next)?;
    Ok(true)
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
