import { createHash } from 'node:crypto';
import { AckStatus, ByteReader, ByteWriter, encodeServiceBody } from '@trunkline/protocol';
import type { Answer } from '../model/asker.ts';
import { answerOf } from '../model/asker.ts';
import type { Scope } from '../model/scope.ts';
import type { EdgeContext } from './edge-context.ts';
import type { HubRuntime } from './hub-runtime.ts';
import { countQuery } from './presence-messages.ts';

/** Of a version as callers see it: enough that two never meet by chance. */
const VERSION_LENGTH = 22;

/** How many connections a scope has, at all edges. */
export interface Count {
  readonly count: number;
  /** While it is the same, the connections are the same. */
  readonly version: string;
}

/** What one edge has of them; no version where it has none. */
interface Part {
  readonly count: number;
  readonly version: string | undefined;
}

type CountingContext = Pick<EdgeContext, 'clients'>;

/** The part of this edge, for another one. */
export function ownCount(scope: Scope, hub: HubRuntime, context: CountingContext): Answer {
  const { count, version } = ownPart(scope, hub, context);
  const writer = new ByteWriter(64);
  writer.arrayHeader(2);
  writer.int(count);
  if (version === undefined) writer.nil();
  else writer.text(version);
  return answerOf(AckStatus.Ok, '', new Uint8Array(writer.view()));
}

/**
 * Adds up what the edges have of a scope: each is asked by itself, and says what it knows anyway. An edge
 * that does not have the hub, or has gone, has no part. Where another one does not answer, nobody knows
 * the count: `fail` is told, once.
 */
export function countConnections(
  scope: Scope,
  hub: HubRuntime,
  context: CountingContext,
  done: (count: Count) => void,
  fail: (answer: Answer) => void,
): void {
  const parts = [ownPart(scope, hub, context)];
  const edges = [...hub.others.edges];
  let awaited = edges.length;
  let failure: Answer | undefined;
  const finish = (): void => (failure === undefined ? done(sumOf(parts)) : fail(failure));
  if (awaited === 0) return finish();
  const settle = (answer: Answer): void => {
    if (answer.status === AckStatus.Ok) parts.push(readPart(answer));
    else if (answer.status !== AckStatus.NotFound) failure = answer;
    awaited--;
    if (awaited === 0) finish();
  };
  const body = encodeServiceBody(countQuery(scope));
  for (const id of edges) hub.others.ask({ kind: 'edge', id }, 'anyFound', body, { settle });
}

/**
 * The edge's tag goes before the version of its part: it is another one at each start, so that versions
 * of before do not come again.
 */
function ownPart(scope: Scope, hub: HubRuntime, { clients }: CountingContext): Part {
  const { size, version } = hub.model.roster(scope);
  return { count: size, version: version && `${clients.tag}${version}` };
}

function readPart({ payload }: Answer): Part {
  const reader = new ByteReader(payload!);
  reader.arrayHeader();
  return { count: reader.int(), version: reader.nil() ? undefined : reader.text() };
}

/** The same parts make the same version, whichever edge has asked for them. */
function sumOf(parts: readonly Part[]): Count {
  const versions = parts.flatMap(({ version }) => version ?? []).toSorted();
  const digest = createHash('sha256').update(versions.join()).digest('base64url');
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  return { count, version: digest.slice(0, VERSION_LENGTH) };
}
