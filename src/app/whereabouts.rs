//! Tells other programs of this machine where the service is.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::AppError;
use super::serve::system;

/// Where the service that has a data folder can be asked: `service.json` in it, for verbs that are given the folder alone. It is
/// removed when the service ends; one that was killed leaves a file that nobody answers for.
pub(super) struct Whereabouts(PathBuf);

/// The file's name.
const WHEREABOUTS: &str = "service.json";

impl Whereabouts {
    pub(super) fn tell(
        folder: &Path,
        address: SocketAddr,
        token_file: Option<&Path>,
    ) -> Result<Self, AppError> {
        let path = folder.join(WHEREABOUTS);
        let told = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            let mut text = serde_json::json!({"url": format!("http://{}", reachable(address))});
            if let Some(path) = token_file {
                text["tokenFile"] = std::path::absolute(path)?.display().to_string().into();
            }
            file.write_all(text.to_string().as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        told().map_err(system("tell where the service is"))?;
        Ok(Self(path))
    }

    /// Removes what is told in a folder.
    pub(super) fn forget(folder: &Path) {
        // Mostly there is none.
        let _ = std::fs::remove_file(folder.join(WHEREABOUTS));
    }
}

/// Where who is on this machine reaches a server that listens on `address`: no one can connect to `0.0.0.0` everywhere.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        // A socket of all addresses of both kinds may be one of version 6 alone.
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl Drop for Whereabouts {
    fn drop(&mut self) {
        // A file that stays tells of nobody.
        let _ = std::fs::remove_file(&self.0);
    }
}
