//! Names of stored things. Each is checked once, when it is read, so that a key built from it needs no escaping.

use crate::{Digest, DigestBuilder};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that cannot be an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: expected 1 to {limit} of a–z, A–Z, 0–9, `_` and `-`", limit = ID_LENGTH_MAX)]
pub struct InvalidId {
    /// What it should have been.
    pub kind: &'static str,
    /// What was given, cut to the limit.
    pub text: String,
}

/// Characters in an identifier, at most.
pub(crate) const ID_LENGTH_MAX: usize = 80;

fn check(kind: &'static str, text: &str) -> Result<(), InvalidId> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=ID_LENGTH_MAX).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(())
    } else {
        Err(InvalidId { kind, text: text.chars().take(ID_LENGTH_MAX).collect() })
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads an identifier.
            ///
            /// # Errors
            /// [`InvalidId`] when it is empty, too long or has another character than `a–z A–Z 0–9 _ -`.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                check($kind, text).map(|()| Self(text.to_owned()))
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                check($kind, &text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

identifier!(
    /// A strategy: the same for every version of it.
    StrategyId,
    "strategy id"
);
identifier!(
    /// A backtest.
    BacktestId,
    "backtest id"
);
identifier!(
    /// One execution of a strategy on fresh data.
    ExecutionId,
    "execution id"
);
identifier!(
    /// The source of a data set: two vendors' EUR/USD never mix.
    DatasetName,
    "data set name"
);
identifier!(
    /// Who asks: stable, and never the key itself nor its hash.
    Principal,
    "principal"
);

fn short(prefix: &str, digest: &Digest) -> String {
    format!("{prefix}_{}", digest.short())
}

impl StrategyId {
    /// The strategy that `owner` calls `name`: registering it again adds a version.
    #[must_use]
    pub fn of(owner: &Principal, name: &str) -> Self {
        let digest =
            DigestBuilder::new("strategy").part(owner.as_str().as_bytes()).part(name.as_bytes()).finish();
        Self(short("strat", &digest))
    }
}

impl BacktestId {
    /// The backtest that a digest of its owner and occasion names.
    #[must_use]
    pub fn from_digest(digest: &Digest) -> Self {
        Self(short("bt", digest))
    }
}

impl ExecutionId {
    /// The execution that a digest of its owner and occasion names.
    #[must_use]
    pub fn from_digest(digest: &Digest) -> Self {
        Self(short("exec", digest))
    }
}

impl Default for DatasetName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_leave_its_folder_is_an_identifier() {
        for bad in ["", "..", "a/b", "a b", "a\0", "é", &"x".repeat(81)] {
            assert!(StrategyId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(StrategyId::parse("ma_crossover-2").is_ok());
    }

    #[test]
    fn a_strategy_is_its_owner_and_name() {
        let (ann, bob) = (Principal::parse("ann").unwrap(), Principal::parse("bob").unwrap());
        assert_eq!(StrategyId::of(&ann, "x"), StrategyId::of(&ann, "x"));
        assert_ne!(StrategyId::of(&ann, "x"), StrategyId::of(&bob, "x"));
        assert!(StrategyId::parse(StrategyId::of(&ann, "any name at all").as_str()).is_ok());
    }
}
