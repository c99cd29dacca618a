//! Versions: one to three numeric parts, and a tail that is ignored.

use std::cmp::Ordering;

/// A version's parts, without leading zeros; missing parts are zero, which is empty.
type Parts<'v> = [&'v str; 3];

/// How two versions compare; nothing where either is no version.
pub(super) fn compare(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (parts(left)?, parts(right)?);
    let mut orders = left.iter().zip(right).map(|(left, right)| {
        let by_length = left.len().cmp(&right.len());
        by_length.then_with(|| (*left).cmp(right))
    });
    Some(orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal))
}

fn parts(version: &str) -> Option<Parts<'_>> {
    let numbers = version.split(['-', '+']).next()?;
    let mut parts = [""; 3];
    for (at, number) in numbers.split('.').enumerate() {
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *parts.get_mut(at)? = number.trim_start_matches('0');
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_compare_as_numbers_and_tails_are_ignored() {
        assert_eq!(compare("1.10.0", "1.9"), Some(Ordering::Greater));
        assert_eq!(compare("1", "1.0.0"), Some(Ordering::Equal));
        assert_eq!(compare("1.2.3-beta.1", "1.2.3+build-7"), Some(Ordering::Equal));
        assert_eq!(
            compare("2.0.99999999999999999999", "2.0.100000000000000000000"),
            Some(Ordering::Less)
        );
    }

    #[test]
    fn what_is_no_version_compares_with_nothing() {
        for text in ["", "v1", "1.", ".1", "1.2.3.4", "1.x", " 1", "-1", "1.-"] {
            assert_eq!(compare(text, "1.0.0"), None, "{text}");
        }
    }
}
