import { createHmac } from 'node:crypto';

import { DEVELOPMENT_ACCESS_KEY } from '@trunkline/tokens';

import { unixSeconds } from '../edge/support/tokens.ts';
import { mutateText, type Random } from './mutate.ts';

const HOUR_SECONDS = 3600;

/** Every claim that the edge reads, and some of a user's own. */
function claims(path: 'client' | 'server', hub: string): object {
  const now = unixSeconds();
  return {
    'asrs.s.uid': 'ann',
    'asrs.s.sn': 'recorded',
    'asrs.s.ssticky': 'Preferred',
    'asrs.s.cht': '20',
    'asrs.s.ttl': '7',
    'asrs.s.htt': '3',
    'asrs.s.coae': 'true',
    'asrs.s.aeo': `${now + HOUR_SECONDS}`,
    nameid: 'recorded',
    role: ['admin', 'é', { deep: [1, null] }],
    nbf: now - 1,
    exp: now + HOUR_SECONDS,
    iat: now,
    aud: `http://edge/${path}/?hub=${hub}`,
  };
}

/**
 * An access token: mostly good, so that what is behind it is reached; else with a claim or the header
 * changed under a good signature, or changed as it is.
 */
export function fuzzedToken(
  path: 'client' | 'server',
  hub: string,
  random: Random,
  others: readonly string[],
): string {
  const header = JSON.stringify({ alg: 'HS256', typ: 'JWT' });
  const payload = JSON.stringify(claims(path, hub));
  const kind = random();
  if (kind < 0.08) return signed(header, mutateText(payload, random, others));
  if (kind < 0.11) return signed(mutateText(header, random, others), payload);
  if (kind < 0.15) return mutateText(signed(header, payload), random, others);
  return signed(header, payload);
}

function signed(header: string, payload: string): string {
  const text = [header, payload]
    .map((part) => Buffer.from(part, 'latin1').toString('base64url'))
    .join('.');
  const signature = createHmac('sha256', DEVELOPMENT_ACCESS_KEY).update(text).digest('base64url');
  return `${text}.${signature}`;
}
