//! Collections: sets of things that are searched alone, attached and shared; a share of the list is no share of
//! what stands in it.

use crate::application::{Application, Person};
use crate::context::{file, note, page};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upstream::Wire;

async fn collection(person: &Person, name: &str, things: &[(&str, &str)]) -> String {
    let made = person.post("/api/v1/collections", json!({"name": name})).await.expect(StatusCode::CREATED);
    let id = made["id"].as_str().unwrap().to_owned();
    for (kind, thing) in things {
        let body = json!({"kind": kind, "id": thing});
        person.post(&format!("/api/v1/collections/{id}/items"), body).await.ok();
    }
    id
}

async fn found(person: &Person, query: &str) -> Vec<String> {
    let hits = person.get(&format!("/api/v1/search?{query}")).await.ok();
    hits["items"].as_array().unwrap().iter().map(|hit| hit["title"].as_str().unwrap().to_owned()).collect()
}

fn titles(collection: &Value) -> Vec<&str> {
    collection["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_searched_alone_and_given_to_a_model() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    app.add_provider(&owner, Wire::Openai).await;
    let lease = file(&owner, "lease.md", "The rent of the house is 900.").await;
    let garden = note(&owner, "Garden", "The house has roses.").await;
    note(&owner, "Elsewhere", "Another house.").await;
    let roses = page(&owner, "Old Roses", "They grow behind the house, with a quagga.").await;
    page(&owner, "Tulips", "Another quagga.").await;
    let id = collection(&owner, "Old house", &[("file", &lease), ("note", &garden), ("page", &roses)]).await;
    let mut all = found(&owner, &format!("q=house&collection={id}")).await;
    all.sort();
    assert_eq!(all, ["Garden", "Old Roses", "lease.md"]);
    assert_eq!(found(&owner, &format!("q=quagga&collection={id}")).await, ["Old Roses"]);
    assert_eq!(found(&owner, &format!("q=house+kind:file&collection={id}")).await, ["lease.md"]);
    assert!(found(&owner, &format!("q=house+tag:roof&collection={id}")).await.is_empty());
    let first = owner.get(&format!("/api/v1/search?q=house&limit=2&collection={id}")).await.ok();
    let kinds = first["facets"]["kinds"].as_array().unwrap();
    assert_eq!(kinds.iter().map(|kind| kind["count"].as_u64().unwrap()).sum::<u64>(), 3, "what is in it");
    let rest = format!("q=house&limit=2&collection={id}&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(found(&owner, &rest).await.len(), 1);
    let mut newest = found(&owner, &format!("q=&collection={id}")).await;
    newest.sort();
    assert_eq!(newest, ["Garden", "Old Roses", "lease.md"], "without words all of it");
    assert_eq!(found(&owner, "q=quagga+in:Old").await, ["Old Roses"]);
    assert_eq!(found(&owner, "q=roses+in:%22old+house%22").await, ["Old Roses", "Garden"]);
    assert_eq!(found(&owner, "q=house+kind:file+in:Old").await, ["lease.md"]);
    assert!(found(&owner, "q=house+in:nothing").await.is_empty());
    let conversation = owner.conversation().await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let body = json!({"content": "[[say yes]] How much?", "attachments": [{"kind": "collection", "id": id}]});
    owner.stream(&path, body).await.rest().await;
    let requests = app.upstream.requests();
    let asked = requests.iter().find(|request| request.body["tools"].is_array()).unwrap();
    let said = asked.body["messages"].as_array().unwrap().last().unwrap()["content"].to_string();
    assert!(
        said.contains("is 900")
            && said.contains("roses")
            && said.contains("with a quagga")
            && !said.contains("Another"),
        "{said}"
    );
    let opened = owner.delete(&format!("/api/v1/collections/{id}/items/note/{garden}")).await.ok();
    assert_eq!((titles(&opened), opened["count"].as_u64()), (vec!["Old Roses", "lease.md"], Some(2)));
    owner.delete(&format!("/api/v1/pages/{roses}")).await.ok();
    let opened = owner.get(&format!("/api/v1/collections/{id}")).await.ok();
    assert_eq!(
        (titles(&opened), opened["count"].as_u64()),
        (vec!["lease.md"], Some(1)),
        "not what is in the bin"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_named_deleted_and_brought_back() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let garden = note(&owner, "Garden", "roses").await;
    let id = collection(&owner, "  Old   house ", &[("note", &garden), ("note", &garden)]).await;
    let path = format!("/api/v1/collections/{id}");
    let opened = owner.get(&path).await.ok();
    assert_eq!((opened["name"].as_str(), opened["count"].as_u64()), (Some("Old house"), Some(1)));
    assert_eq!(owner.patch(&path, json!({"name": "New house"})).await.ok()["name"], "New house");
    owner.patch(&path, json!({"name": " "})).await.refused(400, "INVALID_INPUT");
    let wrong = json!({"kind": "collection", "id": id});
    owner.post(&format!("{path}/items"), wrong).await.refused(400, "INVALID_INPUT");
    owner.delete(&path).await.ok();
    owner.get(&path).await.refused(404, "NOT_FOUND");
    assert_eq!(owner.get("/api/v1/collections").await.ok(), json!([]));
    let back = owner.post(&format!("{path}/restore"), json!({})).await.ok();
    assert_eq!(titles(&back), ["Garden"]);
    owner.delete(&format!("/api/v1/notes/{garden}")).await.ok();
    let opened = owner.get(&path).await.ok();
    assert_eq!(
        (titles(&opened).len(), opened["count"].as_u64()),
        (0, Some(0)),
        "what is deleted is not in it"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shares_a_list_shares_nothing_that_stands_in_it() {
    let app = Application::start().await;
    let owner = app.set_up().await;
    let other = app.person(&owner, "other@example.org", "admin").await;
    let lease = file(&owner, "lease.md", "The codeword is zanzibar.").await;
    let garden = note(&owner, "Garden", "Roses of zanzibar.").await;
    let secret = note(&owner, "Hidden", "More about zanzibar.").await;
    let roses = page(&owner, "Roses", "They know of zanzibar.").await;
    let things = [
        ("file", lease.as_str()),
        ("note", garden.as_str()),
        ("note", secret.as_str()),
        ("page", roses.as_str()),
    ];
    let id = collection(&owner, "House", &things).await;
    let path = format!("/api/v1/collections/{id}");
    for (method, at, body) in [
        (Method::GET, path.clone(), None),
        (Method::PATCH, path.clone(), Some(json!({"name": "mine"}))),
        (Method::DELETE, path.clone(), None),
        (Method::POST, format!("{path}/restore"), Some(json!({}))),
        (Method::POST, format!("{path}/items"), Some(json!({"kind": "note", "id": garden}))),
        (Method::DELETE, format!("{path}/items/note/{garden}"), None),
        (Method::POST, format!("{path}/items"), Some(json!({"kind": "page", "id": roses}))),
        (Method::GET, format!("{path}/shares"), None),
        (
            Method::POST,
            format!("{path}/shares"),
            Some(json!({"access": "view", "email": "other@example.org"})),
        ),
        (Method::GET, format!("/api/v1/search?q=zanzibar&collection={id}"), None),
    ] {
        let response = other.send(method.clone(), &at, body).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {at}");
    }
    assert_eq!(other.get("/api/v1/collections").await.ok(), json!([]));
    assert!(found(&other, "q=zanzibar+in:House").await.is_empty());
    let share = async |access: &str| {
        owner.post(&format!("{path}/shares"), json!({"access": access, "email": "other@example.org"})).await
    };
    // nor into a list of their own
    let own = collection(&other, "Theirs", &[]).await;
    let planted = json!({"kind": "page", "id": roses});
    other.post(&format!("/api/v1/collections/{own}/items"), planted).await.refused(404, "NOT_FOUND");
    share("edit").await.refused(400, "INVALID_INPUT");
    owner.post(&format!("{path}/shares"), json!({"access": "view"})).await.refused(400, "INVALID_INPUT");
    let shared = share("view").await.expect(StatusCode::CREATED);
    let opened = other.get(&path).await.ok();
    assert_eq!((opened["own"].as_bool(), opened["count"].as_u64()), (Some(false), Some(0)), "{opened}");
    assert!(titles(&opened).is_empty() && found(&other, "q=zanzibar+in:House").await.is_empty());
    other.delete(&path).await.refused(403, "FORBIDDEN");
    other.get(&format!("{path}/shares")).await.refused(403, "FORBIDDEN");
    // the note is shared by itself: now it is seen in the list as well
    let view = json!({"email": "other@example.org", "access": "view"});
    owner.post(&format!("/api/v1/notes/{garden}/shares"), view).await.expect(StatusCode::CREATED);
    let opened = other.get(&path).await.ok();
    assert_eq!((titles(&opened), opened["count"].as_u64()), (vec!["Garden"], Some(1)));
    assert_eq!(found(&other, "q=zanzibar+in:House").await, ["Garden"]);
    assert_eq!(owner.get(&format!("{path}/shares")).await.ok().as_array().unwrap().len(), 1);
    owner.delete(&format!("{path}/shares/{}", shared["id"].as_str().unwrap())).await.ok();
    other.get(&path).await.refused(404, "NOT_FOUND");
    app.stop().await;
}
