//! The report of a release as a file in the data folder: the page of an engine of our own is gone when its command is.

use std::path::Path;

use super::client::Client;
use crate::archive::whole_file::WholeFile;
use crate::cli::failure::Failure;
use crate::model::clean::clean;
use crate::ui::release::status::ReleaseStatus;

/// The folder within the data folder. One file for each release, that of its last judgement.
const FOLDER: &str = "reports";

/// Writes the report that `status` names into `data_dir`, and names the file in its place. Without one nothing is done.
pub(super) async fn put(
    status: &mut ReleaseStatus,
    client: &Client,
    data_dir: &Path,
) -> Result<(), Failure> {
    let Some(page) = status.report.take() else {
        return Ok(());
    };
    let html = client.page(&page).await;
    let html = html.map_err(|trouble| trouble.told(client))?;
    let folder = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_path_buf());
    let folder = folder.join(FOLDER);
    let path = folder.join(format!("{}.html", status.id));
    std::fs::create_dir_all(&folder).map_err(|error| {
        Failure::new(format!("cannot make `{}`: {error}", folder.display())).passing()
    })?;
    WholeFile::create(&path)
        .and_then(|file| file.finish(|out| out.write_all(html.as_bytes())))
        .map_err(|error| Failure::write(&path, &error))?;
    status.report = Some(clean(&path.display().to_string()));
    Ok(())
}
