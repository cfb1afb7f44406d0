//! A JSON Schema as the walk sees it: references followed, `null` set apart.

use serde_json::{Map, Value as Json};

use super::super::node::{Node, Value};
use super::words::list;

/// The JSON Schema of a wire type.
#[derive(Debug, Clone)]
pub struct Schema {
    root: Json,
}

impl Schema {
    pub(super) fn new(root: Json) -> Self {
        Self { root }
    }

    /// The schema as a document, draft 2020-12.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.root
    }

    pub(super) fn view(&self) -> View<'_> {
        View::new(&self.root, &self.root)
    }
}

/// What kind of value a schema asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Anything,
    Object,
    List,
    Text,
    Number,
    Whole,
    Flag,
}

/// One schema with all that it refers to, outermost first.
#[derive(Debug, Clone)]
pub(super) struct View<'s> {
    root: &'s Json,
    layers: Vec<&'s Map<String, Json>>,
    nullable: bool,
}

impl<'s> View<'s> {
    fn new(root: &'s Json, schema: &'s Json) -> Self {
        let mut view = Self {
            root,
            layers: Vec::new(),
            nullable: false,
        };
        view.add(schema);
        view
    }

    fn add(&mut self, schema: &'s Json) {
        // References in a schema of plain data never form a ring without a property between, so this ends; the bound holds
        // it for any other schema too.
        let Some(layer) = schema.as_object().filter(|_| self.layers.len() < 16) else {
            return;
        };
        self.layers.push(layer);
        if let Some(target) = layer.get("$ref").and_then(Json::as_str) {
            let target = target
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            if let Some(target) = target {
                self.add(target);
            }
        }
        let alternatives = layer.get("anyOf").and_then(Json::as_array);
        for alternative in alternatives.into_iter().flatten() {
            if alternative.get("type").and_then(Json::as_str) == Some("null") {
                self.nullable = true;
            } else {
                self.add(alternative);
            }
        }
    }

    fn sub(&self, schema: &'s Json) -> Self {
        Self::new(self.root, schema)
    }

