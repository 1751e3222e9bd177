//! Files on their way to the server, at most three at a time: small ones whole, large ones in parts. What
//! the network takes away is sent again, and no more of it than is missing on the server. Only as long as
//! the page is there; it must never hold a file's bytes in the app's memory.

use leptos::prelude::*;
use shared::file::FileSummary;

/// A file on its way, as it is shown.
#[derive(Clone)]
pub struct Job {
    pub number: u64,
    pub name: String,
    /// Names of folders joined by `/`.
    pub folder: String,
    /// In bytes.
    pub size: u64,
    /// In bytes; what the server has for certain.
    pub sent: ArcRwSignal<u64>,
    pub stage: ArcRwSignal<Stage>,
}

impl Job {
    /// In hundredths of the whole.
    pub fn percent(&self) -> u64 {
        self.sent.get().saturating_mul(100).checked_div(self.size).unwrap_or(0).min(100)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Others go first.
    Queued,
    Sending,
    /// For the network or the server; goes on by itself.
    Waiting,
    Paused,
    /// Why, for a person.
    Failed(String),
}

/// The files on their way. Given as context.
#[derive(Clone, Copy)]
pub struct Uploads {
    /// In the order in which they were chosen. Who has arrived is gone from here.
    pub jobs: RwSignal<Vec<Job>>,
    /// How many of those that were on their way together have arrived.
    pub arrived: RwSignal<usize>,
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code))]
    on_arrival: Callback<FileSummary>,
}

pub fn use_uploads() -> Uploads {
    expect_context::<Uploads>()
}

impl Uploads {
    /// `on_arrival` is told of every file that is there.
    pub fn provide(on_arrival: impl Fn(FileSummary) + Send + Sync + 'static) -> Self {
        let uploads = Self {
            jobs: RwSignal::new(Vec::new()),
            arrived: RwSignal::new(0),
            on_arrival: Callback::new(on_arrival),
        };
        provide_context(uploads);
        #[cfg(feature = "hydrate")]
        browser::follow(uploads);
        uploads
    }

    pub fn pause(self, number: u64) {
        #[cfg(feature = "hydrate")]
        browser::pause(self, number);
        #[cfg(not(feature = "hydrate"))]
        let _ = number;
    }

    /// Goes on with what was paused or has failed.
    pub fn resume(self, number: u64) {
        #[cfg(feature = "hydrate")]
        browser::resume(self, number);
        #[cfg(not(feature = "hydrate"))]
        let _ = number;
    }

    /// Forgets a file, here and on the server.
    pub fn cancel(self, number: u64) {
        #[cfg(feature = "hydrate")]
        browser::cancel(self, number);
        #[cfg(not(feature = "hydrate"))]
        let _ = number;
    }

    /// Whether leaving the page would lose something.
    pub fn is_busy(self) -> bool {
        self.jobs.with(|jobs| jobs.iter().any(|job| !matches!(job.stage.get(), Stage::Failed(_))))
    }
}

#[cfg(feature = "hydrate")]
pub use browser::Chosen;

#[cfg(feature = "hydrate")]
mod browser {
    use super::{Job, Stage, Uploads};
    use crate::client::api::{self, Method};
    use crate::client::socket::{Connection, use_socket};
    use futures::channel::oneshot;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use serde::de::IgnoredAny;
    use shared::file::{BeginUpload, FileSummary, PART_SIZE, Upload};
    use shared::{ErrorCode, Problem, UploadId};
    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;
    use std::rc::Rc;
    use std::time::Duration;
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{AbortController, AbortSignal, Blob, File};

    /// How many are sent at once.
    const AT_ONCE: usize = 3;
    const SHORTEST_REST: Duration = Duration::from_secs(1);
    /// Rests double up to 32 times the shortest.
    const MOST_DOUBLINGS: u32 = 5;

    thread_local! {
        static TASKS: RefCell<HashMap<u64, Rc<Task>>> = RefCell::new(HashMap::new());
        static NEXT: Cell<u64> = const { Cell::new(0) };
        /// Who rests after a failure, to be woken.
        static RESTING: RefCell<Vec<Rest>> = const { RefCell::new(Vec::new()) };
    }

    type Rest = Rc<RefCell<Option<oneshot::Sender<()>>>>;

    /// A file that somebody chose, and the folder it goes into.
    pub struct Chosen {
        pub file: File,
        pub folder: String,
    }

    /// What it takes to send a file.
    struct Task {
        job: Job,
        file: File,
        /// Of a file in parts, once the server knows of it.
        upload: Cell<Option<UploadId>>,
        /// Ends the sending that is under way.
        stop: RefCell<Option<AbortController>>,
    }

