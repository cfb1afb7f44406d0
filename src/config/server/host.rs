//! Names of hosts, as configs and clients write them.

use std::net::IpAddr;

/// The name in a `Host` header: lower case, without port, without brackets, without a dot at its end; an IPv6 address in its
/// shortest form.
#[must_use]
pub fn host_name(host: &str) -> String {
    let host = host.trim().to_lowercase();
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host
            .rsplit_once(':')
            .map_or(host.as_str(), |(name, _)| name),
    };
    plain(name)
}

/// The name that a config means, in the form of [`host_name`]; an IPv6 address with brackets or without. `None` where it has a
/// port, or is no name.
#[must_use]
pub fn configured(host: &str) -> Option<String> {
    let host = host.trim().to_lowercase();
    if host.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some(plain(&host));
    }
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest.strip_suffix(']')?;
        return address
            .parse::<std::net::Ipv6Addr>()
            .is_ok()
            .then(|| plain(address));
    }
    let name = plain(&host);
    let named = !name.is_empty() && !name.contains(['/', '@', ' ', '*', ':', '[', ']']);
    named.then_some(name)
}

fn plain(name: &str) -> String {
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => name.trim_end_matches('.').to_owned(),
    }
}
