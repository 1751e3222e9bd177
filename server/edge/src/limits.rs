//! How often something may be done: a table of limited actions, counted exactly over a sliding
//! window in memory. It never blocks an action for what someone else did, except where the
//! address is all that is known of who acts.

use crate::envelope::Failure;
use shared::{ErrorCode, UserId};
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// Above this many keys the ones unused for longest are forgotten.
const MOST_KEYS: usize = 50_000;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limited {
    /// Tries to sign in, for each address.
    SignIn,
    /// Tries to sign in to one account, for each address: a stranger elsewhere cannot lock it.
    SignInToAccount,
    /// Tries to make the first account, for each address.
    Setup,
    /// Tries to join by an invitation, for each address.
    Join,
    /// Tries at the password of a shared link, for each address.
    LinkPassword,
    /// Everything a signed-in person or a key asks for.
    Request,
    /// Requests whose session or key was refused, for each address.
    Refused,
    /// Measurements sent by browsers, for each address.
    Beacon,
    /// Errors reported by browsers, for each address.
    BrowserError,
}

/// At most `count` in any stretch of `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: usize,
    pub window: Duration,
}

impl Rate {
    pub const fn per_minute(count: usize) -> Self {
        Self { count, window: MINUTE }
    }
}

/// The rates that an operator may choose; the others are fixed.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pub sign_in: Rate,
    pub request: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self { sign_in: Rate::per_minute(5), request: Rate::per_minute(600) }
    }
}

impl Rates {
    /// The table.
    fn of(&self, limited: Limited) -> Rate {
        match limited {
            Limited::SignIn => self.sign_in,
            Limited::SignInToAccount => self.sign_in,
            Limited::Setup => self.sign_in,
            Limited::Join => self.sign_in,
            Limited::LinkPassword => self.sign_in,
            Limited::Request => self.request,
            Limited::Refused => self.request,
            Limited::Beacon => Rate::per_minute(120),
            Limited::BrowserError => Rate::per_minute(20),
        }
    }
}

/// Who does it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    User(UserId),
    Address(Network),
    /// An account named by a stranger, seen from an address; the name is kept as a hash.
    AccountFrom(Network, u64),
}

impl Who {
    pub fn address(address: IpAddr) -> Self {
        Self::Address(Network::of(address))
    }

    pub fn account_from(address: IpAddr, email: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        email.trim().to_lowercase().hash(&mut hasher);
        Self::AccountFrom(Network::of(address), hasher.finish())
    }
}

/// What one subscriber holds: an IPv4 address, or the first 64 bits of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    V4([u8; 4]),
    V6([u16; 4]),
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => Self::V6(first_half(v6)),
        }
    }
}

fn first_half(v6: Ipv6Addr) -> [u16; 4] {
    let [a, b, c, d, ..] = v6.segments();
    [a, b, c, d]
}

pub struct Limits {
    rates: Rates,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    times: HashMap<(Limited, Who), VecDeque<Instant>>,
    pruned_at: Option<Instant>,
}

impl Limits {
    pub fn new(rates: Rates) -> Self {
        Self { rates, seen: Mutex::default() }
    }

    /// Counts one action, or refuses it with the time to wait.
    pub fn check(&self, limited: Limited, who: Who) -> Result<(), Failure> {
        self.check_at(limited, who, Instant::now()).map_err(|wait| too_many(limited, wait))
    }

    fn check_at(&self, limited: Limited, who: Who, now: Instant) -> Result<(), Duration> {
        let rate = self.rates.of(limited);
        // A panic elsewhere cannot leave the map half-written.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.prune(&self.rates, now);
        let times = seen.times.entry((limited, who)).or_default();
        while times.front().is_some_and(|&first| now.duration_since(first) >= rate.window) {
            times.pop_front();
        }
        if times.len() >= rate.count {
            let first = times.front().copied().unwrap_or(now);
            return Err(rate.window.saturating_sub(now.duration_since(first)));
        }
        times.push_back(now);
        Ok(())
    }
}

impl Seen {
    /// Forgets keys that no longer matter, once a minute or when there are too many.
    fn prune(&mut self, rates: &Rates, now: Instant) {
        let pruned_at = *self.pruned_at.get_or_insert(now);
        let full = self.times.len() >= MOST_KEYS;
        if !full && now.duration_since(pruned_at) < MINUTE {
            return;
        }
        self.pruned_at = Some(now);
        self.times.retain(|(limited, _), times| {
            times.back().is_some_and(|&last| now.duration_since(last) < rates.of(*limited).window)
        });
        if self.times.len() >= MOST_KEYS {
            self.forget_the_idler_half();
        }
    }

    fn forget_the_idler_half(&mut self) {
        let mut last: Vec<Instant> = self.times.values().filter_map(|t| t.back().copied()).collect();
        let middle = last.len() / 2;
        let (_, &mut median, _) = last.select_nth_unstable(middle);
        let mut spare = middle;
        self.times.retain(|_, times| match times.back() {
            Some(&t) if t > median => true,
            Some(&t) if t == median && spare > 0 => {
                spare -= 1;
                true
            }
            _ => false,
        });
    }
}

