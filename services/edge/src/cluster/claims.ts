import { AckStatus } from '@trunkline/protocol';
import type { Answer } from '../model/asker.ts';
import { answerOf, DONE, NOT_FOUND } from '../model/asker.ts';
import { tagOf } from '../model/connection-id.ts';
import type { EdgeContext } from '../sessions/edge-context.ts';
import type { Claim, ClaimRefusal, Granted, Home, Homes } from '../sessions/homes.ts';
import { CLAIM_REFUSALS } from '../sessions/homes.ts';
import type { Asking } from './asking.ts';
import type { ClaimFrame } from './claim-frames.ts';
import type { ClusterFrame } from './cluster-frames.ts';
import type { ClaimOutcome, ClusterStats } from './cluster-stats.ts';
import type { OwnStatus } from './own-status.ts';
import { Scattering } from './scattering.ts';
import type { Settling } from './settling.ts';
import type { Whereabouts } from './whereabouts.ts';

/**
 * How long an id is remembered that is used up: twice the time in which its token is good, because
 * edges have clocks of their own.
 */
const REMEMBERED_MS = 30_000;

export interface ClaimWays {
  /** There is no other edge. */
  readonly isAlone: boolean;
  readonly settling: Settling;
  /** Those that are there. */
  readonly edges: () => readonly string[];
  readonly asking: Asking;
  readonly whereabouts: Whereabouts;
  readonly own: OwnStatus;
  readonly stats: ClusterStats;
  readonly say: (frame: ClusterFrame, edgeId: string) => void;
  /** How long others may take to answer. */
  readonly patienceMs: number;
}

/** A claim of this edge that is not decided. */
interface Underway {
  readonly claim: Claim;
  readonly decide: (verdict: Granted | ClaimRefusal, outcome: ClaimOutcome) => void;
  /** Ends the question to others. */
  stop: () => void;
}

/**
 * WebSockets with ids that other edges have minted. The edge at which one comes asks the id's home for
 * it, which gives it up once, and is the connection's owner from then on. Where the home is gone, the
 * signature of the token has to do: all others are asked whether one of them has the id, or is about
 * to, and each remembers it as used up for as long as a token can be good.
 */
export class Claims implements Homes {
  readonly isAlone: boolean;
  readonly #context: EdgeContext;
  readonly #ways: ClaimWays;
  readonly #scattering: Scattering;
  #home: Home | undefined;
  readonly #underway = new Map<string, Underway>();
  /** Ids of other edges that are used up, here or elsewhere, and until when; the first one first. */
  readonly #used = new Map<string, number>();

  constructor(context: EdgeContext, ways: ClaimWays) {
    const { isAlone, own, asking, edges, say } = ways;
    this.isAlone = isAlone;
    this.#context = context;
    this.#ways = ways;
    this.#scattering = new Scattering(context.clients.tag, own, asking, edges, say);
  }

  /** Before the first claim: who knows the ids of this edge. */
  serve(home: Home): void {
    this.#home = home;
  }

