//! Which chunks of a job are done.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// A set of the numbers below a limit. Written as hex digits, four members each.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Done {
    limit: u32,
    bits: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    of: u32,
    set: String,
}

impl Done {
    /// No number below `limit`.
    #[must_use]
    pub fn none(limit: u32) -> Self {
        Self { limit, bits: vec![0; limit.div_ceil(8) as usize] }
    }

    /// Whether `index` is in it.
    #[must_use]
    pub fn has(&self, index: u32) -> bool {
        index < self.limit && self.bits[index as usize / 8] & (1 << (index % 8)) != 0
    }

    /// With `index`; none when it is in it already.
    ///
    /// # Panics
    /// For a number that is not below the limit.
    #[must_use]
    pub fn with(&self, index: u32) -> Option<Self> {
        assert!(index < self.limit, "chunk {index} of {}", self.limit);
        if self.has(index) {
            return None;
        }
        let mut more = self.clone();
        more.bits[index as usize / 8] |= 1 << (index % 8);
        Some(more)
    }

    /// How many are in it.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Whether all are.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.count() == self.limit
    }
}

impl From<Done> for Written {
    fn from(done: Done) -> Self {
        Self { of: done.limit, set: HEXLOWER.encode(&done.bits) }
    }
}

impl TryFrom<Written> for Done {
    type Error = String;

    fn try_from(Written { of, set }: Written) -> Result<Self, String> {
        let broken = || format!("`{set}` is no set of numbers below {of}");
        let bits = HEXLOWER.decode(set.as_bytes()).map_err(|_| broken())?;
        let unused = u32::try_from(bits.len()).ok().and_then(|bytes| (8 * bytes).checked_sub(of));
        match (unused, bits.last()) {
            (Some(0), _) => {}
            (Some(unused @ 1..=7), Some(last)) if last.leading_zeros() >= unused => {}
            _ => return Err(broken()),
        }
        Ok(Self { limit: of, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_has_what_was_put_in_and_comes_back_as_it_was_written(
            limit in 1..40_u32, numbers in proptest::collection::vec(any::<proptest::sample::Index>(), 0..60),
        ) {
            let numbers = numbers.iter().map(|number| number.index(limit as usize) as u32);
            let (mut done, mut known) = (Done::none(limit), BTreeSet::new());
            for number in numbers {
                let more = done.with(number);
                prop_assert_eq!(more.is_none(), !known.insert(number));
                done = more.unwrap_or(done);
            }
            prop_assert!((0..limit + 9).all(|number| done.has(number) == known.contains(&number)));
            prop_assert_eq!(done.count() as usize, known.len());
            prop_assert_eq!(done.is_all(), known.len() == limit as usize);
            let text = serde_json::to_string(&done).unwrap();
            prop_assert_eq!(serde_json::from_str::<Done>(&text).unwrap(), done);
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in [
            r#"{"of":3,"set":"08"}"#,
            r#"{"of":3,"set":""}"#,
            r#"{"of":9,"set":"0"}"#,
            r#"{"of":8,"set":"zz"}"#,
            r#"{"of":8,"set":"+1"}"#,
        ] {
            assert!(serde_json::from_str::<Done>(text).is_err(), "{text}");
        }
    }
}
