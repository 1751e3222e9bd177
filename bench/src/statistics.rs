//! Percentiles of what was measured.

/// Values in the unit of whoever pushed them.
#[derive(Default, Clone)]
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value below which this share of the sample lies; NaN for an empty one.
    pub fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len() as f64 * share) as usize;
        sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }

    pub fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_of_the_sample() {
        let mut sample = Sample::default();
        for value in 1..=100 {
            sample.push(f64::from(value));
        }
        assert_eq!(sample.percentile(0.5), 51.0);
        assert_eq!(sample.percentile(0.99), 100.0);
        assert_eq!(sample.max(), 100.0);
        assert!(Sample::default().percentile(0.5).is_nan());
    }
}
