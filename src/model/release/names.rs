//! Names of clusters and server groups, strictly: what does not follow the grammar is no name.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no {what}: {why}")]
pub struct BadName {
    /// What should have been named.
    pub what: &'static str,
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

/// A cluster: all server groups that differ only in their number. `app[-stack[-detail]]`, where an empty stack before a detail
/// is kept: `app--detail`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(String);

/// A server group: its cluster, and its number in three to six digits: `app-stack-detail-v012`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// Numbers of server groups go from 0 to 999, then start again.
pub const NUMBERS: u32 = 1000;

impl ClusterName {
    /// The cluster of these parts.
    ///
    /// # Errors
    /// A part that does not follow the grammar.
    pub fn of(
        application: &str,
        stack: Option<&str>,
        detail: Option<&str>,
    ) -> Result<Self, BadName> {
        let text = match (stack, detail) {
            (stack, Some(detail)) => {
                format!("{application}-{}-{detail}", stack.unwrap_or_default())
            }
            (Some(stack), None) => format!("{application}-{stack}"),
            (None, None) => application.to_owned(),
        };
        Self::parse(&text)
    }

    /// Reads a name.
    ///
    /// # Errors
    /// A text that does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._~^-".contains(c);
        if text.is_empty() || text.starts_with('-') || !text.chars().all(allowed) {
            return Err(BadName {
                what: "cluster name",
                text: text.to_owned(),
                why: "expected `app[-stack[-detail]]` of letters, digits, `.` and `_`".to_owned(),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its server group with this number.
    #[must_use]
    pub fn group(&self, number: u32) -> GroupName {
        GroupName(format!("{}-v{:03}", self.0, number))
    }
}

impl GroupName {
    /// Reads a name; it must have a number.
    ///
    /// # Errors
    /// A text that does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |why: &str| BadName {
            what: "server group name",
            text: text.to_owned(),
            why: why.to_owned(),
        };
        let (cluster, digits) = text
            .rsplit_once("-v")
            .ok_or_else(|| bad("expected `-v` and three to six digits at its end"))?;
        if !(3..=6).contains(&digits.len()) || !digits.bytes().all(|c| c.is_ascii_digit()) {
            return Err(bad("expected `-v` and three to six digits at its end"));
        }
        ClusterName::parse(cluster)?;
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its cluster.
    #[must_use]
    pub fn cluster(&self) -> ClusterName {
        let end = self.0.rfind("-v").unwrap_or(self.0.len());
        ClusterName(self.0.get(..end).unwrap_or(&self.0).to_owned())
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u32 {
        let digits = self.0.rsplit_once("-v").map_or("", |(_, digits)| digits);
        digits.parse().unwrap_or(0)
    }
}

macro_rules! text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = BadName;

            fn try_from(text: String) -> Result<Self, BadName> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

text!(ClusterName);
text!(GroupName);
