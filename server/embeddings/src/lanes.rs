//! The threads that calculate, with two lanes: whatever a person waits for goes before all that is
//! merely to be stored. No thread of tokio's ever calculates, and no job is longer than a batch.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::{EmbeddingError, Purpose};

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Waiting {
    queries: VecDeque<Job>,
    passages: VecDeque<Job>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

/// Ends its threads when dropped, after the jobs that they are at.
pub(crate) struct Lanes {
    shared: Arc<Shared>,
    _threads: Vec<rayon::ThreadPool>,
}

impl Lanes {
    pub(crate) fn start(threads: NonZeroUsize) -> Result<Self, EmbeddingError> {
        let shared = Arc::new(Shared::default());
        let start = |number: usize| {
            // The matrix products divide themselves among the pool that they run in: in a pool of one
            // they stay on its thread, and our threads never wait for each other.
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .thread_name(move |_| format!("embeddings-{number}"))
                // behind everything that somebody waits for; where the system does not let us, it is as before
                .start_handler(|_| {
                    let _ = rustix::process::nice(10);
                })
                .build()
                .map_err(|error| EmbeddingError::NoThread(error.to_string()))?;
            let shared = Arc::clone(&shared);
            pool.spawn(move || shared.work());
            Ok(pool)
        };
        let threads = (0..threads.get()).map(start).collect::<Result<_, EmbeddingError>>()?;
        Ok(Self { shared, _threads: threads })
    }

    /// Does the work on one of the threads.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        purpose: Purpose,
        work: impl FnOnce() -> Result<T, EmbeddingError> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move || {
            if sender.is_closed() {
                return;
            }
            let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
                Err(EmbeddingError::Calculation("it panicked, which the log tells more of".to_owned()))
            });
            if sender.send(outcome).is_err() {
                tracing::trace!("nobody waits for these vectors any more");
            }
        });
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match purpose {
            Purpose::Query => waiting.queries.push_back(job),
            Purpose::Passage => waiting.passages.push_back(job),
        }
        drop(waiting);
        self.shared.more.notify_one();
        Pending(receiver)
    }
}

/// Work on its way. Dropping it takes back what has not begun.
pub(crate) struct Pending<T>(oneshot::Receiver<Result<T, EmbeddingError>>);

impl<T> Pending<T> {
    pub(crate) async fn outcome(self) -> Result<T, EmbeddingError> {
        self.0.await.unwrap_or_else(|_| Err(EmbeddingError::Calculation("it was stopped".to_owned())))
    }
}

impl Shared {
    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(job) = waiting.queries.pop_front().or_else(|| waiting.passages.pop_front()) {
                return Some(job);
            }
            waiting = self.more.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.closed = true;
        // Whoever waits for them learns of it by their senders' end.
        waiting.queries.clear();
        waiting.passages.clear();
        drop(waiting);
        self.shared.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn one() -> Lanes {
        Lanes::start(NonZeroUsize::MIN).unwrap()
    }

    /// Keeps the only thread busy until the sender is dropped.
    fn hold(lanes: &Lanes) -> (mpsc::Sender<()>, Pending<()>) {
        let (release, held) = mpsc::channel::<()>();
        let (started, wait) = mpsc::channel();
        let done = lanes.submit(Purpose::Passage, move || {
            started.send(()).unwrap();
            held.recv().unwrap_err();
            Ok(())
        });
        wait.recv().unwrap();
        (release, done)
    }

    #[tokio::test]
    async fn a_query_goes_before_passages_that_came_first() {
        let lanes = one();
        let (release, first) = hold(&lanes);
        let (order, seen) = mpsc::channel();
        let job = |name: &'static str| {
            let order = order.clone();
            move || {
                order.send(name).unwrap();
                Ok(())
            }
        };
        let passage = lanes.submit(Purpose::Passage, job("passage"));
        let query = lanes.submit(Purpose::Query, job("query"));
        drop(release);
        for done in [first.outcome().await, passage.outcome().await, query.outcome().await] {
            done.unwrap();
        }
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["query", "passage"]);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_not_done() {
        let lanes = one();
        let (release, first) = hold(&lanes);
        let (did, done) = mpsc::channel();
        drop(lanes.submit(Purpose::Passage, move || {
            did.send(()).unwrap();
            Ok(())
        }));
        drop(release);
        first.outcome().await.unwrap();
        lanes.submit(Purpose::Passage, || Ok(())).outcome().await.unwrap();
        assert!(done.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_panic_costs_one_job_and_no_thread() {
        let lanes = one();
        let failed = lanes.submit::<()>(Purpose::Passage, || panic!("on purpose")).outcome().await;
        assert!(matches!(failed, Err(EmbeddingError::Calculation(_))));
        assert_eq!(lanes.submit(Purpose::Query, || Ok(7)).outcome().await.unwrap(), 7);
    }

    #[tokio::test]
    async fn whoever_waits_learns_that_the_lanes_were_closed() {
        let lanes = one();
        let (release, first) = hold(&lanes);
        let never = lanes.submit(Purpose::Passage, || Ok(()));
        drop(lanes);
        assert!(matches!(never.outcome().await, Err(EmbeddingError::Calculation(_))));
        drop(release);
        first.outcome().await.unwrap();
    }
}
