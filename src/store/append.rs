//! What is written together.

use super::{Entry, Head, Lease, Message, StoreError};

/// One write to an execution: all of it is kept, or nothing.
#[derive(Debug, Clone, Copy)]
pub struct Append<'a> {
    /// The writer's claim, where it is a worker. It must be the newest one, and not given back; its end is not looked at, as an
    /// older claim cannot write once there is a newer one.
    pub lease: Option<&'a Lease>,
    /// Locks, by name with the number of their taking, that must all still be the execution's own.
    pub locks: &'a [(String, u64)],
    /// The entries, numbered from `head.seq - entries.len() + 1` on. Without any only the head is replaced.
    pub entries: &'a [Entry],
    /// Where the execution stands after them.
    pub head: &'a Head,
    /// What it tells the world by that. A message whose key is there already changes nothing.
    pub messages: &'a [Message],
}

impl<'a> Append<'a> {
    /// Entries and the head after them, and nothing else.
    #[must_use]
    pub fn new(entries: &'a [Entry], head: &'a Head) -> Self {
        Self {
            lease: None,
            locks: &[],
            entries,
            head,
            messages: &[],
        }
    }

    /// How many entries the journal must have before these.
    ///
    /// # Errors
    /// `Broken` where it is not what [`Append`] says.
    pub(super) fn entries_before(&self) -> Result<u64, StoreError> {
        if let Some(message) = self
            .messages
            .iter()
            .find(|message| message.execution != self.head.id)
        {
            return Err(StoreError::Broken {
                doing: "putting messages out",
                cause: format!(
                    "found the message `{}` of execution `{}`; expected one of `{}`",
                    message.key, message.execution, self.head.id
                )
                .into(),
            });
        }
        entries_before(self.entries, self.head)
    }
}

/// How many entries the journal must have before these: they are numbered without a hole and end at the head's number.
pub(super) fn entries_before(entries: &[Entry], head: &Head) -> Result<u64, StoreError> {
    let count = entries.len() as u64;
    let before = head.seq.checked_sub(count);
    match before {
        Some(before) if entries.iter().map(|it| it.seq).eq(before + 1..=head.seq) => Ok(before),
        Some(_) | None => Err(StoreError::Broken {
            doing: "numbering entries",
            cause: format!(
                "found entries numbered {:?}; expected {count} in a row that end at the head's number {}",
                entries.iter().map(|it| it.seq).collect::<Vec<u64>>(),
                head.seq
            )
            .into(),
        }),
    }
}
