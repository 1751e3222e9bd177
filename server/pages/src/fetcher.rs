//! Pages by their address: each hop is judged, paced and asked for by the host's robots.txt before it
//! is made. A page behind a sign-in is never reached from here: nothing that says who somebody is goes
//! along.

use crate::error::Step;
use crate::exchange::{Answer, Overflow, Wire, path_and_query};
use crate::pace::{Pace, Turn};
use crate::reach::{self, Checked, Reach, Target};
use crate::resolver::{Resolver, SystemResolver};
use crate::robots::{self, Rules};
use crate::{Error, charset};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

const MOST_REDIRECTS: usize = 5;
/// How long a robots.txt is believed, and how long its absence.
const ROBOTS_KEPT: Duration = Duration::from_secs(60 * 60);
const FAILURE_KEPT: Duration = Duration::from_secs(60);
const MOST_ROBOTS: usize = 1000;

/// How much and how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest page, after unpacking.
    pub bytes: usize,
    /// For the look-up, the connection and its encryption together.
    pub connect: Duration,
    /// From the request to the head of the answer.
    pub first_byte: Duration,
    /// For everything over the network, redirects and robots.txt included; waiting for a turn is not.
    pub whole: Duration,
    /// Between two visits to a host.
    pub pause: Duration,
    /// For a turn at a host.
    pub longest_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 10_000_000,
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(15),
            whole: Duration::from_secs(40),
            pause: Duration::from_secs(1),
            longest_wait: Duration::from_secs(10),
        }
    }
}

/// What lay at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it lay in the end, after redirects.
    pub url: Url,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// HTML or XHTML, decoded.
    Html(String),
    /// Plain text, decoded.
    Text(String),
    Pdf(Bytes),
}

/// A picture that a page names, as it came: nobody looked into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub media_type: String,
    pub bytes: Bytes,
}

/// Fetches pages. Cheap to clone; clones share the turns at hosts and what their robots.txt said.
#[derive(Clone)]
pub struct Fetcher {
    wire: Wire,
    limits: Limits,
    reach: Reach,
    resolver: Arc<dyn Resolver>,
    pace: Arc<Pace>,
    robots: Arc<Mutex<HashMap<String, (Instant, Robots)>>>,
}

#[derive(Clone, Debug)]
enum Robots {
    Known(Arc<Rules>),
    Unknown,
}

enum Hop {
    There(Answer),
    Onward(Url),
}

/// What one call has found out and spent. A name is looked up once in it: the page comes from the very
/// host that gave the robots.txt.
struct Visit {
    budget: Budget,
    found: Found,
}

type Found = HashMap<(String, u16), Checked>;

/// The time that is left for the network.
struct Budget {
    whole: Duration,
    left: Duration,
}

impl Budget {
    async fn spend<T>(
        &mut self,
        host: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        let done = tokio::time::timeout(self.left, work).await;
        self.left = self.left.saturating_sub(began.elapsed());
        done.unwrap_or_else(|_| {
            Err(Error::TooSlow { host: host.to_owned(), step: Step::Deliver, after: self.whole })
        })
    }
}

