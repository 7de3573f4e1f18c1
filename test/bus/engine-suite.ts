import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';

import { findProgram } from '@trunkline/foundation';
import {
  type BusEngine,
  type BusEngineOptions,
  freePort,
  makeCertificate,
  TcpProxy,
} from '@trunkline/testing';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';

import { holdsToBusContract } from '../../services/edge/src/bus/bus-contract.test-support.ts';
import { EngineMember, joining, type Settings } from './member.ts';
import { startEdgeProcess } from './start-edge-process.ts';

/** An engine as the suite needs it. */
export interface EngineUnderTest {
  start(options?: BusEngineOptions): Promise<BusEngine>;
  /** `nats`, `redis`. */
  readonly scheme: string;
  /** How edges may log in, by a name of the way. */
  readonly logins: Readonly<Record<string, Login>>;
  /** A login that may not use the subjects of the cluster `test`, and what the engine says then. */
  readonly denied: Login;
  readonly tls: {
    readonly scheme: string;
    /** `cert.pem` and `key.pem` are in the folder. */
    configOf(folder: string, port: number): string;
  };
}

export interface Login {
  readonly config: string;
  /** What stands in front of the `@`. */
  readonly right: string;
  readonly wrong: string;
  /** What the line in the log says of the wrong one. */
  readonly why: RegExp;
}

const MB = 1024 * 1024;

