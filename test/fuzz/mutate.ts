import { seeded } from '../edge/support/seeded.ts';
import type { FrameStep, RequestStep, Step } from './corpus.ts';

/** How many steps are said, more or less, and how many of them are always the first ones. */
const STEPS = 16;
const BEGINNING = 2;

export type Random = () => number;

/** A whole number from 0 to `below` - 1. */
export function pick(random: Random, below: number): number {
  return Math.floor(random() * below);
}

export function oneOf<T>(random: Random, items: readonly T[]): T {
  return items[pick(random, items.length)]!;
}

/** Numbers of a format's lengths and types, and bytes of its grammar, at which readers go wrong. */
const TELLING = [
  '\x00',
  '\x7f',
  '\x80',
  '\xff',
  '\x1e',
  '\xff\xff\xff\xff',
  '\xff\xff\xff\xff\x07',
  '\x80\x80\x80\x80\x00',
  '\xc0',
  '\xc1',
  '\xdc\xff\xff',
  '\xdd\x7f\xff\xff\xff',
  '\xdf\xff\xff\xff\xff',
  '\x91'.repeat(200),
  '['.repeat(500),
  '\r\n',
  '\r\n\r\n',
  '%00',
  '__proto__',
  '99999999999999999999',
  '-1',
  '\xed\xa0\x80',
  '\xf0\x9f',
] as const;

/** One change of Latin-1 text: of a byte, a piece, its length, or with a piece of something else. */
export function mutateText(text: string, random: Random, others: readonly string[]): string {
  const at = pick(random, text.length + 1);
  const end = Math.min(text.length, at + 1 + pick(random, oneOf(random, [4, 32, 512])));
  const [before, piece, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
  switch (pick(random, 8)) {
    case 0:
      return before + String.fromCharCode(pick(random, 256)) + text.slice(at + 1);
    case 1: {
      const bit = 1 << pick(random, 8);
      return before + String.fromCharCode((text.charCodeAt(at) ^ bit) & 0xff) + text.slice(at + 1);
    }
    case 2:
      return before + after;
    case 3:
      return before + piece.repeat(2 + pick(random, 30)) + after;
    case 4:
      return before + oneOf(random, TELLING) + text.slice(at);
    case 5:
      return before + oneOf(random, TELLING) + after;
    case 6:
      return before;
    default: {
      const other = oneOf(random, others);
      const from = pick(random, other.length);
      return before + other.slice(from, from + 1 + pick(random, 64)) + after;
    }
  }
}

/** What is sent: a request with what goes on about its length afterwards, or a frame. */
export type Sent =
  | (RequestStep & { readonly mangle?: (bytes: string) => string })
  | (FrameStep & { readonly final: boolean });

/** Changes the order of the steps at times, and what one to four of them say. */
export function mutateSteps(
  steps: readonly Step[],
  random: Random,
  others: readonly string[],
): Sent[] {
  const sent: Sent[] = excerpt(steps, random).map((step) =>
    'head' in step ? step : { ...step, final: true },
  );
  if (random() < 0.4) reorder(sent, random);
  const times = 1 + pick(random, 4);
  for (let i = 0; i < times && sent.length > 0; i++) {
    const at = pick(random, sent.length);
    sent[at] = mutateStep(sent[at]!, random, others);
  }
  return sent;
}

/** The beginning, which makes the connection, and of a long conversation some of the rest. */
function excerpt(steps: readonly Step[], random: Random): Step[] {
  const chance = STEPS / steps.length;
  return steps.filter((_, at) => at < BEGINNING || random() < chance);
}

function reorder(steps: Sent[], random: Random): void {
  const [from, to] = [pick(random, steps.length), pick(random, steps.length)];
  const moved = steps[from]!;
  // The first step makes the connection: without it, nothing but the refusal is tried.
  if (from === 0 && random() < 0.8) return;
  if (random() < 0.6) steps.splice(from, 1);
  if (random() < 0.6) for (let n = pick(random, 20); n >= 0; n--) steps.splice(to, 0, moved);
}

function mutateStep(step: Sent, random: Random, others: readonly string[]): Sent {
  const change = (text: string): string => mutateText(text, random, others);
  if ('head' in step) {
    if (step.body !== '' && random() < 0.6) return { ...step, body: change(step.body) };
    // Drawn now, since what a replay draws must not depend on when it sends.
    const seed = pick(random, 2 ** 31);
    return { ...step, mangle: (bytes) => mutateText(bytes, seeded(seed), others) };
  }
  const kind = random();
  if (kind < 0.1) return { ...step, opcode: pick(random, 16) };
  if (kind < 0.15) return { ...step, final: false };
  return { ...step, payload: change(step.payload) };
}
