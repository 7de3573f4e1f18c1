import type { MakeChecker } from './checker.ts';

/** By then an edge that hears of the others knows which of them drain: they say so each second. */
const TOLD_MS = 1_500;

/** No client is sent to an edge that drains, where its edge can know that. */
export const redirects: MakeChecker = (journal) => ({
  sentOn(from, to) {
    const { drainsSince: since = Infinity } = to;
    if (journal.now - since < TOLD_MS || !journal.wasCalm(since, from, to)) return;
    if (from.wasFrozenSince(since) || to.wasFrozenSince(since)) return;
    journal.violation('redirects', `${from.edgeId} sends a client to ${to.edgeId}, which drains`);
  },
});
