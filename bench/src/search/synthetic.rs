//! Passages that nobody wrote: vectors in clusters, as those of texts are, and words as often as words are. The
//! same seed gives the same passages.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

pub const DIMENSIONS: usize = 384;
/// Subjects that people write about; everybody writes about all of them.
const CLUSTERS: usize = 400;
/// Directions in which passages of one subject differ: real texts differ in few.
const DIRECTIONS: usize = 24;
const VOCABULARY: usize = 60_000;
const WORDS: usize = 40;
/// The first words by rank are those that nobody searches for; the next is in 7 of 100 texts.
const COMMON: usize = 50;

pub struct Synthetic {
    random: StdRng,
    centres: Vec<Vec<f32>>,
    directions: Vec<Vec<f32>>,
}

impl Synthetic {
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut many = |count: usize| (0..count).map(|_| gaussian(&mut random, DIMENSIONS)).collect();
        let (centres, directions) = (many(CLUSTERS), many(DIRECTIONS));
        Self { random, centres, directions }
    }

    /// A vector of some subject: the subject, what is particular along few directions, and a little noise.
    pub fn vector(&mut self) -> Vec<f32> {
        let mut vector = self.centres[self.random.random_range(0..CLUSTERS)].clone();
        for at in 0..DIRECTIONS {
            let much = normal(&mut self.random) * 0.2;
            add(&mut vector, &self.directions[at], much);
        }
        self.blur(&mut vector, 0.3);
        vector
    }

    /// Something near a vector, as a question is near its answer.
    pub fn near(&mut self, vector: &[f32]) -> Vec<f32> {
        let mut near = vector.to_vec();
        self.blur(&mut near, 0.5);
        near
    }

    fn blur(&mut self, vector: &mut [f32], much: f32) {
        for number in vector {
            *number += normal(&mut self.random) * much;
        }
    }

    /// Words as often as their rank says (Zipf).
    pub fn text(&mut self) -> String {
        let words: Vec<String> = (0..WORDS).map(|_| word(self.rank())).collect();
        words.join(" ")
    }

    /// As the words that a search leaves out: one of these is in every text.
    pub fn is_common(written: &str) -> bool {
        (1..COMMON).any(|rank| word(rank) == written)
    }

    fn rank(&mut self) -> usize {
        (VOCABULARY as f64).powf(self.random.random::<f64>()) as usize
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.random.random_range(0..limit.max(1))
    }
}

/// The word of a rank, of syllables, so that as many words share a beginning as words do.
fn word(rank: usize) -> String {
    const FIRST: [&str; 20] = [
        "b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "st", "tr", "pl", "gr",
        "sh",
    ];
    const THEN: [&str; 12] = ["a", "e", "i", "o", "u", "al", "en", "ir", "or", "um", "ai", "ou"];
    // Neighbours in rank are no neighbours in letters.
    let mut rest = rank.wrapping_mul(2_654_435_761) % 16_777_216;
    let mut word = String::new();
    for _ in 0..3 {
        word.push_str(FIRST[rest % FIRST.len()]);
        rest /= FIRST.len();
        word.push_str(THEN[rest % THEN.len()]);
        rest /= THEN.len();
    }
    word
}

fn add(to: &mut [f32], what: &[f32], much: f32) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += what * much;
    }
}

fn gaussian(random: &mut StdRng, length: usize) -> Vec<f32> {
    (0..length).map(|_| normal(random)).collect()
}

/// Nearly normal, and cheap: a hundred million of them are needed.
fn normal(random: &mut StdRng) -> f32 {
    let bits: u64 = random.random();
    let parts = [bits & 0xffff, (bits >> 16) & 0xffff, (bits >> 32) & 0xffff, bits >> 48];
    let sum: f32 = parts.into_iter().map(|part| part as f32 / 65_536.0).sum();
    (sum - 2.0) * 1.732
}
