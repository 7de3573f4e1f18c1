import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { NATS, startNats } from './nats.ts';
import { REDIS, startRedis } from './redis.ts';

/** What a server says first, or the code of the error; undefined where it says nothing in time. */
function asks(port: number, question: string, ms = 500): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(question));
    const timer = setTimeout(() => end(undefined), ms);
    const end = (answer: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(data.toString()));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code));
  });
}

const ENGINES = [
  ['startNats (needs nats-server)', NATS, startNats, /^INFO /],
  ['startRedis (needs redis-server)', REDIS, startRedis, /^\+PONG/],
] as const;

describe.each(ENGINES)('%s', (_, program, start, hello) => {
  describe.skipIf(program === undefined)('where it is', () => {
    it('answers, freezes and goes on, and comes back at its port when it was killed', async () => {
      const first = await start();
      const { port } = first;
      expect(await asks(port, 'PING\r\n', 5_000)).toMatch(hello);
      await first.freeze();
      expect(await asks(port, 'PING\r\n')).toBeUndefined();
      first.thaw();
      expect(await asks(port, 'PING\r\n', 5_000)).toMatch(hello);
      expect(await first.kill()).toEqual({ code: null, signal: 'SIGKILL' });
      expect(await asks(port, 'PING\r\n', 5_000)).toBe('ECONNREFUSED');
      await using second = await start({ port });
      expect(second.host).toBe(`127.0.0.1:${port}`);
      expect(await asks(port, 'PING\r\n', 5_000)).toMatch(hello);
    });

    it('leaves nothing behind, also when it is frozen or cannot start', async () => {
      const temporary = mkdtempSync(join(tmpdir(), 'trunkline-nothing-'));
      onTestFinished(() => rmSync(temporary, { recursive: true }));
      vi.stubEnv('TMPDIR', temporary);
      onTestFinished(() => void vi.unstubAllEnvs());
      const engine = await start();
      expect(readdirSync(temporary)).toHaveLength(1);
      await engine.freeze();
      await engine.stop();
      await engine.stop();
      await expect(start({ config: 'no such line' })).rejects.toThrow('ended with');
      expect(readdirSync(temporary)).toEqual([]);
    });
  });
});
