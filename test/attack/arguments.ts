import { parseArgs } from 'node:util';

import type { Attack } from './attack.ts';
import { ATTACKS } from './attacks.ts';

export const USAGE = `Usage: npm run attack -- [options]

Attacks an edge from within one hub, and watches clients of another: twenty, over every transport, that
call five times a second each, and a newcomer every second. Each attack has an edge of its own, on free
ports of this machine; nothing else is ever attacked. Prints a table, and ends with 1 when a row breaks its
limit. Needs Linux, and 20,000 open files (ulimit -n) for the whole of it.

  --only <list>   some attacks, comma separated (${ATTACKS.length} in all)
  --seconds <n>   how long each attack goes on, 1 to 600 (10)
  --nice <n>      the attacker's priority, from 0, as anybody else's, to 19: what others leave (19)
  --write         put the table into docs/security.md; not with --only
  --help          this text, and the attacks

Attacks:
${ATTACKS.map(({ name, what }) => `  ${name.padEnd(20)} ${what}`).join('\n')}`;

export interface Arguments {
  readonly help: boolean;
  readonly attacks: readonly Attack[];
  readonly seconds: number;
  readonly nice: number;
  readonly write: boolean;
}

/** Throws for what is no argument, and says what would be. */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      seconds: { type: 'string', default: '10' },
      nice: { type: 'string', default: '19' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds takes a number from 1 to 600');
  const nice = Number(values.nice);
  if (!Number.isInteger(nice) || nice < 0 || nice > 19) {
    throw new Error('--nice takes a whole number from 0 to 19');
  }
  if (values.write && values.only !== undefined) {
    throw new Error('--write writes the whole table: leave --only away');
  }
  const attacks = values.only?.split(',').map((name) => {
    const attack = ATTACKS.find((attack) => attack.name === name);
    if (attack === undefined) throw new Error(`there is no attack '${name}': see --help`);
    return attack;
  });
  return { help: values.help, attacks: attacks ?? ATTACKS, seconds, nice, write: values.write };
}
