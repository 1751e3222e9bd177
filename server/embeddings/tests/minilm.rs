//! The real model: what it finds near, and that neither neighbours in a batch nor the precision of
//! the file change what it says. The weights come from `SIDEBAR_EMBEDDING_MODEL` or the cache.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use embeddings::{Embedder, EmbeddingError, MiniLm, Purpose, approximate_tokens, to_half};
use proptest::prelude::*;

fn folder() -> PathBuf {
    embeddings::weights_folder().expect("run `cargo xtask setup` first")
}

fn model() -> &'static MiniLm {
    static MODEL: OnceLock<MiniLm> = OnceLock::new();
    MODEL.get_or_init(|| MiniLm::load(&folder(), NonZeroUsize::MIN).unwrap())
}

async fn embed(texts: &[&str]) -> Vec<Vec<f32>> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    model().embed(texts, Purpose::Passage).await.unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[tokio::test]
async fn paraphrases_are_nearer_than_sentences_of_other_things() {
    for [a, paraphrase, other] in [
        [
            "How do I reset my password?",
            "I forgot my login and need a new one",
            "The cake needs forty minutes",
        ],
        [
            "The cat sat on the mat",
            "A kitten was resting on the rug",
            "Quarterly revenue rose by nine percent",
        ],
        [
            "Parliament passed the budget",
            "Lawmakers approved the spending plan",
            "She tuned her violin at dawn",
        ],
        ["Postgres lost the connection", "The database client was disconnected", "Tulips bloom in spring"],
    ] {
        let vectors = embed(&[a, paraphrase, other]).await;
        let (near, far) = (cosine(&vectors[0], &vectors[1]), cosine(&vectors[0], &vectors[2]));
        assert!(near > model().threshold() && model().threshold() > far, "{a}: {near} and {far}");
    }
}

/// The model was trained on English; what it knows of other languages is enough to tell subjects
/// apart where words resemble each other.
#[tokio::test]
async fn near_languages_are_told_apart_by_subject() {
    for [a, same, other] in [
        [
            "Die Katze schläft auf dem Sofa",
            "Auf dem Sofa liegt eine Katze",
            "Der Zug nach Berlin hat Verspätung",
        ],
        [
            "Le chat dort sur le canapé",
            "Un chat est couché sur le canapé",
            "Le train pour Paris est en retard",
        ],
        ["El presidente visita Madrid", "Madrid recibe al presidente", "La receta lleva dos huevos"],
        ["La musica di Verdi", "Verdi's music", "Il mercato della frutta"],
    ] {
        let vectors = embed(&[a, same, other]).await;
        let (near, far) = (cosine(&vectors[0], &vectors[1]), cosine(&vectors[0], &vectors[2]));
        assert!(near > far + 0.1, "{a}: {near} and {far}");
    }
}

#[tokio::test]
async fn neighbours_in_a_batch_change_nothing() {
    let long = "The harbour was quiet, and the boats lay still. ".repeat(30);
    let texts = ["short", &long, "a sentence of middling length, with a comma", "", "short", &long[..400]];
    let together = embed(&texts).await;
    for (text, vector) in texts.iter().zip(&together) {
        let alone = &embed(&[text]).await[0];
        assert!(difference(vector, alone) < 1e-4, "{}: {}", text.len(), difference(vector, alone));
    }
    let mut turned = texts;
    turned.reverse();
    for (vector, same) in together.iter().zip(embed(&turned).await.iter().rev()) {
        assert!(difference(vector, same) < 1e-4);
    }
}

#[tokio::test]
async fn vectors_have_length_one_whatever_the_text() {
    let long = "word ".repeat(100_000);
    let blob = "QUJD".repeat(300_000);
    let texts = ["", " \n\t ", "\u{0}", "🎉🎉🎉", "[SEP] [PAD] [CLS]", "漢字かな", "नमस्ते", &long, &blob];
    for (text, vector) in texts.iter().zip(embed(&texts).await) {
        assert_eq!(vector.len(), model().dimensions());
        assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-4, "{:?}", text.get(..20));
    }
    assert!(embed(&[]).await.is_empty());
}

#[tokio::test]
async fn what_is_beyond_the_window_does_not_count_and_what_is_within_does() {
    let within = "tea ".repeat(254);
    let vectors =
        embed(&[&within, &format!("{within}submarine volcano"), &format!("volcano {within}")]).await;
    assert!(difference(&vectors[0], &vectors[1]) < 1e-4);
    assert!(difference(&vectors[0], &vectors[2]) > 1e-3);
}

