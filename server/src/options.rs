//! What can be said on the command line and in the environment. Every variable can also name a file
//! that holds its value, by the same name with `_FILE` behind it.

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use shared::account::Role;
use shared::provider::ProviderKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

#[derive(Parser)]
#[command(
    name = "sidebar",
    version,
    about = "An AI workspace in the browser: conversations, answers that survive, one search.",
    after_help = "Every environment variable shown can be given as NAME_FILE instead: the name of a file that holds the value."
)]
pub struct Options {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(Box<Serve>),
    /// Accounts, at the shell of whoever runs the server.
    #[command(subcommand)]
    User(UserCommand),
    /// API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Model providers.
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Print the description of the API (OpenAPI 3.1).
    Openapi,
    /// Talk to a model through a running server.
    Chat(Chat),
    /// Read and write notes through a running server.
    #[command(subcommand)]
    Note(NoteCommand),
    /// Search through a running server: by words and by meaning, best first.
    Search(SearchCommand),
    /// Compare what the database says with what is stored, also while the server runs.
    Check(CheckCommand),
    /// Read all files anew, and cut notes and conversations into passages again; also while the server runs.
    Reindex(ReindexCommand),
    /// Reads one file from standard input, shut in: how the server reads what it is given.
    #[command(hide = true)]
    Extract,
}

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// The data folder. Default: sidebar in the user's data folder, /var/lib/sidebar for root.
    #[arg(long, env = "SIDEBAR_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A Postgres 16 or later with pgvector, postgres://user@host/name. Default: an embedded one in the data folder.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// At least 32 characters that seal provider keys. Made in the data folder when absent with the embedded database.
    #[arg(long, env = "SIDEBAR_SECRET_KEY", value_name = "KEY", hide_env_values = true)]
    pub secret_key: Option<String>,
    /// Connections to Postgres at most.
    #[arg(long, env = "SIDEBAR_DATABASE_CONNECTIONS", value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub database_connections: u32,
    /// The folder of the embedded Postgres (with bin, lib, share). Default: the payload of this executable, else the per-user cache.
    #[arg(long, env = "SIDEBAR_POSTGRES", value_name = "DIR")]
    pub postgres: Option<PathBuf>,
    #[command(flatten)]
    pub storage: Storage,
    /// The largest file that may be kept, in megabytes.
    #[arg(long, env = "SIDEBAR_LARGEST_FILE_MB", value_name = "MB", default_value_t = 2048)]
    pub largest_file_mb: u32,
    /// What one person's files may take up in all, in megabytes.
    #[arg(long, env = "SIDEBAR_FILES_PER_PERSON_MB", value_name = "MB", default_value_t = 51_200)]
    pub files_per_person_mb: u32,
}

/// Where files are kept that are attached to notes.
#[derive(Args, Clone, Debug)]
pub struct Storage {
    /// An S3-compatible bucket, s3://bucket/prefix. Default: the folder blobs in the data folder.
    #[arg(long, env = "SIDEBAR_STORAGE_URL", value_name = "URL")]
    pub storage_url: Option<String>,
    /// Where the bucket is, when that is not Amazon: https://storage.example.org
    #[arg(long, env = "SIDEBAR_STORAGE_ENDPOINT", value_name = "URL")]
    pub storage_endpoint: Option<String>,
    /// The bucket's region.
    #[arg(long, env = "SIDEBAR_STORAGE_REGION", value_name = "NAME")]
    pub storage_region: Option<String>,
    /// Default: AWS_ACCESS_KEY_ID, or the machine's own role.
    #[arg(long, env = "SIDEBAR_STORAGE_ACCESS_KEY", value_name = "KEY", hide_env_values = true)]
    pub storage_access_key: Option<String>,
    /// Default: AWS_SECRET_ACCESS_KEY, or the machine's own role.
    #[arg(long, env = "SIDEBAR_STORAGE_SECRET_KEY", value_name = "KEY", hide_env_values = true)]
    pub storage_secret_key: Option<String>,
    /// Browsers reach the bucket too: downloads of large files come from there, by addresses that end after five
    /// minutes.
    #[arg(long, env = "SIDEBAR_STORAGE_DIRECT")]
    pub storage_direct: bool,
}

/// What turns passages into vectors, for the search by meaning.
#[derive(Args, Clone, Debug)]
pub struct Embeddings {
    /// `local`, a small model of our own; `none`, and search is by words alone; or the address of an
    /// OpenAI-compatible server, up to /v1.
    #[arg(long, env = "SIDEBAR_EMBEDDINGS", value_name = "WHERE", default_value = "local")]
    pub embeddings: String,
    /// The model at that server. It is asked for 384 numbers a passage.
    #[arg(
        long,
        env = "SIDEBAR_EMBEDDINGS_MODEL",
        value_name = "NAME",
        default_value = "text-embedding-3-small"
    )]
    pub embeddings_model: String,
    /// The key for that server.
    #[arg(long, env = "SIDEBAR_EMBEDDINGS_KEY", value_name = "KEY", hide_env_values = true)]
    pub embeddings_key: Option<String>,
}

