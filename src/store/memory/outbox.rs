//! Messages in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ids::ExecutionId;
use crate::store::{DueMessage, Message, MessageStanding, MessageState};

/// All messages, by key.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: BTreeMap<String, MessageState>,
    /// When which is due.
    due: BTreeSet<(i64, String)>,
}

impl Outbox {
    pub(super) fn put(&mut self, messages: &[Message]) {
        for message in messages {
            if self.messages.contains_key(&message.key) {
                continue;
            }
            let due_ms = message.created_ms;
            self.due.insert((due_ms, message.key.clone()));
            let state = MessageState {
                message: message.clone(),
                attempts: 0,
                standing: MessageStanding::Waiting { due_ms },
                error: String::new(),
            };
            self.messages.insert(message.key.clone(), state);
        }
    }

    pub(super) fn due(&self, now_ms: i64, most: u64) -> Vec<DueMessage> {
        let due = self.due.iter().take_while(|(due_ms, _)| *due_ms <= now_ms);
        let due = due.filter_map(|(due_ms, key)| {
            let state = self.messages.get(key)?;
            Some(DueMessage {
                message: state.message.clone(),
                attempts: state.attempts,
                due_ms: *due_ms,
            })
        });
        due.take(usize::try_from(most).unwrap_or(usize::MAX))
            .collect()
    }

    /// What a try came to; only of a message that waits. `is_kept` tells whether its execution is still there.
    pub(super) fn tried(
        &mut self,
        key: &str,
        standing: MessageStanding,
        error: Option<&str>,
        is_kept: impl FnOnce(&ExecutionId) -> bool,
    ) {
        let Some(state) = self.messages.get_mut(key) else {
            return;
        };
        let MessageStanding::Waiting { due_ms } = state.standing else {
            return;
        };
        self.due.remove(&(due_ms, key.to_owned()));
        state.attempts += 1;
        state.standing = standing;
        if let Some(error) = error {
            error.clone_into(&mut state.error);
        }
        match standing {
            MessageStanding::Waiting { due_ms } => {
                self.due.insert((due_ms, key.to_owned()));
            }
            MessageStanding::Delivered { .. } | MessageStanding::GivenUp { .. } => {
                if !is_kept(&state.message.execution) {
                    self.messages.remove(key);
                }
            }
        }
    }

    pub(super) fn of(&self, execution: &ExecutionId) -> Vec<MessageState> {
        let own = self.messages.values();
        let own = own.filter(|state| state.message.execution == *execution);
        let mut own: Vec<MessageState> = own.cloned().collect();
        own.sort_by_key(|state| state.message.created_ms);
        own
    }

    /// Removes what is settled; what waits stays.
    pub(super) fn forget(&mut self, execution: &ExecutionId) {
        self.messages.retain(|_, state| {
            state.message.execution != *execution
                || matches!(state.standing, MessageStanding::Waiting { .. })
        });
    }
}
