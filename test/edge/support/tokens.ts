import { createHmac } from 'node:crypto';

import { DEVELOPMENT_ACCESS_KEY } from '@trunkline/tokens';

const HOUR_SECONDS = 3600;

/** What a test changes of a token that is good as it is; `undefined` takes a member away. */
export interface TokenChanges {
  key?: string;
  header?: object;
  payload?: Readonly<Record<string, unknown>>;
  /** Instead of the HMAC that the header's `alg` names: the signature of `header.payload`. */
  sign?: (text: string) => string;
}

/**
 * A token for hub `chat` at `/client/` (service protocol reference, section 3), made here by hand so
 * that it can be made wrongly.
 */
export function token(changes: TokenChanges = {}): string {
  const header = { alg: 'HS256', typ: 'JWT', ...changes.header };
  const payload = {
    exp: unixSeconds() + HOUR_SECONDS,
    aud: 'http://anywhere/client/?hub=chat',
    ...changes.payload,
  };
  const text = `${encode(header)}.${encode(payload)}`;
  const digest = header.alg === 'HS512' ? 'sha512' : 'sha256';
  const hmac = (): string =>
    createHmac(digest, changes.key ?? DEVELOPMENT_ACCESS_KEY)
      .update(text)
      .digest('base64url');
  return `${text}.${changes.sign?.(text) ?? hmac()}`;
}

/** A good token of a user, for any hub. */
export function userToken(hub: string, userId: string | undefined, key?: string): string {
  const aud = `http://anywhere/client/?hub=${hub}`;
  return token({ payload: { aud, 'asrs.s.uid': userId }, ...(key === undefined ? {} : { key }) });
}

export function serverToken(key?: string): string {
  const payload = { aud: 'http://anywhere/server/?hub=chat', nameid: 'a-server' };
  return token({ payload, ...(key === undefined ? {} : { key }) });
}

export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
