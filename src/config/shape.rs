//! Holds a [`Node`] against the JSON Schema of a wire type and reports every difference at once.
//!
//! The schema comes from the wire type itself ([`Schema::of`]), so the two cannot drift apart. Understood are the words that
//! `schemars` writes for plain data: types, properties, required and additional ones, items, enums, references, tagged
//! alternatives, ranges and lengths. What the walk yields always fits the wire type: a part with a problem is left out.

use schemars::JsonSchema;
use serde_json::{Map, Value as Json};

use super::node::{Entry, Node, Value, shorten};
use super::path::Path;
use super::problems::{Findings, Problem};

mod view;
mod words;

pub use view::Schema;
use view::{Kind, View};
pub(crate) use words::{list, nearest};

/// How to read what does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading<'k> {
    /// Every difference is a problem.
    Strict,
    /// As Jackson reads for Kayenta: unknown keys are passed over and listed; scalars turn into the scalar that is asked
    /// for; `null` is as good as absent; ranges and absent keys are for others to judge. The values of the keys named here
    /// are taken as they are.
    Lenient {
        /// Keys whose values are not looked into.
        opaque: &'k [&'k str],
    },
}

impl Schema {
    /// The schema of `T`.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        let schema = schemars::generate::SchemaSettings::draft2020_12()
            .into_generator()
            .into_root_schema_for::<T>();
        Self::new(schema.to_value())
    }

    /// The keys of the map that stands below the keys `below`; none where no map is known there.
    pub(crate) fn keys(&self, below: &[&str]) -> Vec<&str> {
        let start = Some(self.view());
        let map = below
            .iter()
            .fold(start, |view, key| view.and_then(|view| view.property(key)));
        map.map(|map| map.property_names()).unwrap_or_default()
    }

    /// Reads `node`; gives what fits, and adds to `findings` what does not.
    pub(crate) fn read(&self, node: &Node, reading: Reading<'_>, findings: &mut Findings) -> Json {
        let root = self.view();
        let mut walk = Walk {
            reading,
            findings,
            root: root.clone(),
            hints_left: Findings::MOST,
        };
        walk.value(&root, node, &Path::root())
            .unwrap_or_else(|| Json::Object(Map::new()))
    }
}

struct Walk<'a, 's> {
    reading: Reading<'a>,
    findings: &'a mut Findings,
    root: View<'s>,
    /// For how many more unknown keys it is looked what was meant; it takes long.
    hints_left: usize,
}

impl Walk<'_, '_> {
    fn strict(&self) -> bool {
        self.reading == Reading::Strict
    }

    fn wrong(&mut self, view: &View<'_>, node: &Node, path: &Path) -> Option<Json> {
        let mut problem =
            Problem::new(path.clone(), node.to_string(), view.expected()).at(node.position);
        if let Some(hint) = view.hint_for(node) {
            problem = problem.hint(hint);
        }
        self.findings.problem(problem);
        None
    }

    fn value(&mut self, view: &View<'_>, node: &Node, path: &Path) -> Option<Json> {
        if let (Some((tag, choices)), Value::Map(entries)) = (view.tagged(), &node.value) {
            let chosen = self.choose(tag, &choices, entries, node, path)?;
            return self.value(&chosen, node, path);
        }
        if let (Some(words), Value::Text(word)) = (view.words(), &node.value) {
            return self.word(&words, word, node, path);
        }
        match (view.kind(), &node.value) {
            (Kind::Anything, _) => Some(node.to_json()),
            (_, Value::Null) if view.nullable() => Some(Json::Null),
            (Kind::Object, Value::Map(entries)) => Some(self.map(view, entries, path)),
            (Kind::List, Value::List(items)) => self.list(view, items, node, path),
            (Kind::Text, Value::Text(text)) => {
                if self.strict() && text.is_empty() && view.min_length() > 0 {
                    return self.wrong(view, node, path);
                }
                Some(text.clone().into())
            }
            (Kind::Flag, Value::Bool(flag)) => Some((*flag).into()),
            (Kind::Number | Kind::Whole, Value::Number(number)) => {
                let fits = number.is_i64() || view.kind() == Kind::Number;
                let in_range = number.as_f64().is_some_and(|number| view.in_range(number));
                if fits && (in_range || !self.strict()) {
                    Some(number.clone().into())
                } else if !fits && !self.strict() {
                    self.coerce(view, node, path)
                } else {
                    self.wrong(view, node, path)
                }
            }
            (
                Kind::Object | Kind::List | Kind::Text | Kind::Flag | Kind::Number | Kind::Whole,
                _,
            ) if self.strict() => self.wrong(view, node, path),
            (
                Kind::Object | Kind::List | Kind::Text | Kind::Flag | Kind::Number | Kind::Whole,
                _,
            ) => self.coerce(view, node, path),
        }
    }

