//! Which service is meant.

use std::path::PathBuf;

use serde::Deserialize;

use super::client::{Client, Trouble};
use crate::cli::failure::Failure;
use crate::cli::{Parts, RunningEngine, serve};
use crate::config::server::{self, EngineUse};
use crate::store::data_dir;

/// Where a service leaves its address.
const ADDRESS_FILE: &str = "service.json";

/// Which service.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Which service")]
pub(super) struct Reach {
    /// Address of the service [default: the one that uses the data folder]
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    server: Option<String>,
    /// Folder for everything that is kept [default: $COALMINE_DATA_DIR, else ~/.local/share/coalmine]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Address {
    url: String,
    #[serde(default, rename = "tokenFile")]
    token_file: Option<PathBuf>,
}

/// A service that can be asked, and what was started for that.
pub(super) struct Reached {
    pub(super) client: Client,
    /// What every other command needs to reach the same service: ` --server URL`; may be empty.
    pub(super) flags: String,
    /// An engine of our own, which ends with us.
    pub(super) own: Option<RunningEngine>,
}

impl Reach {
    /// The service that is named, or that uses the data folder.
    pub(super) async fn service(&self) -> Result<Reached, Failure> {
        match self.find().await? {
            Some(found) => Ok(found),
            None => Err(Failure::new(format!(
                "no service uses the data folder `{}`",
                self.folder()
                    .map_or_else(String::new, |it| it.display().to_string())
            ))
            .hint("start one with `coalmine serve`, or name another one: `--server URL`")
            .passing()),
        }
    }

    /// The service that is meant, or one of our own.
    pub(super) async fn service_or_own(
        &self,
        parts: Parts,
        engine: EngineUse,
        config: Option<&std::path::Path>,
    ) -> Result<Reached, Failure> {
        if let Some(found) = self.find().await? {
            return Ok(found);
        }
        let mut variables = serve::variables();
        // On this machine only, at a free port: nobody else is meant to find it.
        variables.push(("--listen".to_owned(), "127.0.0.1:0".to_owned()));
        if let Some(folder) = &self.data_dir {
            let folder = folder.to_string_lossy().into_owned();
            variables.push(("--data-dir".to_owned(), folder));
        }
        let named = config
            .map(PathBuf::from)
            .or_else(serve::config_of_environment);
        let config = match named {
            Some(path) => serve::read(&path, &variables)?,
            None => server::without_file(&variables)
                .map_err(|problems| serve::refused("environment", *problems))?,
        };
        let running = (parts.own_engine)(config, engine).await.map_err(|error| {
            let failure = Failure::new(error.message);
            let failure = match error.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            };
            if error.is_config {
                failure
            } else {
                failure.passing()
            }
        })?;
        Ok(Reached {
            client: Client::new(&running.url)?.with_token(running.token.clone()),
            flags: self.flags(),
            own: Some(running),
        })
    }

    fn flags(&self) -> String {
        match (&self.server, &self.data_dir) {
            (Some(url), _) => format!(" --server {url}"),
            (None, Some(folder)) => format!(" --data-dir {}", folder.display()),
            (None, None) => String::new(),
        }
    }

    async fn find(&self) -> Result<Option<Reached>, Failure> {
        let reached = |client| {
            Some(Reached {
                client,
                flags: self.flags(),
                own: None,
            })
        };
        if let Some(url) = &self.server {
            return Ok(reached(Client::new(url)?));
        }
        let Some(folder) = self.folder() else {
            return Ok(None);
        };
        // What is left of a service that was killed may name a port that somebody else has by now: the token is not for them.
        if !data_dir::is_held(&folder) {
            return Ok(None);
        }
        let Ok(text) = std::fs::read_to_string(folder.join(ADDRESS_FILE)) else {
            return Ok(None);
        };
        let Ok(address) = serde_json::from_str::<Address>(&text) else {
            return Ok(None);
        };
        let token = address
            .token_file
            .and_then(|path| std::fs::read_to_string(path).ok())
            .map(|token| token.trim().to_owned());
        let client = Client::new(&address.url)?.with_token(token);
        // It may be about to end.
        match client.get::<serde_json::Value>("/releases?limit=1").await {
            Err(Trouble::Nobody(_)) => Ok(None),
            // What answers that it cannot answer now is alive.
            Ok(_) | Err(Trouble::Away(_) | Trouble::Refused { .. } | Trouble::Strange(_)) => {
                Ok(reached(client))
            }
        }
    }

    /// The data folder, as the service chooses it.
    fn folder(&self) -> Option<PathBuf> {
        if let Some(folder) = &self.data_dir {
            return Some(folder.clone());
        }
        let filled = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(folder) = filled("COALMINE_DATA_DIR") {
            return Some(PathBuf::from(folder));
        }
        if let Some(data) = filled("XDG_DATA_HOME") {
            return Some(PathBuf::from(data).join("coalmine"));
        }
        filled("HOME").map(|home| PathBuf::from(home).join(".local/share/coalmine"))
    }
}
