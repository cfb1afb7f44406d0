//! The supervisor's side of the socket.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use tokio::net::{TcpListener, UnixListener};

use super::Supervisor;
use super::core::Core;
use super::operate::{self, Asking};
use crate::drivers::local::wire::{self, Apply, Check, Hello, Refusal};
use crate::model::release::cluster::Place;
use crate::model::release::operation::Change;

type Answer = Result<Response, Refusal>;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, Json(self)).into_response()
    }
}

/// Listens, for this user alone. Only who holds the folder's lock may call it: what is there is of one that died.
pub(super) fn listen(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// All that a driver asks.
pub(super) fn router(supervisor: Arc<Supervisor>) -> Router {
    Router::new()
        .route(wire::HELLO, post(hello))
        .route(wire::OBSERVE, post(observe))
        .route(wire::APPLY, post(apply))
        .route(wire::CHECK, post(check))
        .route(wire::OWNED, post(owned))
        .route(wire::STOP, post(stop))
        .with_state(supervisor)
}

impl Supervisor {
    /// Everything that is held; an answer for the driver where that is over.
    async fn held(&self) -> Result<tokio::sync::MutexGuard<'_, Core>, StatusCode> {
        let core = self.core.lock().await;
        if core.ending {
            Err(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            Ok(core)
        }
    }
}

async fn hello(State(supervisor): State<Arc<Supervisor>>) -> Result<Json<Hello>, StatusCode> {
    let _core = supervisor.held().await?;
    Ok(Json(Hello {
        pid: std::process::id(),
    }))
}

async fn observe(
    State(supervisor): State<Arc<Supervisor>>,
    Json(place): Json<Place>,
) -> Result<Response, StatusCode> {
    let core = supervisor.held().await?;
    Ok(Json(core.view(&place, supervisor.now_ms())).into_response())
}

async fn owned(State(supervisor): State<Arc<Supervisor>>) -> Result<Response, StatusCode> {
    let core = supervisor.held().await?;
    Ok(Json(core.owned()).into_response())
}

async fn check(
    State(supervisor): State<Arc<Supervisor>>,
    Json(asked): Json<Check>,
) -> Result<Response, StatusCode> {
    let core = supervisor.held().await?;
    let operation = &asked.operation;
    let asking = Asking {
        id: &asked.id,
        installation: None,
        now_ms: supervisor.now_ms(),
    };
    let progress = core.progress(&operation.place, &operation.change, asking);
    Ok(Json(progress).into_response())
}

async fn apply(
    State(supervisor): State<Arc<Supervisor>>,
    Json(asked): Json<Apply>,
) -> Result<Answer, StatusCode> {
    let mut core = supervisor.held().await?;
    Ok(supervisor
        .apply(&mut core, &asked)
        .await
        .map(|()| Json(()).into_response()))
}

async fn stop(State(supervisor): State<Arc<Supervisor>>) -> Result<Answer, StatusCode> {
    let mut core = supervisor.held().await?;
    Ok(supervisor
        .stop_all(&mut core)
        .map(|()| Json(serde_json::Value::Null).into_response()))
}

impl Supervisor {
    async fn apply(&self, core: &mut Core, asked: &Apply) -> Result<(), Refusal> {
        if core.stopping {
            return Err(Refusal::not_now("the supervisor is told to end everything"));
        }
        let operation = &asked.operation;
        let mut next = core.saved.clone();
        let place = next.place_mut(&operation.place);
        operate::fence(place, asked.fencing)?;
        let asking = Asking {
            id: &asked.id,
            installation: asked.installation.as_ref(),
            now_ms: self.now_ms(),
        };
        operate::change(place, &operation.change, asking)?;
        let mut opened = None;
        if let Change::OpenRouter { address } = &operation.change
            && let Some(address) = operate::router_to_open(place, address.as_deref())?
        {
            let (listener, address) = bind(address).await?;
            place.router = Some(crate::drivers::local::state::SavedRouter {
                address,
                weights: crate::model::release::cluster::Weights::new(),
            });
            opened = Some(listener);
        }
        core.keep(next)?;
        if let Some(listener) = opened {
            core.open(&operation.place, listener);
        }
        core.active = Instant::now();
        self.wake.notify_one();
        Ok(())
    }

    /// Lets everything go, production too.
    fn stop_all(&self, core: &mut Core) -> Result<(), Refusal> {
        let mut next = core.saved.clone();
        for place in &mut next.places {
            if let Some(router) = &mut place.router {
                router.weights.clear();
            }
            for group in &mut place.groups {
                group.deleting = true;
            }
        }
        core.keep(next)?;
        core.stopping = true;
        self.wake.notify_one();
        Ok(())
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Refusal> {
    let refused = |error: io::Error| {
        let told = format!("the router cannot listen at {address}: {error}");
        let refused = matches!(
            error.kind(),
            io::ErrorKind::AddrInUse
                | io::ErrorKind::AddrNotAvailable
                | io::ErrorKind::PermissionDenied
        );
        if refused {
            Refusal::never(told)
        } else {
            Refusal::not_now(told)
        }
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}
