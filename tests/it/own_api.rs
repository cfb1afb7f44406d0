//! Stories of our own resources, asked of the real server.

mod audit;
mod events;
mod executions;
mod operation;
mod page;
mod reports;

use crate::serve::server::{Server, folder};

fn served() -> (tempfile::TempDir, Server) {
    let folder = folder("");
    let server = Server::start(folder.path());
    (folder, server)
}
