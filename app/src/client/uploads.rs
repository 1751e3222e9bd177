//! Files on their way to the server, at most three at a time: small ones whole, large ones in parts. What
//! the network takes away is sent again, and no more of it than is missing on the server. A page that is loaded
//! again asks for the file again, and goes on. It must never hold a large file's bytes in the app's memory.

#[cfg(feature = "hydrate")]
mod digest;
#[cfg(feature = "hydrate")]
mod known;
#[cfg(feature = "hydrate")]
mod memory;

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
    /// Begun before the page was loaded; goes on when the file is chosen again.
    Missing,
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
    /// How many of those that were chosen last were on the server already.
    pub here: RwSignal<usize>,
    /// The file that arrived last.
    pub newcomer: RwSignal<Option<FileSummary>>,
}

pub fn use_uploads() -> Uploads {
    expect_context::<Uploads>()
}

impl Uploads {
    pub fn provide() -> Self {
        let uploads = Self {
            jobs: RwSignal::new(Vec::new()),
            arrived: RwSignal::new(0),
            here: RwSignal::new(0),
            newcomer: RwSignal::new(None),
        };
        provide_context(uploads);
        uploads
    }

    /// Sends on what was begun, and warns who leaves.
    pub fn listen(self) {
        #[cfg(feature = "hydrate")]
        browser::follow(self);
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
        self.jobs
            .with(|jobs| jobs.iter().any(|job| !matches!(job.stage.get(), Stage::Failed(_) | Stage::Missing)))
    }
}

#[cfg(feature = "hydrate")]
pub use browser::Chosen;

