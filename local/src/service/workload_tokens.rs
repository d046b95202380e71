//! The three ways to a workload access token.

use serde_json::json;

use super::{Input, Output, Service};
use crate::error::{Code, ServiceError};
use crate::limits;
use crate::store::WorkloadIdentity;
use crate::workload_token::{Claims, User};

impl Service {
    pub(super) fn get_workload_access_token(&self, mut input: Input) -> Output {
        let workload = input.text("workloadName", &limits::WORKLOAD_NAME)?;
        Ok(output(&self.issue_token(&workload)?))
    }

    pub(super) fn get_workload_access_token_for_jwt(&self, mut input: Input) -> Output {
        let workload = input.text("workloadName", &limits::WORKLOAD_NAME)?;
        let jwt = input.secret("userToken", &limits::USER_TOKEN)?;
        Ok(output(&self.issue_token_for_jwt(&workload, &jwt)?))
    }

    pub(super) fn get_workload_access_token_for_user_id(&self, mut input: Input) -> Output {
        let workload = input.text("workloadName", &limits::WORKLOAD_NAME)?;
        let user = input.text("userId", &limits::USER_ID)?;
        Ok(output(&self.issue_token_for_user_id(&workload, user)?))
    }

    pub(crate) fn issue_token(&self, workload: &str) -> Result<String, ServiceError> {
        self.tokens.issue(&self.workload_identity(workload)?, None, None, self.clock.now())
    }

    pub(crate) fn issue_token_for_jwt(&self, workload: &str, jwt: &str) -> Result<String, ServiceError> {
        let now = self.clock.now();
        let claims = self.issuers.check(jwt, now)?;
        self.tokens.issue_for_jwt(&self.workload_identity(workload)?, jwt, &claims, now)
    }

    pub(crate) fn issue_token_for_user_id(&self, workload: &str, user: String) -> Result<String, ServiceError> {
        limits::USER_ID.check("userId", &user)?;
        self.tokens.issue(&self.workload_identity(workload)?, Some(User::Id(user)), None, self.clock.now())
    }

    /// Whether the very identity that a token was issued for is still there.
    pub(super) fn check_identity(&self, claims: &Claims) -> Result<(), ServiceError> {
        let identity: Option<WorkloadIdentity> = self.store.view()?.get(&claims.workload)?;
        if identity.is_some_and(|identity| identity.id == claims.identity) {
            return Ok(());
        }
        Err(ServiceError::new(
            Code::Unauthorized,
            format!("The workload identity {:?} of this token was deleted", claims.workload),
        ))
    }
}

fn output(token: &str) -> serde_json::Value {
    json!({ "workloadAccessToken": token })
}
