//! One spelling for each address, so that a page is known again however it was shared.

use url::Url;

/// Parameters that say who shared a link and where, and change nothing about the page.
const TRACKING: [&str; 46] = [
    "fbclid",
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "gad_source",
    "gad_campaignid",
    "srsltid",
    "_gl",
    "msclkid",
    "yclid",
    "ysclid",
    "_openstat",
    "twclid",
    "ttclid",
    "tblci",
    "li_fat_id",
    "igsh",
    "igshid",
    "epik",
    "rdt_cid",
    "sccid",
    "qclid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "_hsenc",
    "_hsmi",
    "__hstc",
    "__hssc",
    "__hsfp",
    "hsctatracking",
    "vero_id",
    "vero_conv",
    "oly_anon_id",
    "oly_enc_id",
    "wickedid",
    "rb_clickid",
    "ml_subscriber",
    "ml_subscriber_hash",
    "_branch_match_id",
    "_kx",
    "irclickid",
    "cvid",
    "oicd",
];
const TRACKING_PREFIXES: [&str; 7] = ["utm_", "pk_", "piwik_", "mtm_", "matomo_", "hsa_", "stm_"];

/// The key of a page: without tracking parameters, without a fragment (unless it is one that names a
/// page, `#!`), without a default port. Everything else stays as it is, in its order.
pub fn normalise(url: &Url) -> Url {
    let mut url = url.clone();
    if !url.fragment().is_some_and(|fragment| fragment.starts_with('!')) {
        url.set_fragment(None);
    }
    if let Some(query) = url.query() {
        let kept: Vec<&str> = query.split('&').filter(|pair| !is_tracking(pair)).collect();
        let kept = kept.join("&");
        url.set_query(Some(kept.as_str()).filter(|query| !query.is_empty()));
    }
    url
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    TRACKING.contains(&name.as_str()) || TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// An address that a page gives, absolute; none that is not of the web.
pub(crate) fn web(base: &Url, reference: &str) -> Option<Url> {
    let reference = reference.trim();
    if reference.is_empty() {
        return None;
    }
    base.join(reference).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_page_become_one() {
        for (given, expected) in [
            ("https://a.example:443/x?utm_source=n&id=2&fbclid=z#top", "https://a.example/x?id=2"),
            ("http://A.example:80", "http://a.example/"),
            ("https://a.example/?gclid=1", "https://a.example/"),
            ("https://a.example/?b=2&a=1&UTM_Medium=x&b=1", "https://a.example/?b=2&a=1&b=1"),
            ("https://a.example/#!/page/1", "https://a.example/#!/page/1"),
            ("https://a.example/?q=a+b%20c&utm_term", "https://a.example/?q=a+b%20c"),
            ("https://a.example:8443/?", "https://a.example:8443/"),
            ("https://a.example/?utmost=1&ref=x", "https://a.example/?utmost=1&ref=x"),
            ("https://a.example/%7Euser/", "https://a.example/%7Euser/"),
        ] {
            let once = normalise(&Url::parse(given).unwrap());
            assert_eq!(once.as_str(), expected);
            assert_eq!(normalise(&once), once);
        }
    }
}
