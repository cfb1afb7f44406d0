//! Which service is meant.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::client::{Client, Trouble};
use crate::cli::failure::Failure;
use crate::cli::{Parts, RunningEngine, serve};
use crate::config::server::{self, EngineUse, ServerConfig};
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
    /// The service that is named, or that uses the data folder; `doing` is what it is needed for.
    pub(super) async fn service(&self, doing: &str) -> Result<Reached, Failure> {
        match self.find().await? {
            Some(found) => Ok(found),
            None => Err(Failure::new(format!(
                "only a service can {doing}, and none uses the data folder `{}`",
                self.folder()
                    .map_or_else(String::new, |it| it.display().to_string())
            ))
            .hint(format!(
                "`coalmine serve{}` goes on with what is kept there; then ask again, or name another service: `--server URL`",
                self.flags()
            ))
            .passing()),
        }
    }

    /// The service that is meant, or one of our own.
    pub(super) async fn service_or_own(
        &self,
        parts: Parts,
        engine: EngineUse,
        config: Option<&Path>,
    ) -> Result<Reached, Failure> {
        match self.find().await? {
            Some(found) => Ok(found),
            None => self.own(parts, engine, self.config(config)?).await,
        }
    }

    /// The service that is meant, or what reads the data folder that no service uses.
    pub(super) async fn service_or_kept(
        &self,
        parts: Parts,
        config: Option<&Path>,
    ) -> Result<Reached, Failure> {
        if let Some(found) = self.find().await? {
            return Ok(found);
        }
        let config = self.config(config)?;
        let folder = config.data_dir.clone().or_else(|| self.folder());
        let folder = folder.unwrap_or_default();
        if !data_dir::database(&folder).is_file() {
            return Err(Failure::new(format!(
                "nothing is kept in the data folder `{}`, and no service uses it",
                folder.display()
            ))
            .hint("name another folder, `--data-dir DIR`, or a service, `--server URL`; `coalmine serve` starts one")
            .passing());
        }
        self.own(parts, EngineUse::Look, config).await
    }

    /// The config of an engine of our own.
    fn config(&self, named: Option<&Path>) -> Result<ServerConfig, Failure> {
        let mut variables = serve::variables();
        // On this machine only, at a free port: nobody else is meant to find it.
        variables.push(("--listen".to_owned(), "127.0.0.1:0".to_owned()));
        if let Some(folder) = &self.data_dir {
            let folder = folder.to_string_lossy().into_owned();
            variables.push(("--data-dir".to_owned(), folder));
        }
        let named = named
            .map(PathBuf::from)
            .or_else(serve::config_of_environment);
        match named {
            Some(path) => serve::read(&path, &variables),
            None => server::without_file(&variables)
                .map_err(|problems| serve::refused("environment", *problems)),
        }
    }

    async fn own(
        &self,
        parts: Parts,
        engine: EngineUse,
        config: ServerConfig,
    ) -> Result<Reached, Failure> {
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
        let client = Client::new(&running.url)?.with_token(running.token.clone());
        Ok(Reached {
            client: client.within(),
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
