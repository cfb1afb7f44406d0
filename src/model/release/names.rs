//! Names of clusters and server groups, strictly: what does not follow the grammar is no name, and never half of one.
//!
//! ```text
//! cluster  application[-stack[-detail]]      an empty stack before a detail is kept: `search--canary`
//! group    cluster-vNNN                      three to six digits; `v12` is no number
//! ```
//!
//! Application and stack are of letters, digits, `.` and `_`; only a detail may hold `~`, `^` and further hyphens. No name ends
//! with a hyphen. A server group without a number, which other tools make, is no [`GroupName`]: we neither make nor touch one.

use std::collections::BTreeSet;
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

impl BadName {
    fn cluster(text: &str, why: impl Into<String>) -> Self {
        Self {
            what: "cluster name",
            text: text.to_owned(),
            why: why.into(),
        }
    }
}

/// All numbers of a cluster are in use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("all {NUMBERS} numbers of the cluster `{0}` are taken by its server groups")]
pub struct AllNumbersTaken(pub ClusterName);

/// A cluster: all server groups that differ only in their number. `app[-stack[-detail]]`, where an empty stack before a detail
/// is kept: `app--detail`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(String);

/// A server group: its cluster, and its number in three to six digits: `app-stack-detail-v012`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// Numbers of server groups that we make go from 0 to 999, then start again.
pub const NUMBERS: u32 = 1000;

/// Longest name of a server group that is made, in bytes: as in Asgard.
pub const MOST_GROUP_BYTES: usize = 96;

/// Longest name of a cluster whose server groups can be made: `-v000` follows it.
pub const MOST_CLUSTER_BYTES: usize = MOST_GROUP_BYTES - 5;

/// Longest name that is read: the most that AWS allows a server group.
const MOST_READ_BYTES: usize = 255;

/// Letters that, before a `0` and letters or digits, make a token that older tools read as a variable: `c0us`, `d0prod`.
const VARIABLE_LETTERS: &str = "cdhpruwz";

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_')
}

/// Whether a token is `v` and three to six digits, which ends the name of a server group.
fn is_push_suffix(token: &str) -> bool {
    token.strip_prefix('v').is_some_and(is_number)
}

