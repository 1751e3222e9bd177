//! The tree of messages, and the one path through it that is shown. Pure.

use shared::MessageId;
use shared::conversation::{Message, MessageRole};
use std::collections::HashMap;

/// The messages from the first to `head`, oldest first. Where `head` is unknown, the path to the
/// message that was made last.
pub(crate) fn path(messages: &[Message], head: Option<MessageId>) -> Vec<&Message> {
    let by_id: HashMap<MessageId, &Message> = messages.iter().map(|m| (m.id, m)).collect();
    let mut next = head.and_then(|id| by_id.get(&id)).or(messages.last().as_ref()).copied();
    let mut path = Vec::new();
    while let Some(message) = next {
        path.push(message);
        // A parent that comes to itself again would be a fault of ours; it must not hang a request.
        if path.len() > messages.len() {
            break;
        }
        next = message.parent_id.and_then(|id| by_id.get(&id)).copied();
    }
    path.reverse();
    path
}

/// The newest end of the paths that lead through `through`.
pub(crate) fn newest_end(messages: &[Message], through: MessageId) -> MessageId {
    let mut end = through;
    for _ in 0..messages.len() {
        match messages.iter().rev().find(|m| m.parent_id == Some(end)) {
            Some(child) => end = child.id,
            None => break,
        }
    }
    end
}

/// Notes on each message of the path which others stand in the same place.
pub(crate) fn with_variants(all: &[Message], path: Vec<&Message>) -> Vec<Message> {
    let mut siblings: HashMap<(Option<MessageId>, MessageRole), Vec<MessageId>> = HashMap::new();
    for message in all {
        siblings.entry((message.parent_id, message.role)).or_default().push(message.id);
    }
    path.into_iter()
        .map(|message| {
            let own = siblings.get(&(message.parent_id, message.role)).filter(|own| own.len() > 1);
            Message { variants: own.cloned().unwrap_or_default(), ..message.clone() }
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use shared::conversation::MessageStatus;
    use time::OffsetDateTime;

    /// A finished message without a word.
    pub(crate) fn message(id: MessageId, parent_id: Option<MessageId>, role: MessageRole) -> Message {
        Message {
            id,
            parent_id,
            role,
            status: MessageStatus::Complete,
            content: String::new(),
            steps: Vec::new(),
            model: None,
            usage: None,
            stop_reason: None,
            error: None,
            reactions: Vec::new(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            variants: Vec::new(),
            last_seq: None,
            context: None,
            memories: Vec::new(),
            attachments: Vec::new(),
            given: None,
            sources: None,
        }
    }

    /// question → answer, answer' → question' (after answer')
    fn tree() -> (Vec<Message>, [MessageId; 4]) {
        let ids = [(); 4].map(|()| MessageId::new());
        let [question, answer, other, follow_up] = ids;
        let messages = vec![
            message(question, None, MessageRole::User),
            message(answer, Some(question), MessageRole::Assistant),
            message(other, Some(question), MessageRole::Assistant),
            message(follow_up, Some(other), MessageRole::User),
        ];
        (messages, ids)
    }

    fn ids(path: &[&Message]) -> Vec<MessageId> {
        path.iter().map(|m| m.id).collect()
    }

    #[test]
    fn the_path_leads_from_the_first_message_to_the_head() {
        let (messages, [question, answer, other, follow_up]) = tree();
        assert_eq!(ids(&path(&messages, Some(answer))), [question, answer]);
        assert_eq!(ids(&path(&messages, Some(follow_up))), [question, other, follow_up]);
        assert_eq!(ids(&path(&messages, Some(MessageId::new()))), [question, other, follow_up]);
        assert!(path(&[], None).is_empty());
    }

    #[test]
    fn choosing_a_variant_leads_to_its_newest_end() {
        let (messages, [question, answer, other, follow_up]) = tree();
        assert_eq!(newest_end(&messages, other), follow_up);
        assert_eq!(newest_end(&messages, answer), answer);
        assert_eq!(newest_end(&messages, question), follow_up);
    }

    #[test]
    fn variants_are_named_where_there_are_several() {
        let (messages, [_, answer, other, _]) = tree();
        let shown = with_variants(&messages, path(&messages, Some(answer)));
        assert!(shown[0].variants.is_empty());
        assert_eq!(shown[1].variants, [answer, other]);
    }

    #[test]
    fn a_circle_ends() {
        let (a, b) = (MessageId::new(), MessageId::new());
        let messages = [message(a, Some(b), MessageRole::User), message(b, Some(a), MessageRole::Assistant)];
        assert!(path(&messages, Some(a)).len() <= 3);
        newest_end(&messages, a);
    }
}
