//! Sealing what must not lie open in the database, and tokens that are stored as hashes only.

use crate::database::Database;
use crate::{Error, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// `SIDEBAR_SECRET_KEY`: at least 32 characters that nobody can guess.
pub struct SecretKey(SecretString);

impl SecretKey {
    pub fn new(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() < 32 {
            return Err(Error::invalid(
                "SIDEBAR_SECRET_KEY",
                "SIDEBAR_SECRET_KEY needs at least 32 characters: make one with `openssl rand -hex 32`.",
            ));
        }
        Ok(Self(SecretString::from(text.to_owned())))
    }

    /// A new one, as text to be kept.
    pub fn generate() -> String {
        random_token()
    }
}

/// Seals and opens with XChaCha20-Poly1305 under a key derived from the [`SecretKey`].
/// The row's id is bound in, so that a sealed value moved to another row does not open.
pub(crate) struct Sealer {
    key: SecretBox<[u8; 32]>,
    token_key: SecretBox<[u8; 32]>,
}

/// What a sealed token is for. One made for one purpose opens for no other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// The cookie of who came by a share's link.
    ShareCookie,
    /// A ticket for one note's door.
    SyncTicket,
}

impl Purpose {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::ShareCookie => b"share cookie",
            Self::SyncTicket => b"sync ticket",
        }
    }
}

/// Stored beside each sealed value, so that keys can be replaced one day.
pub(crate) const KEY_VERSION: i32 = 1;

impl Sealer {
    pub fn new(secret: &SecretKey) -> Self {
        let derived = |purpose: &[u8]| {
            let mut key = Box::new([0; 32]);
            Hkdf::<Sha256>::new(Some(b"sidebar"), secret.0.expose_secret().as_bytes())
                .expand(purpose, key.as_mut_slice())
                .expect("32 bytes are within HKDF's reach");
            SecretBox::new(key)
        };
        Self { key: derived(b"provider keys, version 1"), token_key: derived(b"tokens, version 1") }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.expose_secret().into())
    }

    fn token_cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.token_key.expose_secret().into())
    }

    /// Claims that nobody else can make, change or read, as text for a cookie or an address.
    pub fn token<T: Serialize>(&self, purpose: Purpose, claims: &T) -> Result<String> {
        let nonce: [u8; 24] = rand::random();
        let plain = serde_json::to_vec(claims).map_err(Error::internal)?;
        let payload = Payload { msg: &plain, aad: purpose.as_bytes() };
        let sealed = self
            .token_cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::internal(anyhow::anyhow!("sealing failed")))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// What a token claims; none when it was not made here for this purpose.
    pub fn claims<T: DeserializeOwned>(&self, purpose: Purpose, token: &str) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        let plain = self.token_cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// Nonce, then ciphertext.
    pub fn seal(&self, row: Uuid, plain: &str) -> Result<Vec<u8>> {
        let nonce: [u8; 24] = rand::random();
        let payload = Payload { msg: plain.as_bytes(), aad: row.as_bytes() };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::internal(anyhow::anyhow!("sealing failed")))?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub fn open(&self, row: Uuid, sealed: &[u8]) -> Result<SecretString> {
        let fault =
            || Error::internal(anyhow::anyhow!("a sealed value does not open with this SIDEBAR_SECRET_KEY"));
        let (nonce, sealed) = sealed.split_first_chunk::<24>().ok_or_else(fault)?;
        let payload = Payload { msg: sealed, aad: row.as_bytes() };
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| fault())?;
        Ok(SecretString::from(String::from_utf8(plain).map_err(|_| fault())?))
    }
}

/// Refuses to start with a key other than the one that the database was sealed with.
pub(crate) async fn check_key(db: &Database, sealer: &Sealer) -> Result<()> {
    let mut tx = db.as_system().await?;
    let sealed: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT value FROM settings WHERE name = 'secret_key_check' FOR UPDATE")
            .fetch_optional(&mut *tx)
            .await?;
    match sealed {
        Some(sealed) => sealer.open(Uuid::nil(), &sealed).map(drop).map_err(|_| {
            Error::invalid(
                "SIDEBAR_SECRET_KEY",
                "This SIDEBAR_SECRET_KEY is not the one this database was set up with; provider keys could not be read.",
            )
        })?,
        None => {
            sqlx::query("INSERT INTO settings (name, value) VALUES ('secret_key_check', $1) ON CONFLICT DO NOTHING")
                .bind(sealer.seal(Uuid::nil(), "sidebar")?)
                .execute(&mut *tx)
                .await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// 256 random bits as text.
pub(crate) fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored in place of a token. A fast hash is enough: tokens cannot be guessed.
pub(crate) fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&SecretKey::new("0123456789abcdef0123456789abcdef").unwrap())
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_row() {
        let (row, other) = (Uuid::now_v7(), Uuid::now_v7());
        let sealed = sealer().seal(row, "sk-secret").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        assert_eq!(sealer().open(row, &sealed).unwrap().expose_secret(), "sk-secret");
        assert!(sealer().open(other, &sealed).is_err());
    }

    #[test]
    fn another_key_opens_nothing() {
        let row = Uuid::now_v7();
        let sealed = sealer().seal(row, "sk-secret").unwrap();
        let other = Sealer::new(&SecretKey::new("another key, as long as is asked for").unwrap());
        assert!(other.open(row, &sealed).is_err());
        assert!(sealer().open(row, &sealed[..10]).is_err());
    }

    #[test]
    fn a_token_opens_for_its_purpose_only_and_unchanged() {
        let token = sealer().token(Purpose::SyncTicket, &42).unwrap();
        assert_eq!(sealer().claims::<i32>(Purpose::SyncTicket, &token), Some(42));
        assert_eq!(sealer().claims::<i32>(Purpose::ShareCookie, &token), None);
        let mut changed = token.into_bytes();
        changed[40] = if changed[40] == b'a' { b'b' } else { b'a' };
        assert_eq!(sealer().claims::<i32>(Purpose::SyncTicket, std::str::from_utf8(&changed).unwrap()), None);
        assert_eq!(sealer().claims::<i32>(Purpose::SyncTicket, "x"), None);
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(SecretKey::new("short").is_err());
    }
}
