import { MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { DotnetAppServer } from './dotnet-app-server.ts';
import { FakeService } from './fake-service.test-support.ts';
import { method } from './hub/definition.ts';
import { frame } from './hex.test-support.ts';
import { settle } from './manual-clock.test-support.ts';
import { PROFILE_NAMES } from './profiles.ts';
import { Scene } from './scene.test-support.ts';

const keepAlives = (messages: readonly { type: number }[]): number =>
  messages.filter((message) => Object(message).entries?.[0] === '#clientInHub').length;

/** Service protocol reference, sections 7.2, 7.3, 7.7 and 20.7. */
describe.each(PROFILE_NAMES)('server connections at %s', (profile) => {
  it('five to each of two hubs at the start', async () => {
    await using service = await FakeService.start();
    const { connectionString } = service;
    const app = new DotnetAppServer({ connectionString, profile });
    for (const name of ['Chat', 'News']) app.hub(name, { methods: {} });
    await app.start();
    await service.side(9);
    await settle();
    const hubs = service.sides.all.map(({ request }) => /hub=(\w+)/.exec(request.url!)![1]);
    expect(hubs.filter((hub) => hub === 'chat')).toHaveLength(5);
    expect(hubs.filter((hub) => hub === 'news')).toHaveLength(5);
    expect(service.attempts).toBe(10);
    app.kill();
  });

  it('says who it is', async () => {
    await using scene = await Scene.start({ profile });
    const { url, headers } = (await scene.side()).request;
    expect(url).toMatch(/^\/server\/\?hub=chat&cid=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(headers['x-asrs-server-id']).toMatch(/^.+_[0-9a-f]{32}$/);
    expect(headers['asrs-user-agent']).toMatch(`Microsoft.Azure.SignalR/${profile}`);
    expect(headers['x-requested-with']).toBe('XMLHttpRequest');
    expect(headers['sec-websocket-extensions']).toBeUndefined();
  });

  it('pings only when something comes, and more than 5 s after its last', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    const counts: number[] = [];
    for (let second = 1; second <= 20; second++) {
      await scene.clock.advance(1_000);
      if (second % 5 === 0) side.ping();
      await settle();
      counts.push(keepAlives(side.messages));
    }
    expect(counts.slice(0, 9)).toEqual(Array(9).fill(0));
    expect([counts[9], counts[14], counts[19]]).toEqual([1, 1, 2]);
  });

  it('sends an unsolicited pong every 30 s', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    for (let pass = 0; pass < 3; pass++) {
      await scene.clock.advance(10_000);
      side.ping();
      await settle();
    }
    expect(await side.pongs.first(() => true, 'a pong')).toBe(true);
  });

  it('gives a silent service up after 30 to 35 s, and dials again at once', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    await scene.clock.advance(2_000);
    side.ping();
    await settle();
    await scene.clock.advance(29_000);
    expect(scene.service.attempts).toBe(1);
    await scene.clock.advance(4_100);
    expect(await side.closed).toBe(1000);
    await scene.disconnected('c1');
    await scene.side(1);
  });

  it('gives a handshake 15 s, and dials again at once, for ever', async () => {
    await using scene = await Scene.start({ profile, silentService: true });
    for (let attempt = 0; attempt < 6; attempt++) {
      const side = await scene.side(attempt);
      await side.frame(MessageType.HandshakeRequest);
      await scene.clock.advance(14_900);
      expect(scene.service.attempts).toBe(attempt + 1);
      await scene.clock.advance(200);
      expect(await side.closed).toBe(1000);
    }
  });

  it.each([
    ['[2,nil]', '92 02 c0'],
    ['[2,""]', '92 02 a0'],
    ['[2,"",{}]', '93 02 a0 80'],
    ['[2,nil,{},nil]', '94 02 c0 80 c0'],
    ['extra elements', '95 02 a0 80 c0 01'],
  ])('takes %s for a handshake response', async (_name, hex) => {
    await using scene = await Scene.start({ profile, silentService: true });
    const side = await scene.side();
    await side.frame(MessageType.HandshakeRequest);
    side.writeRaw(frame(hex));
    await scene.client('c1');
    expect(await scene.answers('c1', side)).toBe(true);
  });

  it.each([
    ['[2]', '91 02'],
    ['a ping', '91 03'],
    ['an unknown message', '91 63'],
    ['a refusal', '92 02 a26e6f'],
  ])('takes %s for no handshake response, and tries again', async (_name, hex) => {
    await using scene = await Scene.start({ profile, silentService: true });
    const side = await scene.side();
    await side.frame(MessageType.HandshakeRequest);
    scene.service.answers.handshake = true;
    side.writeRaw(frame(hex));
    expect(await side.closed).toBe(1000);
    await scene.client('c1', { side: await scene.side(1) });
  });

  it.each([
    ['401', 401],
    ['503', 503],
    ['nothing', 0],
  ])('tries again at growing intervals when answered %s', async (_name, status) => {
    await using scene = await Scene.start({ profile, connections: 3 });
    await scene.side(2);
    await settle();
    scene.service.status = status;
    await Promise.all(scene.service.sides.all.map((side) => side.cut()));
    await settle(40);
    const times: number[] = [];
    for (let known = 3; scene.clock.now() < 12_000; await scene.clock.advance(50)) {
      for (; known < scene.service.attempts; known++) times.push(scene.clock.now());
    }
    // One for all of them, at once; then 1, 2, 4 seconds between tries, and up to one more.
    expect(times.slice(0, 1)).toEqual([0]);
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    for (const [index, seconds] of [1, 2, 4].entries()) {
      expect(gaps[index]).toBeGreaterThanOrEqual(seconds * 1000);
      expect(gaps[index]).toBeLessThan(seconds * 1000 + 1_100);
    }
    scene.service.status = 101;
    await scene.clock.advance(9_000);
    // It has succeeded for one, and the others have followed.
    expect(scene.service.sides.all).toHaveLength(6);
  });

  it('dials a lost connection again at once, with a new id', async () => {
    await using scene = await Scene.start({ profile });
    const first = await scene.side();
    await first.cut();
    const second = await scene.side(1);
    expect(second.cid).not.toBe(first.cid);
    expect(second.request.headers['x-asrs-server-id']).toBe(scene.app.serverId);
  });

  it('gives an ack 10 to 13 s', async () => {
    await using scene = await Scene.start({ profile });
    scene.service.answers.acks = false;
    const side = await scene.client('c1');
    const { groups } = await scene.lend('c1', side);
    await scene.clock.advance(500);
    const outcome = groups.add('c1', 'g').catch((error: Error) => error.name);
    let settled = false;
    void outcome.then(() => (settled = true));
    await scene.clock.advance(9_900);
    expect(settled).toBe(false);
    await scene.clock.advance(3_100);
    expect(await outcome).toBe('TimeoutException');
  });

  it.each([
    [2, 'false'],
    [3, 'TimeoutException'],
    [4, profile === '1.34.0' ? 'TimeoutException' : 'InvalidDataException'],
    [100, profile === '1.34.0' ? 'AzureSignalRException' : 'InvalidDataException'],
  ])('takes ack status %i for %s', async (status, outcome) => {
    await using scene = await Scene.start({ profile });
    scene.service.answers.acks = false;
    const side = await scene.client('c1');
    const { groups } = await scene.lend('c1', side);
    const answer = groups.add('c1', 'g').then(String, (error: Error) => error.name);
    const { message } = await side.frame(MessageType.JoinGroupWithAck);
    side.write({ type: MessageType.Ack, ackId: 99, status: 1, message: '' });
    side.write({ type: MessageType.Ack, ackId: message.ackId, status, message: '' });
    expect(await answer).toBe(outcome);
  });

  it('returns an echo, opens one more connection for each target, asks for the status', async () => {
    await using scene = await Scene.start({ profile });
    const side = await scene.side();
    side.ping('echo', 'abc');
    await side.frame(MessageType.Ping, ({ entries }) => entries[1] === 'abc');
    side.ping('target', 'inst 1');
    side.ping('target', 'inst 1');
    const third = await scene.side(2);
    expect(third.request.url).toMatch(/&target=inst(%20|\+)1$/);
    expect((await third.frame(MessageType.HandshakeRequest)).message.connectionType).toBe(1);
    await third.cut();
    await settle();
    expect(scene.service.attempts).toBe(3);
    await scene.clock.advance(10_000);
    const asked = scene.service.sides.all.flatMap(({ messages }) =>
      messages.filter((message) => Object(message).entries?.[0] === 'status'),
    );
    expect(asked).toHaveLength(1);
  });

  it('survives malformed and unknown messages', async () => {
    await using scene = await Scene.start({ profile, methods: { one: method(() => 1) } });
    const side = await scene.client('c1');
    side.writeRaw(Buffer.concat([frame('92 04 c3'), frame('91 63')]));
    expect(await scene.answers('c1', side)).toBe(true);
    expect(scene.logged[0]).toContain('ErrorProcessingMessages');
  });
});
