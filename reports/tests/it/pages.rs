//! What every page is made of: valid HTML that needs nothing else, of bounded size, with its data inside.

use scraper::Html;

use crate::reports::{all, page, select};
use crate::samples;

#[test]
fn a_page_is_valid_html_that_needs_nothing_else() {
    for (name, sample) in all() {
        let page = page(&sample);
        let document = Html::parse_document(&page);
        assert!(document.errors.is_empty(), "{name}: {:?}", document.errors);
        for scheme in ["http:", "https:", "//cdn", "@import", "url("] {
            assert!(!page.contains(scheme), "{name} names `{scheme}`");
        }
        let loads = select("[src], link:not([rel=icon]), iframe, object, embed, img, base, form");
        assert_eq!(document.select(&loads).count(), 0, "{name}");
        for svg in document.select(&select("svg")) {
            assert!(
                svg.children().count() > 0,
                "{name} has an empty drawing: {}",
                svg.html()
            );
        }
        let mut ids: Vec<&str> = document
            .select(&select("[id]"))
            .filter_map(|element| element.value().id())
            .collect();
        ids.sort_unstable();
        let number = ids.len();
        ids.dedup();
        assert_eq!(number, ids.len(), "{name} uses an id twice");
        for link in document.select(&select("a[href^='#'], use")) {
            let to = link.value().attr("href").unwrap().trim_start_matches('#');
            assert!(ids.contains(&to), "{name} links to nothing: {to}");
        }
        let rows = document.select(&select("tbody.m")).count();
        assert_eq!(rows, sample.judgement.results.len(), "{name}");
    }
}

#[test]
fn a_page_of_two_hundred_metrics_stays_small() {
    let size = page(&samples::two_hundred()).len();
    assert!(size < 5_000_000, "{size}");
}

#[test]
fn a_hundred_thousand_points_are_drawn_as_an_envelope() {
    let sample = samples::many_points();
    let page = page(&sample);
    assert!(page.len() < 300_000, "{}", page.len());
    assert!(page.contains("areas from the least to the most"));
}

#[test]
fn data_that_are_too_large_stay_out_and_the_page_says_so() {
    let mut sample = samples::one();
    sample.context.data_json = Some(" ".repeat(coalmine_reports::DATA_LIMIT + 1));
    let page = page(&sample);
    assert!(page.len() < 1_000_000);
    assert!(page.contains("larger than 20 MB"));
    assert!(!page.contains("id=\"data\"") && !page.contains("id=\"json\""));
}

#[test]
fn the_data_inside_of_a_page_are_the_data_and_cannot_end_their_element() {
    let data = "{\"a\":\"</script><!--<script>\"}".to_owned();
    let mut sample = samples::odd();
    sample.context.data_json = Some(data.clone());
    let written = page(&sample);
    let document = Html::parse_document(&written);
    let inside: String = document
        .select(&select("script#data"))
        .flat_map(|script| script.text())
        .collect();
    let read: serde_json::Value = serde_json::from_str(&inside).expect("the data are JSON");
    assert_eq!(
        read,
        serde_json::from_str::<serde_json::Value>(&data).unwrap()
    );
    sample.context.data_json = None;
    let written = page(&sample);
    assert!(!written.contains("id=\"data\"") && !written.contains("id=\"json\""));
    assert!(written.contains("there were none to put in"));
}

#[test]
fn series_that_do_not_fit_the_judgement_are_no_fault() {
    let mut sample = samples::fail();
    sample.sets.truncate(3);
    sample.context.queries.clear();
    assert!(page(&sample).contains("None: the series were read as they are."));
}