    fn find(&self, word: &str) -> Option<&'s Json> {
        self.layers.iter().find_map(|layer| layer.get(word))
    }

    fn types(&self) -> Vec<&'s str> {
        match self.find("type") {
            Some(Json::String(one)) => vec![one.as_str()],
            Some(Json::Array(many)) => many.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn nullable(&self) -> bool {
        self.nullable || self.types().contains(&"null")
    }

    pub(super) fn kind(&self) -> Kind {
        let kind = self.types().into_iter().find_map(|word| match word {
            "object" => Some(Kind::Object),
            "array" => Some(Kind::List),
            "string" => Some(Kind::Text),
            "number" => Some(Kind::Number),
            "integer" => Some(Kind::Whole),
            "boolean" => Some(Kind::Flag),
            _ => None,
        });
        match kind {
            Some(kind) => kind,
            None if self.words().is_some() => Kind::Text,
            None if self.tagged().is_some() => Kind::Object,
            None => Kind::Anything,
        }
    }

    /// The only texts that are allowed, if they are limited.
    pub(super) fn words(&self) -> Option<Vec<&'s str>> {
        fn of(schema: &Json) -> Option<Vec<&str>> {
            if let Some(word) = schema.get("const") {
                return Some(vec![word.as_str()?]);
            }
            let words = schema.get("enum")?.as_array()?;
            words.iter().map(Json::as_str).collect()
        }
        if let Some(words) = self.find("enum").and_then(Json::as_array) {
            return words.iter().map(Json::as_str).collect();
        }
        if let Some(word) = self.find("const") {
            return Some(vec![word.as_str()?]);
        }
        let choices = self.find("oneOf")?.as_array()?;
        let words: Option<Vec<Vec<&str>>> = choices.iter().map(of).collect();
        Some(words?.concat())
    }

    /// The key that tells alternatives apart, and the alternatives by its value.
    pub(super) fn tagged(&self) -> Option<(&'s str, Vec<(&'s str, Self)>)> {
        let choices = self.find("oneOf")?.as_array()?;
        let first = choices.first()?.get("properties")?.as_object()?;
        let (tag, _) = first
            .iter()
            .find(|(_, property)| property.get("const").is_some())?;
        let choices: Option<Vec<(&str, Self)>> = choices
            .iter()
            .map(|choice| {
                let word = choice.get("properties")?.get(tag)?.get("const")?.as_str()?;
                Some((word, self.sub(choice)))
            })
            .collect();
        Some((tag.as_str(), choices?))
    }

    pub(super) fn property(&self, key: &str) -> Option<Self> {
        self.layers
            .iter()
            .find_map(|layer| layer.get("properties")?.get(key))
            .map(|schema| self.sub(schema))
    }

    pub(super) fn property_names(&self) -> Vec<&'s str> {
        self.layers
            .iter()
            .filter_map(|layer| layer.get("properties")?.as_object())
            .flat_map(|properties| properties.keys().map(String::as_str))
            .collect()
    }

    pub(super) fn required(&self) -> Vec<&'s str> {
        self.layers
            .iter()
            .filter_map(|layer| layer.get("required")?.as_array())
            .flatten()
            .filter_map(Json::as_str)
            .collect()
    }

    /// What the values of all other keys must be.
    pub(super) fn additional(&self) -> Option<Self> {
        let schema = self.find("additionalProperties")?;
        schema.is_object().then(|| self.sub(schema))
    }

    /// Whether other keys may stand here with any value.
    pub(super) fn is_open(&self) -> bool {
        self.find("additionalProperties") != Some(&Json::Bool(false))
    }

    pub(super) fn items(&self) -> Option<Self> {
        self.find("items").map(|schema| self.sub(schema))
    }

    pub(super) fn min_items(&self) -> usize {
        self.count("minItems")
    }

    pub(super) fn min_length(&self) -> usize {
        self.count("minLength")
    }

    fn count(&self, word: &str) -> usize {
        let count = self.find(word).and_then(Json::as_u64).unwrap_or(0);
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    fn bound(&self, word: &str) -> Option<f64> {
        self.find(word).and_then(Json::as_f64)
    }

    pub(super) fn in_range(&self, number: f64) -> bool {
        self.bound("minimum").is_none_or(|bound| number >= bound)
            && self.bound("maximum").is_none_or(|bound| number <= bound)
            && self
                .bound("exclusiveMinimum")
                .is_none_or(|bound| number > bound)
    }

    /// What is expected, in words.
    pub(super) fn expected(&self) -> String {
        if let Some(words) = self.words() {
            return list(&words);
        }
        let range = match (
            self.bound("minimum"),
            self.bound("maximum"),
            self.bound("exclusiveMinimum"),
        ) {
            (Some(least), Some(most), _) => format!(" from {least} to {most}"),
            (Some(least), None, _) => format!(" of at least {least}"),
            (None, Some(most), _) => format!(" of at most {most}"),
            (None, None, Some(bound)) => format!(" above {bound}"),
            (None, None, None) => String::new(),
        };
        match self.kind() {
            Kind::Anything => "a value".to_owned(),
            Kind::Object => "a map".to_owned(),
            Kind::List if self.min_items() > 0 => "a list with at least one item".to_owned(),
            Kind::List => "a list".to_owned(),
            Kind::Text if self.min_length() > 0 => "text that is not empty".to_owned(),
            Kind::Text => "text".to_owned(),
            Kind::Number => format!("a number{range}"),
            Kind::Whole => format!("a whole number{range}"),
            Kind::Flag => "`true` or `false`".to_owned(),
        }
    }

    /// What to do about a value of the wrong kind.
    pub(super) fn hint_for(&self, node: &Node) -> Option<String> {
        let example = self.find("examples").and_then(|all| all.get(0)?.as_str());
        match (self.kind(), &node.value) {
            (Kind::Text, Value::Number(_)) if let Some(example) = example => {
                Some(format!("write it as `{example}`"))
            }
            (Kind::Text, Value::Number(number)) => {
                Some(format!("write it in quotes: `\"{number}\"`"))
            }
            (Kind::Text, Value::Bool(flag)) => Some(format!("write it in quotes: `\"{flag}\"`")),
            (Kind::Number | Kind::Whole, Value::Text(text)) if super::finite(text).is_some() => {
                Some("remove the quotes".to_owned())
            }
            (Kind::Flag, Value::Text(text)) => match text.to_lowercase().as_str() {
                "true" | "false" => Some("remove the quotes".to_owned()),
                "yes" | "on" => Some("write `true`".to_owned()),
                "no" | "off" => Some("write `false`".to_owned()),
                _ => None,
            },
            (Kind::List, Value::Text(text)) => {
                let short = super::shorten(text, 40);
                Some(format!("write `[{short}]` for a list of one"))
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
        }
    }

    /// The empty value, where it is allowed.
    pub(super) fn empty(&self) -> Option<&'static str> {
        match self.kind() {
            Kind::Object if self.required().is_empty() && self.tagged().is_none() => Some("{}"),
            Kind::List if self.min_items() == 0 => Some("[]"),
            Kind::Anything
            | Kind::Object
            | Kind::List
            | Kind::Text
            | Kind::Number
            | Kind::Whole
            | Kind::Flag => None,
        }
    }

    /// Where below this schema a key of this name is known, if anywhere: `analysisConfigurations.canary`.
    pub(super) fn place_below(&self, key: &str) -> Option<String> {
        self.search(key, 3).filter(|place| !place.is_empty())
    }

    fn search(&self, key: &str, depth: usize) -> Option<String> {
        if self.property(key).is_some() {
            return Some(String::new());
        }
        if depth == 0 {
            return None;
        }
        self.property_names().into_iter().find_map(|name| {
            let below = self.property(name)?.search(key, depth - 1)?;
            let dot = if below.is_empty() { "" } else { "." };
            Some(format!("{name}{dot}{below}"))
        })
    }
}
