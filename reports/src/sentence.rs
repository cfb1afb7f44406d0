//! Sentences made of our own words and of foreign names, kept apart until a format writes them.
//!
//! Our words are plain text without markup. Names come from configs and metric stores and may hold anything, so every
//! format escapes or isolates them by its own rules.

/// A part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Our own words and numbers.
    Words(String),
    /// A word or number that decides.
    Strong(String),
    /// A name as somebody else wrote it, cleaned of control characters.
    Name(String),
}

/// A sentence, or several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sentence(pub(crate) Vec<Piece>);

impl Sentence {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn words(mut self, words: impl AsRef<str>) -> Self {
        let words = words.as_ref();
        if let Some(Piece::Words(last)) = self.0.last_mut() {
            last.push_str(words);
        } else if !words.is_empty() {
            self.0.push(Piece::Words(words.to_owned()));
        }
        self
    }

    pub(crate) fn strong(mut self, words: impl Into<String>) -> Self {
        self.0.push(Piece::Strong(words.into()));
        self
    }

    pub(crate) fn name(mut self, name: impl Into<String>) -> Self {
        self.0.push(Piece::Name(name.into()));
        self
    }

    /// Adds another sentence after a space.
    pub(crate) fn then(mut self, other: Self) -> Self {
        if other.0.is_empty() {
            return self;
        }
        if !self.0.is_empty() {
            self = self.words(" ");
        }
        for piece in other.0 {
            self = match piece {
                Piece::Words(words) => self.words(words),
                Piece::Strong(_) | Piece::Name(_) => {
                    self.0.push(piece);
                    self
                }
            };
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names joined by commas: all of up to `limit`, else the first ones and how many more there are.
    pub(crate) fn names(mut self, names: &[&str], limit: usize) -> Self {
        let shown = if names.len() > limit {
            limit.saturating_sub(1).max(1)
        } else {
            names.len()
        };
        for (index, name) in names.iter().take(shown).enumerate() {
            if index > 0 {
                let last = index + 1 == names.len();
                self = self.words(if last { " and " } else { ", " });
            }
            self = self.name(*name);
        }
        if names.len() > shown {
            self = self.words(format!(" and {} more", names.len() - shown));
        }
        self
    }

    /// As plain text.
    pub(crate) fn plain(&self) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Words(text) | Piece::Strong(text) | Piece::Name(text) => text.as_str(),
            })
            .collect()
    }

    /// The first letter in upper case, where it is ours.
    pub(crate) fn capitalised(mut self) -> Self {
        if let Some(Piece::Words(words) | Piece::Strong(words)) = self.0.first_mut() {
            let mut letters = words.chars();
            if let Some(first) = letters.next() {
                *words = first.to_uppercase().chain(letters).collect();
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_cut_to_the_first_ones() {
        let names = ["a", "b", "c", "d", "e"];
        let text = |count: usize| Sentence::new().names(&names[..count], 3).plain();
        assert_eq!(text(1), "a");
        assert_eq!(text(2), "a and b");
        assert_eq!(text(3), "a, b and c");
        assert_eq!(text(5), "a, b and 3 more");
    }

    #[test]
    fn a_name_is_never_capitalised() {
        let sentence = Sentence::new().name("p99").words(" rose").capitalised();
        assert_eq!(sentence.plain(), "p99 rose");
        assert_eq!(
            Sentence::new().words("no change").capitalised().plain(),
            "No change"
        );
    }
}
