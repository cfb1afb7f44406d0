//! Names and texts from outside, without what cannot be seen, and cut to a length.

use super::Signs;

impl Signs {
    /// At most `limit` characters; longer text keeps its start and its end.
    pub(crate) fn shorten(self, text: &str, limit: usize) -> String {
        let length = text.chars().count();
        if length <= limit {
            return text.to_owned();
        }
        let kept = limit.saturating_sub(self.ellipsis.chars().count()).max(2);
        let head = kept * 2 / 3;
        let start: String = text.chars().take(head).collect();
        let end: String = text.chars().skip(length - (kept - head)).collect();
        format!("{start}{}{end}", self.ellipsis)
    }
}

/// A name on one line: control characters and marks that turn the direction of text become `\u{fffd}`. They could move a
/// terminal's cursor, or make a name read as another.
pub(crate) fn clean(name: &str) -> String {
    name.chars()
        .map(|c| if hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

/// The same for text of several lines: line breaks and tabs stay.
pub(crate) fn clean_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|c| {
            if hidden(c) && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Whether a character cannot be seen, or turns or breaks the text around it: control characters, marks and embeddings of
/// direction, line and paragraph separators, and what has no width of its own. The joiners U+200C and U+200D are among these,
/// although some scripts write with them: between Latin letters they make two names look like one.
fn hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    let has_no_width = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    c.is_control() || turns || breaks || has_no_width || matches!(c, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_start_and_its_end() {
        let short = Signs::PAGE.shorten(&"abcdefghij".repeat(30), 20);
        assert_eq!(short.chars().count(), 20);
        assert!(
            short.starts_with("abcdefghijab") && short.ends_with("efghij"),
            "{short}"
        );
    }

    #[test]
    fn a_name_cannot_move_the_cursor_or_turn_the_text() {
        assert_eq!(
            clean("a\u{1b}[2J\u{202e}b\n"),
            "a\u{fffd}[2J\u{fffd}b\u{fffd}"
        );
        for c in [
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{2060}',
            '\u{feff}',
            '\u{ad}',
            '\u{e0041}',
            '\u{2069}',
            '\u{9b}',
        ] {
            assert_eq!(clean(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
            assert_eq!(
                clean_lines(&format!("a{c}\n\tb")),
                "a\u{fffd}\n\tb",
                "{c:?}"
            );
        }
        // What can be seen stays, whatever its script.
        for name in ["زمن الاستجابة", "naïve", "時間", "e\u{301}", "👍"] {
            assert_eq!(clean(name), name);
        }
    }
}
