//! Who is in a room, and where: states of awareness, gathered into ticks.
//!
//! A client's state belongs to the connection that brought it; what others say of it is not heard.
//! The name in it is the one the server knows.

use crate::connection::Participant;
use crate::protocol::ClientState;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Clients one connection may speak for, and the longest state.
const MOST_CLIENTS: usize = 4;
const LONGEST_STATE: usize = 8 << 10;

#[derive(Default)]
pub(crate) struct Presence {
    clients: HashMap<u64, Client>,
    /// Whose states changed since the last tick.
    changed: BTreeSet<u64>,
    /// Who left since the last tick, with the clock of their last state.
    left: BTreeMap<u64, u32>,
}

struct Client {
    connection: u64,
    clock: u32,
    state: String,
}

impl Presence {
    pub fn hear(&mut self, connection: u64, participant: &Participant, states: Vec<ClientState>) {
        for ClientState { client, clock, state } in states {
            match self.clients.get(&client) {
                Some(known) if known.connection != connection || known.clock > clock => continue,
                Some(known) if known.clock == clock && state.is_some() => continue,
                Some(_) => {}
                None if state.is_none() => continue,
                None => {
                    let own = self.clients.values().filter(|c| c.connection == connection).count();
                    if own >= MOST_CLIENTS {
                        metrics::counter!("sidebar_sync_refused_awareness_total").increment(1);
                        continue;
                    }
                }
            }
            match state.and_then(|state| named(participant, &state)) {
                Some(state) => {
                    self.clients.insert(client, Client { connection, clock, state });
                    self.changed.insert(client);
                    self.left.remove(&client);
                }
                None => self.remove(client, clock),
            }
        }
    }

    /// The connection ended: its clients left.
    pub fn leave(&mut self, connection: u64) {
        let gone: Vec<(u64, u32)> = self
            .clients
            .iter()
            .filter(|(_, client)| client.connection == connection)
            .map(|(id, client)| (*id, client.clock))
            .collect();
        for (client, clock) in gone {
            self.remove(client, clock);
        }
    }

    fn remove(&mut self, client: u64, clock: u32) {
        if self.clients.remove(&client).is_some() {
            self.changed.remove(&client);
            self.left.insert(client, clock);
        }
    }

    pub fn has_news(&self) -> bool {
        !self.changed.is_empty() || !self.left.is_empty()
    }

    /// What changed since the last tick: each client once.
    pub fn take_news(&mut self) -> Vec<ClientState> {
        let left = std::mem::take(&mut self.left).into_iter();
        let mut news: Vec<ClientState> =
            left.map(|(client, clock)| ClientState { client, clock, state: None }).collect();
        let changed = std::mem::take(&mut self.changed);
        news.extend(changed.into_iter().filter_map(|client| self.state_of(client)));
        news
    }

    pub fn everybody(&self) -> Vec<ClientState> {
        self.clients.keys().filter_map(|client| self.state_of(*client)).collect()
    }

    fn state_of(&self, client: u64) -> Option<ClientState> {
        let known = self.clients.get(&client)?;
        Some(ClientState { client, clock: known.clock, state: Some(known.state.clone()) })
    }
}

/// The state with the name of who really sent it; none if it is not JSON or too long.
fn named(participant: &Participant, state: &str) -> Option<String> {
    if state.len() > LONGEST_STATE {
        return None;
    }
    let mut value: Value = serde_json::from_str(state).ok()?;
    if let Some(user) = value.get_mut("user").and_then(Value::as_object_mut) {
        user.insert("name".into(), participant.name.clone().into());
        let id = participant.user_id.map_or(Value::Null, |id| id.to_string().into());
        user.insert("id".into(), id);
    }
    Some(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::note::Access;

    fn participant(name: &str) -> Participant {
        Participant { user_id: None, name: name.to_owned(), access: Access::View, own_frames: false }
    }

    fn state(client: u64, clock: u32, state: &str) -> Vec<ClientState> {
        vec![ClientState { client, clock, state: Some(state.to_owned()) }]
    }

    #[test]
    fn many_moves_are_one_state_a_tick_and_the_name_is_the_servers() {
        let mut presence = Presence::default();
        for clock in 1..100 {
            presence.hear(
                1,
                &participant("Ada"),
                state(7, clock, r#"{"user":{"name":"Root"},"cursor":null}"#),
            );
        }
        let news = presence.take_news();
        assert_eq!(news.len(), 1);
        assert_eq!(news[0].clock, 99);
        assert!(news[0].state.as_ref().unwrap().contains(r#""name":"Ada""#));
        assert!(!presence.has_news());
    }

    #[test]
    fn nobody_speaks_for_another_and_who_leaves_is_gone() {
        let mut presence = Presence::default();
        presence.hear(1, &participant("Ada"), state(7, 1, "{}"));
        presence.hear(2, &participant("Bob"), state(7, 9, r#"{"forged":true}"#));
        assert_eq!(presence.everybody()[0].state.as_deref(), Some("{}"));
        presence.leave(2);
        assert_eq!(presence.everybody().len(), 1);
        presence.leave(1);
        let news = presence.take_news();
        assert_eq!(news, vec![ClientState { client: 7, clock: 1, state: None }]);
    }

    #[test]
    fn a_connection_speaks_for_few() {
        let mut presence = Presence::default();
        for client in 0..100 {
            presence.hear(1, &participant("Ada"), state(client, 1, "{}"));
        }
        assert_eq!(presence.everybody().len(), MOST_CLIENTS);
    }
}
