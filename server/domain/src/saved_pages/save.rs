//! A page is saved by its address, or as a browser showed it. The same address is the same page.

use super::change::tidied;
use super::read::{FetchPage, queue_fetching};
use super::row::{LONGEST_TITLE, Row, columns, find, host_of, tell};
use crate::files::passages::write_name;
use crate::text::{first_words, without_nul};
use crate::{Caller, Domain, Error, Result};
use shared::saved_page::{LARGEST_SENT_PAGE, PageSummary, SavePage};
use shared::{ErrorCode, PageId, UserId};
use sqlx::PgConnection;
use url::Url;

/// Bytes of an address at most.
const LONGEST_URL: usize = 2000;

/// The HTML that a browser sent, until it was read: it may hold what only its reader should see.
pub(super) const SENT: &str = "sent.html";

impl Domain {
    /// Saves a page and has it read; whether it is new. One that is there is read again, unless a browser
    /// sent it: what the server would get in its place may be a sign-in.
    pub async fn save_page(&self, caller: &Caller, save: SavePage) -> Result<(PageSummary, bool)> {
        let owner = caller.user_id;
        let url = address(&save.url)?;
        match &save.html {
            Some(html) if html.len() > LARGEST_SENT_PAGE => {
                let most = LARGEST_SENT_PAGE >> 20;
                return Err(Error::problem(
                    ErrorCode::PayloadTooLarge,
                    format!("The page has more than {most} MB. Save its address instead."),
                ));
            }
            Some(html) if html.trim().is_empty() => {
                return Err(Error::invalid("html", "The page that was sent is empty."));
            }
            Some(_) => {}
            None => self.inner.fetcher.check(&url).map_err(|why| Error::invalid("url", why.to_string()))?,
        }
        let sent = save.html.as_ref().map_or(0, |html| html.len() as u64);
        self.refuse_beyond_quota(owner, sent).await?;
        let mut tx = self.inner.db.as_user(owner).await?;
        if save.html.is_none()
            && let Some(row) = sent_before(&mut tx, owner, &url).await?
        {
            tell(&mut tx, owner, &row).await?;
            tx.commit().await?;
            return Ok((row.summary(), false));
        }
        let row = upsert(&mut tx, owner, &url, &save).await?;
        let (page, asking) = (row.id(), row.asked);
        if let Some(html) = save.html {
            self.inner.blobs.keep_page_part(owner, page, asking, SENT, html.into_bytes()).await?;
        }
        write_name(&mut tx, owner, page, &row.title).await?;
        queue_fetching(&mut tx, owner, FetchPage { page_id: page, asking }).await?;
        tell(&mut tx, owner, &row).await?;
        tx.commit().await?;
        Ok((row.summary(), asking == 1))
    }

    /// Fetches a page again, as after a failure.
    pub async fn fetch_page_again(&self, caller: &Caller, id: PageId) -> Result<PageSummary> {
        let owner = caller.user_id;
        let mut tx = self.inner.db.as_user(owner).await?;
        let before = find(&mut tx, id).await?;
        if before.deleted_at.is_some() {
            return Err(Error::not_found("page"));
        }
        if before.sent && before.kept == Some(before.asked) {
            return Err(Error::problem(
                ErrorCode::Conflict,
                "This page came from your browser. Open it there and send it again with the bookmarklet.",
            ));
        }
        // What a browser sent is there still, in the folder of that asking.
        let row: Row = sqlx::query_as(concat!(
            "UPDATE pages SET state = 'waiting', failure = NULL, asked = asked + CASE WHEN sent THEN 0 ELSE 1 END,
                    updated_at = now()
             WHERE id = $1 RETURNING ",
            columns!()
        ))
        .bind(id.0)
        .fetch_one(&mut *tx)
        .await?;
        queue_fetching(&mut tx, owner, FetchPage { page_id: id, asking: row.asked }).await?;
        tell(&mut tx, owner, &row).await?;
        tx.commit().await?;
        Ok(row.summary())
    }
}

