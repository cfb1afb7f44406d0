//! `coalmine serve`.

use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use crate::config::node;
use crate::config::server::{self, Refused, ServerConfig};
use crate::sources::files::open;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Server config, YAML or JSON [default: $COALMINE_CONFIG, else none is needed]
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8090]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Folder for everything that is kept [default: ~/.local/share/coalmine]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Runs a server; `ready` is called with its address.
pub type Serve = fn(&ServerConfig, &mut (dyn FnMut(SocketAddr) + Send)) -> Result<(), ServeError>;

/// Why a server does not run, for people.
#[derive(Debug)]
pub struct ServeError {
    /// What went wrong, with everything beneath it.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether the config says something that cannot be; else something outside is not to be had.
    pub is_config: bool,
}

impl ServeError {
    /// Of its three parts.
    #[must_use]
    pub fn new(message: String, hint: Option<String>, is_config: bool) -> Self {
        Self {
            message,
            hint,
            is_config,
        }
    }
}

pub(super) fn run(args: &Args, serve: Serve, console: &mut Console) -> Result<Exit, Failure> {
    let config = load(args)?;
    let mut told = Ok(());
    let served = serve(&config, &mut |address| {
        // Data, and so on standard output: scripts that start a server on port 0 read it.
        told = console.print(&format!("listening on http://{address}\n"));
    });
    if let Err(error) = served {
        let failure = Failure::new(error.message);
        let failure = match error.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
        if error.is_config {
            return Err(failure);
        }
        console.fail(&failure);
        return Ok(Exit::OutOfReach);
    }
    told?;
    Ok(Exit::Pass)
}

/// The variable that names the server config.
pub(super) const CONFIG_VARIABLE: &str = "COALMINE_CONFIG";

/// The server config: from the file, the environment, and the flags, which win in this order.
fn load(args: &Args) -> Result<ServerConfig, Failure> {
    let so =
        |failure: Failure| failure.so("The server does not start with a config that has errors.");
    let mut variables = variables();
    if let Some(listen) = &args.listen {
        variables.push(("--listen".to_owned(), listen.clone()));
    }
    if let Some(data_dir) = &args.data_dir {
        let data_dir = data_dir.to_string_lossy().into_owned();
        variables.push(("--data-dir".to_owned(), data_dir));
    }
    match args.config.clone().or_else(config_of_environment) {
        Some(path) => read(&path, &variables).map_err(so),
        None => server::without_file(&variables)
            .map_err(|problems| so(refused("environment", *problems))),
    }
}

/// The file that the environment names.
pub(super) fn config_of_environment() -> Option<PathBuf> {
    let path = env::var_os(CONFIG_VARIABLE).filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

/// All variables of the environment that are ours, in order.
pub(super) fn variables() -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("COALMINE_"))
        .collect();
    variables.sort();
    variables
}

/// Reads a server config.
///
/// # Errors
/// A file that cannot be read, and all that is wrong with the config.
pub(super) fn read(path: &Path, variables: &[(String, String)]) -> Result<ServerConfig, Failure> {
    let text = open::read_text(path, node::MAX_BYTES as u64)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    server::load(&text, folder, variables)
        .map_err(|problems| refused(&path.display().to_string(), *problems))
}

/// What is wrong with a server config, for people.
pub(super) fn refused(name: &str, refused: Refused) -> Failure {
    Failure::config(name.to_owned(), refused.text, refused.problems)
}
