//! Passwords: Argon2id, on blocking threads, few at a time.

use crate::{Error, Result};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Shortest password accepted, in characters (NIST SP 800-63B asks for 8 and advises more).
pub(crate) const SHORTEST: usize = 10;
/// Longest, so that hashing is bounded.
const LONGEST: usize = 1024;

pub(crate) struct Passwords {
    /// Each hash takes 19 MiB and a core for about 20 ms.
    permits: Arc<Semaphore>,
    /// Checked when the account is unknown, so that this takes the same time.
    decoy: Arc<std::sync::OnceLock<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(2)), decoy: Arc::default() }
    }
}

impl Passwords {
    pub async fn hash(&self, password: String) -> Result<String> {
        let length = password.chars().count();
        if length < SHORTEST {
            return Err(Error::invalid(
                "password",
                format!("A password needs at least {SHORTEST} characters."),
            ));
        }
        if password.len() > LONGEST {
            return Err(Error::invalid("password", format!("A password has at most {LONGEST} bytes.")));
        }
        self.blocking(move || hash(&password)).await?
    }

    /// Whether the password is the account's; `stored` is absent when there is no such account.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let decoy = self.decoy.clone();
        self.blocking(move || {
            let known = stored.is_some();
            let stored = match stored {
                Some(stored) => stored,
                None => match decoy.get() {
                    Some(decoy) => decoy.clone(),
                    None => {
                        let made = hash("a password that nobody has")?;
                        decoy.get_or_init(|| made).clone()
                    }
                },
            };
            let parsed = PasswordHash::new(&stored)
                .map_err(|e| Error::internal(anyhow::anyhow!("stored hash: {e}")))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
        })
        .await?
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _permit = self.permits.clone().acquire_owned().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

fn hash(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| Error::internal(anyhow::anyhow!("hashing a password: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let passwords = Passwords::default();
        let stored = passwords.hash("correct horse".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".into(), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_account_never_verifies() {
        let passwords = Passwords::default();
        assert!(!passwords.verify("a password that nobody has".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_short_password_is_refused() {
        assert!(Passwords::default().hash("short".into()).await.is_err());
    }
}
