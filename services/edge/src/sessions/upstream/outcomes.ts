import {
  classifyRecord,
  encodeErrorCompletion,
  encodeVoidCompletion,
  HubMessageType,
  MAX_SERVICE_MESSAGE_BYTES,
  ProtocolError,
  recordEnd,
  RecordInfo,
} from '@trunkline/protocol';
import type { LabelsOf } from '@trunkline/telemetry';
import type { CallOutcome } from './call-pool.ts';

/** What comes of an event: of its call, or without one. */
export type EventOutcome =
  | CallOutcome
  /** No rule sends it anywhere. */
  | { readonly kind: 'unmatched' };

export type OutcomeLabel = LabelsOf<'trunkline_upstream_calls_total'>['outcome'];

/** What an outcome is counted as. */
export function labelOf(outcome: EventOutcome): OutcomeLabel {
  switch (outcome.kind) {
    case 'answer':
      if (outcome.status >= 200 && outcome.status < 300) return 'ok';
      return outcome.status >= 500 ? 'server_error' : 'refused';
    case 'unreachable':
      return outcome.refused ? 'address_refused' : 'unreachable';
    case 'breaker':
      return 'breaker_open';
    default:
      return outcome.kind;
  }
}

/** Whether to tell an upstream of a connection again: it did not hear it, or was not able to take it. */
export function isWorthRetrying(outcome: EventOutcome): boolean {
  switch (outcome.kind) {
    case 'answer':
      return outcome.status >= 500 || outcome.status === 408 || outcome.status === 429;
    case 'unreachable':
      return !outcome.refused;
    case 'timeout':
    case 'breaker':
    case 'broken':
      return true;
    default:
      return false;
  }
}

/**
 * What a client gets for a call that waits for its result (REST and serverless reference, section 5.6):
 * the upstream's answer as it came, if that completes the call, else a completion in its place.
 */
export function completionFor(
  outcome: EventOutcome,
  invocationId: string,
  binary: boolean,
): Uint8Array {
  if (outcome.kind === 'answer') {
    const { status, body } = outcome;
    if (status === 204 || (status === 200 && body.length === 0)) {
      return encodeVoidCompletion(binary, invocationId);
    }
    if (status === 200 && completes(body, invocationId, binary)) return body;
  }
  return encodeErrorCompletion(binary, invocationId, `Invocation failed, ${failureText(outcome)}`);
}

function failureText(outcome: EventOutcome): string {
  switch (outcome.kind) {
    case 'answer':
      return outcome.status === 200
        ? 'error: the answer of the upstream does not complete the invocation.'
        : `status code ${outcome.status}`;
    case 'too_large':
      return 'response too large.';
    case 'broken':
      return `error: ${outcome.message}.`;
    case 'breaker':
      return 'status code 503';
    case 'unmatched':
      return 'error: no upstream takes it.';
    case 'timeout':
      return outcome.answering ? 'response cancelled.' : 'status code 500';
    case 'unreachable':
      return 'status code 500';
  }
}

const info = new RecordInfo();

/**
 * Whether bytes are whole hub messages, among them the completion of the call. Others would leave the
 * caller waiting, or the client with half a message; and a Close is not an upstream's to say.
 */
function completes(body: Uint8Array, invocationId: string, binary: boolean): boolean {
  let found = false;
  for (let start = 0; start < body.length;) {
    const end = wholeRecordEnd(body, start, binary);
    if (end === -1) return false;
    classifyRecord(binary, body, start, end, info);
    if (info.type === 0 || info.type === HubMessageType.Close) return false;
    found ||= info.type === HubMessageType.Completion && info.idText(body) === invocationId;
    start = end;
  }
  return found;
}

function wholeRecordEnd(body: Uint8Array, start: number, binary: boolean): number {
  try {
    return recordEnd(binary, body, start, MAX_SERVICE_MESSAGE_BYTES);
  } catch (error) {
    if (error instanceof ProtocolError) return -1;
    throw error;
  }
}
