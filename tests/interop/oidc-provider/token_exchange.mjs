// RFC 8693, which oidc-provider leaves to those who need it: a user's JWT, exchanged for a token for another resource.

import { createLocalJWKSet, jwtVerify } from 'jose';
import { errors } from 'oidc-provider';

export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const PARAMETERS = [
  'subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'resource', 'scope',
];

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** `jwks` are the public keys of the provider. */
export function tokenExchange(provider, jwks, resourceServer) {
  const signers = createLocalJWKSet(jwks);

  const subject = async ({ subject_token: token, subject_token_type: type }) => {
    if (type !== ACCESS_TOKEN) {
      throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN}`);
    }
    try {
      const { payload } = await jwtVerify(token, signers, { issuer: provider.issuer, typ: 'at+jwt' });
      return payload.sub;
    } catch {
      throw new errors.InvalidGrant('subject_token is no valid access token of this issuer');
    }
  };

  const actor = async ({ actor_token: token, actor_token_type: type }) => {
    if (token === undefined) {
      return undefined;
    }
    const found = type === ACCESS_TOKEN && await provider.ClientCredentials.find(token);
    if (!found) {
      throw new errors.InvalidGrant('actor_token is no valid access token of a client of this issuer');
    }
    return found.clientId;
  };

  return async (ctx) => {
    const { client, params } = ctx.oidc;
    const [accountId, actorId] = [await subject(params), await actor(params)];
    const grant = new provider.Grant({ accountId, clientId: client.clientId });
    grant.addResourceScope(params.resource, params.scope);
    const token = new provider.AccessToken({
      accountId, client, gty: 'token_exchange', grantId: await grant.save(), scope: params.scope,
    });
    token.resourceServer = new provider.ResourceServer(params.resource, resourceServer(ctx, params.resource));
    // Read by extraTokenClaims.
    ctx.state.act = actorId && { sub: actorId };
    ctx.oidc.entity('AccessToken', token);
    ctx.body = {
      access_token: await token.save(),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: token.expiration,
      scope: params.scope,
    };
  };
}