    /// Sends on when the line is back, and warns who leaves.
    pub fn follow(uploads: Uploads) {
        let connection = use_socket().connection;
        Effect::new(move |_| {
            if connection.with(|connection| *connection == Connection::Online) {
                wake_all();
            }
        });
        Effect::new(move |_| {
            let leaving = window_event_listener(leptos::ev::beforeunload, move |event| {
                if untrack(|| uploads.is_busy()) {
                    event.prevent_default();
                }
            });
            on_cleanup(move || leaving.remove());
        });
    }

    impl Uploads {
        /// Puts files at the end of the queue.
        pub fn add(self, chosen: Vec<Chosen>) {
            let tasks = chosen.into_iter().map(|one| {
                let number = NEXT.replace(NEXT.get() + 1);
                let job = Job {
                    number,
                    name: one.file.name(),
                    folder: one.folder,
                    size: one.file.size() as u64,
                    sent: ArcRwSignal::new(0),
                    stage: ArcRwSignal::new(Stage::Queued),
                };
                Rc::new(Task { job, file: one.file, upload: Cell::new(None), stop: RefCell::new(None) })
            });
            let tasks: Vec<Rc<Task>> = tasks.collect();
            if self.jobs.with_untracked(Vec::is_empty) {
                self.arrived.set(0);
            }
            self.jobs.update(|jobs| jobs.extend(tasks.iter().map(|task| task.job.clone())));
            TASKS.with_borrow_mut(|all| all.extend(tasks.into_iter().map(|task| (task.job.number, task))));
            self.fill();
        }

        fn take_off(self, number: u64) {
            self.jobs.update(|jobs| jobs.retain(|job| job.number != number));
        }

        /// Begins with those whose turn it is.
        fn fill(self) {
            let stages = |wanted: fn(&Stage) -> bool| {
                self.jobs.with_untracked(|jobs| {
                    let found = jobs.iter().filter(|job| job.stage.with_untracked(wanted));
                    found.map(|job| job.number).collect::<Vec<u64>>()
                })
            };
            let under_way = stages(|stage| matches!(stage, Stage::Sending | Stage::Waiting)).len();
            let queued = stages(|stage| *stage == Stage::Queued);
            for task in queued.into_iter().take(AT_ONCE.saturating_sub(under_way)).filter_map(task) {
                self.start(task);
            }
        }

        fn start(self, task: Rc<Task>) {
            let stop = match AbortController::new() {
                Ok(stop) => stop,
                Err(cause) => return leptos::logging::error!("nothing can be sent: {cause:?}"),
            };
            let signal = stop.signal();
            task.stop.replace(Some(stop));
            task.job.stage.set(Stage::Sending);
            spawn_local(async move {
                let outcome = task.send(&signal).await;
                // who was stopped has been told what it is now
                if signal.aborted() {
                    return;
                }
                match outcome {
                    Ok(file) => {
                        TASKS.with_borrow_mut(|all| all.remove(&task.job.number));
                        self.arrived.update(|arrived| *arrived += 1);
                        self.on_arrival.run(file);
                        self.take_off(task.job.number);
                    }
                    Err(problem) => task.job.stage.set(Stage::Failed(problem.error)),
                }
                self.fill();
            });
        }
    }

    pub fn pause(uploads: Uploads, number: u64) {
        if let Some(task) = task(number) {
            task.job.stage.set(Stage::Paused);
            task.end();
            uploads.fill();
        }
    }

    pub fn resume(uploads: Uploads, number: u64) {
        if let Some(task) = task(number) {
            task.job.stage.set(Stage::Queued);
            uploads.fill();
        }
    }

    pub fn cancel(uploads: Uploads, number: u64) {
        let Some(task) = TASKS.with_borrow_mut(|all| all.remove(&number)) else { return };
        task.end();
        uploads.take_off(number);
        if let Some(id) = task.upload.get() {
            spawn_local(async move {
                // the server forgets it by itself after some days
                if let Err(problem) = api::delete::<IgnoredAny>(format!("/uploads/{id}")).await {
                    leptos::logging::warn!("an upload was not withdrawn: {problem}");
                }
            });
        }
        uploads.fill();
    }

    fn task(number: u64) -> Option<Rc<Task>> {
        TASKS.with_borrow(|all| all.get(&number).cloned())
    }

    impl Task {
        fn end(&self) {
            if let Some(stop) = self.stop.take() {
                stop.abort();
            }
            wake_all();
        }

