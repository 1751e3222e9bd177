//! all-MiniLM-L6-v2 on this machine's processors: 384 numbers a text, English above all, a window of
//! 256 tokens. It calculates on threads of its own and sends nothing anywhere.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokenizers::Tokenizer;

use crate::bert::{Bert, WIDTH};
use crate::lanes::Lanes;
use crate::weights::{TOKENIZER, WEIGHTS, read, unusable};
use crate::words::KnownWords;
use crate::{Embedder, EmbeddingError, ModelId, Purpose};

/// What the model was trained to read, with the two tokens that begin and end each text.
const WINDOW: usize = 256;
/// No text needs more characters to fill the window: a token stands for at most a hundred, and only
/// where there is nothing to understand.
const WINDOW_CHARS: usize = WINDOW * 100;
/// Tokens of one job. Larger batches are hardly quicker, and a query waits for the one under way.
const BATCH_TOKENS: usize = 256;
/// Texts that one job cuts into tokens.
const BATCH_TEXTS: usize = 8;
/// Provisional: paraphrases score above it, sentences of the same subject around it, others below.
const THRESHOLD: f32 = 0.35;

/// Loaded weights and the threads that use them. Share it; a second one costs 90 MB more.
pub struct MiniLm {
    id: ModelId,
    model: Arc<Model>,
    lanes: Lanes,
}

struct Model {
    tokenizer: Tokenizer,
    known_words: KnownWords,
    bert: Bert,
}

impl MiniLm {
    /// Reads `model.safetensors` (single or half precision) and `tokenizer.json` from the folder.
    /// Takes a fraction of a second of calculation: call it off tokio's workers.
    pub fn load(folder: &Path, threads: NonZeroUsize) -> Result<Self, EmbeddingError> {
        let model = Arc::new(Model::load(folder)?);
        Ok(Self { id: ModelId::new("minilm-l6-v2"), model, lanes: Lanes::start(threads)? })
    }

    /// Half of the processors, and at least one: the rest is for answering people.
    pub fn default_threads() -> NonZeroUsize {
        let all = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        NonZeroUsize::new(all / 2).unwrap_or(NonZeroUsize::MIN)
    }

    async fn tokens(&self, texts: Vec<String>, purpose: Purpose) -> Result<Vec<Vec<u32>>, EmbeddingError> {
        let mut texts = texts.into_iter();
        let mut jobs = Vec::new();
        loop {
            let some: Vec<String> = texts.by_ref().take(BATCH_TEXTS).collect();
            if some.is_empty() {
                break;
            }
            let model = Arc::clone(&self.model);
            jobs.push(
                self.lanes.submit(purpose, move || some.iter().map(|text| model.tokens(text)).collect()),
            );
        }
        let mut all = Vec::new();
        for job in jobs {
            let some: Vec<Vec<u32>> = job.outcome().await?;
            all.extend(some);
        }
        Ok(all)
    }
}

#[async_trait]
impl Embedder for MiniLm {
    fn model(&self) -> &ModelId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        WIDTH
    }

    fn threshold(&self) -> f32 {
        THRESHOLD
    }

    async fn embed(&self, texts: Vec<String>, purpose: Purpose) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        let sequences = self.tokens(texts, purpose).await?;
        let mut jobs = Vec::new();
        for batch in batches(sequences) {
            let model = Arc::clone(&self.model);
            jobs.push(self.lanes.submit(purpose, move || {
                model.bert.embed(&batch).map_err(|error| EmbeddingError::Calculation(error.to_string()))
            }));
        }
        let mut vectors = Vec::new();
        for job in jobs {
            vectors.extend(job.outcome().await?);
        }
        Ok(vectors)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.model.known_words.count(text, |word| self.model.count_word(word))
    }
}

impl Model {
    fn load(folder: &Path) -> Result<Self, EmbeddingError> {
        let path = folder.join(TOKENIZER);
        let mut tokenizer = Tokenizer::from_bytes(read(&path)?).map_err(unusable(&path))?;
        // The file pads every text to one length and cuts it at half of the window.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(unusable(&path))?;
        // A text that speaks of `[SEP]` means the word, not the end.
        tokenizer.set_encode_special_tokens(true);
        let path = folder.join(WEIGHTS);
        let bert = Bert::read(read(&path)?).map_err(unusable(&path))?;
        Ok(Self { tokenizer, known_words: KnownWords::default(), bert })
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, EmbeddingError> {
        let text = text.trim_start();
        let end = text.char_indices().nth(WINDOW_CHARS).map_or(text.len(), |(end, _)| end);
        let encoding = self
            .tokenizer
            .encode_fast(&text[..end], true)
            .map_err(|error| EmbeddingError::Calculation(error.to_string()))?;
        let mut tokens = encoding.get_ids().to_vec();
        if let (true, Some(last)) = (tokens.len() > WINDOW, tokens.last().copied()) {
            tokens.truncate(WINDOW - 1);
            tokens.push(last);
        }
        Ok(tokens)
    }

    /// A word that the tokenizer cannot cut (it knows none) counts as one.
    fn count_word(&self, word: &str) -> usize {
        self.tokenizer.encode_fast(word, false).map_or(1, |encoding| encoding.len())
    }
}

/// Sequences in their order, as many together as a job may hold; at least one.
fn batches(sequences: Vec<Vec<u32>>) -> Vec<Vec<Vec<u32>>> {
    let mut batches: Vec<Vec<Vec<u32>>> = Vec::new();
    let mut tokens = BATCH_TOKENS;
    for sequence in sequences {
        tokens += sequence.len();
        match batches.last_mut() {
            Some(batch) if tokens <= BATCH_TOKENS => batch.push(sequence),
            _ => {
                tokens = sequence.len();
                batches.push(vec![sequence]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_the_order_and_stay_small() {
        let sequences: Vec<Vec<u32>> = [100, 100, 100, 10, 600, 1].map(|length| vec![7; length]).to_vec();
        let batches = batches(sequences.clone());
        let lengths: Vec<Vec<usize>> = batches.iter().map(|b| b.iter().map(Vec::len).collect()).collect();
        assert_eq!(lengths, [vec![100, 100], vec![100, 10], vec![600], vec![1]]);
        assert_eq!(batches.concat(), sequences);
    }
}
