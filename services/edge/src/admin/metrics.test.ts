import { METRICS } from '@trunkline/telemetry';
import { expect, test } from 'vitest';
import { MIGRATION_OUTCOMES, REFUSALS } from '../sessions/counters.ts';
import { TRANSPORT_LABELS } from '../sessions/transport.ts';

const { trunkline_client_opens_total, trunkline_migrations_total, trunkline_refusals_total } =
  METRICS;

test.each([
  ['transports', trunkline_client_opens_total.labels.transport, TRANSPORT_LABELS],
  ['outcomes of moves', trunkline_migrations_total.labels.outcome, MIGRATION_OUTCOMES],
  ['reasons to refuse', trunkline_refusals_total.labels.reason, REFUSALS],
])('the catalogue has all %s that the edge counts', (_what, described, counted) => {
  expect(described).toEqual(counted);
});
