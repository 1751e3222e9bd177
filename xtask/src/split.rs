//! Takes apart what one compilation made of the app: the module that every page loads, and those of the
//! areas that are loaded by themselves. Which functions begin an area is said in the app (`areas`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use wasm_split_cli_support::{Options, transform};

use crate::place::fresh_folder;
use crate::scripts;

/// The script by which the app loads its areas, as the module and this build name it.
const LOADER: &str = "areas.js";
/// Which area needs which files.
const AREAS: &str = "areas.json";

/// What a module was taken apart into.
pub(crate) struct Pieces {
    /// Still to be bound to JavaScript.
    pub(crate) main: PathBuf,
    folder: PathBuf,
    /// Of each area the files that it needs, without their endings.
    areas: BTreeMap<String, Vec<String>>,
}

pub(crate) fn split(wasm: &[u8], folder: &Path) -> Result<Pieces> {
    fresh_folder(folder)?;
    let main = folder.join("main.wasm");
    let link = format!("./{LOADER}");
    let mut options = Options::new(wasm);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.link_name = &link;
    options.main_module = "./app.js";
    let made = transform(options).map_err(|error| anyhow!("{error:#}"))?;
    let areas = made.prefetch_map.into_iter().collect();
    Ok(Pieces { main, folder: folder.to_owned(), areas })
}

impl Pieces {
    /// The modules besides the main one.
    pub(crate) fn modules(&self) -> Vec<PathBuf> {
        self.files().into_iter().map(|name| self.folder.join(format!("{name}.wasm"))).collect()
    }

    fn files(&self) -> BTreeSet<&String> {
        self.areas.values().flatten().collect()
    }

    /// Gives the modules names with the hash of what they hold, once they are as browsers get them, and
    /// tells the script that loads them.
    pub(crate) fn name_by_content(&self) -> Result<()> {
        let loader = self.folder.join(LOADER);
        let mut script = fs::read_to_string(&loader)?;
        let mut named = BTreeMap::new();
        for file in self.files() {
            let module = self.folder.join(format!("{file}.wasm"));
            let name = scripts::name_with_hash(&module)?;
            fs::rename(&module, self.folder.join(&name))?;
            script = script.replace(&format!("./{file}.wasm"), &format!("./{name}"));
            named.insert(file, name);
        }
        fs::write(&loader, script)?;
        let areas: BTreeMap<&String, Vec<&String>> = self
            .areas
            .iter()
            .map(|(area, files)| (area, files.iter().filter_map(|file| named.get(file)).collect()))
            .collect();
        fs::write(self.folder.join(AREAS), serde_json::to_string(&areas)?)?;
        Ok(())
    }
}

/// Copies the modules of the areas into the assets; says by which names the server finds those that a page
/// begins with: `areas/{area}/{number}`.
pub(crate) fn keep(folder: &Path, assets: &Path) -> Result<scripts::Manifest> {
    let list = folder.join(AREAS);
    if !list.is_file() {
        return Ok(scripts::Manifest::new());
    }
    let areas: BTreeMap<String, Vec<String>> = serde_json::from_str(&fs::read_to_string(list)?)?;
    let mut manifest = scripts::Manifest::new();
    for (area, files) in areas {
        for (number, file) in files.into_iter().enumerate() {
            fs::copy(folder.join(&file), assets.join(&file)).with_context(|| format!("{file} is missing"))?;
            manifest.insert(format!("areas/{area}/{number}"), scripts::address(&file));
        }
    }
    Ok(manifest)
}
