import { startEdge, type StartedEdge, TcpProxy } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { failureOf } from '../../conformance/client.ts';
import { filesOf, SHOP, writeShop } from './guide.ts';
import { BUILD_TIMEOUT_MS, type StartedApp, withPart } from './part.ts';
import { negotiate, Shopper, signIn, startShop } from './shop.ts';

const TIMEOUT_MS = 120_000;
/** For the package to dial again after a short outage. */
const DIALED = { timeout: 30_000, interval: 100 };
const PAGE = 'https://shop.example.com';

/** Every `appsettings.json` of both pages: one edge, two edges, Azure before the edge, and after it. */
const pages = await Promise.all(['aspnet-core.md', 'from-azure.md'].map(filesOf));
const settings = pages
  .flat()
  .flatMap(([name, text]) => (name === 'appsettings.json' ? [text] : []));
const [ONE_EDGE, TWO_EDGES, BEFORE, AFTER] = settings as [string, string, string, string];

await writeShop();
await withPart(SHOP, (shop) => {
  let edges: readonly [StartedEdge, StartedEdge];

  beforeAll(async () => {
    edges = await Promise.all([startEdge(), startEdge()]);
  });

  afterAll(async () => {
    await Promise.all((edges ?? []).map((edge) => edge.stop()));
  });

  describe('the app of docs/aspnet-core.md on one edge', { timeout: TIMEOUT_MS }, () => {
    let network: TcpProxy;
    let app: StartedApp;

    beforeAll(async () => {
      network = await TcpProxy.start(edges[0].url);
      app = await startShop(shop, 'one-edge', ONE_EDGE, [network.url]);
    }, BUILD_TIMEOUT_MS);

    afterAll(async () => {
      await app?.stop();
      await network?.[Symbol.asyncDispose]();
    });

    async function visit(name: string): Promise<Shopper> {
      return Shopper.visit(`${app.url}/orders`, { headers: await signIn(app, name) });
    }

    it('serves who has signed in, under the name of the app', async () => {
      await using ada = await visit('ada');
      await using bob = await visit('bob');
      await ada.place('tea');
      expect(await bob.buyerOf('tea')).toBe('ada');
      const metrics = await (await fetch(`${edges[0].adminUrl}/metrics`)).text();
      expect(metrics).toMatch(/^trunkline_server_connections\{.*hub="shop_orders".*\} 5$/m);
    });

    it('refuses at negotiate who has not', async () => {
      expect(await failureOf(Shopper.visit(`${app.url}/orders`, {}))).toContain('401');
    });

    it('lets pages of its own origin negotiate, with cookies, and no others', async () => {
      const allowed = async (origin: string): Promise<(string | null)[]> => {
        const headers = { origin, 'access-control-request-method': 'POST' };
        const url = `${app.url}/orders/negotiate`;
        const answer = await fetch(url, { method: 'OPTIONS', headers });
        return ['origin', 'credentials'].map((name) =>
          answer.headers.get(`access-control-allow-${name}`),
        );
      };
      expect(await allowed(PAGE)).toEqual([PAGE, 'true']);
      expect(await allowed('https://other.example.com')).toEqual([null, null]);
    });

    it('closes a client whose message is over its limit', async () => {
      await using ada = await visit('ada');
      await ada.place('x'.repeat(60_000));
      await ada.connection.send('place', 'x'.repeat(70_000));
      expect(await ada.closed).toBeDefined();
    });

    it('stays healthy without the edge, and dials it again by itself', async () => {
      const healthy = async (): Promise<string> => (await fetch(`${app.url}/health`)).text();
      const headers = await signIn(app, 'ada');
      expect(await healthy()).toBe('Healthy');
      network.target = undefined;
      network.cut();
      await expect.poll(() => failureOf(negotiate(app, headers)), DIALED).toBe('negotiate: 500');
      expect(await healthy()).toBe('Healthy');
      network.target = edges[0].url;
      await expect.poll(() => negotiate(app, headers).catch(String), DIALED).toHaveProperty('url');
    });
  });

  describe('the app of docs/aspnet-core.md on more endpoints', { timeout: TIMEOUT_MS }, () => {
    it('has clients on two edges, and reaches all of them', async () => {
      const urls = edges.map((edge) => edge.url);
      await using app = await startShop(shop, 'two-edges', TWO_EDGES, urls);
      const headers = await signIn(app, 'ada');
      const found = new Map<string, Shopper>();
      // The package draws one for each client.
      while (found.size < urls.length) {
        const { url, accessToken } = await negotiate(app, headers);
        const shopper = await Shopper.visit(url, { accessTokenFactory: () => accessToken });
        await found.get(new URL(url).origin)?.connection.stop();
        found.set(new URL(url).origin, shopper);
      }
      expect([...found.keys()].toSorted()).toEqual(urls.toSorted());
      const [first, second] = [...found.values()];
      await first!.place('tea');
      expect(await second!.buyerOf('tea')).toBe('ada');
      await Promise.all([first, second].map((shopper) => shopper!.connection.stop()));
    });

    it('goes on with the other edge when one is away', async () => {
      await using west = await TcpProxy.start(edges[1].url);
      const urls = [edges[0].url, west.url];
      await using app = await startShop(shop, 'one-away', TWO_EDGES, urls);
      const headers = await signIn(app, 'ada');
      west.target = undefined;
      west.cut();
      const origins = async (): Promise<string[]> => {
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => negotiate(app, headers)),
        );
        return [...new Set(answers.map(({ url }) => new URL(url).origin))];
      };
      await expect.poll(origins, DIALED).toEqual([edges[0].url]);
    });

    it('moves from Azure in two deploys, and everybody hears everybody meanwhile', async () => {
      const urls = edges.map((edge) => edge.url);
      const [edgeUrl, azureUrl] = urls;
      await using old = await startShop(shop, 'before', BEFORE, urls);
      await using stayed = await visitAt(azureUrl!, old, 'ada');
      await using next = await startShop(shop, 'after', AFTER, urls);
      await using moved = await visitAt(edgeUrl!, next, 'bob');
      await stayed.place('tea');
      await moved.place('coffee');
      expect(await moved.buyerOf('tea')).toBe('ada');
      expect(await stayed.buyerOf('coffee')).toBe('bob');
    });
  });
});

/** A client of somebody whom the app sends to this edge. */
async function visitAt(edgeUrl: string, app: StartedApp, name: string): Promise<Shopper> {
  const headers = await signIn(app, name);
  expect(new URL((await negotiate(app, headers)).url).origin).toBe(edgeUrl);
  return Shopper.visit(`${app.url}/orders`, { headers });
}