    /// Turns a scalar into another as Jackson does.
    fn coerce(&mut self, view: &View<'_>, node: &Node, path: &Path) -> Option<Json> {
        let coerced = match (view.kind(), &node.value) {
            (Kind::Text, Value::Number(number)) => Some(number.to_string().into()),
            (Kind::Text, Value::Bool(flag)) => Some(flag.to_string().into()),
            (Kind::Number, Value::Text(text)) => finite(text).map(Json::from),
            (Kind::Whole, Value::Text(text)) => text.trim().parse::<i64>().ok().map(Json::from),
            (Kind::Whole, Value::Number(number)) => number.as_f64().and_then(truncate),
            (Kind::Flag, Value::Text(text)) => match text.trim() {
                "true" | "True" | "TRUE" => Some(true.into()),
                "false" | "False" | "FALSE" => Some(false.into()),
                _ => None,
            },
            (Kind::Flag, Value::Number(number)) => {
                number.as_i64().map(|number| Json::from(number != 0))
            }
            (
                Kind::Anything
                | Kind::Object
                | Kind::List
                | Kind::Text
                | Kind::Number
                | Kind::Whole
                | Kind::Flag,
                _,
            ) => None,
        };
        match coerced {
            Some(value) => Some(value),
            None => self.wrong(view, node, path),
        }
    }

    fn word(&mut self, words: &[&str], word: &str, node: &Node, path: &Path) -> Option<Json> {
        if words.contains(&word) {
            return Some(word.into());
        }
        if self.strict() && !self.findings.is_full() {
            self.findings
                .problem(unknown_word(word, words, path).at(node.position));
        } else if !self.strict() {
            let why = format!("unknown value `{}`", shorten(word, 40));
            self.findings.ignore(path, why);
        }
        None
    }

