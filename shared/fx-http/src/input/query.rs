//! Query parameters.

use super::fields::alike;
use fx_app::ports::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, Page, PageRequest};
use fx_domain::{ErrorKind, Issue, PlatformError, PlatformResult};
use http::Uri;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use utoipa::IntoParams;

/// Characters of a page token, at most.
const TOKEN_LENGTH_MAX: usize = 1_024;
/// Rows of a result on one page, at most.
pub(crate) const ROWS_MAX: usize = 1_000;
/// Rows of a result on one page when the caller does not say.
pub(crate) const ROWS_DEFAULT: usize = 500;

/// The query of a request: each parameter is taken once, and what is left is refused.
#[derive(Debug)]
pub(crate) struct Query {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
    issues: Vec<Issue>,
}

impl Query {
    /// The query of `uri`.
    pub(crate) fn new(uri: &Uri) -> PlatformResult<Self> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| {
            PlatformError::field(ErrorKind::RequestValidation, "query", error.to_string())
        })?;
        Ok(Self { left: pairs.0, known: Vec::new(), issues: Vec::new() })
    }

    /// Every value of a parameter that may be repeated.
    pub(crate) fn all<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        self.known.push(name);
        let (found, left) = std::mem::take(&mut self.left).into_iter().partition(|(key, _)| key == name);
        self.left = left;
        let found: Vec<(String, String)> = found;
        let mut parsed = Vec::with_capacity(found.len());
        for (_, text) in found {
            match parse(&text) {
                Ok(value) => parsed.push(value),
                Err(error) => self.issues.push(Issue::field(name, error.to_string())),
            }
        }
        parsed
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn one<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let mut found = self.all(name, parse);
        if found.len() > 1 {
            self.issues.push(Issue::field(name, "is given more than once"));
        }
        found.pop()
    }

    fn size(&mut self, allowed: RangeInclusive<usize>) -> Option<usize> {
        self.one("page_size", |text| {
            let size = text.parse().ok().filter(|size| allowed.contains(size));
            size.ok_or_else(|| {
                format!("expected a whole number from {} to {}", allowed.start(), allowed.end())
            })
        })
    }

    /// The page that is asked for.
    pub(crate) fn page(&mut self) -> PageRequest {
        let size = self.size(1..=PAGE_SIZE_MAX).unwrap_or(PAGE_SIZE_DEFAULT);
        let after = self.one("page_token", |text| match text.len() {
            1..=TOKEN_LENGTH_MAX => Ok(text.to_owned()),
            _ => Err(format!("expected 1 to {TOKEN_LENGTH_MAX} characters, as next_page_token gave them")),
        });
        PageRequest { size, after }
    }

    /// The rows that are asked for.
    pub(crate) fn rows(&mut self) -> Rows {
        let size = self.size(1..=ROWS_MAX).unwrap_or(ROWS_DEFAULT);
        let from = self.one("page_token", |text| {
            text.parse().map_err(|_| "is not a token that next_page_token gave".to_owned())
        });
        Rows { from: from.unwrap_or(0), size }
    }

    /// Refuses what was wrong, and what nobody asked for.
    pub(crate) fn finish(mut self) -> PlatformResult<()> {
        for (name, _) in &self.left {
            let mut issue = Issue::field(name.as_str(), "is not a parameter of this request");
            issue.hint = alike(name, &self.known).map(|known| format!("did you mean `{known}`?"));
            self.issues.push(issue);
        }
        if self.issues.is_empty() {
            return Ok(());
        }
        let message = self.issues.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Err(PlatformError::new(ErrorKind::RequestValidation, message).with_issues(self.issues))
    }
}

/// Which rows of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Index of the first.
    pub(crate) from: usize,
    /// How many at most.
    pub(crate) size: usize,
}

impl Rows {
    /// The numbers of the page's rows, and of the one behind it, which tells whether there is a next page.
    pub(crate) const fn asked(self) -> Range<u64> {
        let from = self.from as u64;
        from..from.saturating_add(self.size as u64 + 1)
    }

    /// The page of the rows that were [asked](Self::asked) for, with the token of the next one.
    pub(crate) fn of<T, U>(self, rows: &[T], map: impl Fn(&T) -> U) -> Page<U> {
        let next = (rows.len() > self.size).then(|| self.from.saturating_add(self.size).to_string());
        Page { items: rows.iter().take(self.size).map(map).collect(), next }
    }
}

/// The document's description of a page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the document's generator only")]
pub(crate) struct PageParams {
    /// Entries at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    page_size: Option<u32>,
    /// Where to go on: `next_page_token` of the page before.
    #[param(min_length = 1, max_length = 1024)]
    page_token: Option<String>,
}

/// The document's description of a page of rows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the document's generator only")]
pub(crate) struct RowPageParams {
    /// Rows at most.
    #[param(minimum = 1, maximum = 1000, default = 500)]
    page_size: Option<u32>,
    /// Where to go on: `next_page_token` of the page before.
    #[param(pattern = "^[0-9]{1,15}$")]
    page_token: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::new(&format!("/x?{text}").parse().unwrap()).unwrap()
    }

    #[test]
    fn a_page_is_checked_and_unknown_parameters_are_refused() {
        let mut good = query("page_size=7&page_token=a%20b");
        assert_eq!(good.page(), PageRequest { size: 7, after: Some("a b".to_owned()) });
        assert!(good.finish().is_ok());
        for bad in [
            "page_size=0",
            "page_size=201",
            "page_size=x",
            "page_size=1&page_size=2",
            "page_token=",
            "pagesize=1",
        ] {
            let mut bad_query = query(bad);
            bad_query.page();
            assert_eq!(bad_query.finish().unwrap_err().kind(), ErrorKind::RequestValidation, "{bad}");
        }
    }

    #[test]
    fn pages_of_rows_join_to_the_whole() {
        let stored: Vec<u32> = (0..10).collect();
        let asked = |rows: Rows| {
            let index = |row: u64| usize::try_from(row).unwrap().min(stored.len());
            let asked = rows.asked();
            stored[index(asked.start)..index(asked.end)].to_vec()
        };
        for size in [1, 3, 5, 10, 11] {
            let (mut joined, mut next) = (Vec::new(), Some("0".to_owned()));
            for _ in 0..=stored.len() {
                let Some(from) = next else { break };
                let rows = Rows { from: from.parse().unwrap(), size };
                let page = rows.of(&asked(rows), |row| *row);
                joined.extend(page.items);
                next = page.next;
            }
            assert_eq!((joined, next), (stored.clone(), None), "pages of {size}");
        }
        let beyond = Rows { from: usize::MAX, size: 3 };
        assert_eq!(beyond.of(&asked(beyond), |row| *row).items, Vec::<u32>::new());
    }
}
