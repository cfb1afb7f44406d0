//! Lists of words, and the word that was probably meant.

/// Longest word for which a near one is looked for, in bytes; the cost grows with its square.
const LONGEST: usize = 60;

/// `` `a`, `b` or `c` ``.
pub(crate) fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(|word| format!("`{word}`")).collect();
            format!("{} or `{last}`", most.join(", "))
        }
    }
}

/// The one of `known` that is nearest to `word`, if it is near enough to be meant: at most one edit in three characters.
/// Case, `-` and `_` count for nothing.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let fold = |word: &str| word.to_lowercase().replace(['-', '_', ' '], "");
    let folded = fold(word);
    known
        .filter(|known| known.len() <= LONGEST)
        .map(|known| (strsim::damerau_levenshtein(&folded, &fold(known)), known))
        .filter(|(distance, known)| *distance <= known.len().max(folded.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
