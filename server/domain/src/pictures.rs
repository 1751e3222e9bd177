//! A person's picture: small, checked by its bytes and not by its name.

use crate::accounts::profile_of;
use crate::{Caller, Domain, Error, Result};
use shared::account::Profile;
use shared::{ErrorCode, UserId};

/// Largest picture, in bytes.
const LARGEST: usize = 256 * 1024;

#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub content_type: String,
    pub bytes: Vec<u8>,
}

impl Domain {
    pub async fn set_picture(&self, caller: &Caller, picture: Picture) -> Result<Profile> {
        if picture.bytes.len() > LARGEST {
            return Err(Error::problem(ErrorCode::PayloadTooLarge, "A picture has at most 256 KB."));
        }
        let content_type = image_type(&picture.bytes).ok_or_else(|| {
            Error::problem(ErrorCode::UnsupportedMediaType, "A picture is a PNG, a JPEG or a WebP image.")
        })?;
        self.store_picture(caller, Some((content_type, picture.bytes))).await
    }

    pub async fn remove_picture(&self, caller: &Caller) -> Result<Profile> {
        self.store_picture(caller, None).await
    }

    async fn store_picture(&self, caller: &Caller, picture: Option<(&str, Vec<u8>)>) -> Result<Profile> {
        let (content_type, bytes) = picture.unzip();
        let mut tx = self.inner.db.as_user(caller.user_id).await?;
        sqlx::query("UPDATE users SET picture = $2, picture_type = $3 WHERE id = $1")
            .bind(caller.user_id.0)
            .bind(bytes)
            .bind(content_type)
            .execute(&mut *tx)
            .await?;
        let profile = profile_of(&mut tx, caller.user_id).await?;
        tx.commit().await?;
        self.inner.recognised.forget(caller.user_id);
        Ok(profile)
    }

    /// Everyone on the server may see everyone's picture.
    pub async fn picture(&self, _caller: &Caller, user: UserId) -> Result<Picture> {
        let mut tx = self.inner.db.as_system().await?;
        let row: Option<(String, Vec<u8>)> =
            sqlx::query_as("SELECT picture_type, picture FROM users WHERE id = $1 AND picture IS NOT NULL")
                .bind(user.0)
                .fetch_optional(&mut *tx)
                .await?;
        let (content_type, bytes) = row.ok_or_else(|| Error::not_found("picture"))?;
        Ok(Picture { content_type, bytes })
    }
}

fn image_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        assert_eq!(image_type(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(image_type(b"RIFF....WEBPVP8 "), Some("image/webp"));
        assert_eq!(image_type(b"<svg onload=alert(1)>"), None);
    }
}
