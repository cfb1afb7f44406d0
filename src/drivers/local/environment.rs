//! What of the environment reaches the supervisor and the instances. The service's holds secrets, as tokens of databases, and
//! builds under test shall not see them; so that only what is known to be harmless is passed on.

use std::ffi::{OsStr, OsString};

/// Passed on by their names.
const NAMES: [&str; 10] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "TMPDIR",
    "RUST_LOG",
    "RUST_BACKTRACE",
];
/// Passed on where a name begins so.
const BEGINNINGS: [&str; 3] = ["LC_", "XDG_", "SSL_CERT_"];

/// The variables of this process that are passed on.
pub(super) fn passed_on() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_passed_on(name))
}

fn is_passed_on(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    NAMES.contains(&name) || BEGINNINGS.iter().any(|it| name.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_harmless_is_passed_on() {
        for name in ["PATH", "HOME", "LC_ALL", "XDG_RUNTIME_DIR", "SSL_CERT_FILE"] {
            assert!(is_passed_on(OsStr::new(name)), "{name}");
        }
        for name in [
            "COALMINE_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "DATABASE_URL",
            "PATHS",
            "SSL_KEY",
            "path",
        ] {
            assert!(!is_passed_on(OsStr::new(name)), "{name}");
        }
    }
}
