//! Bundles and judgements that outlive the run: what they are ([`bundle`]) and how files are written whole ([`whole_file`]).

pub mod bundle;
mod series_json;
pub mod whole_file;