impl Fetcher {
    /// Reaches public addresses, looked up as the machine does.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        Self::with(limits, Reach::Public, Arc::new(SystemResolver))
    }

    pub fn with(limits: Limits, reach: Reach, resolver: Arc<dyn Resolver>) -> Result<Self, Error> {
        Ok(Self {
            wire: Wire::new(limits)?,
            limits,
            reach,
            resolver,
            pace: Arc::new(Pace::new(limits.pause, limits.longest_wait)),
            robots: Arc::default(),
        })
    }

    /// What can be said of an address before anything is looked up: its scheme, its port, and whether the
    /// numbers that stand for a host in it may be reached.
    pub fn check(&self, url: &Url) -> Result<(), Error> {
        match reach::target(url)? {
            (Target::Address(ip), port) => self.reach.check(&ip.to_string(), &[ip], port).map(drop),
            (Target::Name(_), _) => Ok(()),
        }
    }

    /// The page at an address, after at most five redirects.
    pub async fn fetch(&self, url: &Url) -> Result<Page, Error> {
        let (url, mut visit, answer, _turn) = self.arrive(url).await?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let content = visit.budget.spend(&host, self.content(answer, &host)).await?;
        Ok(Page { url, content })
    }

    /// The picture at an address that a page gave, by the same rules.
    pub async fn picture(&self, url: &Url) -> Result<Picture, Error> {
        let (url, mut visit, answer, _turn) = self.arrive(url).await?;
        let host = url.host_str().unwrap_or_default().to_owned();
        if let Some(error) = refusal(answer.status.as_u16(), &host) {
            return Err(error);
        }
        let media_type = essence(answer.header(CONTENT_TYPE).unwrap_or_default());
        if !media_type.starts_with("image/") {
            return Err(Error::Kind(media_type));
        }
        let bytes = visit.budget.spend(&host, answer.read(self.limits.bytes, Overflow::Refuse)).await?;
        Ok(Picture { media_type, bytes })
    }

    /// Follows redirects to the answer that is none. The turn at its host is held until it was read.
    async fn arrive(&self, url: &Url) -> Result<(Url, Visit, Answer, Option<(String, Turn)>), Error> {
        let budget = Budget { whole: self.limits.whole, left: self.limits.whole };
        let mut visit = Visit { budget, found: Found::new() };
        let mut url = url.clone();
        let mut turn: Option<(String, Turn)> = None;
        for _ in 0..=MOST_REDIRECTS {
            reach::target(&url)?;
            let host = url.host_str().unwrap_or_default().to_owned();
            // A turn is given back before the next is waited for: two visits that lead to each
            // other's hosts would wait for ever.
            if turn.as_ref().is_none_or(|(held, _)| *held != host) {
                drop(turn.take());
                turn = Some((host.clone(), self.pace.turn(&host).await?));
            }
            self.obey_robots(&url, &host, &mut visit).await?;
            match visit.budget.spend(&host, self.hop(&url, &mut visit.found)).await? {
                Hop::Onward(next) => url = next,
                Hop::There(answer) => return Ok((url, visit, answer, turn)),
            }
        }
        Err(Error::TooManyRedirects(url.host_str().unwrap_or_default().to_owned()))
    }

    async fn hop(&self, url: &Url, found: &mut Found) -> Result<Hop, Error> {
        let checked = self.checked(url, found).await?;
        let answer = self.wire.get(url, &checked).await?;
        if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(Hop::There(answer));
        }
        let host = || url.host_str().unwrap_or_default().to_owned();
        let next = answer.header(LOCATION).and_then(|to| url.join(to).ok());
        next.map(Hop::Onward).ok_or_else(|| Error::BadRedirect(host()))
    }

    async fn checked(&self, url: &Url, found: &mut Found) -> Result<Checked, Error> {
        let (target, port) = reach::target(url)?;
        let name = match target {
            Target::Address(ip) => return self.reach.check(&ip.to_string(), &[ip], port),
            Target::Name(name) => name,
        };
        let key = (name, port);
        if let Some(checked) = found.get(&key) {
            return Ok(checked.clone());
        }
        let checked = self.reach.check(&key.0, &self.look_up(&key.0).await?, port)?;
        found.insert(key, checked.clone());
        Ok(checked)
    }

    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Error> {
        let after = self.limits.connect;
        let answer = tokio::time::timeout(after, self.resolver.resolve(name)).await;
        let answer =
            answer.map_err(|_| Error::TooSlow { host: name.to_owned(), step: Step::Connect, after })?;
        answer.map_err(|error| {
            tracing::debug!(%error, "a host was not found");
            Error::UnknownHost(name.to_owned())
        })
    }

    async fn content(&self, answer: Answer, host: &str) -> Result<Content, Error> {
        if let Some(error) = refusal(answer.status.as_u16(), host) {
            return Err(error);
        }
        let declared = answer.header(CONTENT_TYPE).unwrap_or_default().to_owned();
        let kind = essence(&declared);
        if !matches!(
            kind.as_str(),
            "" | "text/html" | "application/xhtml+xml" | "text/plain" | "application/pdf"
        ) {
            return Err(Error::Kind(kind));
        }
        let bytes = answer.read(self.limits.bytes, Overflow::Refuse).await?;
        if bytes.is_empty() {
            return Err(Error::Empty(host.to_owned()));
        }
        let text = |bytes: &Bytes| charset::decode(bytes, parameter(&declared, "charset"), Some(host));
        match kind.as_str() {
            "application/pdf" => Ok(Content::Pdf(bytes)),
            "text/plain" => Ok(Content::Text(text(&bytes))),
            "" => undeclared(bytes, text),
            _ => Ok(Content::Html(text(&bytes))),
        }
    }

    async fn obey_robots(&self, url: &Url, host: &str, visit: &mut Visit) -> Result<(), Error> {
        let origin = url.origin().ascii_serialization();
        let robots = match self.remembered(&origin) {
            Some(robots) => robots,
            None => {
                let robots = self.ask_robots(url, host, visit).await?;
                self.remember(origin, robots.clone());
                robots
            }
        };
        match robots {
            Robots::Known(rules) if rules.allow(path_and_query(url)) => Ok(()),
            Robots::Known(_) => Err(Error::RobotsForbid(host.to_owned())),
            Robots::Unknown => Err(Error::RobotsUnknown(host.to_owned())),
        }
    }

    /// A robots.txt that is not there allows everything, one that cannot be had nothing. What is
    /// wrong with the address itself is said as such.
    async fn ask_robots(&self, url: &Url, host: &str, visit: &mut Visit) -> Result<Robots, Error> {
        match visit.budget.spend(host, self.robots_text(url, &mut visit.found)).await {
            Ok(text) => Ok(Robots::Known(Arc::new(Rules::parse(&text)))),
            Err(Error::Missing(_) | Error::TooManyRedirects(_)) => Ok(Robots::Known(Arc::default())),
            Err(error @ (Error::UnknownHost(_) | Error::Unreachable { .. } | Error::NotPublic(_))) => {
                Err(error)
            }
            Err(error) => {
                tracing::debug!(%error, host, "a robots.txt did not come");
                Ok(Robots::Unknown)
            }
        }
    }

    async fn robots_text(&self, page: &Url, found: &mut Found) -> Result<String, Error> {
        let host = page.host_str().unwrap_or_default();
        let mut url = page.join("/robots.txt").map_err(|_| Error::BadRedirect(host.to_owned()))?;
        for redirects in 0..=MOST_REDIRECTS {
            let hop = self.hop(&url, found).await;
            let answer = match hop {
                Ok(Hop::Onward(next)) => {
                    url = next;
                    continue;
                }
                Ok(Hop::There(answer)) => answer,
                // The host itself was reached: what failed lies elsewhere.
                Err(_) if redirects > 0 => return Err(Error::RobotsUnknown(host.to_owned())),
                Err(error) => return Err(error),
            };
            let status = answer.status.as_u16();
            if answer.status.is_client_error() {
                return Err(Error::Missing(host.to_owned()));
            }
            if !answer.status.is_success() {
                return Err(Error::Status { host: host.to_owned(), status });
            }
            let bytes = answer.read(robots::LONGEST_BYTES, Overflow::Cut).await?;
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        Err(Error::TooManyRedirects(host.to_owned()))
    }

    fn remembered(&self, origin: &str) -> Option<Robots> {
        let robots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
        robots.get(origin).filter(|(until, _)| Instant::now() < *until).map(|(_, robots)| robots.clone())
    }

    fn remember(&self, origin: String, known: Robots) {
        let now = Instant::now();
        let kept = match known {
            Robots::Known(_) => ROBOTS_KEPT,
            Robots::Unknown => FAILURE_KEPT,
        };
        let mut robots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
        if robots.len() >= MOST_ROBOTS {
            robots.retain(|_, (until, _)| now < *until);
        }
        if robots.len() >= MOST_ROBOTS {
            robots.clear();
        }
        robots.insert(origin, (now + kept, known));
    }
}

