//! How near is near: models differ widely in the cosines that they give, so each has figures of its own here, found
//! on the labelled pairs in the tests below.
//!
//! `matches` is where texts that bear on one another part from those that do not; it stands for 0.7 on the scale on
//! which similarities are told, which is where larger models have it. `same` is where two statements say one thing.

use embeddings::Embedder;
use shared::memory::USUAL_THRESHOLD;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Nearness {
    pub matches: f32,
    /// Of a message and a memory that helps to answer it. Lower: a question says little of what its answer needs.
    pub helps: f32,
    pub same: f32,
}

impl Nearness {
    /// For models that nobody calibrated: cautious about what is the same.
    #[cfg(test)]
    pub const UNKNOWN: Self = Self { matches: 0.5, helps: 0.35, same: 0.92 };

    const MINILM: Self = Self { matches: 0.38, helps: 0.16, same: 0.8 };

    pub fn of(embedder: &dyn Embedder) -> Self {
        match embedder.model().as_str() {
            "minilm-l6-v2" => Self::MINILM,
            // what the model itself says of passages and queries
            _ => Self { matches: embedder.threshold() + 0.15, helps: embedder.threshold(), same: 0.92 },
        }
    }

    /// A cosine on the scale on which 0.7 is a match: straight lines from 0 to there and from there to 1.
    pub fn similarity(&self, cosine: f32) -> f32 {
        if cosine <= self.matches {
            (cosine / self.matches * USUAL_THRESHOLD).max(0.0)
        } else {
            let above = (cosine - self.matches) / (1.0 - self.matches);
            (USUAL_THRESHOLD + above * (1.0 - USUAL_THRESHOLD)).min(1.0)
        }
    }

