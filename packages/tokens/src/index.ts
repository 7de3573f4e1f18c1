export { AccessKeyError, AccessKeys } from './access-keys.ts';
export type { AccessKey } from './access-keys.ts';
export type { TokenUse } from './audience.ts';
export { claimSet, payloadOf } from './claim-set.ts';
export type { ClaimSet } from './claim-set.ts';
export { longClaimType, NAME_IDENTIFIER, shortClaimType } from './claim-types.ts';
export { forwardedClaims, readClientClaims, readServerClaims } from './claims.ts';
export type { ClientClaims, StickyMode } from './claims.ts';
export {
  ConnectionStringError,
  formatConnectionString,
  parseConnectionString,
} from './connection-string.ts';
export type { ConnectionString } from './connection-string.ts';
export { DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_CONNECTION_STRING } from './development.ts';
export { lendRequire } from './lend-require.ts';
export { MAX_TOKEN_LENGTH } from './limits.ts';
export { parseUrl } from './parse-url.ts';
export {
  DEFAULT_LIFETIME_SECONDS,
  mintClientToken,
  mintedPayload,
  mintRestToken,
  mintServerToken,
  TokenTooLongError,
} from './mint.ts';
export type {
  Algorithm,
  ClientTokenOptions,
  RestTokenOptions,
  ServerTokenOptions,
  SystemClaims,
} from './mint.ts';
export { ClaimError, claimList, givenClaims, userIdOf } from './user-claims.ts';
export type { Claims, ClaimValue } from './user-claims.ts';
export { bearerToken, verifyToken } from './verify.ts';
export type { TokenRejection, VerifiedToken, VerifyOptions } from './verify.ts';
