import { alternate, type Contenders } from './compare.ts';
import { settledBytes } from './process-usage.ts';
import type { Side } from './side.ts';
import type { Row } from './table.ts';
import { newTokens } from './tokens.ts';

export interface IdleOptions {
  rounds: number;
  /** How many clients are there when memory is read. */
  few: number;
  many: number;
}

const CONCURRENCY = 64;
const TIMEOUT_MS = 60_000;
/**
 * The same few clients come and go beforehand, again and again: heaps have grown to the size that
 * connecting takes by then, and next to nothing that was freed waits for the clients to come.
 */
const WARM_UP_CLIENTS = 100;
const WARM_UP_TURNS = 40;

/** Resident memory per idle client, each round in new processes. */
export async function measureIdle(contenders: Contenders, options: IdleOptions): Promise<Row[]> {
  const { rounds, few, many } = options;
  const kilobytes = await alternate(rounds, contenders.names, 'idle', async (name) => {
    const side = await contenders[name]('echo');
    try {
      await warmUp(side);
      const before = await settledBytes(side.serverPid);
      await connect(side, newTokens(few));
      const atFew = await settledBytes(side.serverPid);
      await connect(side, newTokens(many - few));
      const atMany = await settledBytes(side.serverPid);
      return {
        few: (atFew - before) / few / 1024,
        many: (atMany - before) / many / 1024,
        further: (atMany - atFew) / (many - few) / 1024,
      };
    } finally {
      await side.stop();
    }
  });
  const name = (clients: number): string => `idle client, ${clients} of them`;
  const row = { unit: 'KB resident', digits: 2 };
  return [
    { ...kilobytes.few, ...row, name: name(few) },
    { ...kilobytes.many, ...row, name: name(many), floor: { of: 'edge', atMost: 2.5 } },
    { ...kilobytes.further, ...row, name: `  each from ${few} to ${many}` },
  ];
}

async function warmUp(side: Side): Promise<void> {
  const tokens = newTokens(WARM_UP_CLIENTS);
  for (let turn = 0; turn < WARM_UP_TURNS; turn++) {
    await connect(side, tokens);
    await side.load.do('close', {}, TIMEOUT_MS);
  }
}

async function connect({ load }: Side, tokens: string[]): Promise<void> {
  await load.do('connect', { tokens, concurrency: CONCURRENCY }, TIMEOUT_MS);
}
