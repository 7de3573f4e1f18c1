import { startEdge, type StartedEdge, TcpProxy } from '@trunkline/testing';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CHROMIUM, startBrowser } from '../../e2e/browser.ts';
import { Circuit, fetchPage } from './circuit.ts';
import { azureSettings, negotiates } from './hub-app.ts';
import { BUILD_TIMEOUT_MS, type RestoredPart, withPart } from './part.ts';

/** Counter.razor's event handlers, in the order in which it has them. */
const COUNT = 1;
const ECHO = 2;

const DEADLINE_MS = 15_000;

/** The app, with a network to break between it and its page. */
interface BlazorWorld extends AsyncDisposable {
  readonly url: string;
  readonly network: TcpProxy;
}

async function startBlazorWorld(part: RestoredPart, service: boolean): Promise<BlazorWorld> {
  const network = await TcpProxy.start();
  const owned: AsyncDisposable[] = [network];
  let edge: StartedEdge | undefined;
  if (service) {
    edge = await startEdge();
    owned.push(edge);
  }
  const app = await part.start(edge ? azureSettings(edge.url, network.url) : {});
  owned.push(app);
  network.target = edge?.url ?? app.url;
  await negotiates(`${app.url}/_blazor`);
  return {
    url: service ? app.url : network.url,
    network,
    [Symbol.asyncDispose]: async () => {
      for (const resource of owned.toReversed()) await resource[Symbol.asyncDispose]();
    },
  };
}

async function rendered(circuit: Circuit, text: string): Promise<void> {
  await expect.poll(() => circuit.rendered, { timeout: DEADLINE_MS }).toContain(text);
}

for (const service of [false, true]) {
  const how = service ? 'with Microsoft.Azure.SignalR' : 'on Kestrel alone';
  const properties = { UseAzureSignalR: service, UseBlazorScript: false };
  await withPart({ project: 'BlazorApp', how, properties }, (part) => {
    describe(`BlazorApp ${how}`, () => {
      let world: BlazorWorld;

      beforeAll(async () => {
        world = await startBlazorWorld(part, service);
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

      if (!service) return;
      it('sends circuits to this server, and to no other', async () => {
        const answer = await fetch(`${world.url}/_blazor/negotiate`, { method: 'POST' });
        const { accessToken } = (await answer.json()) as { accessToken: string };
        const payload = Buffer.from(accessToken.split('.')[1]!, 'base64url').toString();
        expect(JSON.parse(payload)).toMatchObject({ 'asrs.s.ssticky': 'Required' });
      });
    });
  });

  await withPart(
    { project: 'BlazorApp', how: `${how} in a browser`, properties: { UseAzureSignalR: service } },
    (part) => {
      describe.skipIf(CHROMIUM === undefined)(
        `BlazorApp ${how} in a browser (needs chromium on the PATH)`,
        () => {
          let world: BlazorWorld;
          let browser: Browser;

          beforeAll(async () => {
            world = await startBlazorWorld(part, service);
            browser = await startBrowser();
          }, BUILD_TIMEOUT_MS);

          afterAll(async () => {
            await browser?.close();
            await world?.[Symbol.asyncDispose]();
          });

          it('counts, echoes, and reconnects', async () => {
            const page = await browser.newPage();
            page.setDefaultTimeout(DEADLINE_MS);
            const sees = (text: string): Promise<void> =>
              page.getByText(text, { exact: true }).waitFor();
            await page.goto(world.url);
            await sees('interactive');
            await page.getByRole('button', { name: 'Count' }).click();
            await sees('counted 1');
            await page.getByRole('button', { name: 'Echo' }).click();
            await sees('echoed');
            await page.evaluate('window.loadedOnce = true');
            const back = page.waitForEvent('websocket');
            world.network.cut();
            await back;
            // What is clicked before the circuit is taken up again is lost.
            const countAgain = async (): Promise<string> => {
              await page.getByRole('button', { name: 'Count' }).click();
              return page.getByText('counted').innerText();
            };
            await expect.poll(countAgain, { timeout: DEADLINE_MS }).toMatch(/counted [2-9]/);
            expect(await page.evaluate('window.loadedOnce')).toBe(true);
          });
        },
      );
    },
  );
}