    /// Picks the alternative that the map's tag names.
    fn choose<'s>(
        &mut self,
        tag: &str,
        choices: &[(&'s str, View<'s>)],
        entries: &[Entry],
        node: &Node,
        path: &Path,
    ) -> Option<View<'s>> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let path = path.key(tag);
        let Some(entry) = entries.iter().find(|entry| entry.key == tag) else {
            self.findings
                .problem(Problem::missing(path.clone(), list(&words)).at(node.position));
            return None;
        };
        let Value::Text(word) = &entry.value.value else {
            let problem = Problem::new(path.clone(), entry.value.to_string(), list(&words));
            self.findings.problem(problem.at(entry.value.position));
            return None;
        };
        let chosen = choices.iter().find(|(choice, _)| choice == word);
        if chosen.is_none() {
            self.findings
                .problem(unknown_word(word, &words, &path).at(entry.value.position));
        }
        chosen.map(|(_, view)| view.clone())
    }

    fn list(&mut self, view: &View<'_>, items: &[Node], node: &Node, path: &Path) -> Option<Json> {
        if self.strict() && items.len() < view.min_items() {
            return self.wrong(view, node, path);
        }
        let item_view = view.items();
        let values = items.iter().enumerate().filter_map(|(index, item)| {
            let path = path.index(index);
            match &item_view {
                Some(view) => self.value(view, item, &path),
                None => Some(item.to_json()),
            }
        });
        Some(values.collect())
    }

    fn map(&mut self, view: &View<'_>, entries: &[Entry], path: &Path) -> Json {
        let mut map = Map::new();
        for entry in entries {
            let path = path.key(entry.key.as_str());
            if let Some(value) = self.entry(view, entry, entries, &path) {
                map.insert(entry.key.clone(), value);
            }
        }
        if self.strict() {
            for key in view.required() {
                let path = path.key(key);
                if !has(entries, key) && !self.findings.mislaid.contains_key(&path) {
                    self.missing(view, key, path);
                }
            }
        }
        Json::Object(map)
    }

    /// What fits of `entry`, one of `entries`, at `path`.
    fn entry(
        &mut self,
        view: &View<'_>,
        entry: &Entry,
        entries: &[Entry],
        path: &Path,
    ) -> Option<Json> {
        let lenient_null = !self.strict() && entry.value.value == Value::Null;
        if let Some(property) = view.property(&entry.key) {
            if lenient_null {
                return None;
            }
            if let Reading::Lenient { opaque } = self.reading
                && opaque.contains(&entry.key.as_str())
                && matches!(entry.value.value, Value::Map(_))
            {
                return Some(entry.value.to_json());
            }
            return self.value(&property, &entry.value, path);
        }
        if let Some(additional) = view.additional() {
            return self.value(&additional, &entry.value, path);
        }
        if view.is_open() {
            return Some(entry.value.to_json());
        }
        if self.strict() && self.findings.is_full() {
            return None;
        }
        let hint = self.meant(view, entry, entries, path);
        if self.strict() {
            let found = format!("unknown key `{}`", shorten(&entry.key, 60));
            let known = view.property_names();
            let expected = if known.is_empty() {
                "no keys".to_owned()
            } else {
                list(&known)
            };
            let mut problem = Problem::new(path.clone(), found, expected).at(entry.position);
            problem.hint = hint;
            self.findings.problem(problem);
        } else {
            self.findings.ignore(path, "unknown key");
        }
        None
    }

    /// What was probably meant by an unknown key; notes which known key is absent for it.
    fn meant(
        &mut self,
        view: &View<'_>,
        entry: &Entry,
        entries: &[Entry],
        path: &Path,
    ) -> Option<String> {
        self.hints_left = self.hints_left.checked_sub(1)?;
        let key = entry.key.as_str();
        if let Some(place) = view.place_below(key) {
            return Some(format!("`{key}` belongs under `{place}`"));
        }
        let top = Path::root();
        if *path == top.key(key)
            && let Value::Map(below) = &entry.value.value
            && self.root.required().iter().any(|key| has(below, key))
        {
            let hint = format!(
                "the config stands one level too deep; remove `{}:` and move what is below it up",
                shorten(key, 60)
            );
            for required in self.root.required() {
                self.findings
                    .mislaid
                    .insert(top.key(required), hint.clone());
            }
            return Some(hint);
        }
        if let Some(property) = self.root.property(key)
            && matches!(property.kind(), Kind::Object | Kind::List)
        {
            let hint = format!("move `{path}` to the top level");
            self.findings.mislaid.insert(top.key(key), hint.clone());
            return Some(hint);
        }
        let near = nearest(key, view.property_names().into_iter())?;
        if !has(entries, near)
            && let Some(parent) = path.parent()
        {
            let hint = format!("write `{near}` for `{}`", shorten(key, 60));
            self.findings.mislaid.insert(parent.key(near), hint);
        }
        Some(format!("did you mean `{near}`?"))
    }

    fn missing(&mut self, view: &View<'_>, key: &str, path: Path) {
        let property = view.property(key);
        let expected = property
            .as_ref()
            .map_or_else(|| "a value".to_owned(), View::expected);
        let mut problem = Problem::missing(path, expected);
        if let Some(empty) = property.and_then(|property| property.empty()) {
            problem = problem.hint(format!("write `{key}: {empty}`"));
        }
        self.findings.problem(problem);
    }
}

fn unknown_word(word: &str, words: &[&str], path: &Path) -> Problem {
    let found = format!("unknown value `{}`", shorten(word, 40));
    Problem::new(path.clone(), found, list(words)).did_you_mean(word, words.iter().copied())
}

fn has(entries: &[Entry], key: &str) -> bool {
    entries.iter().any(|entry| entry.key == key)
}

fn finite(text: &str) -> Option<f64> {
    let number = text.trim().parse::<f64>().ok()?;
    number.is_finite().then_some(number)
}

fn truncate(number: f64) -> Option<Json> {
    let whole = number.trunc();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "below 2^63 in magnitude, and whole"
    )]
    let fits = (whole.abs() < 9.0e18).then_some(whole as i64);
    fits.map(Json::from)
}