fn too_many(limited: Limited, wait: Duration) -> Failure {
    let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
    let what = match limited {
        Limited::SignIn | Limited::SignInToAccount => "Too many tries to sign in",
        Limited::Setup => "Too many tries to set up",
        Limited::Join => "Too many tries to join",
        Limited::LinkPassword => "Too many tries at the password",
        _ => "Too many requests",
    };
    let unit = if seconds == 1 { "second" } else { "seconds" };
    Failure::new(ErrorCode::RateLimited, format!("{what}. Try again in {seconds} {unit}."))
        .with_retry_after(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;

    fn who(text: &str) -> Who {
        Who::address(text.parse().unwrap())
    }

    fn limits() -> Limits {
        Limits::new(Rates::default())
    }

    #[test]
    fn the_sixth_try_in_a_minute_is_refused_with_the_time_to_wait() {
        let (limits, start) = (limits(), Instant::now());
        for second in 0..5 {
            let at = start + Duration::from_secs(second);
            assert_eq!(limits.check_at(Limited::SignIn, who("192.0.2.1"), at), Ok(()));
        }
        let at = start + Duration::from_secs(10);
        let wait = limits.check_at(Limited::SignIn, who("192.0.2.1"), at);
        assert_eq!(wait, Err(Duration::from_secs(50)));
    }

    #[test]
    fn the_window_slides_so_each_try_frees_its_own_place() {
        let (limits, start) = (limits(), Instant::now());
        for second in 0..5 {
            let at = start + Duration::from_secs(second * 10);
            limits.check_at(Limited::SignIn, who("192.0.2.1"), at).unwrap();
        }
        let at = start + Duration::from_secs(60);
        assert_eq!(limits.check_at(Limited::SignIn, who("192.0.2.1"), at), Ok(()));
        assert_eq!(limits.check_at(Limited::SignIn, who("192.0.2.1"), at), Err(Duration::from_secs(10)));
    }

    #[test]
    fn refused_tries_do_not_lengthen_the_wait() {
        let (limits, start) = (limits(), Instant::now());
        for _ in 0..100 {
            let _ = limits.check_at(Limited::SignIn, who("192.0.2.1"), start);
        }
        let at = start + Duration::from_secs(60);
        assert_eq!(limits.check_at(Limited::SignIn, who("192.0.2.1"), at), Ok(()));
    }

    #[test]
    fn a_stranger_cannot_use_up_the_tries_of_someone_elsewhere() {
        let (limits, now) = (limits(), Instant::now());
        let stranger = Who::account_from("192.0.2.1".parse().unwrap(), "a@example.com");
        let person = Who::account_from("192.0.2.2".parse().unwrap(), "A@example.com ");
        while limits.check_at(Limited::SignInToAccount, stranger.clone(), now).is_ok() {}
        assert_eq!(limits.check_at(Limited::SignInToAccount, person, now), Ok(()));
    }

    #[test]
    fn an_account_is_counted_whatever_the_case_of_its_letters() {
        let address = "192.0.2.1".parse().unwrap();
        assert_eq!(
            Who::account_from(address, "Ada@Example.com"),
            Who::account_from(address, " ada@example.com")
        );
    }

    #[test]
    fn one_ipv6_network_counts_as_one_and_mapped_ipv4_as_ipv4() {
        assert_eq!(who("2001:db8::1"), who("2001:db8::ffff:2"));
        assert_ne!(who("2001:db8:0:1::1"), who("2001:db8::1"));
        assert_eq!(who("::ffff:192.0.2.1"), who("192.0.2.1"));
    }

    #[test]
    fn actions_are_counted_apart() {
        let (limits, now) = (limits(), Instant::now());
        while limits.check_at(Limited::SignIn, who("192.0.2.1"), now).is_ok() {}
        assert_eq!(limits.check_at(Limited::Beacon, who("192.0.2.1"), now), Ok(()));
    }

    #[test]
    fn idle_keys_are_forgotten() {
        let (limits, now) = (limits(), Instant::now());
        for n in 0..200u8 {
            let address = IpAddr::from([192, 0, 2, n]);
            limits.check_at(Limited::Beacon, Who::address(address), now).unwrap();
        }
        let later = now + Duration::from_secs(61);
        limits.check_at(Limited::Beacon, who("198.51.100.1"), later).unwrap();
        assert_eq!(limits.seen.lock().unwrap().times.len(), 1);
    }

    #[test]
    fn the_table_stays_bounded_under_a_flood_of_addresses() {
        let (limits, now) = (limits(), Instant::now());
        for n in 0..(MOST_KEYS as u32 + 10_000) {
            let at = now + Duration::from_micros(u64::from(n));
            let address = IpAddr::from(n.to_be_bytes());
            limits.check_at(Limited::Beacon, Who::address(address), at).unwrap();
        }
        assert!(limits.seen.lock().unwrap().times.len() <= MOST_KEYS);
    }

    #[test]
    fn the_refusal_says_how_long_to_wait() {
        let limits = limits();
        for _ in 0..5 {
            limits.check(Limited::SignIn, who("192.0.2.1")).unwrap();
        }
        let response = limits.check(Limited::SignIn, who("192.0.2.1")).unwrap_err().into_response();
        assert_eq!(response.status(), http::StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = response.headers()[http::header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((51..=60).contains(&wait), "{wait}");
    }
}
