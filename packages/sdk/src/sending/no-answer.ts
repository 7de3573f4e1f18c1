import { isTooOldToAnswer } from '@trunkline/protocol';

import type { TrunklineErrorCode } from '../errors.ts';

/**
 * Why an edge has no answer of a client, by the ends of what it says: NO_ANSWER of
 * services/edge/src/sessions/server/caller.ts, and client-results.ts beside it. The ids within are
 * whatever somebody has asked for.
 */
const CODES: readonly (readonly [RegExp, TrunklineErrorCode])[] = [
  [/^Too many (results of connection '.*'|client results) are awaited\.$/s, 'throttled'],
  [/ waits for an app server\.$/, 'unavailable'],
  [/^The message has no payload in the hub protocol of connection '.*'\.$/s, 'refused'],
  [/^The message is too long to be said to other edges\.$/, 'refused'],
  [/ did not answer in time\.$/, 'unavailable'],
  [/ has an app server too old to ask\.$/, 'unavailable'],
  [/^The edge of the app server that asked was not heard for a while\.$/, 'unavailable'],
];

/** The code of an error that the service answers in a client's place; other services have other texts. */
export function noAnswerCode(error: string): TrunklineErrorCode {
  if (isTooOldToAnswer(error)) return 'client-too-old';
  return CODES.find(([text]) => text.test(error))?.[1] ?? 'client-gone';
}