#[tokio::test]
async fn half_precision_means_the_same() {
    let halved = std::env::temp_dir().join(format!("sidebar-half-{}", std::process::id()));
    std::fs::create_dir_all(&halved).unwrap();
    let whole = folder();
    std::fs::copy(whole.join("tokenizer.json"), halved.join("tokenizer.json")).unwrap();
    to_half(&whole.join("model.safetensors"), &halved.join("model.safetensors")).unwrap();
    let size = |folder: &Path| std::fs::metadata(folder.join("model.safetensors")).unwrap().len();
    assert!(size(&halved) * 100 < size(&whole) * 51);

    let half = MiniLm::load(&halved, NonZeroUsize::MIN).unwrap();
    let texts =
        ["How do I reset my password?", "Die Katze schläft", "x", &"The harbour was quiet. ".repeat(40)];
    let halves = half.embed(texts.map(str::to_owned).to_vec(), Purpose::Query).await.unwrap();
    for (whole, half) in embed(&texts).await.iter().zip(&halves) {
        assert!(cosine(whole, half) > 0.999, "{}", cosine(whole, half));
    }
    std::fs::remove_dir_all(&halved).unwrap();
}

#[tokio::test]
async fn a_query_does_not_wait_for_a_long_list_of_passages() {
    let passages = vec!["The harbour was quiet, and the boats lay still. ".repeat(18); 60];
    let began = Instant::now();
    let mut long = Box::pin(model().embed(passages, Purpose::Passage));
    // The quickest of some: a machine that is busy with other things for a moment has stopped one of them.
    let queries = async {
        let mut quickest = Duration::MAX;
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let began = Instant::now();
            model().embed(vec!["where are the boats?".to_owned()], Purpose::Query).await.unwrap();
            quickest = quickest.min(began.elapsed());
        }
        quickest
    };
    let waited = tokio::select! {
        biased;
        _ = &mut long => panic!("the passages were done before the queries"),
        waited = queries => waited,
    };
    long.await.unwrap();
    assert!(waited * 3 < began.elapsed(), "{waited:?} of {:?}", began.elapsed());
}

#[test]
fn broken_and_missing_files_are_errors_with_a_remedy() {
    let missing = MiniLm::load(Path::new("/nonexistent"), NonZeroUsize::MIN).err().unwrap();
    assert!(matches!(missing, EmbeddingError::NotInstalled { .. }), "{missing}");
    let broken = std::env::temp_dir().join(format!("sidebar-broken-{}", std::process::id()));
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::copy(folder().join("tokenizer.json"), broken.join("tokenizer.json")).unwrap();
    std::fs::write(broken.join("model.safetensors"), b"not tensors").unwrap();
    let error = MiniLm::load(&broken, NonZeroUsize::MIN).err().unwrap();
    assert!(matches!(error, EmbeddingError::Unusable { .. }), "{error}");
    std::fs::remove_dir_all(&broken).unwrap();
}

fn encoder() -> tokenizers::Tokenizer {
    let mut encoder = tokenizers::Tokenizer::from_file(folder().join("tokenizer.json")).unwrap();
    encoder.with_padding(None).with_truncation(None).unwrap();
    encoder.set_encode_special_tokens(true);
    encoder
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_counted_by_word_are_the_tokens_of_the_whole(
        text in prop_oneof![
            any::<String>(),
            prop::collection::vec(
                prop::sample::select(vec![
                    "the", " ", "\n", "\u{b}", "\u{200b}", "unbelievable", "-", "東", "京", "é", "e\u{301}", "[SEP]", "。",
                    "\u{a0}", "\u{1f}", "\u{85}", "한국", "''", "3.14", "\u{fffd}", "\u{0}",
                ]),
                0..60,
            ).prop_map(|pieces| pieces.concat()),
        ],
    ) {
        static ENCODER: OnceLock<tokenizers::Tokenizer> = OnceLock::new();
        let encoder = ENCODER.get_or_init(encoder);
        let whole = encoder.encode_fast(text.as_str(), false).unwrap().len();
        prop_assert_eq!(model().count_tokens(&text), whole);
    }
}

const LANGUAGES: [(&str, &str); 12] = [
    (
        "English",
        "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
    ),
    (
        "German",
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    ),
    (
        "French",
        "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    ),
    (
        "Spanish",
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
    ),
    (
        "Finnish",
        "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu järki ja omatunto, ja heidän on toimittava toisiaan kohtaan veljeyden hengessä.",
    ),
    (
        "Polish",
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa.",
    ),
    (
        "Turkish",
        "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler.",
    ),
    (
        "Russian",
        "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
    ),
    (
        "Arabic",
        "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.",
    ),
    ("Chinese", "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"),
    (
        "Japanese",
        "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。",
    ),
    (
        "Korean",
        "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
    ),
];

#[test]
fn the_approximation_is_never_below_the_real_count_for_ordinary_text() {
    let code = include_str!("../src/lanes.rs");
    for (language, text) in LANGUAGES.into_iter().chain([("code", code)]) {
        let (real, approximate) = (model().count_tokens(text), approximate_tokens(text));
        assert!(approximate >= real, "{language}: {approximate} for {real}");
        assert!(approximate * 2 <= real * 5, "{language}: {approximate} for {real}");
    }
}
