//! Lists in pages. The token of the next page is sealed: only the list that gave it takes it back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Input;
use crate::error::ServiceError;
use crate::limits;
use crate::operation::Operation;
use crate::seal::Sealer;
use crate::store::{Record, View};

/// Makes and reads the tokens.
pub(crate) struct Pages(Sealer);

/// One page, and the token of the next if there is more.
pub(super) struct Page<R> {
    items: Vec<R>,
    next: Option<String>,
}

impl<R> Page<R> {
    /// What a list operation answers, with its items under `member`.
    pub(super) fn output(&self, member: &str, item: impl Fn(&R) -> Value) -> Value {
        let mut output = json!({ member: self.items.iter().map(item).collect::<Vec<_>>() });
        if let Some(next) = &self.next {
            output["nextToken"] = next.as_str().into();
        }
        output
    }
}

impl Pages {
    pub(crate) fn new(sealer: Sealer) -> Self {
        Self(sealer)
    }

    /// The page for which `input` asks; without `maxResults` it is as large as the operation allows.
    pub(super) fn page<R: Record>(
        &self,
        operation: Operation,
        sizes: &std::ops::RangeInclusive<u32>,
        mut input: Input,
        view: &View<'_>,
    ) -> Result<Page<R>, ServiceError> {
        let size = input.optional_integer("maxResults", sizes)?.unwrap_or(*sizes.end()) as usize;
        let token = input.optional_text("nextToken", &limits::PAGE_TOKEN)?;
        let after = token.map(|token| self.read(operation, &token)).transpose()?;
        // One more than asked for tells whether there is another page.
        let mut items: Vec<R> = view.page(after.as_deref(), size + 1)?;
        let more = items.len() > size;
        items.truncate(size);
        let last = items.last().filter(|_| more);
        let next = last.map(|last| self.token(operation, last.name())).transpose()?;
        Ok(Page { items, next })
    }

    fn token(&self, operation: Operation, last: &str) -> Result<String, ServiceError> {
        Ok(URL_SAFE_NO_PAD.encode(self.0.seal(operation.as_str(), last.as_bytes())?))
    }

    fn read(&self, operation: Operation, token: &str) -> Result<String, ServiceError> {
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|sealed| self.0.open(operation.as_str(), &sealed))
            .and_then(|last| String::from_utf8(last.to_vec()).ok())
            .ok_or_else(|| ServiceError::invalid_member("nextToken", format!("is not a token that {operation} gave")))
    }
}
