//! Bytes of a page turned into text. The order of trust is that of browsers, save for the byte order
//! mark, which nothing outranks: mark, header, `<meta>`, then a guess.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

/// Where a page may declare its encoding, by the HTML standard; many declare it a little later.
const PRESCAN_BYTES: usize = 4096;
/// How much a guess looks at.
const GUESS_BYTES: usize = 256 << 10;

/// Decodes a page. `label` is the charset of the `Content-Type` header, `host` helps a guess.
pub(crate) fn decode(bytes: &[u8], label: Option<&str>, host: Option<&str>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    let encoding = label
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .or_else(|| declared(&bytes[..bytes.len().min(PRESCAN_BYTES)]))
        .unwrap_or_else(|| guess(bytes, host));
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// The encoding in `<meta charset>`, `<meta http-equiv content>` or an XML declaration.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = head.to_ascii_lowercase();
    let head = String::from_utf8_lossy(&head);
    let xml = head.strip_prefix("<?xml").and_then(|rest| rest.split("?>").next());
    let metas = head.match_indices("<meta").filter_map(|(at, _)| head[at..].split('>').next());
    let encoding = metas
        .filter_map(|tag| value_after(tag, "charset"))
        .chain(xml.and_then(|declaration| value_after(declaration, "encoding")))
        .find_map(|label| Encoding::for_label(label.as_bytes()))?;
    // A declaration that could be read is not in UTF-16, whatever it says.
    if encoding == UTF_16LE || encoding == UTF_16BE || encoding == X_USER_DEFINED {
        return Some(UTF_8);
    }
    Some(encoding)
}

fn value_after<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(name)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let rest = rest.trim_start_matches(['"', '\'']);
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '/' | '?'));
    Some(&rest[..end.unwrap_or(rest.len())])
}

fn guess(bytes: &[u8], host: Option<&str>) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(GUESS_BYTES)], bytes.len() <= GUESS_BYTES);
    // The detector takes the top-level domain in lower-case ASCII only.
    let domain = host.and_then(|host| host.rsplit('.').next()).map(str::to_ascii_lowercase);
    let domain = domain.filter(|domain| domain.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-'));
    detector.guess(domain.as_deref().map(str::as_bytes), Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    const RUSSIAN: &str = "Съешь ещё этих мягких французских булок, да выпей же чаю";

    #[test]
    fn the_mark_outranks_the_header_and_the_header_the_page() {
        let page = |charset: &str| format!("<meta charset=\"{charset}\"><p>{RUSSIAN}</p>");
        let utf8 = page("windows-1252");
        assert_eq!(decode(utf8.as_bytes(), Some("UTF-8"), None), utf8);
        let marked = [b"\xef\xbb\xbf", utf8.as_bytes()].concat();
        assert_eq!(decode(&marked, Some("windows-1251"), None), utf8);
        let text = page("windows-1251");
        let (bytes, ..) = WINDOWS_1251.encode(&text);
        assert_eq!(decode(&bytes, None, None), text);
        assert_eq!(decode(&bytes, Some("no-such-charset"), None), text);
    }

    #[test]
    fn older_ways_to_declare_are_read() {
        for head in [
            "<META HTTP-EQUIV='Content-Type' CONTENT='text/html; CHARSET=windows-1251'>",
            "<?xml version=\"1.0\" encoding='windows-1251'?>",
            "<meta name=viewport><meta charset=windows-1251/>",
        ] {
            let text = format!("{head}<p>{RUSSIAN}</p>");
            let (bytes, ..) = WINDOWS_1251.encode(&text);
            assert_eq!(decode(&bytes, None, None), text);
        }
    }

    #[test]
    fn what_nobody_declared_is_guessed() {
        let (bytes, ..) = WINDOWS_1251.encode(RUSSIAN);
        assert_eq!(decode(&bytes, None, None), RUSSIAN);
        let japanese = "日本語のページです。文字コードは宣言されていません。";
        let (bytes, ..) = SHIFT_JIS.encode(japanese);
        assert_eq!(decode(&bytes, None, Some("www.example.jp")), japanese);
        let french = "L’été dernier, à Orléans, nous avons mangé des crêpes";
        let (bytes, ..) = WINDOWS_1252.encode(french);
        assert_eq!(decode(&bytes, None, Some("例え.xn--J6w193g")), french);
        assert_eq!(decode(french.as_bytes(), None, None), french);
    }

    #[test]
    fn no_bytes_and_wrong_bytes_are_text_as_well() {
        assert_eq!(decode(b"", None, None), "");
        assert_eq!(decode(b"a\xff\xfeb", Some("utf-8"), None), "a\u{fffd}\u{fffd}b");
        let wide: Vec<u8> = [0xfeff, 0x61, 0x62].iter().flat_map(|unit: &u16| unit.to_le_bytes()).collect();
        assert_eq!(decode(&wide, None, None), "ab");
    }
}
