import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { TIMES } from '../../scripts/times.ts';
import { CHROMIUM, startBrowser } from '../e2e/browser.ts';
import { ChatPage } from '../e2e/chat-page.ts';
import { copyAfresh } from './fresh-copy.ts';
import { isAlive, NpmStart, ROOT } from './npm-start.ts';

/** Longer than any timer of `npm start`, counted from when all that they are for has happened. */
const TALK_MS = Math.max(...Object.values(TIMES)) + 5_000;
/** Between rounds, so that other tests have something of the cores, too. */
const PAUSE_MS = 250;
/** A build from nothing and the start, on a busy machine. */
const START_MS = 100_000;
/** That, the browser and the stop. */
const AROUND_MS = START_MS + 50_000;

describe.skipIf(CHROMIUM === undefined)('npm start (needs chromium on the PATH)', () => {
  it(
    'of a fresh copy serves two pages for longer than any of its timers, then ends cleanly',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'trunkline-fresh-'));
      try {
        copyAfresh(folder);
        expect(existsSync(join(folder, 'services/edge/dist'))).toBe(false);
        await using start = new NpmStart({ folder: folder });
        await start.running(START_MS);
        await using browser = await startBrowser();
        await talk(browser, start.url('Chat sample'));
        const below = start.descendants();
        expect(below.length).toBeGreaterThanOrEqual(5);
        const exited = once(start.npm, 'exit');
        // As a terminal does: to all that are in the foreground.
        process.kill(-start.npm.pid!, 'SIGINT');
        await exited;
        expect(below.filter(isAlive)).toEqual([]);
        expect(start.output).toContain('Trunkline has stopped.');
        expect(start.output).not.toMatch(/has ended|did not|"level":"(?:error|fatal)"/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    TALK_MS + AROUND_MS,
  );
});

/** Two pages talk, and neither is disconnected for a moment. */
async function talk(browser: Browser, url: string): Promise<void> {
  const open = (name: string) => ChatPage.open(browser, { url, room: 'lobby', name });
  const [ada, grace] = [await open('Ada'), await open('Grace')];
  const before = await Promise.all([ada.connectionId(), grace.connectionId()]);
  const end = performance.now() + TALK_MS;
  for (let round = 1; performance.now() < end; round++) {
    await ada.say(`How is ${round}?`);
    await grace.sees(grace.message('Ada', `How is ${round}?`));
    await grace.say(`${round} is well.`);
    await ada.sees(ada.message('Grace', `${round} is well.`));
    await pass(PAUSE_MS);
  }
  expect(await Promise.all([ada.connectionId(), grace.connectionId()])).toEqual(before);
  expect([...ada.errors, ...grace.errors]).toEqual([]);
}

it('has all its timers in scripts/times.ts, the look for npm itself aside', () => {
  const scripts = join(ROOT, 'scripts');
  for (const name of readdirSync(scripts).filter((name) => name !== 'end-with-npm.mjs')) {
    const text = readFileSync(join(scripts, name), 'utf8');
    const timers = text.match(/\bset(?:Timeout|Interval)\(|\.timeout\(|timers\/promises/g) ?? [];
    const known = text.match(/\bsetTimeout\([^;]*, (?:TIMES\.\w+|ms)\);/g) ?? [];
    expect({ name, timers: timers.length }).toEqual({ name, timers: known.length });
  }
});