/// Models that read what the reader of files cannot. Pictures and recordings of everybody are sent to them; where
/// none is named, to nobody.
#[derive(Args, Clone, Debug)]
pub struct Reading {
    /// A model of a configured provider that can be shown pictures, `provider/model`: it reads the text in them.
    #[arg(long, env = "SIDEBAR_VISION_MODEL", value_name = "PROVIDER/MODEL")]
    pub vision_model: Option<String>,
    /// A server that turns speech into words, with OpenAI's `/audio/transcriptions`: its address up to /v1.
    #[arg(long, env = "SIDEBAR_TRANSCRIPTION", value_name = "URL")]
    pub transcription: Option<String>,
    /// The model at that server.
    #[arg(long, env = "SIDEBAR_TRANSCRIPTION_MODEL", value_name = "NAME", default_value = "whisper-1")]
    pub transcription_model: String,
    /// The key for that server.
    #[arg(long, env = "SIDEBAR_TRANSCRIPTION_KEY", value_name = "KEY", hide_env_values = true)]
    pub transcription_key: Option<String>,
    /// The largest recording that it takes, in megabytes; nothing over 100 is read.
    #[arg(long, env = "SIDEBAR_TRANSCRIPTION_LARGEST_MB", value_name = "MB", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub transcription_largest_mb: u32,
}

#[derive(Args, Clone, Debug)]
pub struct Serve {
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub embeddings: Embeddings,
    /// Who is asked for the weather where a person says they are: `none`, or the address of a service that
    /// speaks as Open-Meteo does.
    #[arg(long, env = "SIDEBAR_WEATHER", value_name = "WHERE", default_value = "https://api.open-meteo.com")]
    pub weather: String,
    /// Where to listen.
    #[arg(long, env = "SIDEBAR_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
    pub addr: SocketAddr,
    #[command(flatten)]
    pub data: Data,
    /// Where people reach the server, when that is not this machine: https://notes.example.org
    #[arg(long, env = "SIDEBAR_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,
    /// Further host names to answer to, separated by commas.
    #[arg(long, env = "SIDEBAR_ALLOWED_HOSTS", value_name = "HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// Browser extensions and sites that may call the memory API with an API key, separated by commas:
    /// chrome-extension://abcdef, https://notes.example.org
    #[arg(long, env = "SIDEBAR_MEMORY_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub memory_origins: Vec<String>,
    /// Proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas.
    #[arg(long, env = "SIDEBAR_TRUSTED_PROXIES", value_name = "CIDRS", value_delimiter = ',')]
    pub trusted_proxies: Vec<edge::Cidr>,
    /// Lets others than this machine read /metrics, as a bearer token.
    #[arg(long, env = "SIDEBAR_METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub metrics_token: Option<String>,
    /// Tries to sign in, a minute, for each address and each account from it.
    #[arg(long, env = "SIDEBAR_SIGN_IN_PER_MINUTE", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub sign_in_per_minute: u32,
    /// Requests a minute, for each person or key.
    #[arg(long, env = "SIDEBAR_REQUESTS_PER_MINUTE", value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_per_minute: u32,
    /// The folder of the site's assets. Default: the payload of this executable, else site/ beside it.
    #[arg(long, env = "SIDEBAR_SITE", value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// What is logged: error, warn, info, debug, or a filter such as domain=debug.
    #[arg(long, env = "SIDEBAR_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Where traces go (OTLP over HTTP), http://127.0.0.1:4318. Default: nowhere.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<Url>,
    /// Where errors of the server and of browsers go. Default: nowhere.
    #[arg(long, env = "SIDEBAR_SENTRY_DSN", value_name = "DSN", hide_env_values = true)]
    pub sentry_dsn: Option<String>,
}