  claim(claim: Claim, settle: (verdict: Granted | ClaimRefusal) => void): () => void {
    let isGone = false;
    let stop = (): void => {};
    // One that has just joined may be asked for ids before it has heard of their edge.
    this.#ways.settling.whenSettled(() => {
      if (!isGone) stop = this.#claim(claim, settle);
    });
    return () => {
      isGone = true;
      stop();
    };
  }

  #claim(claim: Claim, settle: (verdict: Granted | ClaimRefusal) => void): () => void {
    const { stats, settling, whereabouts } = this.#ways;
    const { id } = claim;
    const decide = (verdict: Granted | ClaimRefusal, outcome: ClaimOutcome): void => {
      this.#underway.delete(id);
      if (typeof verdict !== 'string') this.#isUsedUp(id);
      stats.claims[outcome]++;
      settle(verdict);
    };
    if (!settling.isSettled) decide('unanswered', 'unanswered');
    else if (this.#used.has(id)) decide('unknown', 'refused');
    else {
      const underway: Underway = { claim, decide, stop: () => {} };
      this.#underway.set(id, underway);
      const home = whereabouts.homeOf(tagOf(id)!);
      if (home === undefined) this.#takeOver(underway);
      else this.#ask(underway, [home], () => this.#takeOver(underway));
    }
    return () => {
      this.#underway.get(id)?.stop();
      if (this.#underway.delete(id)) stats.claims.abandoned++;
    };
  }

  /** Another edge is there, new or again: it may have been gone when ids were taken over. */
  joined(edgeId: string): void {
    const { whereabouts, say } = this.#ways;
    const tags = whereabouts.scatteredTags;
    if (tags.length > 0)
      say({ kind: 'scattered', question: 0, tags, ids: [...this.#used.keys()] }, edgeId);
  }

  heard(frame: ClaimFrame, from: string): void {
    switch (frame.kind) {
      case 'claim':
        return this.#asked(frame, from);
      case 'scattered':
        return this.#scattered(frame, from);
      case 'located':
        for (const id of frame.ids) this.#ways.whereabouts.located(id, from);
    }
  }

  /** To be called about once a second. */
  expire(now: number): void {
    for (const [id, until] of this.#used) {
      if (until > now) return;
      this.#used.delete(id);
    }
  }

  /** Asks these edges to give the id up. `nobody`: none of them has it. */
  #ask(underway: Underway, edges: readonly string[], nobody: () => void): void {
    const { asking, say, patienceMs } = this.#ways;
    const { id, version, hub, userId, owner } = underway.claim;
    const settle = ({ status, message, payload }: Answer): void => {
      if (status === AckStatus.NotFound) return nobody();
      if (status === AckStatus.Ok) {
        return underway.decide({ early: payload && Buffer.from(payload) }, 'granted');
      }
      const why = CLAIM_REFUSALS.find((one) => one === message);
      if (status === AckStatus.Forbidden && why !== undefined) {
        underway.decide(why, 'refused');
      } else underway.decide('unanswered', 'unanswered');
    };
    underway.stop = asking.ask(
      owner,
      edges,
      'anyFound',
      { settle },
      patienceMs,
      (edgeId, question) => say({ kind: 'claim', question, id, version, hub, userId }, edgeId),
    );
  }

  /** The id's home is gone: the token's word is taken, unless another edge has the id. */
  #takeOver(underway: Underway): void {
    const { id, connectBy } = underway.claim;
    if (connectBy < this.#context.time.unixSeconds()) {
      return underway.decide('unknown', 'refused');
    }
    const tag = tagOf(id)!;
    this.#ways.whereabouts.scattered(tag);
    this.#ask(underway, this.#ways.edges(), () =>
      underway.decide({ early: undefined }, 'taken_over'),
    );
  }

  /** Another edge claims an id: of this one, or of one that is gone. */
  #asked(
    { question, id, version, hub, userId }: ClaimFrame & { kind: 'claim' },
    from: string,
  ): void {
    const answer = (what: Answer): void =>
      this.#ways.say({ kind: 'answer', question, answer: what }, from);
    if (tagOf(id) !== this.#context.clients.tag) return answer(this.#knownElsewhere(id, from));
    const verdict = this.#home!.giveUp(id, { version, hub, userId });
    if (typeof verdict === 'string') return answer(refusal(verdict));
    const given = answerOf(AckStatus.Ok, '', verdict.early);
    this.#scattering.whenKnown(() => answer(given));
  }

  /** Whether the id of an edge that is gone has been used, as far as this edge knows. */
  #knownElsewhere(id: string, from: string): Answer {
    const { clients, edgeId } = this.#context;
    const underway = this.#underway.get(id);
    const isMine = underway !== undefined && edgeId < from;
    if (isMine || clients.get(id) !== undefined) return refusal('in_use');
    if (this.#used.has(id)) return refusal('unknown');
    underway?.stop();
    underway?.decide('in_use', 'refused');
    this.#isUsedUp(id);
    this.#ways.whereabouts.scattered(tagOf(id) ?? '');
    return NOT_FOUND;
  }

  #scattered({ question, tags, ids }: ClaimFrame & { kind: 'scattered' }, from: string): void {
    const { own, whereabouts, say } = this.#ways;
    for (const tag of tags) {
      if (tag === this.#context.clients.tag) own.handsOver = true;
      else whereabouts.scattered(tag);
    }
    for (const id of ids) {
      if (tagOf(id) === this.#context.clients.tag) this.#home!.usedUp(id);
      else this.#isUsedUp(id);
    }
    if (question !== 0) say({ kind: 'answer', question, answer: DONE }, from);
  }

  #isUsedUp(id: string): void {
    this.#used.delete(id);
    this.#used.set(id, this.#context.time.now() + REMEMBERED_MS);
  }
}

function refusal(why: ClaimRefusal): Answer {
  return answerOf(AckStatus.Forbidden, why);
}
