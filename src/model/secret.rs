//! Secrets that cannot be printed by accident.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// A password, token or the like. `Debug` shows `***`; there is no `Display` and no `Serialize`, so that it reaches no log, error,
/// report or file by accident. The one way to its text is [`reveal`](Self::reveal).
#[derive(Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret's text as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret's text, for the one place that sends or compares it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Where a secret is: written down, or in a file that may change while the program runs. In a config: a string, or
/// `{"file": PATH}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SecretSource {
    /// The secret itself.
    Value(Secret),
    /// A file that holds it; white space around it does not count.
    File(SecretFile),
}

/// The file of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretFile {
    /// Its path.
    pub file: PathBuf,
}

impl SecretSource {
    /// A secret that is written down.
    #[must_use]
    pub fn value(text: impl Into<String>) -> Self {
        Self::Value(Secret::new(text))
    }

    /// A secret in a file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(SecretFile { file: path.into() })
    }
}
