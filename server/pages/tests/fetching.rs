//! Hosts that play tricks, on loopback: what the fetcher does with each.

mod site;

use pages::{Content, Error, Fetcher, Limits, Page, Reach, Step};
use site::{Names, Reply, Site, html, names, redirect};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

fn limits() -> Limits {
    Limits {
        bytes: 100_000,
        connect: Duration::from_secs(30),
        first_byte: Duration::from_secs(30),
        whole: Duration::from_secs(60),
        pause: Duration::ZERO,
        longest_wait: Duration::from_secs(60),
    }
}

/// For hosts that never come to an end: soon, and long enough for all that comes before.
fn impatient() -> Limits {
    Limits { first_byte: Duration::from_secs(2), whole: Duration::from_secs(5), ..limits() }
}

fn fetcher(reach: Vec<SocketAddr>, names: &Arc<Names>) -> Fetcher {
    Fetcher::with(limits(), Reach::Only(reach), Arc::clone(names) as _).unwrap()
}

async fn fetched(site: &Site, path: &str) -> Result<Page, Error> {
    fetched_within(limits(), site, path).await
}

async fn fetched_within(limits: Limits, site: &Site, path: &str) -> Result<Page, Error> {
    let reach = Reach::Only(vec![site.address]);
    let fetcher = Fetcher::with(limits, reach, names(&["127.0.0.1"])).unwrap();
    fetcher.fetch(&site.url("a.example", path)).await
}

fn text(page: &Page) -> &str {
    match &page.content {
        Content::Html(text) | Content::Text(text) => text,
        Content::Pdf(_) => panic!("this is a PDF"),
    }
}

fn host() -> String {
    "a.example".to_owned()
}

