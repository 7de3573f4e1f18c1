import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, onTestFinished, test } from 'vitest';

/**
 * A process that logs without end, with one line on stderr after each thousand lines; ends with code
 * 1 when more lines wait for their reader than may.
 */
const CHATTY = `
  const { createLogger } = await import(process.argv[1]);
  const logger = createLogger({ name: 'chatty', level: 'info' });
  setInterval(() => {
    for (let i = 0; i < 1000; i++) logger.info('x'.repeat(100));
    process.stderr.write('alive\\n');
  }, 5);
  process.on('SIGTERM', () => process.exit(process.stdout.writableLength < 5e6 ? 0 : 1));
`;

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function startChatty(stdout: number | 'pipe', shell: readonly string[] = []): ChildProcess {
  const module = new URL('logger.ts', import.meta.url).href;
  const node = [process.execPath, '--input-type=module', '-e', CHATTY, module];
  const [command = '', ...args] = [...shell, ...node];
  const child = spawn(command, args, { stdio: ['ignore', stdout, 'pipe'] });
  started.push(child);
  return child;
}

/** Calls `isEnough` at each sign of life until it is, then ends the process; answers how it ended. */
async function outlives(child: ChildProcess, isEnough: (signs: number) => boolean): Promise<End> {
  const lines: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    if (isEnough(lines.push(line))) child.kill('SIGTERM');
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { code, signal, errors: lines.filter((line) => line !== 'alive') };
}

interface End {
  code: number | null;
  signal: string | null;
  errors: string[];
}

const AS_ASKED: End = { code: 0, signal: null, errors: [] };

test.skipIf(process.platform === 'win32')(
  'a full disk loses lines, not the process, which writes again when there is room',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stdout-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'log');
    // A limit on the size of the file is a disk that fills up; emptying the file makes room.
    const shell = ['sh', '-c', 'trap "" XFSZ; ulimit -f 64; exec "$0" "$@"'];
    const child = startChatty(openSync(path, 'a'), shell);
    let emptied = false;
    const end = outlives(child, (signs) => {
      const { size } = statSync(path);
      if (emptied || signs < 10) return size > 0 && emptied;
      expect(size).toBe(64 * 512);
      truncateSync(path);
      emptied = true;
      return false;
    });
    expect(await end).toEqual(AS_ASKED);
  },
);

test('a reader of stdout that goes away does not end the process', async () => {
  const child = startChatty('pipe');
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  expect(await outlives(child, (signs) => signs >= 10)).toEqual(AS_ASKED);
});

test('a reader of stdout that stops reading does not hold up the process', async () => {
  expect(await outlives(startChatty('pipe'), (signs) => signs >= 100)).toEqual(AS_ASKED);
});