/** What the adapter of an engine has to do on the real one; to be called in a `describe`. */
export function holdsOnEngine(underTest: EngineUnderTest): void {
  const { start, scheme, denied, tls } = underTest;
  let engine: BusEngine;
  let bus: string;
  let members: EngineMember[];

  async function begin(options: BusEngineOptions = {}): Promise<void> {
    engine = await start(options);
    bus = `${scheme}://${engine.host}`;
  }
  beforeEach(async () => {
    members = [];
    await begin();
  });
  afterEach(async () => {
    engine.thaw();
    await Promise.all(members.map((member) => member.bus.close()));
    await engine.stop();
  });

  async function enter(edgeId: string, settings: Partial<Settings> = {}): Promise<EngineMember> {
    const member = await EngineMember.join(edgeId, { bus, ...settings });
    members.push(member);
    return member;
  }
  /** Part of the bus, and hears the subject `s`. */
  async function joined(edgeId: string, settings: Partial<Settings> = {}): Promise<EngineMember> {
    const member = await enter(edgeId, settings);
    await isUp(member);
    await member.subscribe('s');
    return member;
  }
  const isUp = (member: EngineMember, timeout = 5_000): Promise<void> =>
    expect.poll(() => member.isUp, { timeout, interval: 5 }).toBe(true);
  const isDown = (member: EngineMember, timeout: number): Promise<void> =>
    expect.poll(() => member.isUp, { timeout, interval: 5 }).toBe(false);
  const hears = (member: EngineMember, message: string, timeout = 5_000): Promise<void> =>
    expect.poll(() => member.messages, { timeout, interval: 5 }).toContain(message);
  const warnings = (member: EngineMember): Record<string, unknown>[] =>
    member.lines.filter(({ level }) => level !== 'info');

  describe('like any bus', () => {
    holdsToBusContract(async () => {
      const own = await start();
      const settings = { bus: `${scheme}://${own.host}` };
      return {
        join: (edgeId) => joining(edgeId, settings),
        stop: async () => void (await own.stop()),
      };
    });
  });

  test('what is said in one turn is one batch', async () => {
    const [a, b] = [await joined('a'), await joined('b')];
    a.publish('s', ...Array.from({ length: 1000 }, (_, i) => `${i}`));
    await hears(b, 's 999');
    expect(a.stats.published).toMatchObject({ messages: 1000, batches: 1 });
    expect(b.stats.received).toMatchObject({ messages: 1000, batches: 1 });
  });

  test('it is known how much the engine has not taken yet', async () => {
    const a = await joined('a');
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 18; n++) a.bus.publish('s', Buffer.alloc(MB / 2));
      expect(a.bus.waiting).toBeGreaterThan(8 * MB);
      await expect
        .poll(() => a.bus.waiting, { timeout: 10_000, interval: 5 })
        .toBeLessThan(1.1 * MB);
      // That was not for want of an engine that takes something.
      a.publish('s', 'x');
      expect(a.bus.waiting).toBeGreaterThan(0);
    }
  });

  test('clusters on one engine do not hear each other', async () => {
    const [a, b, other] = [
      await joined('a'),
      await joined('b'),
      await joined('c', { cluster: 'other' }),
    ];
    a.publish('s', 'x');
    a.send('c', 'y');
    await hears(b, 's x');
    await expect.poll(() => a.heard).toContainEqual({ gone: 'c' });
    expect(other.messages).toEqual([]);
  });

  describe('when the engine ends and starts again', () => {
    test('edges are down at once, and back with their subscriptions and what they have kept', async () => {
      const [a, b] = [await joined('a'), await joined('b')];
      await b.subscribe('given up');
      const { port } = engine;
      await engine.kill();
      await Promise.all([isDown(a, 1_000), isDown(b, 1_000)]);
      a.publish('s', 'kept');
      a.publish('given up', 'x');
      b.bus.unsubscribe('given up');
      b.bus.subscribe('new');
      let inForce = 0;
      b.bus.whenSubscribed(() => (inForce = performance.now()));
      await pass(500);
      expect(inForce).toBe(0);
      await begin({ port });
      await Promise.all([isUp(a, 2_000), isUp(b, 2_000)]);
      await hears(b, 's kept');
      await expect.poll(() => inForce).toBeGreaterThan(0);
      a.publish('new', 'heard');
      a.send('b', 'sent');
      await hears(b, 'edge.b sent');
      expect(b.messages).toEqual(['s kept', 'new heard', 'edge.b sent']);
      expect([a.gaps[0], b.gaps[0]]).toEqual(['cut', 'cut']);
      expect(b.heard.indexOf('down')).toBeLessThan(
        b.heard.findIndex((one) => 'gap' in Object(one)),
      );
      expect(warnings(a)[0]).toMatchObject({ bus, msg: 'bus lost: connecting again' });
    });

    test(
      'what is said meanwhile waits within 16 MB and 5 s, and what was dropped is told',
      { timeout: 40_000 },
      async () => {
        const [a, b] = [await joined('a'), await joined('b')];
        const { port } = engine;
        await engine.kill();
        await isDown(a, 1_000);
        for (let i = 0; i < 80; i++) {
          a.bus.publish('s', Buffer.alloc(MB / 2, `${i % 10}`));
          await pass(1);
        }
        expect(a.stats.queueBytes).toBeLessThanOrEqual(16 * MB);
        expect(a.stats.dropped.full).toBeGreaterThanOrEqual(48);
        await pass(6_500);
        expect(a.stats.queueBytes).toBe(0);
        expect(a.stats.dropped.full + a.stats.dropped.stale).toBe(80);
        a.publish('s', 'young');
        await begin({ port });
        await hears(b, 's young');
        expect(b.messages).toEqual(['s young']);
        await expect.poll(() => b.gaps).toContain('sender a');
      },
    );
  });

  describe('when the engine freezes', () => {
    test.each([
      ['and nothing is said', 0],
      ['while much is said', 200 * 1024],
    ])(
      '%s, it is noticed within 3 s, and edges are back soon after it',
      { timeout: 40_000 },
      async (_, bytes) => {
        const [a, b] = [await joined('a'), await joined('b')];
        const speech = setInterval(() => {
          if (bytes > 0) for (let i = 0; i < 10; i++) a.bus.publish('s', Buffer.alloc(bytes, 'x'));
        }, 10);
        onTestFinished(() => clearInterval(speech));
        await pass(200);
        await engine.freeze();
        await Promise.all([isDown(a, 4_000), isDown(b, 4_000)]);
        clearInterval(speech);
        expect(a.stats.queueBytes).toBeLessThanOrEqual(16 * MB + bytes);
        // Nobody waits for it any more.
        expect(a.bus.waiting).toBe(0);
        await pass(3_000);
        engine.thaw();
        await Promise.all([isUp(a, 3_000), isUp(b, 3_000)]);
        a.publish('s', 'after');
        await hears(b, 's after');
        expect(b.gaps).toContain('cut');
      },
    );
  });

  test('a cut of the network is a gap on both sides, and over soon', async () => {
    await using proxy = await TcpProxy.start(`http://${engine.host}`);
    const [a, b] = [
      await joined('a', { bus: `${scheme}://${new URL(proxy.url).host}` }),
      await joined('b'),
    ];
    proxy.cut();
    await expect.poll(() => a.heard, { interval: 5 }).toContain('down');
    await isUp(a, 2_000);
    await expect.poll(() => b.gaps).toEqual(['sender a']);
    expect(a.gaps).toEqual(['cut']);
    expect(b.heard).not.toContain('down');
    b.publish('s', 'again');
    await hears(a, 's again');
  });

  test(
    'an edge that freezes is cut off, learns of its gap, and holds up nobody',
    { timeout: 40_000 },
    async () => {
      const [a, c] = [await joined('a'), await joined('c')];
      await using frozen = await startEdgeProcess(bus, 's');
      a.publish('s', 'before');
      await frozen.says('s before');
      await frozen.freeze();
      let worst = 0;
      const end = performance.now() + 5_000;
      const flood = Buffer.alloc(200 * 1024, 'flood ');
      for (let i = 0; performance.now() < end; i++) {
        for (let j = 0; j < 3; j++) a.bus.publish('s', flood);
        const said = performance.now();
        a.publish('s', `${i}`);
        await hears(c, `s ${i}`, 10_000);
        worst = Math.max(worst, performance.now() - said);
        c.heard.length = 0;
        await pass(25);
      }
      frozen.thaw();
      await frozen.says('gap cut', 10_000);
      await expect
        .poll(() => frozen.output().trim().split('\n').at(-1), { timeout: 10_000 })
        .toBe('up');
      a.publish('s', 'after');
      await frozen.says('s after');
      expect(frozen.output()).toContain('down\n');
      expect([a.stats.reconnects, c.stats.reconnects]).toEqual([0, 0]);
      expect(c.gaps.filter((gap) => gap !== 'sender child')).toEqual([]);
      // It is well below without other work on the machine; a server that waits for the frozen one takes seconds.
      expect(worst).toBeLessThan(2_500);
    },
  );

  test('an engine that is not there is tried for, with one clear line', async () => {
    const { port } = engine;
    await engine.kill();
    const a = await enter('a');
    await expect.poll(() => warnings(a).length).toBe(1);
    await pass(1_000);
    expect(warnings(a)).toMatchObject([
      {
        msg: 'bus not reached: trying again',
        bus,
        why: expect.stringMatching(/refused/i) as string,
      },
    ]);
    expect(a.heard).toEqual([]);
    await begin({ port });
    await isUp(a);
    expect(a.heard).toEqual(['up']);
  });

  /** The engine anew, with lines of configuration; `bus` is its address with that in front of the `@`. */
  async function restart(config: string): Promise<(login: string) => string> {
    await engine.stop();
    await begin({ config });
    return (login) => `${scheme}://${login}@${engine.host}`;
  }

  describe.each(Object.entries(underTest.logins))('by %s', (_, { config, right, wrong, why }) => {
    test('edges come in; with a wrong one they do not, and one clear line says why', async () => {
      const busOf = await restart(config);
      const [a, b] = [
        await joined('a', { bus: busOf(right) }),
        await joined('b', { bus: busOf(right) }),
      ];
      a.publish('s', 'x');
      await hears(b, 's x');
      const [stranger, nobody] = [
        await enter('c', { bus: busOf(wrong) }),
        await enter('d', { bus }),
      ];
      await pass(1_500);
      for (const { lines, heard } of [stranger, nobody]) {
        expect(lines.map(({ msg }) => msg)).toEqual(['bus not reached: trying again']);
        expect(lines[0]!['why']).toMatch(why);
        expect(heard).toEqual([]);
      }
      const secrets = [right, wrong]
        .flatMap((login) => login.split(':'))
        .filter((one) => one !== '');
      const logged = JSON.stringify([a, stranger, nobody].map(({ lines }) => lines));
      for (const secret of secrets) expect(logged).not.toContain(secret);
    });
  });

  test('an edge that may not use the subjects of its cluster is not up, and says so', async () => {
    const busOf = await restart(denied.config);
    const a = await enter('a', { bus: busOf(denied.right) });
    await pass(1_500);
    expect(a.isUp).toBe(false);
    expect(a.lines[0]!['why']).toMatch(denied.why);
    expect(a.lines.length).toBeLessThanOrEqual(3);
  });

  const openssl = findProgram('openssl');

  test.skipIf(openssl === undefined)('by TLS only with the authority (needs openssl)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-bus-tls-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    await makeCertificate(folder);
    const port = await freePort();
    await engine.stop();
    await begin({ config: tls.configOf(folder, port) });
    const busCa = join(folder, 'ca.pem');
    const secure = `${tls.scheme}://localhost:${port}`;
    const [a, b] = [
      await joined('a', { bus: secure, busCa }),
      await joined('b', { bus: secure, busCa }),
    ];
    a.publish('s', 'x');
    await hears(b, 's x');
    const stranger = await enter('c', { bus: secure });
    await expect.poll(() => stranger.lines.length).toBe(1);
    expect(stranger.lines[0]!['why']).toMatch(/certificate/);
    expect(stranger.isUp).toBe(false);
  });

  describe('a process that has left', () => {
    test('has nothing that keeps it running', async () => {
      const child = await startEdgeProcess(bus, 's');
      expect(await child.leave()).toEqual({ code: 0, signal: null });
    });

    test('has nothing either where the engine never was there', async () => {
      await engine.kill();
      const child = await startEdgeProcess(bus, 's', false);
      await pass(300);
      expect(await child.leave()).toEqual({ code: 0, signal: null });
    });

    test('has nothing either while the engine is away', async () => {
      const child = await startEdgeProcess(bus, 's');
      await engine.kill();
      await child.says('down');
      expect(await child.leave()).toEqual({ code: 0, signal: null });
    });
  });
}
