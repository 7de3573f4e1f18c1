import type { HttpRequest } from '../../services/edge/src/ports/listener.ts';
import type { Machine } from './clock.ts';
import type { PeerEvents } from './connection.ts';
import type { SimRequest } from './request.ts';
import type { World } from './world.ts';

const OK = 200;

/** Asks an edge for something, and answers with what came of it. */
type Answered = (status: number, body: Buffer) => void;

/** A connection of a client that polls: each of its requests lands at any edge. */
export class Polling {
  readonly #world: World;
  readonly #machine: Machine;
  readonly #request: HttpRequest;
  readonly #events: PeerEvents;
  /** What is to be posted, one after the other; the first is under way. */
  readonly #posts: Uint8Array[] = [];
  readonly #underWay = new Set<SimRequest>();
  #isOver = false;

  /** `request`: as its polls are. */
  constructor(world: World, machine: Machine, request: HttpRequest, events: PeerEvents) {
    this.#world = world;
    this.#machine = machine;
    this.#request = request;
    this.#events = events;
    this.#ask('GET', undefined, (status) => {
      if (status !== OK) return this.#end();
      events.opened();
      this.#poll();
    });
  }

  send(bytes: Uint8Array): void {
    if (this.#posts.push(Buffer.from(bytes)) === 1) this.#post();
  }

  /** The client ends it. */
  leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const request of this.#underWay) request.leave();
    this.#world
      .someEdge()
      ?.request(this.#machine, { ...this.#request, method: 'DELETE' }, undefined, () => {});
  }

  #poll(): void {
    this.#ask('GET', undefined, (status, body) => {
      if (status !== OK) return this.#end();
      if (body.length > 0) this.#events.received(body);
      if (!this.#isOver) this.#poll();
    });
  }

  #post(): void {
    this.#ask('POST', this.#posts[0]!, (status) => {
      if (status !== OK) return this.#end();
      this.#posts.shift();
      if (this.#posts.length > 0) this.#post();
    });
  }

  #ask(method: string, body: Uint8Array | undefined, answered: Answered): void {
    const edge = this.#world.someEdge();
    if (edge === undefined) return this.#end();
    const request = edge.request(this.#machine, { ...this.#request, method }, body, (...answer) => {
      this.#underWay.delete(request);
      if (!this.#isOver) answered(...answer);
    });
    this.#underWay.add(request);
  }

  /** It has no connection any more, or cannot know. */
  #end(): void {
    if (this.#isOver) return;
    this.leave();
    this.#events.closed();
  }
}
