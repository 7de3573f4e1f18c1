import { AckStatus } from '@trunkline/protocol';
import type { LogDigest } from '@trunkline/telemetry';
import type { Answer, Asker } from '../model/asker.ts';
import { TOO_LONG } from '../model/asker.ts';
import type { Audience } from '../model/effect.ts';
import type { NameKind } from '../model/interest.ts';
import type { Needs } from '../model/questions.ts';
import type { Asking } from './asking.ts';
import type { ClusterFrame } from './cluster-frames.ts';
import { CommandHead } from './cluster-frames.ts';
import { hubSubject, nameSubject } from './hub-subjects.ts';
import type { Whereabouts } from './whereabouts.ts';

export interface CommandWays {
  /** Those that are there. */
  readonly edges: () => readonly string[];
  readonly asking: Asking;
  readonly whereabouts: Whereabouts;
  readonly say: (frame: ClusterFrame, edgeId: string) => void;
  /** Says a frame, which `body` ends, to one edge. */
  readonly send: (edgeId: string, head: Uint8Array, body: Uint8Array) => void;
  /** Says it to all that have subscribed to the subject. */
  readonly publish: (subject: string, head: Uint8Array, body: Uint8Array) => void;
  /** So many bytes were said for the hub. */
  readonly said: (hub: string, bytes: number) => void;
  /** Whether the bus takes no message of so many bytes. */
  readonly refuses: (bytes: number) => boolean;
  readonly digest: Pick<LogDigest, 'warn'>;
}

/** What a frame has beside the command itself: a hub's name, above all. */
const FRAME_BYTES = 1024;

/** What somebody waits for, of one hub, and how many milliseconds at most. */
export interface CommandQuestion {
  readonly hub: string;
  readonly needs: Needs;
  readonly body: Uint8Array;
  readonly asker: Asker;
  readonly ms: number;
}

/** Says commands to the edges that they are for. */
export class Commands {
  readonly #ways: CommandWays;
  /** The hub of the latest command, its subject, and how its commands begin: mostly more follow. */
  #latestHub: { hub: string; subject: string; head: CommandHead } | undefined;
  #latestName: { hub: string; of: NameKind; name: string; subject: string } | undefined;

  constructor(ways: CommandWays) {
    this.#ways = ways;
  }

  tell(hub: string, to: Audience, body: Uint8Array): void {
    if (this.#isTooLong(hub, body)) return;
    const { whereabouts, said, send, publish } = this.#ways;
    const { subject, head: hubHead } = this.#hub(hub);
    const head = hubHead.before(body);
    const edges = to.kind === 'connections' ? whereabouts.edgesOf(to.ids) : undefined;
    said(hub, (edges?.size ?? 1) * body.length);
    if (to.kind === 'edge') send(to.id, head, body);
    else if (to.kind === 'name') publish(this.#nameSubject(hub, to), head, body);
    else if (edges === undefined) publish(subject, head, body);
    else for (const edgeId of edges) send(edgeId, head, body);
  }

  /** Nobody waits for an edge that is gone. Answers a function that ends the waiting. */
  ask(to: Audience, question: CommandQuestion): () => void {
    const edges = this.#ways.edges();
    if (edges.length > 0 && this.#isTooLong(question.hub, question.body)) {
      question.asker.settle(TOO_LONG);
      return () => {};
    }
    if (to.kind === 'connections') return this.#askOwner(to.ids, question);
    if (to.kind !== 'edge') return this.#ask(edges, question);
    return this.#ask(
      edges.filter((edgeId) => edgeId === to.id),
      question,
    );
  }

  #hub(hub: string): { subject: string; head: CommandHead } {
    let latest = this.#latestHub;
    if (latest?.hub !== hub) {
      latest = { hub, subject: hubSubject(hub), head: new CommandHead(hub) };
      this.#latestHub = latest;
    }
    return latest;
  }

  #nameSubject(hub: string, { of, name }: Audience & { kind: 'name' }): string {
    const latest = this.#latestName;
    if (latest?.name === name && latest.of === of && latest.hub === hub) return latest.subject;
    const subject = nameSubject(hub, of, name);
    this.#latestName = { hub, of, name, subject };
    return subject;
  }

  /** App servers may say more at once than a bus takes, which is a loss for those alone whom it is for. */
  #isTooLong(hub: string, body: Uint8Array): boolean {
    const { refuses, digest } = this.#ways;
    const bytes = body.length;
    const isTooLong = refuses(bytes + FRAME_BYTES);
    if (isTooLong) digest.warn({ hub }, 'not said to other edges: too long', { bytes });
    return isTooLong;
  }

  /** Asks the edges that have these connections, or all if that is not known. */
  #askOwner(ids: readonly string[], question: CommandQuestion): () => void {
    const { whereabouts } = this.#ways;
    const edges = this.#ways.edges();
    const owners = whereabouts.edgesOf(ids);
    if (owners !== undefined) {
      return this.#ask(
        edges.filter((edgeId) => owners.has(edgeId)),
        question,
      );
    }
    const settle = (answer: Answer, from?: string): void => {
      const isFound = answer.status !== AckStatus.NotFound && from !== undefined;
      if (isFound && ids.length === 1) whereabouts.located(ids[0]!, from);
      question.asker.settle(answer);
    };
    return this.#ask(edges, { ...question, asker: { settle } });
  }

  #ask(edges: readonly string[], { hub, needs, body, asker, ms }: CommandQuestion): () => void {
    const { asking, said, say } = this.#ways;
    said(hub, edges.length * body.length);
    return asking.ask(hub, edges, needs, asker, ms, (edgeId, question) =>
      say({ kind: 'command', question, hub, body }, edgeId),
    );
  }
}
