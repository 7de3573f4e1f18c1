import { afterEach, describe, expect, test, vi } from 'vitest';

import { serve } from '../harness.test-support.ts';
import type { HubClass } from './hub.ts';
import { Hub } from './hub.ts';

class Open extends Hub {
  send(): void {
    this.store();
  }
  private store(): void {}
  _helper(): void {}
}
class Listed extends Open {
  static readonly methods = ['send'];
}
class Empty extends Hub {}

afterEach(() => void vi.unstubAllEnvs());

async function logged(hubClass: HubClass<unknown>, environment: string | undefined) {
  vi.stubEnv('NODE_ENV', environment);
  return (await serve(hubClass)).log.lines;
}

describe('a hub without a list of what clients may call', () => {
  test.each([undefined, '', 'development'])(
    'says what that is, under NODE_ENV %j',
    async (name) => {
      expect(await logged(Open, name)).toEqual([
        "hub class 'Open' has no static methods, so clients can call every method that it has, private and protected ones too: send, store",
      ]);
    },
  );

  test.each(['production', 'test'])('does not in %s', async (name) => {
    expect(await logged(Open, name)).toEqual([]);
  });

  test.each([Listed, Empty])('is not %o', async (hubClass) => {
    expect(await logged(hubClass as HubClass<unknown>, 'development')).toEqual([]);
  });
});
