//! What a driver sees.

use super::core::Core;
use super::output;
use crate::drivers::Owned;
use crate::drivers::local::state::{SavedGroup, SavedInstance, SavedPlace};
use crate::model::release::cluster::{GroupView, Health, InstanceView, Place, RouterView, View};
use crate::model::release::process::ProcessTemplate;

impl Core {
    /// All of a place.
    pub(super) fn view(&self, place: &Place, now_ms: i64) -> View {
        let saved = self.saved.place(place);
        let groups = saved.map(|saved| {
            let mut groups: Vec<GroupView> = saved
                .groups
                .iter()
                .map(|group| self.group(saved, group))
                .collect();
            groups.sort_by(|a, b| a.name.cmp(&b.name));
            groups
        });
        View {
            place: place.clone(),
            groups: groups.unwrap_or_default(),
            router: saved.and_then(|saved| self.router(saved)),
            fencing: saved.map_or(0, |saved| saved.fencing),
            observed_ms: now_ms,
        }
    }

    /// Every group that has an owner.
    pub(super) fn owned(&self) -> Vec<Owned> {
        let mut owned = Vec::new();
        for place in &self.saved.places {
            for group in &place.groups {
                if let Some(owner) = &group.owner {
                    owned.push(Owned {
                        place: place.place.clone(),
                        group: group.name.clone(),
                        role: group.role,
                        execution: owner.execution.clone(),
                        installation: owner.installation.clone(),
                        expires_ms: group.expires_ms,
                    });
                }
            }
        }
        owned
    }

    fn router(&self, place: &SavedPlace) -> Option<RouterView> {
        let router = place.router.as_ref()?;
        let opened = self.routers.get(&place.place);
        let minute = opened
            .map(|opened| opened.proxy.minute())
            .unwrap_or_default();
        Some(RouterView {
            address: router.address.to_string(),
            weights: router.weights.clone(),
            measured: minute.measured,
            requests: minute.requests,
            failed: minute.failed,
        })
    }

    fn group(&self, place: &SavedPlace, group: &SavedGroup) -> GroupView {
        GroupView {
            name: group.name.clone(),
            role: group.role,
            owner: group.owner.clone(),
            artifact: group.artifact.clone(),
            template: group.template.clone(),
            capacity: group.capacity,
            enabled: group.enabled,
            in_flight: Some(self.in_flight(group)),
            instances: group
                .instances
                .iter()
                .map(|instance| self.instance(place, group, instance))
                .collect(),
            created_ms: group.created_ms,
            expires_ms: group.expires_ms,
        }
    }

    fn instance(
        &self,
        place: &SavedPlace,
        group: &SavedGroup,
        instance: &SavedInstance,
    ) -> InstanceView {
        let health = self.health(group, instance);
        let metrics = ProcessTemplate::of(&group.template)
            .ok()
            .and_then(|template| template.metrics);
        let port = instance.port;
        InstanceView {
            id: instance.id.clone(),
            health,
            registered: health == Health::Up && self.routers.contains_key(&place.place),
            started_ms: instance.started_ms,
            restarts: instance.restarts,
            zone: String::new(),
            metrics_url: metrics.map(|path| format!("http://127.0.0.1:{port}{path}")),
            last_output: if health == Health::Up {
                Vec::new()
            } else {
                self.last_output(instance)
            },
        }
    }

    fn health(&self, group: &SavedGroup, instance: &SavedInstance) -> Health {
        let seat = self.seat(instance);
        let out = !group.enabled || group.deleting || instance.stopping;
        match seat {
            Some(seat) if out && seat.in_flight() > 0 => Health::Draining,
            _ if out => Health::OutOfService,
            Some(seat) if seat.health() == Health::Starting && self.troubled(instance) => {
                Health::Down
            }
            Some(seat) => seat.health(),
            None if self.troubled(instance) => Health::Down,
            None => Health::Starting,
        }
    }

    /// Whether it ended unasked before, and was not up since.
    fn troubled(&self, instance: &SavedInstance) -> bool {
        self.troubles.contains_key(&instance.token)
    }

    /// The last lines of an instance: of its present process, or of the one before where that has not said anything.
    pub(super) fn last_output(&self, instance: &SavedInstance) -> Vec<String> {
        let path = self.folder.output(&instance.id, &instance.token);
        let lines = output::last_lines(&path);
        if !lines.is_empty() {
            return lines;
        }
        let trouble = self.troubles.get(&instance.token);
        trouble.map(|it| it.output.clone()).unwrap_or_default()
    }
}
