//! Search by meaning, with the model that ships: what is not there in these words is found all the same, and only
//! by those who may see it.

use crate::application::{Application, Differences, Person, eventually};
use domain::{Embedder, EmbeddingError, ModelId, Purpose};
use embeddings::{MiniLm, weights_folder};
use reqwest::StatusCode;
use serde_json::json;
use std::num::NonZeroUsize;
use std::sync::Arc;

async fn with(embedder: Arc<dyn Embedder>) -> Application {
    Application::start_with(Differences { embedder: Some(embedder), ..Differences::default() }).await
}

fn minilm() -> Arc<dyn Embedder> {
    let folder = weights_folder().expect("run `cargo xtask setup` first");
    Arc::new(MiniLm::load(&folder, NonZeroUsize::MIN).unwrap())
}

async fn note(person: &Person, title: &str, content: &str) -> String {
    let note = person.post("/api/v1/notes", json!({"title": title, "content": content})).await;
    note.expect(StatusCode::CREATED)["id"].as_str().unwrap().to_owned()
}

async fn waiting(application: &Application) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM chunk_queue").fetch_one(&application.owner).await.unwrap()
}

async fn all_embedded(application: &Application) {
    eventually("every passage has a vector", async || waiting(application).await == 0).await;
}

async fn titles(person: &Person, query: &str) -> Vec<String> {
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let hits = person.get(&format!("/api/v1/search?q={query}")).await.ok();
    hits["items"].as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_in_other_words_finds_what_was_meant() {
    let application = with(minilm()).await;
    let owner = application.set_up().await;
    let other = application.person(&owner, "other@example.org", "developer").await;
    note(&owner, "Car", "The vehicle must be taken to the garage before winter to have its tyres changed.")
        .await;
    note(&owner, "Bread", "Let the dough rest for twelve hours, then bake it in a very hot oven.").await;
    note(&owner, "Budget", "We spend too much on subscriptions; cancel two of them in March.").await;
    note(&other, "Secret", "My automobile needs new wheels for the cold season.").await;
    all_embedded(&application).await;
    let found = titles(&owner, "when do I need to put snow wheels on my automobile").await;
    assert_eq!(found.first().map(String::as_str), Some("Car"), "{found:?}");
    assert!(!found.contains(&"Secret".to_owned()));
    let found = titles(&owner, "how long does sourdough need to rise").await;
    assert_eq!(found.first().map(String::as_str), Some("Bread"), "{found:?}");
    assert_eq!(
        titles(&other, "recipe for baking").await,
        Vec::<String>::new(),
        "nothing near, nothing found"
    );
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_is_found_by_meaning_until_it_is_taken_back() {
    let application = with(minilm()).await;
    let owner = application.set_up().await;
    let other = application.person(&owner, "other@example.org", "developer").await;
    let id = note(&owner, "Garden", "The roses have to be pruned as soon as the frost is over.").await;
    all_embedded(&application).await;
    let query = "cutting back flowers in early spring";
    assert!(titles(&other, query).await.is_empty());
    let share = json!({"email": "other@example.org", "access": "view"});
    let share = owner.post(&format!("/api/v1/notes/{id}/shares"), share).await.expect(StatusCode::CREATED);
    assert_eq!(titles(&other, query).await, ["Garden"]);
    owner.delete(&format!("/api/v1/notes/{id}/shares/{}", share["id"].as_str().unwrap())).await.ok();
    assert!(titles(&other, query).await.is_empty());
    application.stop().await;
}

/// A model that is somewhere else, and away.
struct Away(ModelId);

#[async_trait::async_trait]
impl Embedder for Away {
    fn model(&self) -> &ModelId {
        &self.0
    }
    fn dimensions(&self) -> usize {
        384
    }
    fn threshold(&self) -> f32 {
        0.3
    }
    async fn embed(&self, _: Vec<String>, _: Purpose) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        std::future::pending().await
    }
    fn count_tokens(&self, text: &str) -> usize {
        text.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_answer_of_the_model_words_are_enough() {
    let application = with(Arc::new(Away(ModelId::new("away")))).await;
    let owner = application.set_up().await;
    note(&owner, "Bread", "Let the dough rest for twelve hours.").await;
    eventually("the note is found", async || titles(&owner, "dough").await == ["Bread"]).await;
    application.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_embeds_everything_anew_and_search_goes_on() {
    let first = with(Arc::new(Away(ModelId::new("before")))).await;
    let owner = first.set_up().await;
    note(&owner, "Bread", "Let the dough rest for twelve hours, then bake it in a very hot oven.").await;
    eventually("the passages are queued", async || waiting(&first).await > 0).await;
    let (database, server_id) = (first.database.clone(), first.server_id);
    first.stop().await;
    sqlx::query("DELETE FROM chunk_queue").execute(&first.owner).await.unwrap();
    let differences = Differences {
        embedder: Some(minilm()),
        database: Some(database),
        server_id,
        ..Differences::default()
    };
    let second = Application::start_with(differences).await;
    let owner = second.sign_in("owner@example.org", crate::application::PASSWORD).await;
    eventually("found by meaning", async || titles(&owner, "baking recipes").await == ["Bread"]).await;
    second.stop().await;
}
