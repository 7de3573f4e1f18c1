import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { HubConnection } from '@microsoft/signalr';
import { startChat, startEdge } from '@trunkline/testing';
import type { StartedChat, StartedEdge } from '@trunkline/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

describe('the chat sample', () => {
  let edge: StartedEdge;
  let chat: StartedChat;
  let connections: HubConnection[] = [];

  beforeAll(async () => {
    edge = await startEdge();
    chat = await startChat({ edgeUrl: edge.url });
    await vi.waitUntil(() => chat.output().includes('connected to the edge'), 10_000);
  });

  afterEach(async () => {
    await Promise.all(connections.map((connection) => connection.stop()));
    connections = [];
  });

  afterAll(async () => {
    await chat?.stop();
    await edge?.stop();
  });

  /** A connection and, as they come, the names and arguments of what the hub calls on it. */
  async function connect(): Promise<{ hub: HubConnection; calls: unknown[][] }> {
    const hub = new HubConnectionBuilder()
      .withUrl(`${chat.url}/chat`)
      .configureLogging(LogLevel.None)
      .build();
    connections.push(hub);
    const calls: unknown[][] = [];
    for (const method of ['message', 'joined', 'left', 'typing']) {
      hub.on(method, (...args: unknown[]) => calls.push([method, ...args]));
    }
    await hub.start();
    return { hub, calls };
  }

  it('tells the others of a room, and nobody else, what happens in it', async () => {
    const [ada, grace, other] = [await connect(), await connect(), await connect()];
    await other.hub.invoke('join', 'elsewhere', 'Other');
    const first = await ada.hub.invoke('join', 'lobby', 'Ada');
    expect(first).toEqual({
      me: { id: expect.any(String), name: 'Ada' },
      people: [first.me],
      messages: [],
    });
    const said = await ada.hub.invoke('say', 'hello');
    expect(said).toEqual({
      id: expect.any(String),
      from: first.me,
      text: 'hello',
      at: expect.any(Number),
    });

    const second = await grace.hub.invoke('join', 'lobby', 'Grace');
    expect(second.people).toEqual([first.me, second.me]);
    expect(second.messages).toEqual([said]);
    const answer = await grace.hub.invoke('say', 'hello yourself');
    await grace.hub.invoke('typing');
    await grace.hub.stop();
    await vi.waitFor(() => {
      expect(ada.calls).toEqual([
        ['joined', 'lobby', second.me],
        ['message', 'lobby', answer],
        ['typing', 'lobby', second.me],
        ['left', 'lobby', second.me],
      ]);
    }, 10_000);
    expect(other.calls).toEqual([]);
  });

  it('knows where everybody is', async () => {
    const [ada, grace] = [await connect(), await connect()];
    expect(await ada.hub.invoke('ping')).toBeNull();
    await ada.hub.invoke('join', 'a', 'Ada');
    await ada.hub.invoke('join', 'b', 'Ada');
    await grace.hub.invoke('join', 'b', 'Grace');
    expect(await ada.hub.invoke('ping')).toBe('b');
    const rooms = await ada.hub.invoke('rooms');
    expect(rooms).toContainEqual({ name: 'b', people: 2 });
    expect(rooms).not.toContainEqual(expect.objectContaining({ name: 'a' }));
  });

  it.each([
    ['a long room', 'join', ['x'.repeat(41), 'Ada'], 'A room name must have 1 to 40 characters.'],
    ['a long name', 'join', ['lobby', 'x'.repeat(41)], 'A name must have 1 to 40 characters.'],
    ['a blank name', 'join', ['lobby', '  '], 'A name must have 1 to 40 characters.'],
    ['an object', 'join', ['lobby', { length: 3 }], 'A name must have 1 to 40 characters.'],
    ['a long text', 'say', ['x'.repeat(2001)], 'A message must have 1 to 2000 characters.'],
    ['words in no room', 'say', ['hello'], 'Join a room before you say something.'],
  ])('refuses %s', async (_what, method, args, message) => {
    const { hub } = await connect();
    await expect(hub.invoke(method, ...args)).rejects.toThrow(`HubException: ${message}`);
  });
});

describe('the chat sample without an edge', () => {
  it('serves its page, answers negotiate with 503, and stops when told', async () => {
    await using chat = await startChat({ edgeUrl: 'http://127.0.0.1:1' });
    const page = await fetch(chat.url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<title>Trunkline chat</title>');
    expect((await fetch(`${chat.url}/signalr.js`)).status).toBe(200);
    const negotiate = await fetch(`${chat.url}/chat/negotiate?negotiateVersion=1`, {
      method: 'POST',
    });
    expect(negotiate.status).toBe(503);
    expect(negotiate.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await chat.stop()).toEqual({ code: 0, signal: null });
  });
});
