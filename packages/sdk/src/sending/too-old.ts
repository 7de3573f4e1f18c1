import { oldVersion, tooOldToAnswer } from '@trunkline/protocol';

import type { ClientConnection } from '../clients/client-connection.ts';

/** Why a client cannot be asked for an answer; undefined where its connect request does not say so. */
export function whyNotAsked({ id, context }: ClientConnection): string | undefined {
  const version = oldVersion((name) => context.headers[name]);
  return version && tooOldToAnswer(id, version);
}
