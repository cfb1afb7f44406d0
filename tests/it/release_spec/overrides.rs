//! What the command line says in place of the spec.

use std::path::PathBuf;

use coalmine::config::release::{Overrides, load};
use coalmine::model::release::process::ProcessTemplate;

const TEXT: &str = "version: coalmine/v1
application: shop
targets:
- process: {command: [../run, \"{artifact}\", \"{port}\"]}
artifact: {version: 1.0.0, reference: \"./shop-{version}\"}
";

/// Version, reference and program of the spec.
fn read(version: Option<&str>, artifact: Option<&str>, folder: Option<&str>) -> [String; 3] {
    let overrides = Overrides {
        version: version.map(str::to_owned),
        artifact: artifact.map(str::to_owned),
        folder: folder.map(PathBuf::from),
    };
    let spec = load(TEXT, &super::file, &overrides).unwrap().spec;
    let process = ProcessTemplate::of(spec.targets[0].template.as_ref().unwrap()).unwrap();
    [
        spec.artifact.version,
        spec.artifact.reference,
        process.command[0].clone(),
    ]
}

#[test]
fn version_and_artifact_of_the_command_line_win() {
    assert_eq!(read(None, None, None), ["1.0.0", "./shop-1.0.0", "../run"]);
    assert_eq!(read(Some("2"), None, None), ["2", "./shop-2", "../run"]);
    assert_eq!(
        read(Some("2"), Some("/tmp/{version}/shop"), None),
        ["2", "/tmp/2/shop", "../run"]
    );
}

#[test]
fn paths_of_programs_start_from_the_folder_of_the_spec() {
    assert_eq!(
        read(None, None, Some("/etc/shop")),
        ["1.0.0", "/etc/shop/shop-1.0.0", "/etc/shop/../run"]
    );
    // A shell's own folder counts for what is given there.
    assert_eq!(read(None, Some("./new"), Some("/etc/shop"))[1], "./new");
}
