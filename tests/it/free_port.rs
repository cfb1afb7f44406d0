//! Ports for listeners that are opened later, by another process.

use std::net::TcpListener;

/// A port of this machine that nobody listens on, and that no connection is given by the system meanwhile: those come from a range
/// of their own, and under load one of them would take a port that was only tried.
pub(crate) fn free_port() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range
        .ok()
        .and_then(|it| it.split_whitespace().next()?.parse().ok());
    let given_from: u16 = first.unwrap_or(32_768);
    let below = if given_from > 11_000 {
        10_000..given_from
    } else {
        61_000..65_500
    };
    for _ in 0..1_000 {
        let port = fastrand::u16(below.clone());
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port in {below:?}");
}