/// What a status means that is not the page.
fn refusal(status: u16, host: &str) -> Option<Error> {
    let host = host.to_owned();
    match status {
        204 | 205 => Some(Error::Empty(host)),
        200..=299 => None,
        401..=403 | 407 | 451 => Some(Error::SignIn(host)),
        404 | 410 => Some(Error::Missing(host)),
        429 | 503 => Some(Error::Busy(host)),
        status => Some(Error::Status { host, status }),
    }
}

/// A `Content-Type` without its parameters.
fn essence(declared: &str) -> String {
    declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn parameter<'a>(declared: &'a str, name: &str) -> Option<&'a str> {
    let parameters = declared.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut named = parameters.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.trim().trim_matches(['"', '\'']))
}

/// What a body without a `Content-Type` is, by how it begins.
fn undeclared(bytes: Bytes, text: impl Fn(&Bytes) -> String) -> Result<Content, Error> {
    if bytes.starts_with(b"%PDF-") {
        return Ok(Content::Pdf(bytes));
    }
    let text = text(&bytes);
    if text.contains('\0') {
        return Err(Error::Kind("application/octet-stream".to_owned()));
    }
    let begins_as_html = text.trim_start_matches('\u{feff}').trim_start().starts_with('<');
    Ok(if begins_as_html { Content::Html(text) } else { Content::Text(text) })
}
