import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openFilesLimit, socketLimit, withoutUpstreams } from './open-files.ts';
import type { GivenPolicies } from './sessions/hub-policies.ts';
import { UrlTemplate } from './sessions/upstream/url-template.ts';

test.runIf(process.platform !== 'win32')('the limit is the one that the system sets', () => {
  const said = execFileSync('sh', ['-c', 'ulimit -Sn'], { encoding: 'utf8' }).trim();
  expect(openFilesLimit()).toBe(said === 'unlimited' ? Infinity : Number(said));
});

test('sockets leave room for other files: 128, or a twentieth where that is more', () => {
  expect(socketLimit(1024)).toBe(896);
  expect(socketLimit(2560)).toBe(2432);
  expect(socketLimit(20_000)).toBe(19_000);
  expect(socketLimit(1_048_576)).toBe(996_147);
  expect(socketLimit(Infinity)).toBe(Infinity);
});

test('with ever so few files there is one socket at least, and more files never mean fewer', () => {
  const given = fc.property(fc.integer({ min: 1, max: 2_000_000 }), fc.nat(1000), (files, more) => {
    expect(socketLimit(files)).toBeGreaterThanOrEqual(1);
    expect(socketLimit(files)).toBeLessThanOrEqual(files);
    expect(socketLimit(files + more)).toBeGreaterThanOrEqual(socketLimit(files));
  });
  fc.assert(given);
});

describe('where a hub has upstream rules', () => {
  const NONE = { withoutServer: 'wait', migration: 'app', upstream: [] } as const;
  const template = new UrlTemplate('http://app.example/');
  const rule = { template, hubs: undefined, categories: undefined, events: undefined };
  const RULES = { ...NONE, upstream: [rule] };
  const left = (files: number, concurrency: number, hubs: GivenPolicies): number =>
    withoutUpstreams(files, { hubs, concurrency });

  test('calls to upstreams have files of their own: one each, and a quarter of all at most', () => {
    for (const hubs of [
      { named: new Map(), others: RULES },
      { named: new Map([['chat', RULES]]), others: NONE },
    ]) {
      expect(left(20_000, 100, hubs)).toBe(19_600);
      expect(left(1024, 100, hubs)).toBe(768);
      expect(left(1_048_576, 10_000, hubs)).toBe(1_008_576);
      expect(left(Infinity, 100, hubs)).toBe(Infinity);
    }
  });

  test('and they have none where no hub has any', () => {
    const hubs = { named: new Map([['chat', NONE]]), others: NONE };
    expect(left(20_000, 100, hubs)).toBe(20_000);
  });
});
