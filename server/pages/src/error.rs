//! What can go wrong while a page is fetched, in words for the person who asked for it. A text names
//! the host and never the whole address: addresses carry tokens.

use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "Only http and https addresses can be saved, and this one begins with “{0}:”. Copy the address from the browser’s address bar."
    )]
    Scheme(String),
    #[error(
        "The address carries a name or a password before the host. Take it out, or open the page and save it with the bookmarklet."
    )]
    Credentials,
    #[error(
        "Port {0} is not one that web pages are served on. Use an address with port 80, 443 or one from 1024 on."
    )]
    Port(u16),
    #[error(
        "“{0}” is not an address on the public internet, so the server does not go there. If you can open the page yourself, save it with the bookmarklet."
    )]
    NotPublic(String),
    #[error("The host “{0}” is not known. Check the address for a slip.")]
    UnknownHost(String),
    #[error("“{host}” could not be reached: {why}. Try again later, or check the address.")]
    Unreachable { host: String, why: String },
    #[error("“{host}” took longer than {} seconds to {step}. Try again later, or open the page and save it with the bookmarklet.", .after.as_secs_f32())]
    TooSlow { host: String, step: Step, after: Duration },
    #[error("“{host}” broke off or sent what is not HTTP: {why}. Try again.")]
    Broken { host: String, why: String },
    #[error(
        "“{0}” sent the request from address to address without end. Open the page in the browser and copy the address where it ends up, or save it with the bookmarklet."
    )]
    TooManyRedirects(String),
    #[error(
        "“{0}” sent the request on without saying where to. Open the page and save it with the bookmarklet."
    )]
    BadRedirect(String),
    #[error(
        "The page on “{0}” is behind a sign-in or a paywall. Open it in the browser where you are signed in and save it with the bookmarklet."
    )]
    SignIn(String),
    #[error("There is no page at this address on “{0}” (any more). Check the address.")]
    Missing(String),
    #[error("“{0}” asks to be left alone for a while. Try again in a few minutes.")]
    Busy(String),
    #[error(
        "“{host}” answered with status {status} and not with a page. Try again later, or open the page and save it with the bookmarklet."
    )]
    Status { host: String, status: u16 },
    #[error(
        "“{0}” does not allow programs to read this page (its robots.txt says so). Open the page and save it with the bookmarklet."
    )]
    RobotsForbid(String),
    #[error(
        "“{0}” could not say what programs may read (its robots.txt did not come), so nothing is read for now. Try again in a few minutes, or save the page with the bookmarklet."
    )]
    RobotsUnknown(String),
    #[error(
        "Too many pages of “{0}” were asked for at once. They are read one after another: try again in a minute."
    )]
    Queue(String),
    #[error("The page is larger than {} MB. Save a part of it as a note, or its file by download and upload.", .0.div_ceil(1_000_000))]
    TooLarge(usize),
    #[error(
        "At this address is no page but “{0}”. Pages, plain text and PDF files can be saved; download other files and upload them."
    )]
    Kind(String),
    #[error(
        "“{host}” packed the page in a way that is not known (“{coding}”). Open the page and save it with the bookmarklet."
    )]
    Coding { host: String, coding: String },
    #[error("“{0}” sent an empty page. Open it in the browser and save it with the bookmarklet.")]
    Empty(String),
    #[error(
        "Encrypted connections cannot be made on this server: {0}. Whoever runs the server has to repair this."
    )]
    Settings(String),
}

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Connect,
    Answer,
    Deliver,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "accept a connection",
            Self::Answer => "begin its answer",
            Self::Deliver => "deliver the page",
        })
    }
}
