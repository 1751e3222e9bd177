//! Notices that a source has changed, by looking at the times of a few hundred files: no service
//! of the system is needed, and every file system can be looked at.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::place::Place;

const FOLDERS: [&str; 5] = ["app", "shared", "server", "style", "migrations"];
const INTERVAL: Duration = Duration::from_millis(300);
/// An editor writes a file in more than one step.
const CALM: Duration = Duration::from_millis(100);

/// What the sources looked like.
pub(crate) struct Sources {
    seen: Look,
    at: Instant,
}

#[derive(PartialEq, Eq, Clone, Copy, Default)]
struct Look {
    files: u64,
    newest: Option<SystemTime>,
}

impl Sources {
    /// Looks for the first time: call it before the build, so that no edit falls between.
    pub(crate) fn of(place: &Place) -> Self {
        Self { seen: look(place), at: Instant::now() }
    }

    /// Whether something changed since the last time this said so. Looks at most every 300 ms.
    pub(crate) fn changed(&mut self, place: &Place) -> bool {
        if self.at.elapsed() < INTERVAL {
            return false;
        }
        self.at = Instant::now();
        let mut now = look(place);
        if now == self.seen {
            return false;
        }
        loop {
            thread::sleep(CALM);
            let later = look(place);
            if later == now {
                break;
            }
            now = later;
        }
        self.seen = now;
        true
    }
}

fn look(place: &Place) -> Look {
    let mut sum = Look::default();
    for folder in FOLDERS {
        add(&place.root.join(folder), &mut sum);
    }
    sum
}

fn add(folder: &Path, sum: &mut Look) {
    // A folder that is just being replaced is seen at the next look.
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path: PathBuf = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() && !hidden => add(&path, sum),
            Ok(metadata) if metadata.is_file() && !hidden => {
                sum.files += 1;
                sum.newest = sum.newest.max(metadata.modified().ok());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_and_a_removal_are_each_noticed_once() {
        let root = std::env::temp_dir().join(format!("watch-{}", std::process::id()));
        fs::create_dir_all(root.join("app/src")).unwrap();
        let file = root.join("app/src/lib.rs");
        fs::write(&file, "one").unwrap();
        let place = Place { root: root.clone(), target: root.join("target") };
        let mut sources = Sources::of(&place);
        let mut changed = || {
            thread::sleep(INTERVAL);
            sources.changed(&place)
        };
        assert!(!changed());
        fs::write(&file, "two").unwrap();
        assert!(changed());
        assert!(!changed());
        fs::remove_file(&file).unwrap();
        assert!(changed());
        fs::remove_dir_all(&root).unwrap();
    }
}
