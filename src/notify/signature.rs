//! The signature of a webhook: `t=<seconds>,v1=<hex>`, HMAC-SHA256 over `<seconds>.<body>`.
//!
//! The receiver computes the same over the raw body, compares in constant time, and refuses times that are long past, so that what
//! was overheard cannot be sent again.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// HMAC-SHA256 (RFC 2104) in hex, 64 small characters; any key is right, also an empty one.
#[must_use]
pub fn hmac_sha256(key: &[u8], text: &[u8]) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(text);
    let mut hex = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        // A `String` takes everything.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The value of the header `Coalmine-Signature`; `unix` in seconds since 1970-01-01T00:00:00Z.
#[must_use]
pub fn header(key: &[u8], unix: i64, body: &str) -> String {
    let signed = format!("{unix}.{body}");
    format!("t={unix},v1={}", hmac_sha256(key, signed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
    #[test]
    fn the_vectors_of_rfc_4231_come_out() {
        let hex = [
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ];
        assert_eq!(hmac_sha256(&[0x0b; 20], b"Hi There"), hex[0]);
        let text = b"what do ya want for nothing?";
        assert_eq!(hmac_sha256(b"Jefe", text), hex[1]);
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(hmac_sha256(&[0xaa; 131], text), hex[2]);
    }
}