fn is_number(digits: &str) -> bool {
    (3..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a token is a labelled variable.
fn is_variable(token: &str) -> bool {
    let mut chars = token.chars();
    let labelled = chars.next().is_some_and(|c| VARIABLE_LETTERS.contains(c));
    let value = chars.as_str().strip_prefix('0');
    labelled
        && value.is_some_and(|value| {
            !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

impl ClusterName {
    /// The cluster of these parts, for server groups that will be made. Empty parts are as good as absent.
    ///
    /// # Errors
    /// A part that does not follow the grammar; a stack or detail with a token that other tools would misread (`v012`, `c0us`);
    /// a name of more than [`MOST_CLUSTER_BYTES`].
    pub fn of(
        application: &str,
        stack: Option<&str>,
        detail: Option<&str>,
    ) -> Result<Self, BadName> {
        let stack = stack.unwrap_or_default();
        let text = match detail.unwrap_or_default() {
            "" if stack.is_empty() => application.to_owned(),
            "" => format!("{application}-{stack}"),
            detail => format!("{application}-{stack}-{detail}"),
        };
        for (part, name) in [(application, "application"), (stack, "stack")] {
            if part.contains('-') {
                let why =
                    format!("the {name} `{part}` holds `-`; expected letters, digits, `.` and `_`");
                return Err(BadName::cluster(&text, why));
            }
        }
        Self::parse(&text)?.makeable()
    }

    /// Reads a name, of whoever made it.
    ///
    /// # Errors
    /// A text that does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |why: String| Err(BadName::cluster(text, why));
        let mut parts = text.splitn(3, '-');
        let application = parts.next().unwrap_or_default();
        if application.is_empty() {
            return bad("expected `application[-stack[-detail]]`, found no application".to_owned());
        }
        if text.len() > MOST_READ_BYTES {
            return bad(format!(
                "{} bytes; expected at most {MOST_READ_BYTES}",
                text.len()
            ));
        }
        let stack = parts.next().unwrap_or_default();
        for (part, name) in [(application, "application"), (stack, "stack")] {
            if let Some(c) = part.chars().find(|c| !is_plain(*c)) {
                return bad(format!(
                    "the {name} holds `{c}`; expected letters, digits, `.` and `_`"
                ));
            }
        }
        let detail = parts.next().unwrap_or_default();
        if let Some(c) = detail
            .chars()
            .find(|c| !is_plain(*c) && !"~^-".contains(*c))
        {
            return bad(format!(
                "the detail holds `{c}`; expected letters, digits, `.`, `_`, `~`, `^` and `-`"
            ));
        }
        if text.ends_with('-') {
            return bad("it ends with `-`; expected a part behind it".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The same name, if server groups of it may be made.
    fn makeable(self) -> Result<Self, BadName> {
        if self.0.len() > MOST_CLUSTER_BYTES {
            let why = format!(
                "{} bytes; expected at most {MOST_CLUSTER_BYTES}",
                self.0.len()
            );
            return Err(BadName::cluster(&self.0, why));
        }
        let mut tokens = self.0.split('-').skip(1);
        let reserved = tokens.find_map(|token| {
            if is_push_suffix(token) {
                Some(format!(
                    "`{token}` would be read as the number of a server group"
                ))
            } else {
                is_variable(token)
                    .then(|| format!("`{token}` would be read as a labelled variable"))
            }
        });
        match reserved {
            Some(why) => Err(BadName::cluster(&self.0, why)),
            None => Ok(self),
        }
    }

    /// The cluster whose detail is this one's with `suffix` behind it: `search-prod-canary` of `search-prod`, `search--canary` of
    /// `search`, `search-prod-web-canary` of `search-prod-web`.
    ///
    /// # Errors
    /// As [`ClusterName::of`].
    pub fn with_detail(&self, suffix: &str) -> Result<Self, BadName> {
        let detail = match self.detail() {
            Some(detail) => format!("{detail}-{suffix}"),
            None => suffix.to_owned(),
        };
        Self::of(self.application(), self.stack(), Some(&detail))
    }

    /// The application: up to the first hyphen.
    #[must_use]
    pub fn application(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The stack: between the first and the second hyphen.
    #[must_use]
    pub fn stack(&self) -> Option<&str> {
        let stack = self.0.split('-').nth(1);
        stack.filter(|stack| !stack.is_empty())
    }

    /// The detail: all behind the second hyphen.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.splitn(3, '-').nth(2)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its server group with this number, of which the last three digits count.
    #[must_use]
    pub fn group(&self, number: u32) -> GroupName {
        GroupName(format!("{}-v{:03}", self.0, number % NUMBERS))
    }

    /// The server group to make next, beside those that exist, each with the time at which it was made: the number after the
    /// youngest's (not after the greatest), or the next one that is free. Server groups of other clusters do not count; without
    /// any it is `v000`.
    ///
    /// # Errors
    /// No number is free.
    pub fn next_group<'a>(
        &self,
        existing: impl IntoIterator<Item = (&'a GroupName, i64)>,
    ) -> Result<GroupName, AllNumbersTaken> {
        let own: Vec<(i64, u32)> = existing
            .into_iter()
            .filter(|(group, _)| group.cluster_text() == self.0)
            .map(|(group, created_ms)| (created_ms, group.number()))
            .collect();
        let taken: BTreeSet<u32> = own.iter().map(|(_, number)| *number).collect();
        // Of several that were made in the same millisecond the greatest number counts as the youngest.
        let first = own.iter().max().map_or(0, |(_, number)| number + 1);
        (first..first + NUMBERS)
            .map(|number| number % NUMBERS)
            .find(|number| !taken.contains(number))
            .map(|number| self.group(number))
            .ok_or_else(|| AllNumbersTaken(self.clone()))
    }
}

impl GroupName {
    /// Reads a name, of whoever made it; it must have a number.
    ///
    /// # Errors
    /// A text that does not follow the grammar.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |why: String| BadName {
            what: "server group name",
            text: text.to_owned(),
            why,
        };
        if text.len() > MOST_READ_BYTES {
            return Err(bad(format!(
                "{} bytes; expected at most {MOST_READ_BYTES}",
                text.len()
            )));
        }
        let cluster = match text.rsplit_once('-') {
            Some((cluster, token)) if is_push_suffix(token) => cluster,
            Some(_) | None => {
                return Err(bad(
                    "expected `-v` and three to six digits at its end".to_owned()
                ));
            }
        };
        match ClusterName::parse(cluster) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(bad(error.why)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its cluster.
    #[must_use]
    pub fn cluster(&self) -> ClusterName {
        ClusterName(self.cluster_text().to_owned())
    }

    fn cluster_text(&self) -> &str {
        self.0.rsplit_once('-').map_or("", |(cluster, _)| cluster)
    }

    /// Its number: 0 to 999 of those that we make, up to 999,999 of others.
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
