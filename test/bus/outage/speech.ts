import type { Clients } from '@trunkline/sdk';

import type { Listener } from './listener.ts';

/** What clients of the tests offer. */
export interface DutyClient {
  heard(stream: string, number: number): void;
}

/** Between two messages of one stream. */
const PACE_MS = 100;

type Send = (stream: string, number: number) => Promise<void>;

/** Messages of one app server to one audience, numbered from 0. */
export class Stream {
  readonly name: string;
  /** The one user whose client it is for; undefined: all clients hear it. */
  readonly user: string | undefined;
  readonly #send: Send;
  /** When each number was said. */
  readonly saidAt: number[] = [];
  /** Numbers that the SDK did not take, because it had no server connection. */
  readonly refused = new Set<number>();

  constructor(name: string, send: Send, user?: string) {
    this.name = name;
    this.#send = send;
    this.user = user;
  }

  say(): void {
    const number = this.saidAt.push(performance.now()) - 1;
    this.#send(this.name, number).catch(() => this.refused.add(number));
  }
}

/** What an app server says all the time: to everybody, to a group, and to clients at other edges. */
export class Speech {
  readonly streams: readonly Stream[];
  #timer: NodeJS.Timeout | undefined;

  /** `speaker`: what the names of its streams begin with. */
  constructor(
    speaker: string,
    clients: Clients<DutyClient>,
    group: string,
    others: readonly { readonly listeners: readonly Listener[] }[],
  ) {
    this.streams = [
      new Stream(`${speaker} to all`, (...said) => clients.all.heard(...said)),
      new Stream(`${speaker} to the group`, (...said) => clients.group(group).heard(...said)),
      ...others.flatMap((place) => {
        const [{ userId: user }, { userId: other }] = place.listeners as [Listener, Listener];
        // Its connection may be another one later.
        const id = (): string => place.listeners[1]!.id;
        return [
          new Stream(`${speaker} to ${user}`, (...said) => clients.user(user).heard(...said), user),
          new Stream(
            `${speaker} to a connection of ${other}`,
            (...said) => clients.client(id()).heard(...said),
            other,
          ),
        ];
      }),
    ];
  }

  start(): void {
    this.#timer = setInterval(() => {
      for (const stream of this.streams) stream.say();
    }, PACE_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
