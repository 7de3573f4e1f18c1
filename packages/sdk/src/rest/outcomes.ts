import { TrunklineError } from '../errors.ts';
import type { TrunklineErrorCode } from '../errors.ts';
import type { RestAnswer, RestCall } from './rest-client.ts';

const FIRST_DELAY_MS = 800;
const LONGEST_DELAY_MS = 60_000;
const MAX_TEXT = 300;

/** Failures to connect: the service cannot have carried anything out. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Milliseconds until another try, as the service says or else 0.8, 1.6, 3.2 … 60 s and a quarter of
 * chance; undefined where none is to be made. A message is sent again only where it was certainly not
 * delivered, anything else also when that is unknown (REST reference, sections 1.7 and 2.2).
 */
export function retryDelay(
  call: RestCall,
  outcome: RestAnswer | Error,
  tries: number,
  random: () => number,
): number | undefined {
  if (!isPassing(call, outcome)) return undefined;
  const own = Math.min(FIRST_DELAY_MS * 2 ** (tries - 1), LONGEST_DELAY_MS) * (1 + random() / 4);
  return outcome instanceof Error ? own : (retryAfter(outcome.headers) ?? own);
}

/** The error that a call's last outcome is, where it is one. */
export function refusal(call: RestCall, outcome: RestAnswer | Error): TrunklineError {
  const what = `${call.method} /api/${call.path}`;
  if (outcome instanceof Error) {
    const { message } = outcome.cause instanceof Error ? outcome.cause : outcome;
    const why = `${what} failed: ${message || 'the service cannot be reached'}`;
    return new TrunklineError('unavailable', why, { cause: outcome });
  }
  const { status } = outcome;
  return new TrunklineError(codeOf(status), `${what} was answered ${status}${textOf(outcome)}`);
}

function codeOf(status: number): TrunklineErrorCode {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 429) return 'throttled';
  return status >= 500 ? 'unavailable' : 'refused';
}

function isPassing({ message }: RestCall, outcome: RestAnswer | Error): boolean {
  if (outcome instanceof Error) {
    const { code } = (outcome.cause ?? {}) as { code?: string };
    return message === undefined || NOT_CONNECTED.has(code ?? '');
  }
  const { status } = outcome;
  if (status === 429 || status === 503) return true;
  return message === undefined && (status === 408 || status >= 500);
}

/** Seconds or a date. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** What the service says of it: an ErrorDetail, or plain text. */
function textOf({ headers, body }: RestAnswer): string {
  const text = Buffer.from(body).toString().trim();
  const why = messageOf(text) ?? (text || headers.get('www-authenticate')) ?? '';
  return why === '' ? '' : `: ${why.slice(0, MAX_TEXT)}`;
}

function messageOf(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
