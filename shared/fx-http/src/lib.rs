//! The platform's HTTP contract: routers, keys, error bodies, OpenAPI.
//!
//! Invariants:
//! - Each route exists once: the router, the OpenAPI document and [`route_table`] come from the same list.
//! - Every failure, from an unknown path to a panic, passes one renderer (`failure`) and has the platform's error body.
//! - A request's body is read field by field: all that is wrong with it is answered at once, and a field that the
//!   platform does not know is refused, never ignored.
//! - The cause of a failure is logged once and never sent.
//!
//! What this crate must not know: storage, the environment, which process hosts it.

mod auth;
mod context;
mod document;
mod dto;
mod failure;
mod input;
mod routes;
mod settings;

pub use document::{openapi, route_table};
pub use dto::ValidationDto;
pub use routes::router;
pub use settings::{ApiSettings, Keys, MetricsRenderer, RouteGroup, RouteSet};
pub use settings::{BODY_BYTES_MAX, REQUEST_TIMEOUT};
