//! Who asks.

use fx_domain::Principal;

/// Who asks, as the host established it from a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    principal: Principal,
    reach: Reach,
}

/// Whose objects a caller sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Its own, and the shipped library.
    Own,
    /// Everybody's: the platform's services and operators.
    All,
}

impl Caller {
    /// A caller.
    #[must_use]
    pub const fn new(principal: Principal, reach: Reach) -> Self {
        Self { principal, reach }
    }

    /// Who it is.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether an object of `owner` exists for this caller.
    #[must_use]
    pub fn sees(&self, owner: &Principal) -> bool {
        self.reach == Reach::All || self.principal == *owner
    }
}
