import { expect, test } from 'vitest';

import { hubSettings } from '../options.ts';
import { Uploads } from './uploads.ts';

const settings = hubSettings({}, {});
const end = {
  type: 3,
  invocationId: 'u',
  error: undefined,
  result: undefined,
  fault: undefined,
} as const;

test('an upload is known until its client ends it or its method has', async () => {
  const uploads = new Uploads(settings, { take: () => 0, give: () => {} });
  const [upload] = uploads.open(['u']);
  void uploads.push('u', 1);
  expect([uploads.complete(end), uploads.complete(end)]).toEqual([true, false]);
  expect([await upload!.next(), await upload!.next()]).toEqual([
    { done: false, value: 1 },
    { done: true, value: undefined },
  ]);
  uploads.open(['u']);
  uploads.forget(['u']);
  expect(uploads.complete(end)).toBe(false);
});
