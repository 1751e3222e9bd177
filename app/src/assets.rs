//! Where the built files are: names as the sources know them, addresses with their content hash.

use crate::areas::Area;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The parsed `manifest.json` of the site folder.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    addresses: Arc<BTreeMap<String, String>>,
}

impl Assets {
    /// Reads the manifest's text: a JSON object of name to address.
    pub fn parse(manifest: &str) -> Result<Self, serde_json::Error> {
        let addresses: BTreeMap<String, String> = serde_json::from_str(manifest)?;
        Ok(Self { addresses: Arc::new(addresses) })
    }

    /// The modules of an area.
    pub fn of_area(&self, area: Area) -> Vec<String> {
        let prefix = format!("areas/{}/", area.name());
        let named = self.addresses.iter().filter(|(name, _)| name.starts_with(&prefix));
        named.map(|(_, address)| address.clone()).collect()
    }

    /// The address of a file, when it was built.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.addresses.get(name).map(String::as_str)
    }
}
