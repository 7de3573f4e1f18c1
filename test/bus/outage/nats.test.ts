import { NATS, startNats } from '@trunkline/testing';
import { describe } from 'vitest';

import { holdsThroughOutages } from './outage-suite.ts';

describe.skipIf(NATS === undefined)('on NATS (needs nats-server)', () => {
  holdsThroughOutages({ scheme: 'nats', start: startNats });
});