#[cfg(feature = "hydrate")]
mod browser {
    use super::known::{PORTION, WORTH_ASKING, known};
    use super::memory::{self, Remembered};
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
        /// Told when it is there, or that it will not come.
        pub then: Option<Then>,
    }

    pub type Then = Callback<Option<FileSummary>>;

    /// What it takes to send a file.
    struct Task {
        job: Job,
        /// None until it is chosen again.
        file: RefCell<Option<File>>,
        then: RefCell<Option<Then>>,
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
        Effect::new(move |_| spawn_local(uploads.recall()));
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
        /// Puts files at the end of the queue; goes on with those that were begun before, and passes over those
        /// that are on the server already.
        pub fn add(self, chosen: Vec<Chosen>) {
            spawn_local(async move {
                let fresh = self.without_missing(chosen).await;
                if fresh.len() < WORTH_ASKING {
                    return self.queue(fresh);
                }
                let mut here = 0;
                let mut left = fresh.into_iter();
                loop {
                    let portion: Vec<Chosen> = left.by_ref().take(PORTION).collect();
                    if portion.is_empty() {
                        return self.here.set(here);
                    }
                    let before = portion.len();
                    let fresh = self.without_known(portion).await;
                    here += before - fresh.len();
                    self.queue(fresh);
                }
            });
        }

        /// What was begun before the page was loaded, as far as the server still has it.
        async fn recall(self) {
            for remembered in memory::all() {
                match api::get::<Upload>(format!("/uploads/{}", remembered.id)).await {
                    Ok(upload) if upload.file.is_none() => self.miss(remembered, &upload),
                    Err(problem) if problem.error_code != ErrorCode::NotFound => {}
                    _ => memory::forget(remembered.id),
                }
            }
        }

        fn miss(self, remembered: Remembered, upload: &Upload) {
            let number = NEXT.replace(NEXT.get() + 1);
            let job = Job {
                number,
                name: remembered.name,
                folder: remembered.folder,
                size: remembered.size,
                sent: ArcRwSignal::new(received(upload)),
                stage: ArcRwSignal::new(Stage::Missing),
            };
            let task = Task {
                job: job.clone(),
                file: RefCell::new(None),
                then: RefCell::new(None),
                upload: Cell::new(Some(remembered.id)),
                stop: RefCell::new(None),
            };
            TASKS.with_borrow_mut(|all| all.insert(number, Rc::new(task)));
            self.jobs.update(|jobs| jobs.push(job));
        }

        /// Gives back to those that were begun before the files that they miss; the others.
        async fn without_missing(self, chosen: Vec<Chosen>) -> Vec<Chosen> {
            let remembered = memory::all();
            let missing = TASKS.with_borrow(|all| {
                let missing = all.values().filter(|task| task.file.borrow().is_none());
                missing.cloned().collect::<Vec<Rc<Task>>>()
            });
            let mut fresh = Vec::new();
            for one in chosen {
                let mut found = None;
                for task in &missing {
                    let same = remembered.iter().find(|known| Some(known.id) == task.upload.get());
                    if let Some(same) = same
                        && task.file.borrow().is_none()
                        && same.is_of(&one.file).await
                    {
                        found = Some(task);
                        break;
                    }
                }
                match found {
                    Some(task) => {
                        task.file.replace(Some(one.file));
                        task.then.replace(one.then);
                        task.job.stage.set(Stage::Queued);
                    }
                    None => fresh.push(one),
                }
            }
            self.fill();
            fresh
        }

        async fn without_known(self, chosen: Vec<Chosen>) -> Vec<Chosen> {
            let places: Vec<(File, String)> =
                chosen.iter().map(|one| (one.file.clone(), one.folder.clone())).collect();
            let there = match known(&places).await {
                Ok(there) => there,
                // sending says what is wrong
                Err(_) => return chosen,
            };
            let mut left = Vec::new();
            for (one, there) in chosen.into_iter().zip(there) {
                match there {
                    Some(file) => {
                        if let Some(then) = one.then {
                            then.run(Some(file.clone()));
                        }
                        self.newcomer.set(Some(file));
                    }
                    None => left.push(one),
                }
            }
            left
        }

        fn queue(self, chosen: Vec<Chosen>) {
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
                Rc::new(Task {
                    job,
                    file: RefCell::new(Some(one.file)),
                    then: RefCell::new(one.then),
                    upload: Cell::new(None),
                    stop: RefCell::new(None),
                })
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
                        if let Some(id) = task.upload.get() {
                            memory::forget(id);
                        }
                        self.arrived.update(|arrived| *arrived += 1);
                        task.tell(Some(file.clone()));
                        self.newcomer.set(Some(file));
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
        task.tell(None);
        uploads.take_off(number);
        if let Some(id) = task.upload.get() {
            memory::forget(id);
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
        fn tell(&self, file: Option<FileSummary>) {
            if let Some(then) = self.then.take() {
                then.run(file);
            }
        }

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
                let file = self.file()?;
                return api::send_blob(Method::Post, &path, &file, signal).await;
            }
            let upload = self.opened().await?;
            if let Some(file) = upload.file {
                return Ok(file);
            }
            let parts = u32::try_from(upload.size.div_ceil(upload.part_size)).unwrap_or(u32::MAX);
            let length = |number: u32| {
                upload.part_size.min(upload.size.saturating_sub(u64::from(number) * upload.part_size))
            };
            self.job.sent.set(received(&upload));
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
            let file = self.file()?;
            if let Some(beginning) = memory::beginning_of(&file).await {
                let BeginUpload { name, folder, size, .. } = wish;
                memory::remember(Remembered { id: upload.id, name, folder, size, beginning });
            }
            Ok(upload)
        }

        fn file(&self) -> Result<File, Problem> {
            self.file.borrow().clone().ok_or_else(unreadable)
        }

        fn slice(&self, start: u64, end: u64) -> Result<Blob, Problem> {
            self.file()?.slice_with_f64_and_f64(start as f64, end as f64).map_err(|_| unreadable())
        }

        async fn is_readable(&self) -> bool {
            let Ok(file) = self.file() else { return false };
            match file.slice_with_f64_and_f64(0.0, 1.0) {
                Ok(first) => JsFuture::from(first.array_buffer()).await.is_ok(),
                Err(_) => false,
            }
        }
    }

    /// In bytes.
    fn received(upload: &Upload) -> u64 {
        let length = |number: &u32| {
            upload.part_size.min(upload.size.saturating_sub(u64::from(*number) * upload.part_size))
        };
        upload.received.iter().map(length).sum()
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
                | ErrorCode::StorageUnavailable
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
