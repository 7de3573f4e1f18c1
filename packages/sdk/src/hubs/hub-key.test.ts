import { describe, expect, test } from 'vitest';

import { fakeService, atEnd, Log } from '../harness.test-support.ts';
import { createServer } from '../server.ts';
import type { Server } from '../server.ts';
import { Hub } from './hub.ts';

class Chat extends Hub {}

const connectionString = 'Endpoint=http://127.0.0.1;Port=1;AccessKey=k;Version=1.0;';

const serverOf = (applicationName?: string) => createServer({ connectionString, applicationName });

const keysOf = (server: Server) => server.health.hubs.map(({ hub }) => hub);

describe('the hub key comes from the path', () => {
  test.each([
    ['/chat', 'chat'],
    ['/chat/', 'chat'],
    ['/Chat', 'chat'],
    ['/live/board', 'live_board'],
    ['/api/v2/live_board', 'api_v2_live_board'],
    ['/a.b', 'a.b'],
  ])('%s: %s', (path, key) => {
    const server = serverOf();
    server.hub(path, Chat);
    expect(keysOf(server)).toEqual([key]);
  });

  test.each(['/live-board', '/', '/2fa', '/_a', '//a', '/bücher', '/a%20b', `/${'a'.repeat(129)}`])(
    "'%s' gives none, and says what does",
    (path) => {
      const server = serverOf();
      expect(() => server.hub(path, Chat)).toThrow(
        /gives no hub key: give the option hub; a hub name has 1 to 128 characters/,
      );
      server.hub(path, Chat, { hub: 'board' });
      expect(keysOf(server)).toEqual(['board']);
    },
  );

  test('the name of the class plays no part: minifiers take it away', () => {
    const server = serverOf();
    server.hub('/chat', class extends Hub {});
    const us = class us extends Hub {};
    server.hub('/board', us);
    expect(keysOf(server)).toEqual(['chat', 'board']);
  });

  test('the option hub says otherwise', () => {
    const server = serverOf();
    server.hub('/chat', Chat, { hub: 'Talk' });
    expect(keysOf(server)).toEqual(['talk']);
    for (const hub of ['live-board', '2fa', '', 'a b', 'a'.repeat(129)]) {
      expect(() => server.hub('/board', Chat, { hub })).toThrow(`hub '${hub}' of '/board'`);
    }
  });
});

describe('no key is shared by chance', () => {
  test('two classes never have one, of one name or not', () => {
    const other = class Chat extends Hub {};
    const server = serverOf();
    server.hub('/chat', Chat);
    for (const hubClass of [other, class Other extends Hub {}]) {
      expect(() => server.hub('/other', hubClass, { hub: 'chat' })).toThrow(
        "'/chat' and '/other' have one hub key, 'chat', and two classes: give one of them another key by the option hub",
      );
    }
    server.hub('/other', other);
    expect(keysOf(server)).toEqual(['chat', 'other']);
  });

  test('one class on two paths has two, unless the option hub says one', () => {
    const server = serverOf();
    server.hub('/chat', Chat);
    server.hub('/talk', Chat);
    expect(keysOf(server)).toEqual(['chat', 'talk']);
    server.hub('/support', Chat, { hub: 'chat' });
    expect(keysOf(server)).toEqual(['chat', 'talk']);
  });

  test('nor do two paths of one class that look alike', () => {
    const server = serverOf();
    server.hub('/live/board', Chat);
    expect(() => server.hub('/live_board', Chat)).toThrow(
      "'/live/board' and '/live_board' have one hub key, 'live_board': give the option hub",
    );
    server.hub('/live_board', Chat, { hub: 'live_board' });
    expect(keysOf(server)).toEqual(['live_board']);
  });
});

describe('applicationName', () => {
  test('goes before every key, in lower case', () => {
    const server = serverOf('MyShop');
    server.hub('/chat', Chat);
    server.hub('/board', Chat, { hub: 'Live' });
    expect(keysOf(server)).toEqual(['myshop_chat', 'myshop_live']);
  });

  test.each(['', '2shop', '_shop', 'my-shop', 'my shop', 'shöp'])("'%s' is none", (name) => {
    expect(() => serverOf(name)).toThrow(/^applicationName takes a letter/);
  });

  test('counts for the length of the key', () => {
    const server = serverOf('a'.repeat(100));
    expect(() => server.hub(`/${'b'.repeat(28)}`, Chat)).toThrow(/with applicationName 'a+'/);
    server.hub(`/${'b'.repeat(27)}`, Chat);
  });

  test('is what the service and its clients see', async () => {
    const service = await fakeService();
    const server = createServer({
      connectionString: service.connectionString,
      applicationName: 'shop',
      connectionCount: 1,
      logger: new Log(),
    });
    atEnd(() => server.stop({ timeout: 0 }));
    server.hub('/chat', Chat);
    await server.start();
    expect(service.connections[0]!.url.searchParams.get('hub')).toBe('shop_chat');
    const answer = await server.web()(new Request('http://app/chat/negotiate', { method: 'POST' }));
    expect(((await answer.json()) as { url: string }).url).toContain('/client/?hub=shop_chat&');
  });
});
