//! What lies in the store, for the collector and the check. Names come from the store and are believed only as far
//! as they are ones that this server gives.

use super::{Blobs, LONGEST_ON_ITS_WAY, forget_old};
use crate::{Error, Result};
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path as Place;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use shared::{FileId, PageId, UploadId, UserId};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What an object is, by its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Blob {
        sha256: [u8; 32],
    },
    Derivative {
        file: FileId,
        name: String,
    },
    Part {
        upload: UploadId,
    },
    /// What was made of a page, or sent of it, by one asking.
    OfPage {
        page: PageId,
        asking: i32,
        name: String,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub item: Item,
    /// In bytes.
    pub size: u64,
    pub age: Duration,
    place: Place,
}

impl Blobs {
    /// People who have something in the store.
    pub async fn owners(&self) -> Result<Vec<UserId>> {
        let prefix = (self.prefix.parts_count() > 0).then_some(&self.prefix);
        let listed = self.store.list_with_delimiter(prefix).await.map_err(|error| self.trouble(error))?;
        let names = listed.common_prefixes.iter().filter_map(|place| place.filename()?.parse().ok());
        Ok(names.collect())
    }

    /// What lies in the store for this person. What is not of a kind known here is left out.
    pub fn list(&self, owner: UserId) -> BoxStream<'_, Result<Listed>> {
        let folder = self.prefix.clone().join(owner.to_string());
        let objects = self.store.list(Some(&folder)).map_err(|error| self.trouble(error));
        let now = SystemTime::now();
        objects
            .try_filter_map(move |object| {
                let inside = object.location.prefix_match(&folder);
                let parts: Option<Vec<String>> =
                    inside.map(|parts| parts.map(|part| part.as_ref().to_owned()).collect());
                let item = parts.and_then(|parts| item(&parts));
                let changed = SystemTime::from(object.last_modified);
                let listed = item.map(|item| Listed {
                    item,
                    size: object.size,
                    age: now.duration_since(changed).unwrap_or_default(),
                    place: object.location,
                });
                std::future::ready(Ok(listed))
            })
            .boxed()
    }

    /// Removes what was listed and is not a blob.
    pub async fn remove(&self, listed: &Listed) -> Result<()> {
        self.discard(&listed.place).await
    }

    pub(super) async fn discard(&self, place: &Place) -> Result<()> {
        match self.store.delete(place).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.trouble(error)),
        }
    }

    /// Removes what killed processes left half written on this machine.
    pub async fn forget_half_written(&self) -> Result<()> {
        let (incoming, folder) = (self.incoming.clone(), self.folder.clone());
        let forget = move || {
            forget_old(&incoming)?;
            folder.map_or(Ok(()), |folder| forget_staged(&folder))
        };
        tokio::task::spawn_blocking(forget).await.map_err(Error::internal)?.map_err(Error::internal)
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<()> {
        if let Some(folder) = &self.folder {
            return tokio::fs::metadata(folder).await.map(drop).map_err(Error::internal);
        }
        match self.store.head(&self.prefix.clone().join("is-it-there")).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.trouble(error)),
        }
    }
}

fn item(parts: &[String]) -> Option<Item> {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["blobs", name] => Some(Item::Blob { sha256: hash(name)? }),
        ["files", file, name @ ..] if !name.is_empty() => {
            Some(Item::Derivative { file: file.parse().ok()?, name: name.join("/") })
        }
        ["pages", page, asking, name @ ..] if !name.is_empty() => {
            let (page, asking) = (page.parse().ok()?, asking.parse().ok()?);
            Some(Item::OfPage { page, asking, name: name.join("/") })
        }
        ["uploads", upload, _] => Some(Item::Part { upload: upload.parse().ok()? }),
        _ => None,
    }
}

fn hash(name: &str) -> Option<[u8; 32]> {
    if name.len() != 64 || !name.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&name[at..at + 2], 16).ok()?;
    }
    Some(hash)
}

/// A file in the folder is written beside its place, with `#` and a number behind its name, and then moved there.
fn forget_staged(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let known = match entry.metadata() {
            Ok(known) => known,
            // Gone since it was listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if known.is_dir() {
            forget_staged(&entry.path())?;
            continue;
        }
        let staged = entry.file_name().to_string_lossy().contains('#');
        let age = known.modified().ok().and_then(|changed| changed.elapsed().ok());
        if staged && age.is_some_and(|age| age > LONGEST_ON_ITS_WAY) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_that_this_server_gives_are_known() {
        let read = |path: &str| item(&path.split('/').map(str::to_owned).collect::<Vec<_>>());
        let (file, upload) = (FileId::new(), UploadId::new());
        assert_eq!(read(&format!("blobs/{}", "0f".repeat(32))), Some(Item::Blob { sha256: [15; 32] }));
        let text = Some(Item::Derivative { file, name: "ai/ai.md".into() });
        assert_eq!(read(&format!("files/{file}/ai/ai.md")), text);
        assert_eq!(read(&format!("uploads/{upload}/7")), Some(Item::Part { upload }));
        let (page, asking) = (PageId::new(), 2);
        let copy = Some(Item::OfPage { page, asking, name: "archive".into() });
        assert_eq!(read(&format!("pages/{page}/2/archive")), copy);
        for other in ["blobs/x", "blobs", "files/x/y", "pages/1/2", "uploads/1", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
