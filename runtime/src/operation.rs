//! The operations of the service that this crate calls, and the IAM actions that allow them.

/// An operation of the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the service's own names")]
pub(crate) enum Operation {
    GetWorkloadAccessToken,
    GetWorkloadAccessTokenForJwt,
    GetWorkloadAccessTokenForUserId,
    GetResourceApiKey,
}

/// Needed beside the operation's own action: the service reads the provider's secret on behalf of the caller.
pub(crate) const READ_SECRET_ACTION: &str = "secretsmanager:GetSecretValue";

const PREFIX: &str = "bedrock-agentcore:";

impl Operation {
    pub(crate) const fn name(self) -> &'static str {
        // The name is the action without its prefix, so that each is written once.
        self.iam_action().split_at(PREFIX.len()).1
    }

    pub(crate) const fn iam_action(self) -> &'static str {
        match self {
            Self::GetWorkloadAccessToken => "bedrock-agentcore:GetWorkloadAccessToken",
            Self::GetWorkloadAccessTokenForJwt => "bedrock-agentcore:GetWorkloadAccessTokenForJWT",
            Self::GetWorkloadAccessTokenForUserId => "bedrock-agentcore:GetWorkloadAccessTokenForUserId",
            Self::GetResourceApiKey => "bedrock-agentcore:GetResourceApiKey",
        }
    }

    /// The resources that a policy has to name for an action.
    pub(crate) fn iam_resources(action: &str) -> &'static str {
        if action == READ_SECRET_ACTION {
            "the secret of the provider (its name begins with `bedrock-agentcore`)"
        } else if action == Self::GetResourceApiKey.iam_action() {
            "the workload identity directory, the workload identity, the token vault and the provider"
        } else {
            "the workload identity directory and the workload identity"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_the_action_without_its_service() {
        assert_eq!(Operation::GetResourceApiKey.name(), "GetResourceApiKey");
        assert_eq!(Operation::GetWorkloadAccessTokenForJwt.name(), "GetWorkloadAccessTokenForJWT");
    }
}
