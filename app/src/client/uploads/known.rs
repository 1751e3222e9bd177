//! Which files of a folder are on the server already: they are not sent again.

use super::digest::hex_of;
use crate::client::api::{self, Method};
use shared::Problem;
use shared::file::{FileSummary, KnownFile, KnownFiles, PART_SIZE};
use web_sys::File;

/// Fewer are sent without asking: the server notices by itself, a little later.
pub const WORTH_ASKING: usize = 5;
/// Asked for at once.
pub const PORTION: usize = 200;
/// Larger ones are not read twice for this.
const LARGEST: u64 = 4 * PART_SIZE;

/// For each, in its order: the file that is there. With an answer that fails all are sent.
pub async fn known(files: &[(File, String)]) -> Result<Vec<Option<FileSummary>>, Problem> {
    let mut asked = Vec::new();
    let mut places = Vec::new();
    for (place, (file, folder)) in files.iter().enumerate() {
        if file.size() as u64 > LARGEST {
            continue;
        }
        if let Some(sha256) = hex_of(file).await {
            asked.push(KnownFile { folder: folder.clone(), sha256 });
            places.push(place);
        }
    }
    let mut answer = vec![None; files.len()];
    if asked.is_empty() {
        return Ok(answer);
    }
    let found: Vec<Option<FileSummary>> =
        api::send(Method::Post, "/files/known", &KnownFiles { files: asked }).await?;
    for (place, file) in places.into_iter().zip(found) {
        answer[place] = file;
    }
    Ok(answer)
}
