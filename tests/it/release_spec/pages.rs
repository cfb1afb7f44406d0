//! The specs in our pages are ones that can be used.

use coalmine::config::release::{Overrides, load};

use super::{CANARY, told};

/// The pages, and how many specs each has.
const PAGES: [(&str, &str, usize); 2] = [
    ("releases", include_str!("../../../docs/releases.md"), 1),
    (
        "side-by-side-in-ci",
        include_str!("../../../docs/recipes/side-by-side-in-ci.md"),
        1,
    ),
];

#[test]
fn the_specs_in_our_pages_load() {
    for (name, page, expected) in PAGES {
        let blocks = page.split("```yaml\n").skip(1);
        let specs = blocks
            .filter_map(|rest| rest.split("```").next())
            .filter(|block| block.starts_with("version: coalmine/v1\n"));
        let mut count = 0;
        for spec in specs {
            let overrides = Overrides {
                version: Some("1.1.0".to_owned()),
                ..Overrides::default()
            };
            let file = |path: &str| match path {
                "scrape.canary.yaml" => Ok(CANARY.to_owned()),
                other => Err(format!("no file `{other}`")),
            };
            let loaded = load(spec, &file, &overrides);
            assert!(
                loaded.is_ok(),
                "{name}: {}",
                loaded.map_or_else(|refused| told(&refused), |_| String::new())
            );
            count += 1;
        }
        assert_eq!(count, expected, "{name}");
    }
}
