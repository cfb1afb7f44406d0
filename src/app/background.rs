//! Tasks that run as long as the server does.

use std::time::Duration;

use futures_util::future::select_all;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// How long tasks may take to end after they were told to.
const TASKS_END: Duration = Duration::from_secs(10);

/// Tasks, each with a name for the log.
#[derive(Debug, Default)]
pub(super) struct Background {
    tasks: Vec<(&'static str, JoinHandle<()>)>,
}

impl Background {
    /// Begins a task.
    pub(super) fn start(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.tasks.push((name, tokio::spawn(task)));
    }

    /// Waits for `serving`. A task that ends before sets `stop`, lets `serving` come to its end, and is named: without it the
    /// server would answer and do nothing, or forget nothing.
    pub(super) async fn beside(
        &mut self,
        serving: impl Future<Output = ()>,
        stop: &CancellationToken,
    ) -> Option<&'static str> {
        let mut serving = std::pin::pin!(serving);
        let (ended, place) = tokio::select! {
            () = &mut serving => return None,
            first = first(&mut self.tasks) => first,
        };
        let (name, _) = self.tasks.swap_remove(place);
        match ended {
            Ok(()) => error!("the {name} ended before its time; the server stops"),
            Err(broken) => error!("the {name} broke off, the server stops: {broken}"),
        }
        stop.cancel();
        serving.await;
        Some(name)
    }

    /// Waits for all tasks, but not for long.
    pub(super) async fn end(self) {
        for (name, mut task) in self.tasks {
            match tokio::time::timeout(TASKS_END, &mut task).await {
                Ok(Ok(())) => {}
                Ok(Err(broken)) => error!("the {name} broke off: {broken}"),
                Err(_) => {
                    let most = TASKS_END.as_secs();
                    warn!("the {name} did not end in {most} s and is dropped");
                    task.abort();
                }
            }
        }
    }
}

/// What the first of the tasks to end came to, and its place.
async fn first(tasks: &mut [(&'static str, JoinHandle<()>)]) -> (Result<(), JoinError>, usize) {
    if tasks.is_empty() {
        return std::future::pending().await;
    }
    let (ended, place, _) = select_all(tasks.iter_mut().map(|(_, task)| task)).await;
    (ended, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_breaks_off_stops_the_server_and_is_named() {
        let (stop, rest) = (CancellationToken::new(), CancellationToken::new());
        let mut background = Background::default();
        background.start("watch", rest.clone().cancelled_owned());
        background.start("worker", async {
            std::panic::resume_unwind(Box::new("a defect"))
        });
        let broken = background.beside(stop.cancelled(), &stop).await;
        assert_eq!(broken, Some("worker"));
        rest.cancel();
        background.end().await;
    }

    #[tokio::test]
    async fn a_server_that_is_told_to_stop_blames_nobody() {
        let (stop, rest) = (CancellationToken::new(), CancellationToken::new());
        let mut background = Background::default();
        background.start("worker", rest.clone().cancelled_owned());
        stop.cancel();
        assert_eq!(background.beside(stop.cancelled(), &stop).await, None);
        rest.cancel();
        background.end().await;
    }
}
