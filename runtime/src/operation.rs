//! The operations of AWS that this crate calls, and the IAM actions that allow them.

/// An operation of AgentCore Identity's data plane or of AWS STS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    GetWorkloadAccessToken,
    GetWorkloadAccessTokenForJwt,
    GetWorkloadAccessTokenForUserId,
    GetResourceApiKey,
    GetResourceOauth2Token,
    CompleteResourceTokenAuth,
    #[cfg(feature = "iam-access-token")]
    GetWebIdentityToken,
}

/// Needed beside the operation's own action: the service reads the provider's secret on behalf of the caller.
const READ_SECRET_ACTION: &str = "secretsmanager:GetSecretValue";

/// Needed where what the service keeps is encrypted with a key of the customer's.
const KEY_ACTIONS: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

impl Operation {
    pub(crate) const fn name(self) -> &'static str {
        // The name is the action without its prefix, so that each is written once.
        match self.service() {
            Service::AgentCoreIdentity => self.iam_action().split_at("bedrock-agentcore:".len()).1,
            #[cfg(feature = "iam-access-token")]
            Service::Sts => self.iam_action().split_at("sts:".len()).1,
        }
    }

    pub(crate) const fn service(self) -> Service {
        match self {
            #[cfg(feature = "iam-access-token")]
            Self::GetWebIdentityToken => Service::Sts,
            _ => Service::AgentCoreIdentity,
        }
    }

    pub(crate) const fn iam_action(self) -> &'static str {
        match self {
            Self::GetWorkloadAccessToken => "bedrock-agentcore:GetWorkloadAccessToken",
            Self::GetWorkloadAccessTokenForJwt => "bedrock-agentcore:GetWorkloadAccessTokenForJWT",
            Self::GetWorkloadAccessTokenForUserId => "bedrock-agentcore:GetWorkloadAccessTokenForUserId",
            Self::GetResourceApiKey => "bedrock-agentcore:GetResourceApiKey",
            Self::GetResourceOauth2Token => "bedrock-agentcore:GetResourceOauth2Token",
            Self::CompleteResourceTokenAuth => "bedrock-agentcore:CompleteResourceTokenAuth",
            #[cfg(feature = "iam-access-token")]
            Self::GetWebIdentityToken => "sts:GetWebIdentityToken",
        }
    }

    const ALL: &[Self] = &[
        Self::GetWorkloadAccessToken,
        Self::GetWorkloadAccessTokenForJwt,
        Self::GetWorkloadAccessTokenForUserId,
        Self::GetResourceApiKey,
        Self::GetResourceOauth2Token,
        Self::CompleteResourceTokenAuth,
        #[cfg(feature = "iam-access-token")]
        Self::GetWebIdentityToken,
    ];

    /// `action`, if it is one that these operations may need.
    pub(crate) fn known_action(action: &str) -> Option<&'static str> {
        let own = Self::ALL.iter().map(|operation| operation.iam_action());
        own.chain([READ_SECRET_ACTION]).chain(KEY_ACTIONS).find(|known| *known == action)
    }

    /// The resources that a policy has to name for an action.
    pub(crate) fn iam_resources(action: &str) -> &'static str {
        if action == READ_SECRET_ACTION {
            "the secret of the provider (its name begins with `bedrock-agentcore`)"
        } else if KEY_ACTIONS.contains(&action) {
            "the KMS key of the token vault or of the provider's secret"
        } else if action == Self::GetResourceApiKey.iam_action() || action == Self::GetResourceOauth2Token.iam_action()
        {
            "the workload identity directory, the workload identity, the token vault and the provider"
        } else if action.starts_with("sts:") {
            "`*`"
        } else {
            "the workload identity directory and the workload identity"
        }
    }
}

/// Whose operation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    AgentCoreIdentity,
    #[cfg(feature = "iam-access-token")]
    Sts,
}

impl Service {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AgentCoreIdentity => "AgentCore Identity",
            #[cfg(feature = "iam-access-token")]
            Self::Sts => "AWS STS",
        }
    }

    /// The variable that overrides its endpoint alone.
    pub(crate) const fn endpoint_variable(self) -> &'static str {
        match self {
            Self::AgentCoreIdentity => "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE",
            #[cfg(feature = "iam-access-token")]
            Self::Sts => "AWS_ENDPOINT_URL_STS",
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
        #[cfg(feature = "iam-access-token")]
        assert_eq!(Operation::GetWebIdentityToken.name(), "GetWebIdentityToken");
    }
}
