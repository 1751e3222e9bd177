//! Courtesy to hosts: one visit at a time to each, and a pause between two. It must never make a
//! person wait longer than it says.

use crate::Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};
use tokio::time::Instant;

/// From this many hosts on, those that nobody visits are forgotten.
const MANY_HOSTS: usize = 1000;

type Line = Arc<Queue<LastVisit>>;

#[derive(Debug)]
pub(crate) struct Pace {
    pause: Duration,
    longest_wait: Duration,
    lines: Mutex<HashMap<String, Line>>,
}

#[derive(Debug, Default)]
struct LastVisit(Option<Instant>);

/// The right to visit a host; the pause begins when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(OwnedMutexGuard<LastVisit>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0 = Some(Instant::now());
    }
}

impl Pace {
    pub fn new(pause: Duration, longest_wait: Duration) -> Self {
        Self { pause, longest_wait, lines: Mutex::default() }
    }

    pub async fn turn(&self, host: &str) -> Result<Turn, Error> {
        let line = self.line(host);
        let wait = async {
            let last = line.lock_owned().await;
            if let Some(ended) = last.0 {
                tokio::time::sleep_until(ended + self.pause).await;
            }
            Turn(last)
        };
        tokio::time::timeout(self.longest_wait, wait).await.map_err(|_| Error::Queue(host.to_owned()))
    }

    fn line(&self, host: &str) -> Line {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= MANY_HOSTS && !lines.contains_key(host) {
            let pause = self.pause;
            lines.retain(|_, line| {
                Arc::strong_count(line) > 1
                    || line.try_lock().is_ok_and(|last| last.0.is_some_and(|ended| ended.elapsed() < pause))
            });
        }
        Arc::clone(lines.entry(host.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Arc<Pace> {
        Arc::new(Pace::new(Duration::from_secs(1), Duration::from_secs(10)))
    }

    #[tokio::test(start_paused = true)]
    async fn visits_to_a_host_come_one_at_a_time_and_a_second_apart() {
        let pace = pace();
        let began = Instant::now();
        let visits = (0..4).map(|_| {
            let pace = Arc::clone(&pace);
            tokio::spawn(async move {
                let turn = pace.turn("a.example").await.unwrap();
                let start = began.elapsed();
                tokio::time::sleep(Duration::from_secs(2)).await;
                drop(turn);
                start.as_secs()
            })
        });
        let mut starts = Vec::new();
        for visit in visits.collect::<Vec<_>>() {
            starts.push(visit.await.unwrap());
        }
        starts.sort_unstable();
        assert_eq!(starts, [0, 3, 6, 9]);
    }

    #[tokio::test(start_paused = true)]
    async fn another_host_does_not_wait() {
        let pace = pace();
        let _held = pace.turn("a.example").await.unwrap();
        let began = Instant::now();
        pace.turn("b.example").await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_longer_than_ten_seconds_is_told_so() {
        let pace = pace();
        let _held = pace.turn("a.example").await.unwrap();
        let began = Instant::now();
        assert_eq!(pace.turn("a.example").await.unwrap_err(), Error::Queue("a.example".to_owned()));
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_that_nobody_visits_are_forgotten() {
        let pace = pace();
        let _held = pace.turn("held.example").await.unwrap();
        for host in 0..MANY_HOSTS {
            pace.turn(&format!("{host}.example")).await.unwrap();
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        pace.turn("another.example").await.unwrap();
        let lines = pace.lines.lock().unwrap();
        assert!(lines.len() < 5, "{}", lines.len());
        assert!(lines.contains_key("held.example"));
    }
}
