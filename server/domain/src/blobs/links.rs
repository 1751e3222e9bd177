//! Addresses in the bucket itself, for downloads of large files where the owner of the server wants them. What
//! they answer is always a download of bytes without a type: nothing that a browser would show or run.

use super::Blobs;
use crate::Result;
use object_store::signer::SignedUrlOptions;
use shared::UserId;
use std::time::Duration;

/// Long enough to begin a download; going on with it needs no new address.
const VALID: Duration = Duration::from_secs(5 * 60);

impl Blobs {
    /// None where the bytes come from this server.
    pub async fn link(
        &self,
        owner: UserId,
        sha256: &[u8; 32],
        disposition: String,
    ) -> Result<Option<String>> {
        let Some(signer) = &self.signer else { return Ok(None) };
        let options = SignedUrlOptions::new().with_query([
            ("response-content-type", "application/octet-stream".to_owned()),
            ("response-content-disposition", disposition),
            ("response-cache-control", "private, no-store".to_owned()),
        ]);
        let place = self.place(owner, sha256);
        let url = signer.signed_url_opts(http::Method::GET, &place, VALID, &options).await;
        url.map(|url| Some(url.into())).map_err(|error| self.trouble(error))
    }
}
