//! The caller's own token on a request to the next hop.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::{Error, WorkloadToken};

static NAME: HeaderName = HeaderName::from_static("x-amz-bedrock-agentcore-identity-wat");

impl WorkloadToken {
    /// The header that a workload access token goes on to the next hop in, and comes from the hop before in.
    pub const HEADER: &'static str = "X-Amz-Bedrock-AgentCore-Identity-WAT";

    /// Puts the token among the headers of a request to the next hop, in place of one that is there. The value is
    /// marked as sensitive, so that it is left out where headers are printed.
    ///
    /// Send it to agents of your own alone: whoever has it gets credentials as this agent, for this user.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] when the token has characters that no header may hold.
    ///
    /// ```
    /// use agentcore_identity::WorkloadToken;
    ///
    /// # fn example(token: WorkloadToken) -> Result<(), agentcore_identity::Error> {
    /// let mut headers = http::HeaderMap::new();
    /// token.set_header(&mut headers)?;
    /// # assert!(headers.contains_key(WorkloadToken::HEADER)); Ok(()) }
    /// # example(WorkloadToken::new("wat")).unwrap();
    /// ```
    pub fn set_header(&self, headers: &mut HeaderMap) -> Result<(), Error> {
        let mut value = HeaderValue::from_str(self.expose()).map_err(|_| {
            Error::invalid_request("the workload access token has characters that an HTTP header may not hold")
        })?;
        value.set_sensitive(true);
        headers.insert(NAME.clone(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_there_once_and_not_printed() {
        let mut headers = HeaderMap::new();
        for token in ["wat-1", "wat-2"] {
            WorkloadToken::new(token).set_header(&mut headers).unwrap();
        }
        assert_eq!(headers.get_all(WorkloadToken::HEADER).iter().collect::<Vec<_>>(), ["wat-2"]);
        assert!(!format!("{headers:?}").contains("wat-2"), "{headers:?}");
    }

    #[test]
    fn a_token_that_no_header_may_hold_is_refused_without_being_repeated() {
        let mut headers = HeaderMap::new();
        let error = WorkloadToken::new("wat\r\nx: y").set_header(&mut headers).unwrap_err();
        assert!(matches!(error, Error::InvalidRequest { .. }) && !error.to_string().contains("x: y"), "{error}");
        assert!(headers.is_empty());
    }
}
