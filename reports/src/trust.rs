//! Cautions over all metrics: the same caution of several metrics is told once, with their names.

use crate::metric::{Kind, MetricView};

/// One caution and the metrics that it concerns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SharedCaution {
    /// `Few points`.
    pub(crate) title: String,
    /// What it means and what to do: the sentences that hold for all of the metrics.
    pub(crate) text: String,
    /// The metrics' names with their tags.
    pub(crate) metrics: Vec<String>,
}

/// The cautions of all metrics that count, in the order of the metrics.
pub(crate) fn shared(metrics: &[MetricView]) -> Vec<SharedCaution> {
    let mut found: Vec<SharedCaution> = Vec::new();
    for metric in metrics.iter().filter(|metric| metric.kind != Kind::Muted) {
        for caution in &metric.cautions {
            let (title, text) = caution.split_once(": ").unwrap_or(("Caution", caution));
            match found.iter_mut().find(|known| known.title == title) {
                Some(known) => {
                    known.text = common(&known.text, &capitalised(text));
                    known.metrics.push(metric.label());
                }
                None => found.push(SharedCaution {
                    title: title.to_owned(),
                    text: capitalised(text),
                    metrics: vec![metric.label()],
                }),
            }
        }
    }
    found
}

impl SharedCaution {
    /// The first names, each as `shown` writes it, and how many more there are.
    pub(crate) fn names(&self, shown: impl Fn(&str) -> String) -> String {
        const NAMED: usize = 3;
        let names: Vec<String> = self
            .metrics
            .iter()
            .take(NAMED)
            .map(|name| shown(name))
            .collect();
        match self.metrics.len().saturating_sub(NAMED) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// The sentences that stand in both texts.
fn common(one: &str, other: &str) -> String {
    let sentences: Vec<&str> = other.split_inclusive(". ").map(str::trim_end).collect();
    let shared = one
        .split_inclusive(". ")
        .map(str::trim_end)
        .filter(|sentence| sentences.contains(sentence));
    shared.collect::<Vec<&str>>().join(" ")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + chars.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::common;

    #[test]
    fn what_holds_for_one_metric_only_is_not_told_of_all() {
        let text = common(
            "Small. Use another. Its shift is 5.",
            "Small. Use another. Its shift is 7.",
        );
        assert_eq!(text, "Small. Use another.");
        assert_eq!(common("Small. Its shift is 5.", "Small."), "Small.");
    }
}
