//! How much a file may cost, and the tally kept while one is read.

use crate::document::{Document, Place, Section};
use crate::failure::{Failure, Measure};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The file itself.
    pub file_bytes: u64,
    /// Everything unpacked from an archive, counted while unpacking.
    pub unpacked_bytes: u64,
    /// Unpacked bytes for each byte of the file; small files may always unpack to 16 MiB.
    pub unpacked_ratio: u64,
    /// Pages of a PDF read; the rest is counted, not read.
    pub pages: u32,
    /// Rows of each sheet or table read; the rest is counted, not read.
    pub rows: u32,
    pub columns: u32,
    /// Pixels of an image that is decoded for its thumbnail.
    pub pixels: u64,
    /// Pixels on the longer side of the copy that a model is shown; 0, and none is made.
    pub legible_side: u32,
    /// Markdown of all sections together.
    pub text_bytes: u64,
    /// What the child may write to its parent.
    pub answer_bytes: u64,
    /// Address space of the child.
    pub memory_bytes: u64,
    /// Rounded up to whole seconds: the kernel counts no finer.
    pub processor_time: Duration,
    pub wall_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 100 << 20,
            unpacked_bytes: 256 << 20,
            unpacked_ratio: 200,
            pages: 2_000,
            rows: 5_000,
            columns: 256,
            pixels: 50_000_000,
            legible_side: 0,
            text_bytes: 32 << 20,
            answer_bytes: 64 << 20,
            memory_bytes: 1 << 30,
            processor_time: Duration::from_secs(60),
            wall_time: Duration::from_secs(120),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub done: u32,
    pub of: u32,
}

/// One reading under its limits.
pub(crate) struct Reading<'a> {
    pub limits: &'a Limits,
    /// How many files this one is attached in.
    pub depth: u8,
    progress: &'a mut dyn FnMut(Progress),
    text_bytes: u64,
    began: Instant,
    worked: Duration,
}

/// Of this thread: a machine that is busy with other things takes nothing from a reading.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

impl<'a> Reading<'a> {
    pub fn new(limits: &'a Limits, progress: &'a mut dyn FnMut(Progress)) -> Self {
        Self { limits, depth: 0, progress, text_bytes: 0, began: Instant::now(), worked: processor_time() }
    }

    pub fn done(&mut self, done: u32, of: u32) {
        (self.progress)(Progress { done, of });
    }

    /// Whether to stop and keep what was read, while there is still time to hand it over.
    pub fn is_late(&self) -> bool {
        const SHARE: f32 = 0.7;
        self.began.elapsed() > self.limits.wall_time.mul_f32(SHARE)
            || processor_time().saturating_sub(self.worked) > self.limits.processor_time.mul_f32(SHARE)
    }

    /// Adds a section unless it is blank. Null characters go: Postgres takes none in text or JSON.
    pub fn section(
        &mut self,
        document: &mut Document,
        place: Place,
        markdown: impl Into<String>,
    ) -> Result<(), Failure> {
        let mut markdown: String = markdown.into();
        if markdown.contains('\0') {
            markdown = markdown.replace('\0', "");
        }
        if markdown.trim().is_empty() {
            return Ok(());
        }
        self.text_bytes += markdown.len() as u64;
        if self.text_bytes > self.limits.text_bytes {
            return Err(Failure::TooLarge { what: Measure::Text, limit: self.limits.text_bytes });
        }
        document.sections.push(Section { place, markdown });
        Ok(())
    }
}
