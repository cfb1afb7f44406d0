//! The committed JSON Schema and the shipped configs.

use coalmine::config::Strictness;
use coalmine::config::canary::{load, schema};

const SCHEMA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/configs/canary-config.schema.json"
);

const JSON_EXAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/configs/examples/golden-signals.canary.json"
);

/// Set `COALMINE_WRITE=1` to write the schema anew after a change of the wire types.
#[test]
fn the_committed_schema_is_current() {
    let mut current = serde_json::to_string_pretty(schema().json()).unwrap();
    current.push('\n');
    if std::env::var_os("COALMINE_WRITE").is_some() {
        std::fs::write(SCHEMA, &current).unwrap();
    }
    let committed = std::fs::read_to_string(SCHEMA).unwrap();
    assert!(
        committed == current,
        "configs/canary-config.schema.json is not what the types say; run this test with COALMINE_WRITE=1"
    );
}

/// The JSON example is the YAML one, written by the same switch.
#[test]
fn every_shipped_canary_config_loads_strictly_and_without_warnings() {
    fn walk(folder: &std::path::Path, loaded: &mut Vec<(String, coalmine::config::CanaryConfig)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                walk(&path, loaded);
            } else if name.ends_with(".canary.yaml") || name.ends_with(".canary.json") {
                let text = std::fs::read_to_string(&path).unwrap();
                let config = load(&text, Strictness::Strict)
                    .unwrap_or_else(|problems| panic!("{name}: {problems}"));
                assert_eq!(config.warnings(), [], "{name}");
                loaded.push((name, config));
            }
        }
    }
    let mut loaded = Vec::new();
    walk(
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/configs")),
        &mut loaded,
    );
    let find = |end: &str| {
        let found = loaded.iter().find(|(name, _)| name.ends_with(end));
        &found.unwrap_or_else(|| panic!("no {end}")).1
    };
    let yaml = find("golden-signals.canary.yaml");
    if std::env::var_os("COALMINE_WRITE").is_some() {
        std::fs::write(JSON_EXAMPLE, yaml.to_json() + "\n").unwrap();
    }
    let json = find("golden-signals.canary.json");
    assert!(
        yaml.same_value(json),
        "the YAML and the JSON example differ"
    );
}
