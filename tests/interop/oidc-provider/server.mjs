// An authorization server that others wrote, as the provider behind the local service. Its clients register themselves
// (RFC 7591). Prints its issuer once it serves, and ends when its standard input does.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import Provider, { errors } from 'oidc-provider';

import { GRANT_TYPE, PARAMETERS, tokenExchange } from './token_exchange.mjs';

const HOUR = 3600;
/** Short enough that a clock which is put forward by minutes is past it. */
const ACCESS_TOKEN = 300;

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
// Another site than that of the local service, 127.0.0.1: so a browser holds both to its rules on cookies and forms.
const issuer = `http://localhost:${server.address().port}`;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = (key) => ({ keys: [{ ...key.export({ format: 'jwk' }), kid: 'interop', alg: 'RS256', use: 'sig' }] });

function resourceServer(_, resource) {
  if (!new URL(resource).hostname.endsWith('.example.com')) {
    throw new errors.InvalidTarget();
  }
  return {
    scope: 'read write', audience: resource, accessTokenTTL: ACCESS_TOKEN, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
  };
}

const provider = new Provider(issuer, {
  jwks: jwks(privateKey),
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access', 'jobs'],
  claims: { openid: ['sub'], profile: ['name'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `The user ${id}` }) }),
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  ttl: {
    AccessToken: ACCESS_TOKEN, ClientCredentials: ACCESS_TOKEN, IdToken: ACCESS_TOKEN,
    Grant: HOUR, Interaction: HOUR, RefreshToken: HOUR, Session: HOUR,
  },
  // Always: a client that kept on with an old refresh token is found out, and its grant revoked.
  rotateRefreshToken: true,
  extraTokenClaims: (ctx) => ctx.state?.act && { act: ctx.state.act },
  features: {
    clientCredentials: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
  },
});
provider.registerGrantType(GRANT_TYPE, tokenExchange(provider, jwks(publicKey), resourceServer), PARAMETERS);

provider.on('server_error', (_, error) => console.error(error));
server.on('request', provider.callback());
process.stdin.on('end', () => process.exit()).resume();
console.log(issuer);
