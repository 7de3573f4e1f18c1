import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { NATS_ENGINE } from '../../bus/engines.ts';
import { CHROMIUM, startBrowser } from '../../e2e/browser.ts';
import { backAgain, dialogDelays, openPages } from './blazor-pages.ts';
import { type Between, BlazorWorld } from './blazor-world.ts';
import { Circuit, fetchPage } from './circuit.ts';
import { BUILD_TIMEOUT_MS, type RestoredPart, withPart } from './part.ts';

/** Counter.razor's event handlers, in the order in which it has them. */
const COUNT = 1;
const ECHO = 2;

const DEADLINE_MS = 30_000;

/** On Kestrel alone two show how soon Blazor itself can tell its user. */
const PAGES = { nothing: 2, edge: Number(process.env['TRUNKLINE_PAGES'] ?? 3), edges: 3 } as const;
const HOSTS: Readonly<Record<Between, string>> = {
  nothing: 'on Kestrel alone',
  edge: 'with Microsoft.Azure.SignalR',
  edges: 'with Microsoft.Azure.SignalR, on three edges behind one address (needs nats-server)',
};
const BETWEEN: readonly Between[] = NATS_ENGINE.isHere
  ? ['nothing', 'edge', 'edges']
  : ['nothing', 'edge'];
/** Until a user sees that the server is gone. */
const DIALOG_MS = 1_000;
/** For ten pages, which a run by hand has, to be opened, to be lost, and to be back on another process. */
const RESTART_MS = 150_000;

async function rendered(circuit: Circuit, text: string): Promise<void> {
  await expect.poll(() => circuit.rendered, { timeout: DEADLINE_MS }).toContain(text);
}

await withPart({ project: 'BlazorApp', how: 'with its packages' }, (part) => {
  for (const between of BETWEEN) {
    const host = HOSTS[between];
    describe(`BlazorApp ${host}`, () => {
      let world: BlazorWorld;

      beforeAll(async () => {
        world = await BlazorWorld.start(part, between);
      }, BUILD_TIMEOUT_MS);

      afterAll(async () => {
        await world?.[Symbol.asyncDispose]();
      });

      it('prerenders its page, takes events, and keeps circuits over a cut', async () => {
        const page = await fetchPage(world.url);
        expect(page).toContain('<p>prerendered</p>');
        await using circuit = await Circuit.open(world.url, page);
        await rendered(circuit, 'interactive');
        await circuit.click(COUNT);
        await circuit.click(COUNT);
        await rendered(circuit, 'counted 2');
        expect(await circuit.reconnect(() => world.network.cut())).toBe(true);
        await circuit.click(COUNT);
        await rendered(circuit, 'counted 3');
      });

      it('exchanges large messages with the page', async () => {
        await using circuit = await Circuit.open(world.url, await fetchPage(world.url));
        await circuit.click(ECHO);
        await rendered(circuit, 'echoed');
        expect(circuit.rendered).not.toContain('other characters');
      });

      if (between === 'nothing') return;
      it('sends circuits to this server, and to no other', async () => {
        const answer = await fetch(`${world.url}/_blazor/negotiate`, { method: 'POST' });
        const { accessToken } = (await answer.json()) as { accessToken: string };
        const payload = Buffer.from(accessToken.split('.')[1]!, 'base64url').toString();
        expect(JSON.parse(payload)).toMatchObject({ 'asrs.s.ssticky': 'Required' });
      });
    });

    defineBrowserTests(part, host, between);
  }
});

function defineBrowserTests(part: RestoredPart, host: string, between: Between): void {
  describe.skipIf(CHROMIUM === undefined)(
    `BlazorApp ${host} in a browser (needs chromium on the PATH)`,
    () => {
      const count = PAGES[between];
      let world: BlazorWorld;
      let browser: Browser;

      beforeAll(async () => {
        world = await BlazorWorld.start(part, between);
        browser = await startBrowser();
      }, BUILD_TIMEOUT_MS);

      afterAll(async () => {
        await browser?.close();
        await world?.[Symbol.asyncDispose]();
      });

      it('counts, echoes, and reconnects', async () => {
        const [page] = await openPages(browser, world.url, 1);
        const sees = (text: string): Promise<void> =>
          page!.getByText(text, { exact: true }).waitFor();
        await page!.getByRole('button', { name: 'Count' }).click();
        await sees('counted 1');
        await page!.getByRole('button', { name: 'Echo' }).click();
        await sees('echoed');
        await page!.evaluate('window.loadedOnce = true');
        const back = page!.waitForEvent('websocket');
        world.network.cut();
        await back;
        // What is clicked before the circuit is taken up again is lost.
        const countAgain = async (): Promise<string> => {
          await page!.getByRole('button', { name: 'Count' }).click();
          return page!.getByText('counted').innerText();
        };
        await expect.poll(countAgain, { timeout: DEADLINE_MS }).toMatch(/counted [2-9]/);
        expect(await page!.evaluate('window.loadedOnce')).toBe(true);
        await page!.context().close();
      });

      // How a process stops in an orderly way is no matter of Kestrel's, and takes its time.
      it.for(between === 'edge' ? (['SIGKILL', 'SIGTERM'] as const) : (['SIGKILL'] as const))(
        `${count} pages tell their users within a second that the app has gone by %s, and come back with it`,
        // Pages share their cores with other tests: a browser that is late has two more tries. An
        // edge that lets pages wait has them wait for ten seconds, each time.
        { timeout: RESTART_MS, retry: 2 },
        async (signal) => {
          await using world = await BlazorWorld.start(part, between);
          const pages = await openPages(browser, world.url, count);
          const delays = await dialogDelays(pages, await world.end(signal));
          expect(delays.filter((delay) => delay > DIALOG_MS)).toEqual([]);
          await world.startApp();
          await backAgain(pages);
          await pages[0]!.context().close();
        },
      );
    },
  );
}
