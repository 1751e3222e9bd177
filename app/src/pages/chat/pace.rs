//! How fast received text appears: steadily, at the pace of reading, however it was bundled on the way,
//! and never far behind what has arrived. No clock of its own.

/// What is shown is at most about this far behind what has arrived.
const AIM_MS: f64 = 170.0;
/// Below this rate words seem to stall: 50 characters a second.
const SLOWEST_BYTES_PER_MS: f64 = 0.05;
/// How quickly the rate follows a change.
const ADAPTS_WITHIN_MS: f64 = 120.0;
/// A frame that took longer (another tab, a busy page) is not made up for in one jump of the clock.
const LONGEST_FRAME_MS: f64 = 100.0;

#[derive(Debug, Default)]
pub struct Pace {
    /// Bytes a millisecond.
    rate: f64,
    /// Of a byte, left over from the last frame.
    rest: f64,
}

impl Pace {
    /// How many of the `backlog` bytes that are not shown yet should be shown after this frame.
    pub fn step(&mut self, backlog: usize, elapsed_ms: f64) -> usize {
        if backlog == 0 {
            self.rest = 0.0;
            return 0;
        }
        let elapsed = elapsed_ms.clamp(0.0, LONGEST_FRAME_MS);
        let wanted = backlog as f64 / AIM_MS;
        self.rate += (wanted - self.rate) * (elapsed / ADAPTS_WITHIN_MS).min(1.0);
        // Never so slow that the end would be late.
        let rate = self.rate.max(wanted / 1.6).max(SLOWEST_BYTES_PER_MS);
        let due = rate * elapsed + self.rest;
        let whole = due.floor();
        self.rest = due - whole;
        (whole as usize).min(backlog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows bundles of `size` bytes every `every` frames of 16 ms, and measures.
    fn run(size: usize, every: usize, frames: usize) -> (f64, usize) {
        let mut pace = Pace::default();
        let (mut arrived, mut shown) = (Vec::new(), 0);
        let (mut worst_lag, mut worst_step, mut total) = (0.0f64, 0, 0);
        for frame in 0..frames {
            let now = frame as f64 * 16.0;
            if frame % every == 0 && frame + 60 < frames {
                total += size;
                arrived.push((total, now));
            }
            let step = pace.step(total - shown, 16.0);
            shown += step;
            worst_step = worst_step.max(step);
            while arrived.first().is_some_and(|(end, _)| *end <= shown) {
                worst_lag = worst_lag.max(now - arrived.remove(0).1);
            }
        }
        assert_eq!(shown, total, "everything is shown in the end");
        (worst_lag, worst_step)
    }

    #[test]
    fn no_bundle_is_shown_in_one_jump_and_none_late() {
        for (size, every) in [(60, 6), (12, 2), (200, 12), (4, 1)] {
            let (lag, step) = run(size, every, 600);
            assert!(lag < 400.0, "{size} bytes every {every} frames: {lag} ms late");
            assert!(step < size.max(12), "{size} bytes every {every} frames: {step} at once");
        }
    }

    #[test]
    fn a_flood_is_shown_as_it_comes() {
        let (lag, _) = run(20_000, 6, 600);
        assert!(lag < 400.0, "{lag}");
    }
}
