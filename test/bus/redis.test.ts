import { REDIS, startRedis } from '@trunkline/testing';
import { describe } from 'vitest';

import { holdsOnEngine } from './engine-suite.ts';

const why = /NOAUTH|WRONGPASS|NOPERM/;
const MAY = '-@all +publish +subscribe +unsubscribe +ping +client|setname';

describe.skipIf(REDIS === undefined)('Redis (needs redis-server)', () => {
  holdsOnEngine({
    scheme: 'redis',
    start: startRedis,
    logins: {
      'a password': {
        config: 'requirepass "p@ss word"',
        right: ':p%40ss%20word',
        wrong: ':guessed',
        why,
      },
      'user and password': {
        config: `user default off\nuser edges on >hunter2 resetchannels &trunkline.test.* ${MAY}`,
        right: 'edges:hunter2',
        wrong: 'edges:guessed',
        why,
      },
    },
    denied: {
      config: `user edges on >pass resetchannels &other.* ${MAY}`,
      right: 'edges:pass',
      wrong: '',
      why: /NOPERM/,
    },
    tls: {
      scheme: 'rediss',
      configOf: (folder, port) => `
tls-port ${port}
tls-cert-file "${folder}/cert.pem"
tls-key-file "${folder}/key.pem"
tls-auth-clients no`,
    },
  });
});
