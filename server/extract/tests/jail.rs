//! The jail, tried by a child that wants out: this executable called with `extract` is the product's
//! child, with `probe` the same jail around a reader that does what the file tells it to.

use extract::{Document, Extractor, Failure, Input, Kind, Limits, Measure, Place, Progress, SandboxPolicy};
use libtest_mimic::{Arguments, Failed, Trial};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("extract") => extract::run_child(),
        Some("probe") => extract::run_child_with(obey),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

/// Does what the file says and tells what came of it.
fn obey(input: Input, progress: &mut dyn FnMut(Progress)) -> Result<Document, Failure> {
    let order = String::from_utf8_lossy(&input.bytes).into_owned();
    let outcome = match order.as_str() {
        "open" => format!("{:?}", std::fs::read("/etc/hostname").map_err(|error| error.kind())),
        "write" => {
            format!("{:?}", std::fs::write("/tmp/extract-was-here", "x").map_err(|error| error.kind()))
        }
        "list" => format!("{:?}", std::fs::read_dir("/").map(|_| ()).map_err(|error| error.kind())),
        "connect" => format!("{:?}", std::net::TcpStream::connect("127.0.0.1:9").map(|_| ())),
        "bind" => format!("{:?}", std::os::unix::net::UnixListener::bind("/tmp/extract-socket").map(|_| ())),
        "exec" => format!("{:?}", Command::new("/bin/true").status()),
        "raise" => {
            let most = rustix::process::Rlimit { current: None, maximum: None };
            format!("{:?}", rustix::process::setrlimit(rustix::process::Resource::As, most))
        }
        "environment" => format!("{}", std::env::vars_os().count()),
        "spin" => loop {
            std::hint::spin_loop();
        },
        "sleep" => {
            std::thread::sleep(Duration::from_secs(60));
            String::new()
        }
        "allocate" => format!("{}", vec![1_u8; 4 << 30].len()),
        "recurse" => format!("{}", recurse(1)),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "flood" => "x".repeat(2 << 20),
        "babble" => {
            (0..100_000).for_each(|_| eprintln!("there is a lot to say about this file"));
            "said".into()
        }
        "forge" => {
            let mut out = std::io::stdout();
            out.write_all(b"{\"document\":{\"kind\":\"pdf\"}}\n").map_err(|_| Failure::Crashed)?;
            String::new()
        }
        "steps" => {
            (1..=3).for_each(|done| progress(Progress { done, of: 3 }));
            "done".into()
        }
        other => format!("{} bytes", other.len()),
    };
    extract::in_process("outcome.txt", None, outcome.into_bytes(), &input.limits, |_| {})
}

fn recurse(depth: u64) -> u64 {
    let room = [depth; 512];
    if std::hint::black_box(&room)[0] == u64::MAX { 0 } else { recurse(depth + 1) + room[1] }
}