        /// Sends until all is there, or something happens that waiting does not mend.
        async fn send(&self, signal: &AbortSignal) -> Result<FileSummary, Problem> {
            let failures = Cell::new(0);
            loop {
                let problem = match self.go_on(signal, &failures).await {
                    Err(problem) if is_passing(&problem) && !signal.aborted() => problem,
                    outcome => return outcome,
                };
                // a file that is gone from the disk looks like a network that is gone
                if !self.is_readable().await {
                    return Err(unreadable());
                }
                if signal.aborted() {
                    return Err(problem);
                }
                self.job.stage.set(Stage::Waiting);
                rest(failures.replace(failures.get() + 1)).await;
                if signal.aborted() {
                    return Err(problem);
                }
                self.job.stage.set(Stage::Sending);
            }
        }

        async fn go_on(&self, signal: &AbortSignal, failures: &Cell<u32>) -> Result<FileSummary, Problem> {
            let (name, folder) = (api::encode(&self.job.name), api::encode(&self.job.folder));
            if self.job.size <= PART_SIZE {
                let path = format!("/files?name={name}&folder={folder}");
                return api::send_blob(Method::Post, &path, &self.file, signal).await;
            }
            let upload = self.opened().await?;
            if let Some(file) = upload.file {
                return Ok(file);
            }
            let parts = u32::try_from(upload.size.div_ceil(upload.part_size)).unwrap_or(u32::MAX);
            let length = |number: u32| {
                upload.part_size.min(upload.size.saturating_sub(u64::from(number) * upload.part_size))
            };
            self.job.sent.set(upload.received.iter().map(|number| length(*number)).sum());
            for number in (0..parts).filter(|number| !upload.received.contains(number)) {
                if signal.aborted() {
                    return Err(unreadable());
                }
                let start = u64::from(number) * upload.part_size;
                let part = self.slice(start, start + length(number))?;
                let path = format!("/uploads/{}/parts/{number}", upload.id);
                api::send_blob::<IgnoredAny>(Method::Put, &path, &part, signal).await?;
                failures.set(0);
                self.job.sent.update(|sent| *sent += length(number));
            }
            api::act(Method::Post, format!("/uploads/{}/complete", upload.id)).await
        }

        /// What the server has of it; from the beginning when it has nothing.
        async fn opened(&self) -> Result<Upload, Problem> {
            if let Some(id) = self.upload.get() {
                match api::get::<Upload>(format!("/uploads/{id}")).await {
                    Err(problem) if problem.error_code == ErrorCode::NotFound => self.upload.set(None),
                    found => return found,
                }
            }
            let wish = BeginUpload {
                name: self.job.name.clone(),
                folder: self.job.folder.clone(),
                size: self.job.size,
                sha256: None,
            };
            let upload: Upload = api::send(Method::Post, "/uploads", &wish).await?;
            self.upload.set(Some(upload.id));
            Ok(upload)
        }

        fn slice(&self, start: u64, end: u64) -> Result<Blob, Problem> {
            self.file.slice_with_f64_and_f64(start as f64, end as f64).map_err(|_| unreadable())
        }

        async fn is_readable(&self) -> bool {
            match self.file.slice_with_f64_and_f64(0.0, 1.0) {
                Ok(first) => JsFuture::from(first.array_buffer()).await.is_ok(),
                Err(_) => false,
            }
        }
    }

    fn unreadable() -> Problem {
        let text =
            "This file cannot be read any more: it was moved, changed or is a folder. Choose it again.";
        Problem::new(ErrorCode::InvalidInput, text)
    }

    /// Whether waiting mends it.
    fn is_passing(problem: &Problem) -> bool {
        matches!(
            problem.error_code,
            ErrorCode::Offline
                | ErrorCode::RateLimited
                | ErrorCode::DatabaseUnavailable
                | ErrorCode::ShuttingDown
                | ErrorCode::Timeout
        )
    }

    /// Twice as long after each failure, a little more or less so that not all come at once; shorter when
    /// the line comes back.
    async fn rest(failures: u32) {
        let (wake, woken) = oneshot::channel();
        let resting: Rest = Rc::new(RefCell::new(Some(wake)));
        RESTING.with_borrow_mut(|all| {
            all.retain(|other| other.borrow().is_some());
            all.push(resting.clone());
        });
        let rest = SHORTEST_REST * 2_u32.pow(failures.min(MOST_DOUBLINGS));
        let rest = rest.mul_f64(0.75 + js_sys::Math::random() / 2.0);
        set_timeout(move || drop(resting.take()), rest);
        // being dropped is being woken
        let _ = woken.await;
    }

    fn wake_all() {
        for resting in RESTING.take() {
            drop(resting.take());
        }
    }
}
