import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { freePort, startProcess } from '@trunkline/testing';
import type { StartedProcess } from '@trunkline/testing';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CHROMIUM, startBrowser } from './browser.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EDGE_PORTS = { TRUNKLINE_PORT: '0', TRUNKLINE_ADMIN_PORT: '0' };

/** `npm run serverless`, but for npm and the build; `ready` is the page's URL. */
function startSample(port: number, env: NodeJS.ProcessEnv = {}): Promise<StartedProcess<string>> {
  return startProcess(process.execPath, ['scripts/serverless.ts'], {
    name: 'npm run serverless',
    cwd: ROOT,
    env: { ...EDGE_PORTS, PORT: `${port}`, ...env },
    ready: (line) => /^ {2}Page +(\S+)$/.exec(line)?.[1],
    readyTimeout: 60_000,
    stopTimeout: 30_000,
  });
}

describe.skipIf(CHROMIUM === undefined)(
  'the serverless sample (needs chromium on the PATH)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-sample-'));
    const errors: Error[] = [];
    let sample: StartedProcess<string>;
    let browser: Browser;

    beforeAll(async () => {
      [sample, browser] = await Promise.all([
        freePort().then((port) => startSample(port, { TMPDIR: folder })),
        startBrowser(),
      ]);
    });
    afterAll(async () => {
      await browser?.close();
      await sample?.stop();
      rmSync(folder, { recursive: true });
    });

    async function visit(user: string): Promise<Page> {
      const context = await browser.newContext();
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      page.on('pageerror', (error) => errors.push(error));
      await page.goto(`${sample.ready}/?${new URLSearchParams({ user }).toString()}`);
      await page
        .getByRole('status')
        .filter({ hasText: `Connected as ${user}` })
        .waitFor();
      return page;
    }

    const sees = (page: Page, text: string): Promise<void> =>
      page.locator('#log li', { hasText: text }).first().waitFor();
    const people = async (page: Page): Promise<string[]> =>
      (await page.locator('#people li').allInnerTexts()).toSorted();

    async function say(page: Page, text: string): Promise<void> {
      await page.getByLabel('Message').fill(text);
      await page.getByRole('button', { name: 'Send' }).click();
    }

    it('lets two people talk by an edge, events and REST, and leaves nothing behind', async () => {
      const ann = await visit('Ann');
      const zoe = await visit('<i>Zoë</i>');
      await sees(ann, '<i>Zoë</i> joined');
      for (const page of [ann, zoe]) {
        await expect.poll(() => people(page), { timeout: 30_000 }).toEqual(['<i>Zoë</i>', 'Ann']);
      }

      await say(zoe, '<img src=x onerror="document.title=1"> hello');
      await sees(ann, '<img src=x onerror="document.title=1"> hello');
      await zoe.locator('.mine', { hasText: 'answered' }).waitFor();
      await say(ann, 'Hello yourself');
      await sees(zoe, 'Hello yourself');
      expect(await ann.locator('#log img, #log i, #people i').count()).toBe(0);

      await zoe.context().close();
      await sees(ann, '<i>Zoë</i> left');
      await expect.poll(() => people(ann), { timeout: 30_000 }).toEqual(['Ann']);

      expect(await sample.stop()).toEqual({ code: 0, signal: null });
      expect(sample.output()).toContain('Trunkline has stopped.');
      expect(sample.output()).not.toContain('is killed');
      expect(readdirSync(folder)).toEqual([]);
      expect(errors).toEqual([]);
    }, 180_000);
  },
);

describe('npm run serverless', () => {
  it('says in one line that the port of the page is taken, and ends', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const started = startSample(port);
    for (const said of [
      'npm run serverless ended with code 1',
      `\ntrunkline-serverless: cannot listen on 127.0.0.1 port ${port} (EADDRINUSE): set PORT to another\n`,
      '\ntrunkline: serverless has ended with code 1',
      '\nTrunkline has stopped.',
    ]) {
      await expect(started).rejects.toThrow(said);
    }
    other.close();
  });

  it('refuses a port that the edge could not be told', async () => {
    await expect(startSample(0)).rejects.toThrow(
      "trunkline: PORT must be a number from 1 to 65535, not '0'",
    );
  });
});