fn child(mode: &str, limits: Limits) -> Extractor {
    let program: PathBuf = std::env::current_exe().expect("this executable has a path");
    Extractor::new(program, vec![mode.into()], limits).with_policy(SandboxPolicy::Require)
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn probe(order: &str, limits: Limits) -> Result<String, Failure> {
    let extractor = child("probe", limits);
    let document = run(extractor.extract("order", None, order.as_bytes(), |_| {}))?;
    Ok(document.sections[0].markdown.clone())
}

fn small() -> Limits {
    Limits { memory_bytes: 512 << 20, processor_time: Duration::from_secs(10), ..Limits::default() }
}

fn expect<T: PartialEq + std::fmt::Debug>(found: T, wanted: T) -> Result<(), Failed> {
    if found == wanted { Ok(()) } else { Err(format!("{found:?} instead of {wanted:?}").into()) }
}

fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a_jailed_reader_opens_no_file", || {
            // Of an earlier run, where one got out. None is there mostly.
            let _ = std::fs::remove_file("/tmp/extract-was-here");
            expect(probe("open", small()), Ok("Err(PermissionDenied)".into()))?;
            expect(probe("list", small()), Ok("Err(PermissionDenied)".into()))?;
            expect(probe("write", small()), Ok("Err(PermissionDenied)".into()))?;
            expect(std::fs::exists("/tmp/extract-was-here").ok(), Some(false))
        }),
        Trial::test("a_jailed_reader_that_wants_a_socket_is_killed", || {
            expect(probe("connect", small()), Err(Failure::Crashed))?;
            expect(probe("bind", small()), Err(Failure::Crashed))
        }),
        Trial::test("a_jailed_reader_starts_no_program", || {
            let outcome = probe("exec", small());
            match outcome {
                Err(Failure::Crashed) => Ok(()),
                Ok(text) if text.starts_with("Err(") => Ok(()),
                other => Err(format!("{other:?}").into()),
            }
        }),
        Trial::test("a_jailed_reader_raises_no_limit", || {
            let outcome = probe("raise", small()).map_err(|failure| failure.to_string())?;
            if outcome.starts_with("Err") { Ok(()) } else { Err(outcome.into()) }
        }),
        Trial::test("a_jailed_reader_sees_no_environment", || {
            expect(probe("environment", small()), Ok("0".into()))
        }),
        Trial::test("a_reading_that_never_ends_is_too_slow", || {
            let limits = Limits { processor_time: Duration::from_secs(1), ..small() };
            expect(probe("spin", limits), Err(Failure::TooSlow))?;
            let began = Instant::now();
            let limits = Limits { wall_time: Duration::from_secs(1), ..small() };
            expect(probe("sleep", limits), Err(Failure::TooSlow))?;
            // long before it would have ended by itself
            expect(began.elapsed() < Duration::from_secs(30), true)
        }),
        Trial::test("memory_past_the_limit_is_told_as_such", || {
            expect(probe("allocate", small()), Err(Failure::OutOfMemory))
        }),
        Trial::test("a_full_stack_is_a_damaged_file", || {
            let failure = Failure::Damaged { reason: "its parts are nested too deeply".into() };
            expect(probe("recurse", small()), Err(failure))
        }),
        Trial::test("a_child_that_dies_is_a_crash", || {
            expect(probe("abort", small()), Err(Failure::Crashed))?;
            expect(probe("exit", small()), Err(Failure::Crashed))
        }),
        Trial::test("an_answer_past_its_limit_is_cut_off", || {
            let limits = Limits { answer_bytes: 1 << 20, ..small() };
            expect(probe("flood", limits), Err(Failure::TooLarge { what: Measure::Answer, limit: 1 << 20 }))
        }),
        Trial::test("a_child_that_complains_at_length_does_not_hang", || {
            expect(probe("babble", small()), Ok("said".into()))
        }),
        Trial::test("an_answer_of_another_shape_is_a_crash", || {
            expect(probe("forge", small()), Err(Failure::Crashed))
        }),
        Trial::test("progress_reaches_the_parent", || {
            let mut steps = Vec::new();
            let extractor = child("probe", small());
            run(extractor.extract("order", None, &b"steps"[..], |step| steps.push(step)))
                .map_err(|failure| failure.to_string())?;
            expect(steps.last(), Some(&Progress { done: 3, of: 3 }))
        }),
        Trial::test("a_file_larger_than_allowed_is_not_read_to_its_end", || {
            let limits = Limits { file_bytes: 1 << 20, ..small() };
            let endless = tokio::io::repeat(b'x');
            let outcome = run(child("extract", limits).extract("endless.txt", None, endless, |_| {}));
            expect(outcome.map(|_| ()), Err(Failure::TooLarge { what: Measure::File, limit: 1 << 20 }))
        }),
        Trial::test("a_dropped_reading_leaves_no_process", dropped),
        Trial::test("a_program_that_is_not_there_is_said_to_be_unavailable", || {
            let extractor = Extractor::new("/nowhere/at/all".into(), Vec::new(), small());
            let outcome = run(extractor.extract("a.txt", None, &b"x"[..], |_| {}));
            expect(matches!(outcome, Err(Failure::Unavailable { .. })), true)
        }),
        Trial::test("every_kind_is_read_inside_the_jail", every_kind),
    ]
}

fn dropped() -> Result<(), Failed> {
    let extractor = child("probe", small());
    run(async {
        let reading = extractor.extract("order", None, &b"sleep"[..], |_| {});
        let cut = tokio::time::timeout(Duration::from_millis(500), reading).await;
        expect(cut.is_err(), true)?;
        let began = Instant::now();
        while !children().is_empty() && began.elapsed() < Duration::from_secs(30) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        expect(children(), Vec::<String>::new())
    })
}

/// Living children of this very process; one that has ended may still wait to be asked.
fn children() -> Vec<String> {
    let listed = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    let state = |id: &str| std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    listed.split_whitespace().map(state).filter(|stat| !stat.is_empty() && !stat.contains(") Z")).collect()
}

fn every_kind() -> Result<(), Failed> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let files = [
        ("bericht.pdf", Kind::Pdf),
        ("zh.pdf", Kind::Pdf),
        ("fr.docx", Kind::Docx),
        ("plan.pptx", Kind::Pptx),
        ("ausgaben.xlsx", Kind::Xlsx),
        ("ausgaben.ods", Kind::Ods),
        ("ausgaben.xls", Kind::Xls),
        ("fr.epub", Kind::Epub),
    ];
    for (name, kind) in files {
        let bytes = std::fs::read(data.join(name))?;
        let inside = run(child("extract", Limits::default()).extract(name, None, &bytes[..], |_| {}))
            .map_err(|failure| format!("{name}: {failure}"))?;
        let outside = extract::in_process(name, None, bytes, &Limits::default(), |_| {})?;
        expect(inside.kind, kind)?;
        expect(&inside, &outside)?;
    }
    let code = b"/// Says.\nfn f() {}\n";
    let document = run(child("extract", Limits::default()).extract("a.rs", None, &code[..], |_| {}))?;
    expect(document.sections[0].place.clone(), Place::Lines { from: 1, to: 2, symbol: Some("f".into()) })
}
