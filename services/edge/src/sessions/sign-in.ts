import type { ClientClaims } from '@trunkline/tokens';

/** Unix seconds: when to close a connection, because its user's sign-in ends (section 8.7). */
export function signInEnd(claims: ClientClaims): number | undefined {
  return claims.diagnostic ? undefined : claims.closeOnAuthExpirationAt;
}