/// What was typed or pasted, as an address that names a page.
fn address(typed: &str) -> Result<Url> {
    let typed = typed.trim();
    let wrong =
        || Error::invalid("url", "This is no address of a web page. Copy it from the browser’s address bar.");
    if typed.is_empty() || typed.contains(char::is_whitespace) || typed.contains('\0') {
        return Err(wrong());
    }
    let url = match Url::parse(typed) {
        // `example.org:8080/x` has a scheme to the parser.
        Ok(url) if url.has_host() || !typed.contains('.') => url,
        _ => Url::parse(&format!("https://{typed}")).map_err(|_| wrong())?,
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid(
            "url",
            "The address carries a name or a password before the host. Take it out and save it again.",
        ));
    }
    let url = pages::normalise(&url);
    if url.as_str().len() > LONGEST_URL {
        return Err(Error::invalid("url", "The address is longer than 2,000 characters."));
    }
    Ok(url)
}

/// The page of this address that a browser sent and that was read, or will be: back in the list, else as it is.
async fn sent_before(tx: &mut PgConnection, owner: UserId, url: &Url) -> Result<Option<Row>> {
    let row = sqlx::query_as(concat!(
        "UPDATE pages SET archived = false
         WHERE owner_id = $1 AND url = $2 AND deleted_at IS NULL AND sent
           AND (kept IS NOT NULL OR state IN ('waiting', 'reading')) RETURNING ",
        columns!()
    ));
    Ok(row.bind(owner.0).bind(url.as_str()).fetch_optional(tx).await?)
}

/// The row of the address, new or asked for once more.
async fn upsert(tx: &mut PgConnection, owner: UserId, url: &Url, save: &SavePage) -> Result<Row> {
    let title = save.title.clone().map(|title| first_words(&without_nul(title), LONGEST_TITLE));
    let title = title.filter(|title| !title.is_empty());
    let row = sqlx::query_as(concat!(
        "INSERT INTO pages (id, owner_id, url, title, titled, sent, tags, size)
         VALUES ($1, $2, $3, coalesce($4, $5), $4 IS NOT NULL, $6, $7, $8)
         ON CONFLICT (owner_id, url) WHERE deleted_at IS NULL DO UPDATE
         SET asked = pages.asked + 1, state = 'waiting', failure = NULL, sent = excluded.sent, archived = false,
             title = coalesce($4, pages.title), titled = pages.titled OR excluded.titled,
             size = pages.size + excluded.size,
             tags = CASE WHEN excluded.tags = '{}' THEN pages.tags ELSE excluded.tags END, updated_at = now()
         RETURNING ",
        columns!()
    ));
    // what is sent lies in the store from now on, also if nothing comes of it
    let size = i64::try_from(save.html.as_ref().map_or(0, String::len)).map_err(Error::internal)?;
    let row = row.bind(PageId::new().0).bind(owner.0).bind(url.as_str()).bind(title);
    Ok(row
        .bind(named_after(url))
        .bind(save.html.is_some())
        .bind(tidied(&save.tags))
        .bind(size)
        .fetch_one(tx)
        .await?)
}

/// What a page is called before it was read.
pub(super) fn named_after(url: &Url) -> String {
    let host = host_of(url.as_str());
    let path = url.path().trim_matches('/');
    let name = if path.is_empty() { host } else { format!("{host}/{path}") };
    first_words(&name, LONGEST_TITLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_it_is_pasted() {
        for (typed, url) in [
            (" https://a.example/x?utm_source=y#z ", "https://a.example/x"),
            ("a.example/x", "https://a.example/x"),
            ("a.example:8080/x", "https://a.example:8080/x"),
            ("HTTP://A.example", "http://a.example/"),
        ] {
            assert_eq!(address(typed).unwrap().as_str(), url, "{typed}");
        }
        for typed in [
            "",
            "two words",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://me:secret@a.example/",
            "ftp://a.example/x",
        ] {
            assert!(address(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_page_is_named_after_its_address_at_first() {
        let named = |url: &str| named_after(&Url::parse(url).unwrap());
        assert_eq!(named("https://www.a.example/"), "a.example");
        assert_eq!(named("https://a.example/roses/alba/"), "a.example/roses/alba");
    }
}