#[derive(Subcommand)]
pub enum UserCommand {
    /// Make an account.
    Create {
        #[command(flatten)]
        data: Data,
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// viewer, developer or admin.
        #[arg(long, default_value = "developer")]
        role: Role,
        /// Read the password from standard input.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make an API key and print it, alone, on standard output.
    Create {
        #[command(flatten)]
        data: Data,
        /// The address of the account that the key acts for.
        #[arg(long, value_name = "ADDRESS")]
        user: String,
        #[arg(long)]
        name: String,
        /// Default: it does not expire.
        #[arg(long, value_name = "DAYS")]
        expires_in_days: Option<u32>,
    },
}

#[derive(Subcommand)]
pub enum ProviderCommand {
    /// Add a model provider.
    Add {
        #[command(flatten)]
        data: Data,
        /// openai (and everything compatible), anthropic, gemini or ollama.
        #[arg(long)]
        kind: ProviderKind,
        #[arg(long)]
        name: String,
        /// Default: the provider's own service.
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
        /// Read the key from standard input.
        #[arg(long)]
        api_key_stdin: bool,
        /// A model to offer; can be given several times, the first is the provider's default.
        #[arg(long = "model", value_name = "MODEL")]
        models: Vec<String>,
    },
}

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 answered; 1 could not ask (address, key, refusal); 2 wrong usage; 3 the answer ended early; 130 stopped by Ctrl-C, on the server too."
)]
pub struct Chat {
    /// What to say. `-`: read it from standard input.
    pub message: String,
    /// The server.
    #[arg(long, env = "SIDEBAR_URL", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    pub url: Url,
    /// An API key, sb_sk_…
    #[arg(long, env = "SIDEBAR_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// Go on in this conversation. Default: a new one.
    #[arg(long, value_name = "ID")]
    pub conversation: Option<shared::ConversationId>,
    /// provider/model. Default: the server's.
    #[arg(long)]
    pub model: Option<String>,
    /// Print every event as a line of JSON instead of the text.
    #[arg(long)]
    pub json: bool,
    /// Print the time to the first token.
    #[arg(long)]
    pub measure_ttft: bool,
    /// Print tokens per second.
    #[arg(long)]
    pub measure_token_rate: bool,
    /// Drop the connection after token N and resume, as a bad network would.
    #[arg(long, value_name = "N")]
    pub disconnect_at_token: Option<u64>,
    /// Ask in so many new conversations at the same time, and print figures only.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub sessions: u32,
}

#[derive(Subcommand)]
#[command(
    after_help = "NOTE is an id, or a title as it is written. Exit codes: 0 done; 1 could not ask (address, key, refusal); 2 wrong usage; 4 no such note; 5 the note changed meanwhile (--if-seq)."
)]
pub enum NoteCommand {
    /// Print a note's Markdown.
    Get {
        note: String,
        /// Print the whole note as JSON, with its sequence for --if-seq.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Make standard input the text of a note, as the smallest edit beside whoever writes in it. A note
    /// of that title is made if there is none. Prints the note's id.
    Put {
        note: String,
        /// Only if the note is still at this sequence.
        #[arg(long, value_name = "N")]
        if_seq: Option<i64>,
        #[command(flatten)]
        server: Server,
    },
    /// Add standard input, or TEXT, at the end of a note.
    Append {
        note: String,
        #[arg(allow_hyphen_values = true)]
        text: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Print ids and titles, the notes changed last first.
    List {
        /// Only notes with this tag.
        #[arg(long)]
        tag: Option<String>,
        /// Only notes with these words.
        #[arg(long, value_name = "WORDS")]
        words: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// A line of JSON a note.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Print the passages of notes that match, best first.
    Search {
        words: String,
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// A line of JSON a passage.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 found; 1 could not ask (address, key, refusal); 2 wrong usage; 4 nothing found."
)]
pub struct SearchCommand {
    /// Words as one would say them. `after:2026-01-31`, `before:2026-01-31` and quotes narrow the search.
    pub words: String,
    /// Only of this kind: conversation, note, file; can be given several times.
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// A line of JSON a passage.
    #[arg(long)]
    pub json: bool,
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    #[command(flatten)]
    pub server: Server,
}

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 all is well, or was mended; 1 could not look; 2 wrong usage; 3 something is not well."
)]
pub struct CheckCommand {
    #[command(flatten)]
    pub data: Data,
    /// Mend what can be: collect what nothing names, read again what is missing, queue what was forgotten.
    #[arg(long)]
    pub fix: bool,
}

#[derive(Args)]
#[command(
    after_help = "What comes out as it was is not written. Exit codes: 0 all was read; 1 it could not be; 2 wrong usage."
)]
pub struct ReindexCommand {
    #[command(flatten)]
    pub data: Data,
    #[command(flatten)]
    pub reading: Reading,
    /// The address of one account. Default: everybody's.
    #[arg(long, value_name = "ADDRESS")]
    pub user: Option<String>,
}

/// A running server, and a key for it.
#[derive(Args)]
pub struct Server {
    /// The server.
    #[arg(long, env = "SIDEBAR_URL", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    pub url: Url,
    /// An API key, sb_sk_…
    #[arg(long, env = "SIDEBAR_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub api_key: Option<String>,
}

/// The value, or what is in the file that `NAME_FILE` names. Both at once is a mistake.
pub fn or_file(name: &str, value: Option<String>) -> Result<Option<String>> {
    let file_variable = format!("{name}_FILE");
    match (value, std::env::var_os(&file_variable)) {
        (value, None) => Ok(value),
        (Some(_), Some(_)) => bail!("both {name} and {file_variable} are set: keep one of them"),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("{file_variable} names {}, which cannot be read", path.display()))?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
    }
}
