//! What the child gives up before it reads a byte of the file, in two steps: everything that needs no
//! numbers first, then the limits of this one reading, after which no limit can be raised again.
//!
//! Landlock takes files and network away, seccomp every system call but those of computing, memory,
//! threads and the three standard descriptors. Descriptors inherited by accident cannot be read,
//! written or mapped. Nothing here may look at the file.

use crate::limits::Limits;
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// How much of the jail this kernel gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    Full,
    Partial(String),
}

/// For parsers that recurse; it counts as address space only as far as it is reserved.
pub(crate) const STACK_BYTES: usize = 64 << 20;

#[cfg(not(target_os = "linux"))]
mod kernel {
    pub fn close() -> Vec<String> {
        vec!["landlock and seccomp exist on Linux only".into()]
    }

    pub fn seal() -> Vec<String> {
        Vec::new()
    }
}

#[cfg(target_os = "linux")]
#[path = "jail/linux.rs"]
mod kernel;

/// The first step. Must come before other threads exist: a thread outside is a way out.
pub(crate) fn close() -> Sandbox {
    let mut missing = Vec::new();
    if let Ok(threads) = std::fs::read_dir("/proc/self/task")
        && threads.count() > 1
    {
        missing.push("other threads were running already".to_owned());
    }
    missing.extend(limit(Resource::Core, 0));
    missing.extend(limit(Resource::Fsize, 0));
    missing.extend(kernel::close());
    missing.extend(limit(Resource::Nofile, 16));
    told(missing)
}

/// The second step.
pub(crate) fn seal(limits: &Limits) -> Sandbox {
    let seconds = limits.processor_time.as_secs() + u64::from(limits.processor_time.subsec_nanos() > 0);
    let mut missing = Vec::new();
    missing.extend(limit(Resource::As, limits.memory_bytes));
    missing.extend(limit(Resource::Data, limits.memory_bytes));
    missing.extend(limit(Resource::Cpu, seconds.max(1)));
    missing.extend(kernel::seal());
    told(missing)
}

impl Sandbox {
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Full, other) => other,
            (partial, Self::Full) => partial,
            (Self::Partial(one), Self::Partial(other)) => Self::Partial(format!("{one}; {other}")),
        }
    }
}

fn told(missing: Vec<String>) -> Sandbox {
    if missing.is_empty() { Sandbox::Full } else { Sandbox::Partial(missing.join("; ")) }
}

fn limit(resource: Resource, most: u64) -> Option<String> {
    // At its last second of processor time a process is killed without a word; the one before says why.
    let maximum = if resource == Resource::Cpu { most + 1 } else { most };
    let both = Rlimit { current: Some(most), maximum: Some(maximum) };
    let error = setrlimit(resource, both).err()?;
    Some(format!("the limit {resource:?} could not be set: {error}"))
}