#[tokio::test]
async fn a_page_comes_decoded_with_the_address_where_it_lay() {
    let site = Site::start(|path| match path {
        "/old?x=1" => redirect(302, "../new#part"),
        "/new" => {
            let mut answer =
                b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=\"windows-1251\"\r\n\r\n".to_vec();
            answer.extend_from_slice(&[0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
            answer.into()
        }
        _ => Reply::status(404),
    })
    .await;
    let page = fetched(&site, "/old?x=1").await.unwrap();
    assert_eq!(text(&page), "Привет");
    assert_eq!(page.url.path(), "/new");
}

#[tokio::test]
async fn a_page_in_an_old_encoding_is_read_as_it_declares() {
    let text = "<!doctype html><html lang=ru><head><meta http-equiv='content-type' content='text/html; \
                charset=windows-1251'><title>Чай</title></head><body><p>Вода и листья.</p></body></html>";
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(text);
    let answer = [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".as_slice(), &bytes].concat();
    let site = Site::start(move |path| match path {
        "/robots.txt" => Reply::status(404),
        _ => answer.clone().into(),
    })
    .await;
    let page = fetched(&site, "/").await.unwrap();
    let article = pages::article(self::text(&page), &page.url, time::OffsetDateTime::UNIX_EPOCH);
    assert_eq!((article.title.as_str(), article.markdown.as_str()), ("Чай", "Вода и листья."));
}

#[tokio::test]
async fn requests_say_what_they_are_and_nothing_of_anybody() {
    let site = Site::start(|path| match path {
        "/robots.txt" => "HTTP/1.1 404 No\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n".into(),
        "/first" => {
            "HTTP/1.1 302 Found\r\nSet-Cookie: a=b\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n".into()
        }
        _ => html("<p>done"),
    })
    .await;
    fetched(&site, "/first#fragment").await.unwrap();
    let heads = site.heads();
    assert_eq!(heads.len(), 3);
    for head in &heads {
        let head = head.to_ascii_lowercase();
        assert!(head.contains("user-agent: mozilla/5.0 (compatible; sidebar/"), "{head}");
        assert!(head.contains(&format!("host: a.example:{}\r\n", site.address.port())), "{head}");
        for word in ["cookie", "referer", "authorization", "origin", "fragment"] {
            assert!(!head.contains(word), "{word} in {head}");
        }
    }
}

#[tokio::test]
async fn kinds_other_than_pages_text_and_pdf_are_refused() {
    let site = Site::start(|path| match path {
        "/pdf" => "HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7".into(),
        "/none/pdf" => "HTTP/1.1 200 OK\r\n\r\n%PDF-1.4".into(),
        "/none/html" => "HTTP/1.1 200 OK\r\n\r\n  <!doctype html>x".into(),
        "/none/text" => "HTTP/1.1 200 OK\r\n\r\njust words".into(),
        "/none/bytes" => "HTTP/1.1 200 OK\r\n\r\na\0b".into(),
        "/text" => "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nwords".into(),
        "/xhtml" => "HTTP/1.1 200 OK\r\nContent-Type: application/xhtml+xml\r\n\r\n<html/>".into(),
        "/zip" => "HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\n\r\nPK".into(),
        "/empty" => "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n".into(),
        _ => Reply::status(404),
    })
    .await;
    let content = async |path| fetched(&site, path).await.map(|page| page.content);
    assert_eq!(content("/pdf").await, Ok(Content::Pdf("%PDF-1.7".into())));
    assert_eq!(content("/none/pdf").await, Ok(Content::Pdf("%PDF-1.4".into())));
    assert_eq!(content("/none/html").await, Ok(Content::Html("  <!doctype html>x".to_owned())));
    assert_eq!(content("/none/text").await, Ok(Content::Text("just words".to_owned())));
    assert!(matches!(content("/none/bytes").await, Err(Error::Kind(_))));
    assert_eq!(content("/text").await, Ok(Content::Text("words".to_owned())));
    assert_eq!(content("/xhtml").await, Ok(Content::Html("<html/>".to_owned())));
    assert_eq!(content("/zip").await, Err(Error::Kind("application/zip".to_owned())));
    assert_eq!(content("/empty").await, Err(Error::Empty(host())));
}

#[tokio::test]
async fn a_status_that_is_no_page_says_what_to_do() {
    let site = Site::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        path => Reply::status(path[1..].parse().unwrap()),
    })
    .await;
    for (status, expected) in [
        (401, Error::SignIn(host())),
        (403, Error::SignIn(host())),
        (404, Error::Missing(host())),
        (410, Error::Missing(host())),
        (429, Error::Busy(host())),
        (503, Error::Busy(host())),
        (204, Error::Empty(host())),
        (500, Error::Status { host: host(), status: 500 }),
    ] {
        assert_eq!(fetched(&site, &format!("/{status}")).await, Err(expected), "{status}");
    }
    assert!(Error::SignIn(host()).to_string().contains("bookmarklet"));
}

#[tokio::test]
async fn a_redirect_leads_nowhere_that_an_address_does_not() {
    let inside = Site::start(|_| html("secret")).await;
    let target = inside.address;
    let site = Site::start(move |path| match path {
        "/robots.txt" => Reply::status(404),
        "/loopback" => redirect(302, &format!("http://{target}/")),
        "/spelled" => redirect(301, &format!("http://0x7f.1:{}/", target.port())),
        "/mapped" => redirect(308, &format!("http://[::ffff:127.0.0.1]:{}/", target.port())),
        "/metadata" => redirect(307, "http://169.254.169.254/latest/meta-data/"),
        "/file" => redirect(302, "file:///etc/passwd"),
        "/javascript" => redirect(302, "javascript:alert(1)"),
        "/credentials" => redirect(302, "http://user:word@a.example/"),
        "/port" => redirect(302, "http://a.example:22/"),
        "/nowhere" => "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".into(),
        "/wrong" => redirect(302, "http://[::1"),
        _ => Reply::status(404),
    })
    .await;
    for path in ["/loopback", "/spelled", "/mapped", "/metadata"] {
        assert!(matches!(fetched(&site, path).await, Err(Error::NotPublic(_))), "{path}");
    }
    assert_eq!(fetched(&site, "/file").await, Err(Error::Scheme("file".to_owned())));
    assert_eq!(fetched(&site, "/javascript").await, Err(Error::Scheme("javascript".to_owned())));
    assert_eq!(fetched(&site, "/credentials").await, Err(Error::Credentials));
    assert_eq!(fetched(&site, "/port").await, Err(Error::Port(22)));
    assert_eq!(fetched(&site, "/nowhere").await, Err(Error::BadRedirect(host())));
    assert_eq!(fetched(&site, "/wrong").await, Err(Error::BadRedirect(host())));
    assert!(inside.heads().is_empty());
}

#[tokio::test]
async fn five_redirects_are_followed_and_a_loop_ends() {
    let site = Site::start(|path| match path {
        "/loop" => redirect(302, "/loop"),
        "/0" => html("there"),
        path => match path[1..].parse::<u32>() {
            Ok(left) => redirect(302, &format!("/{}", left - 1)),
            Err(_) => Reply::status(404),
        },
    })
    .await;
    assert_eq!(text(&fetched(&site, "/5").await.unwrap()), "there");
    assert_eq!(fetched(&site, "/6").await, Err(Error::TooManyRedirects(host())));
    assert_eq!(fetched(&site, "/loop").await, Err(Error::TooManyRedirects(host())));
}

#[tokio::test]
async fn a_name_that_changes_its_answer_is_believed_once() {
    let outside = Site::start(|_| html("outside")).await;
    let port = outside.address.port();
    // The same port on another loopback address: where the second answer would lead.
    let inside = Site::start_on(&format!("127.0.0.2:{port}"), |_| html("inside")).await;
    let names = names(&["127.0.0.1", "127.0.0.2"]);
    let fetcher = fetcher(vec![outside.address, inside.address], &names);
    let page = fetcher.fetch(&outside.url("a.example", "/")).await.unwrap();
    assert_eq!(text(&page), "outside");
    assert_eq!(names.asked(), 1);
    assert!(inside.heads().is_empty());
}

#[tokio::test]
async fn a_name_is_judged_anew_by_every_visit() {
    let site = Site::start(|_| html("outside")).await;
    let names = names(&["127.0.0.1", "127.0.0.3"]);
    let fetcher = fetcher(vec![site.address], &names);
    assert!(fetcher.fetch(&site.url("a.example", "/")).await.is_ok());
    assert_eq!(fetcher.fetch(&site.url("a.example", "/")).await, Err(Error::NotPublic(host())));
}

#[tokio::test]
async fn by_default_nothing_inside_is_reached_whatever_it_is_called() {
    let inside = Site::start(|_| html("secret")).await;
    let port = inside.address.port();
    let private = names(&["127.0.0.1"]);
    let fetcher = Fetcher::with(limits(), Reach::default(), Arc::clone(&private) as _).unwrap();
    for host in
        ["a.example", "127.0.0.1", "2130706433", "0x7f.1", "127.0.0.1.", "[::ffff:127.0.0.1]", "[::1]", "0"]
    {
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        assert!(matches!(fetcher.fetch(&url).await, Err(Error::NotPublic(_))), "{host}");
    }
    let by_machine = Fetcher::new(limits()).unwrap();
    for host in ["localhost", "localhost.", "LOCALHOST"] {
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        assert!(
            matches!(by_machine.fetch(&url).await, Err(Error::NotPublic(_) | Error::UnknownHost(_))),
            "{host}"
        );
    }
    assert!(inside.heads().is_empty());
}

#[tokio::test]
async fn a_host_without_addresses_is_unknown_and_a_closed_port_unreachable() {
    let nobody = names(&[]);
    let url = Url::parse("http://a.example:9000/").unwrap();
    assert_eq!(fetcher(vec![], &nobody).fetch(&url).await, Err(Error::UnknownHost(host())));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://a.example:{}/", closed.port())).unwrap();
    let outcome = fetcher(vec![closed], &names(&["127.0.0.1"])).fetch(&url).await;
    assert!(matches!(outcome, Err(Error::Unreachable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_body_past_the_limit_costs_no_more_than_the_limit() {
    let site = Site::start(|path| match path {
        "/announced" => {
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900000000\r\n\r\nx".into()
        }
        "/endless" => Reply::endless("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", vec![b'x'; 8192]),
        "/chunked" => Reply::endless(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n",
            [b"1000\r\n".as_slice(), &[b'x'; 4096], b"\r\n"].concat(),
        ),
        _ => Reply::status(404),
    })
    .await;
    for path in ["/announced", "/endless", "/chunked"] {
        assert_eq!(fetched(&site, path).await, Err(Error::TooLarge(100_000)), "{path}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(coding: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {coding}\r\n\r\n");
    [head.as_bytes(), body].concat().into()
}

#[tokio::test]
async fn packed_pages_are_unpacked_and_bombs_are_not() {
    // Made before: it takes its time, in which the host would be silent.
    let bomb = gzip(&vec![0; 50_000_000]);
    let site = Site::start(move |path| match path {
        "/gzip" => packed("gzip", &gzip(b"small")),
        "/two" => packed("GZIP", &[gzip(b"one "), gzip(b"two")].concat()),
        "/bomb" => packed("gzip", &bomb),
        "/members" => packed("gzip", &gzip(&vec![0; 90_000]).repeat(50)),
        // Blocks that unpack to nothing, for ever.
        "/nothing" => Reply::endless(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n",
            gzip(b"").repeat(100),
        ),
        "/twice" => packed("gzip, gzip", &gzip(&gzip(b"x"))),
        "/odd" => packed("zstd", b"x"),
        "/broken" => packed("gzip", b"this is no gzip"),
        "/torn" => packed("gzip", &gzip(b"a page that ends too early")[..20]),
        _ => Reply::status(404),
    })
    .await;
    assert_eq!(text(&fetched(&site, "/gzip").await.unwrap()), "small");
    assert_eq!(text(&fetched(&site, "/two").await.unwrap()), "one two");
    for path in ["/bomb", "/members", "/nothing"] {
        assert_eq!(fetched(&site, path).await, Err(Error::TooLarge(100_000)), "{path}");
    }
    for path in ["/twice", "/odd"] {
        assert!(matches!(fetched(&site, path).await, Err(Error::Coding { .. })), "{path}");
    }
    for path in ["/broken", "/torn"] {
        assert!(matches!(fetched(&site, path).await, Err(Error::Broken { .. })), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_drips_and_a_head_that_never_comes_end_by_the_clock() {
    let site =
        Site::start(|path| match path {
            "/robots.txt" => Reply::status(404),
            "/drip" => Reply::endless("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", b"x".to_vec())
                .every(Duration::from_millis(50)),
            "/head" => Reply::endless("HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n".to_vec())
                .every(Duration::from_millis(50)),
            "/informed" => Reply::endless("", b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec())
                .every(Duration::from_millis(20)),
            _ => Reply::silent(),
        })
        .await;
    let expected = [
        ("/drip", Step::Deliver),
        ("/head", Step::Answer),
        ("/informed", Step::Answer),
        ("/silent", Step::Answer),
    ];
    let visits = expected.map(|(path, _)| fetched_within(impatient(), &site, path));
    let outcomes = tokio::time::timeout(Duration::from_secs(60), futures::future::join_all(visits)).await;
    for ((path, expected), outcome) in expected.into_iter().zip(outcomes.expect("each comes to an end")) {
        assert!(
            matches!(outcome, Err(Error::TooSlow { step, .. }) if step == expected),
            "{path} {outcome:?}"
        );
    }
}

#[tokio::test]
async fn wrong_lengths_and_floods_of_headers_are_failures() {
    let site = Site::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        "/short" => "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\nx".into(),
        "/two" => "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".into(),
        "/chunk" => {
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".into()
        }
        "/many" => Reply::endless("HTTP/1.1 200 OK\r\n", b"X-Flood: 1\r\n".repeat(64)),
        "/long" => Reply::endless("HTTP/1.1 200 OK\r\nX-Long: ", vec![b'x'; 8192]),
        "/ssh" => "SSH-2.0-OpenSSH_9.2\r\n".into(),
        _ => "".into(),
    })
    .await;
    for path in ["/short", "/two", "/chunk", "/many", "/long", "/ssh", "/closed"] {
        let outcome = fetched(&site, path).await;
        assert!(matches!(outcome, Err(Error::Broken { .. })), "{path} {outcome:?}");
    }
}

#[tokio::test]
async fn robots_txt_is_obeyed_on_every_hop_and_asked_for_once() {
    let site = Site::start(|path| match path {
        "/robots.txt" => {
            "HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /private\nDisallow: /*?session=\n".into()
        }
        "/to-private" => redirect(302, "/private/page"),
        _ => html("open"),
    })
    .await;
    let fetcher = fetcher(vec![site.address], &names(&["127.0.0.1"]));
    let outcome = async |path| fetcher.fetch(&site.url("a.example", path)).await;
    assert!(outcome("/open").await.is_ok());
    for path in ["/private/page", "/to-private", "/open?session=1"] {
        assert_eq!(outcome(path).await, Err(Error::RobotsForbid(host())), "{path}");
    }
    let asked = || site.heads().iter().filter(|head| head.starts_with("GET /robots.txt")).count();
    assert_eq!(asked(), 1);
    assert!(!site.heads().iter().any(|head| head.starts_with("GET /private")));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61 * 60)).await;
    tokio::time::resume();
    assert!(outcome("/open").await.is_ok());
    assert_eq!(asked(), 2);
}

#[tokio::test]
async fn a_robots_txt_that_is_not_there_allows_and_one_that_fails_forbids_for_now() {
    for (status, allowed) in [(404, true), (403, true), (429, true), (500, false), (503, false)] {
        let site = Site::start(move |path| match path {
            "/robots.txt" => Reply::status(status),
            _ => html("open"),
        })
        .await;
        let outcome = fetched(&site, "/").await;
        assert_eq!(outcome.is_ok(), allowed, "{status}");
        if !allowed {
            assert_eq!(outcome, Err(Error::RobotsUnknown(host())));
        }
    }
    let site = Site::start(|path| match path {
        "/robots.txt" => Reply::silent(),
        _ => html("open"),
    })
    .await;
    assert_eq!(fetched_within(impatient(), &site, "/").await, Err(Error::RobotsUnknown(host())));
}

#[tokio::test]
async fn a_robots_txt_leads_nowhere_forbidden_and_its_end_is_cut_off() {
    let inside = Site::start(|_| html("secret")).await;
    let target = inside.address;
    let site = Site::start(move |path| match path {
        "/robots.txt" => redirect(302, &format!("http://{target}/robots.txt")),
        _ => html("open"),
    })
    .await;
    assert_eq!(fetched(&site, "/").await, Err(Error::RobotsUnknown(host())));
    assert!(inside.heads().is_empty());
    let site = Site::start(|path| match path {
        "/robots.txt" => Reply::endless(
            "HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /private\n",
            b"# more and more\n".repeat(512),
        ),
        _ => html("open"),
    })
    .await;
    assert!(fetched(&site, "/open").await.is_ok());
    assert_eq!(fetched(&site, "/private").await, Err(Error::RobotsForbid(host())));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let made = rcgen::generate_simple_self_signed(vec![host()]).unwrap();
    let key =
        tokio_rustls::rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await.is_ok()
    });
    let url = Url::parse(&format!("https://a.example:{}/", address.port())).unwrap();
    let outcome = fetcher(vec![address], &names(&["127.0.0.1"])).fetch(&url).await;
    assert!(
        matches!(&outcome, Err(Error::Unreachable { why, .. }) if why.contains("certificate")),
        "{outcome:?}"
    );
    assert!(!server.await.unwrap());
}

#[tokio::test]
async fn visits_to_a_host_are_apart_and_hosts_do_not_wait_for_each_other() {
    let site = Site::start(|path| match path {
        "/robots.txt" => Reply::status(404),
        _ => html("open"),
    })
    .await;
    // A visit alone takes nothing like it.
    let pause = Duration::from_secs(3);
    let limits = Limits { pause, ..limits() };
    let reach = Reach::Only(vec![site.address]);
    let fetcher = Fetcher::with(limits, reach, names(&["127.0.0.1"])).unwrap();
    let began = Instant::now();
    let visit = async |host: &str| fetcher.fetch(&site.url(host, "/")).await.unwrap();
    let (..) = tokio::join!(visit("a.example"), visit("b.example"));
    assert!(began.elapsed() < pause);
    visit("a.example").await;
    assert!(began.elapsed() >= pause);
}
