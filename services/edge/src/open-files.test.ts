import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openFilesLimit, socketLimit } from './open-files.ts';

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