    /// The other way round.
    pub fn cosine(&self, similarity: f32) -> f32 {
        if similarity <= USUAL_THRESHOLD {
            similarity / USUAL_THRESHOLD * self.matches
        } else {
            let above = (similarity - USUAL_THRESHOLD) / (1.0 - USUAL_THRESHOLD);
            self.matches + above * (1.0 - self.matches)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::claim::{Relation, relate};
    use super::*;
    use embeddings::{MiniLm, Purpose, weights_folder};
    use std::num::NonZeroUsize;

    #[test]
    fn the_scale_goes_there_and_back() {
        let nearness = Nearness::MINILM;
        for similarity in [0.0, 0.2, 0.7, 0.85, 1.0] {
            assert!((nearness.similarity(nearness.cosine(similarity)) - similarity).abs() < 1e-5);
        }
        assert!((nearness.similarity(nearness.matches) - 0.7).abs() < 1e-6);
        assert_eq!(nearness.similarity(-0.3), 0.0);
    }

    async fn cosines(model: &MiniLm, pairs: &[(&str, &str)]) -> Vec<f32> {
        let texts = pairs.iter().flat_map(|(a, b)| [(*a).to_owned(), (*b).to_owned()]).collect();
        let vectors = model.embed(texts, Purpose::Passage).await.unwrap();
        vectors.chunks(2).map(|pair| pair[0].iter().zip(&pair[1]).map(|(a, b)| a * b).sum()).collect()
    }

    /// The threshold with the best F1 on these, and that F1 at another threshold.
    fn best(near: &[f32], far: &[f32]) -> (f32, f32) {
        (10..=95)
            .map(|percent| percent as f32 / 100.0)
            .map(|threshold| (threshold, f1(near, far, threshold)))
            .fold((0.0, 0.0), |best, now| if now.1 > best.1 { now } else { best })
    }

    fn f1(near: &[f32], far: &[f32], threshold: f32) -> f32 {
        let hits = near.iter().filter(|cosine| **cosine >= threshold).count() as f32;
        let wrong = far.iter().filter(|cosine| **cosine >= threshold).count() as f32;
        2.0 * hits / (hits + wrong + near.len() as f32)
    }

    const MATCHES: &[(&str, &str)] = &[
        ("I live in Lisbon", "My home is in Lisbon"),
        ("I am allergic to peanuts", "Peanuts make me seriously ill"),
        ("Our office closes at six", "The office is open until 6 pm"),
        ("I prefer short answers", "Keep your replies brief, please"),
        ("My daughter starts school in September", "My girl will be a pupil from September on"),
        ("The project is written in Rust", "We use Rust for the project"),
        ("I am learning the piano", "I take piano lessons"),
        ("We go on holiday in July", "Our vacation is in July"),
        ("I do not eat meat", "I am a vegetarian"),
        ("The car needs new tyres", "The vehicle must get new wheels"),
        ("Invoices are paid within 30 days", "We settle bills in thirty days"),
        ("I get up at five every morning", "I am an early riser, awake at 5"),
        ("My doctor told me to avoid salt", "I should eat less salt for my health"),
        ("I studied physics at university", "My degree is in physics"),
        ("The server runs Debian", "Debian is installed on our server"),
        ("I am afraid of flying", "Flying scares me"),
        ("She plays the violin in an orchestra", "She is a violinist in an orchestra"),
        ("The landlord raised the rent", "Our rent went up"),
        ("I want answers in German", "Please reply in German"),
        ("The meeting is every Monday", "We meet on Mondays"),
        ("What do you know about my diet?", "My diet is vegetarian, without milk"),
        ("Which database do we use?", "Our database is Postgres"),
        ("Where did I park the car?", "The car is parked in the garage on Mill Street"),
        ("When is the rent due?", "The rent is due on the first of the month"),
        ("Who is my dentist?", "My dentist is Dr. Almeida on the main square"),
        ("What size are my shoes?", "I wear shoes of size 43"),
        ("Which editor do I like?", "I prefer Helix as my text editor"),
        ("How do I take my coffee?", "I drink coffee black, without sugar"),
        ("What is the name of my cat?", "My cat is called Pixel"),
        ("Which train do I take to work?", "I commute to work by the 7:42 train"),
    ];

    const NO_MATCHES: &[(&str, &str)] = &[
        ("I live in Lisbon", "Peanuts make me seriously ill"),
        ("I am allergic to peanuts", "I take piano lessons"),
        ("Our office closes at six", "My girl will be a pupil from September on"),
        ("I prefer short answers", "The vehicle must get new wheels"),
        ("The project is written in Rust", "We settle bills in thirty days"),
        ("I am learning the piano", "Our rent went up"),
        ("We go on holiday in July", "My degree is in physics"),
        ("I do not eat meat", "Debian is installed on our server"),
        ("I get up at five every morning", "I wear shoes of size 43"),
        ("The landlord raised the rent", "My cat is called Pixel"),
        ("What do you know about my diet?", "Our database is Postgres"),
        ("Which database do we use?", "My dentist is Dr. Almeida on the main square"),
        ("Where did I park the car?", "I drink coffee black, without sugar"),
        ("When is the rent due?", "I prefer Helix as my text editor"),
        ("Who is my dentist?", "The rent is due on the first of the month"),
        ("What size are my shoes?", "My diet is vegetarian, without milk"),
        ("Which editor do I like?", "The car is parked in the garage on Mill Street"),
        ("How do I take my coffee?", "I commute to work by the 7:42 train"),
        ("What is the name of my cat?", "I wear shoes of size 43"),
        // of one subject, and still of no help to one another
        ("I like tea", "I sold my coffee machine"),
        ("The meeting is every Monday", "The shop is closed on Sundays"),
        ("I am afraid of flying", "I collect model aeroplanes"),
        ("She plays the violin in an orchestra", "The concert hall has bad parking"),
        ("I want answers in German", "Germany won the match"),
        ("The server runs Debian", "The waiter was friendly"),
        ("My daughter starts school in September", "The driving school is expensive"),
        ("My doctor told me to avoid salt", "The road was salted in winter"),
        ("I studied physics at university", "The university library closes at nine"),
        ("The car needs new tyres", "The car park is full in the mornings"),
        ("Which train do I take to work?", "I train for a marathon"),
    ];

    /// A message, and a memory that helps to answer it.
    const HELPS: &[(&str, &str)] = &[
        ("What should I cook for dinner tonight?", "I do not eat meat"),
        ("Suggest a restaurant for Saturday", "I like Japanese food best"),
        ("Plan a weekend trip for us", "I am afraid of flying"),
        ("Write a function that parses this file", "I write my programs in Rust"),
        ("What could I give my daughter for her birthday?", "My daughter loves dinosaurs"),
        ("Write an e-mail to my boss", "My manager is called Ines"),
        ("Which shoes should I buy for hiking?", "I wear shoes of size 43"),
        ("How do I deploy the new version?", "We deploy with a script on the Debian server"),
        ("Can you recommend a dessert?", "I am allergic to nuts"),
        ("What is the weather like at home?", "I live in Lisbon"),
        ("Help me plan my training for next month", "I want to run a marathon in May"),
        ("Summarise this article for me", "I prefer short summaries in bullet points"),
        ("Find me a flat", "I can pay at most 900 euros of rent"),
        ("What music could I practise?", "I am learning the piano"),
        ("Draft the invoice for the client", "Invoices are paid within 30 days"),
        ("Set up the database schema", "Our database is Postgres"),
        ("Book something for our holiday", "We go on holiday in July"),
        ("What should I plant on the balcony?", "My balcony faces north and has little sun"),
        ("How should I style this page?", "I like plain design without colours"),
        ("Explain quantum tunnelling to me", "I studied physics at university"),
    ];

    const DOES_NOT_HELP: &[(&str, &str)] = &[
        ("What should I cook for dinner tonight?", "Our database is Postgres"),
        ("Suggest a restaurant for Saturday", "I studied physics at university"),
        ("Plan a weekend trip for us", "Invoices are paid within 30 days"),
        ("Write a function that parses this file", "I wear shoes of size 43"),
        ("What could I give my daughter for her birthday?", "We deploy with a script on the Debian server"),
        ("Write an e-mail to my boss", "I am allergic to nuts"),
        ("Which shoes should I buy for hiking?", "My manager is called Ines"),
        ("How do I deploy the new version?", "I do not eat meat"),
        ("Can you recommend a dessert?", "I live in Lisbon"),
        ("What is the weather like at home?", "I write my programs in Rust"),
        ("Help me plan my training for next month", "My daughter loves dinosaurs"),
        ("Summarise this article for me", "My balcony faces north and has little sun"),
        ("Find me a flat", "I am learning the piano"),
        ("What music could I practise?", "I can pay at most 900 euros of rent"),
        ("Draft the invoice for the client", "I am afraid of flying"),
        ("Set up the database schema", "I like Japanese food best"),
        ("Book something for our holiday", "I write my programs in Rust"),
        ("What should I plant on the balcony?", "I prefer short summaries in bullet points"),
        ("How should I style this page?", "We go on holiday in July"),
        ("Explain quantum tunnelling to me", "I wear shoes of size 43"),
    ];

    /// Statements that differ in what they say, however near they are.
    const NOT_THE_SAME: &[(&str, &str)] = &[
        ("I like tea", "I like coffee"),
        ("I like cats", "I like dogs"),
        ("The meeting is in the morning", "The meeting is in the evening"),
        ("I am learning the piano", "I am learning the guitar"),
        ("My car is red", "My car is fast"),
        ("I prefer short answers", "I prefer long answers"),
        ("My sister is a teacher", "My brother is a teacher"),
        ("I run in the morning", "I swim in the morning"),
        ("The office is closed on holidays", "The office is crowded on holidays"),
        ("I take the train to work", "I take the bus to work"),
        ("I take the train to work", "I go to work by bus"),
        ("I like cats", "Dogs are what I like"),
        ("I am learning the piano", "I take guitar lessons"),
        ("The meeting is in the morning", "We meet in the evening"),
        ("I prefer short answers", "Please give me long answers"),
        ("My sister is a teacher", "I have a brother who teaches"),
    ];

    const THE_SAME: &[(&str, &str)] = &[
        ("I live in Lisbon", "My home is in Lisbon"),
        ("Our vacation is in July", "We go on holiday in July"),
        ("I am learning the piano", "I'm learning to play the piano"),
        ("I am afraid of flying", "I have a fear of flying"),
        ("The server runs Debian", "Our server is running Debian"),
        ("I studied physics at university", "I have a university degree in physics"),
        ("I drink coffee without sugar", "I take my coffee with no sugar"),
        ("The rent is due on the first of the month", "Rent is due at the beginning of each month"),
    ];

    #[tokio::test]
    async fn the_figures_of_the_small_model_are_those_of_the_labelled_pairs() {
        let folder = weights_folder().expect("run `cargo xtask setup` first");
        let model = MiniLm::load(&folder, NonZeroUsize::MIN).unwrap();
        let of = async |pairs: &[(&str, &str)]| cosines(&model, pairs).await;
        let (near, far) = (of(MATCHES).await, of(NO_MATCHES).await);
        let (helps, not) = (of(HELPS).await, of(DOES_NOT_HELP).await);
        let (same, other) = (of(THE_SAME).await, of(NOT_THE_SAME).await);
        let minilm = Nearness::MINILM;
        let said = format!(
            "matches: best {:?}, ours {:.3}; helps: best {:?}, ours {:.3}; same {same:.2?}, other {other:.2?}",
            best(&near, &far),
            f1(&near, &far, minilm.matches),
            best(&helps, &not),
            f1(&helps, &not, minilm.helps),
        );
        assert!(f1(&near, &far, minilm.matches) >= best(&near, &far).1 - 0.02, "{said}");
        // A little above the best: of all that is kept, less bears on a message than half, as it does here.
        assert!(f1(&helps, &not, minilm.helps) >= best(&helps, &not).1 - 0.06, "{said}");
        assert!(
            f1(&near, &far, USUAL_THRESHOLD) < f1(&near, &far, minilm.matches) - 0.1,
            "what 0.7 is to larger models is not that to it: {said}"
        );
        let relations = |pairs: &[(&str, &str)], cosines: &[f32]| -> Vec<Relation> {
            let pairs = pairs.iter().zip(cosines);
            pairs.map(|((a, b), cosine)| relate(a, b, Some(*cosine), &minilm)).collect()
        };
        // What is not the same is never merged; to keep something twice is the lesser harm.
        let other = relations(NOT_THE_SAME, &other);
        assert!(!other.contains(&Relation::Same), "{other:?} {said}");
        let same = relations(THE_SAME, &same).iter().filter(|relation| **relation == Relation::Same).count();
        assert!(same * 2 >= THE_SAME.len(), "{same} of {}: {said}", THE_SAME.len());
    }
}
