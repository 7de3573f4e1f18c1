import { REDIS, startRedis } from '@trunkline/testing';
import { describe } from 'vitest';

import { holdsThroughOutages } from './outage-suite.ts';

describe.skipIf(REDIS === undefined)('on Redis (needs redis-server)', () => {
  holdsThroughOutages({ scheme: 'redis', start: startRedis });
});
