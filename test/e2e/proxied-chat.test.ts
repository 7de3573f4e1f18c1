import { NGINX, startChat, startEdge, startNginx } from '@trunkline/testing';
import type { StartedChat, StartedEdge, StartedNginx } from '@trunkline/testing';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, startBrowser } from './browser.ts';
import { ChatPage, DESKTOP } from './chat-page.ts';
import type { Visitor } from './chat-page.ts';

/** That somebody has left shows in polls that do not come; then the others are told. */
const NOTICED = 15_000;
const absent = CHROMIUM === undefined || NGINX === undefined;

describe.skipIf(absent)('the chat page through nginx with TLS (needs chromium and nginx)', () => {
  let edge: StartedEdge;
  let nginx: StartedNginx;
  let chat: StartedChat;
  let browser: Browser;
  let pages: ChatPage[] = [];

  beforeAll(async () => {
    [edge, browser] = await Promise.all([
      startEdge({ args: ['--trusted-proxies', '127.0.0.1'] }),
      startBrowser(),
    ]);
    nginx = await startNginx(edge.url);
    chat = await startChat({ edgeUrl: edge.url, clientUrl: nginx.url });
    nginx.app.target = chat.url;
  });

  afterEach(async () => {
    await Promise.all(pages.map((page) => page.close()));
    pages = [];
  });

  afterAll(async () => {
    await browser?.close();
    await chat?.stop();
    await nginx?.stop();
    await edge?.stop();
  });

  async function visit(visitor: Omit<Visitor, 'url' | 'device'>): Promise<ChatPage> {
    // The certificate's authority is the test's own.
    const device = { ...DESKTOP, ignoreHTTPSErrors: true };
    const page = await ChatPage.open(browser, { ...visitor, url: nginx.url, device });
    pages.push(page);
    return page;
  }

  it.each([
    ['WebSockets', {}],
    ['Server-Sent Events', { transport: 'ServerSentEvents' }],
    ['Long polling', { transport: 'LongPolling' }],
  ] as const)(
    'lets two people talk over %s',
    async (transport, told) => {
      const ada = await visit({ room: transport, name: 'Ada', ...told });
      expect(await ada.transport()).toBe(transport);
      await ada.say('Anybody here?');
      const grace = await visit({ room: transport, name: 'Grace', ...told });
      expect(await grace.transport()).toBe(transport);
      await ada.sees(ada.note('Grace joined'));
      await grace.sees(grace.message('Ada', 'Anybody here?'));
      await grace.say('Nobody but me');
      await ada.sees(ada.message('Grace', 'Nobody but me'));

      await grace.close();
      await ada.sees(ada.note('Grace left'), NOTICED);
      await ada.sees(ada.headline('Only you are here'));
      expect(await ada.texts()).toEqual(['Anybody here?', 'Nobody but me']);
      expect([...ada.errors, ...grace.errors]).toEqual([]);
    },
    60_000,
  );
});
