import { EventEmitter } from 'node:events';

import { errorMessage, TrunklineError } from '../errors.ts';
import { tellListeners } from '../listeners.ts';
import type { GroupMember, ListOptions } from '../management/hub-manager.ts';
import { checkOptions } from '../option-tables/check.ts';
import { PRESENCE_OPTIONS } from '../option-tables/tables.ts';
import { groupName } from '../sending/destination.ts';
import type { Directories, Directory } from './directory.ts';
import { listAt } from './directory.ts';
import { HubConnections } from './hub-connections.ts';

const INTERVAL_MS = 1_000;
export const MAXIMUM_MEMBERS = 10_000;

export interface PresenceOptions {
  /** Milliseconds from one look to the next. Default 1 s. */
  readonly interval?: number;
  /**
   * Connections that are followed at one endpoint. Where the group has more there are no events, but an
   * `error`, until it has no more than that. Default 10,000.
   */
  readonly maximumMembers?: number;
}

/** The events of a group that is watched, with what their listeners get. */
export interface PresenceEvents {
  /** A connection is in the group; those that are in it from the start come first. */
  join: [member: GroupMember];
  /** It is so no more: it has left, or ended, or its edge has died. */
  leave: [member: GroupMember];
  /** Why the others may be late: once, and again only after a look that succeeded. */
  error: [error: Error];
}

/** Who was at an endpoint when its version was this. */
interface Seen {
  readonly version: string;
  readonly members: ReadonlyMap<string, GroupMember>;
}

const NOBODY: ReadonlyMap<string, GroupMember> = new Map();

/**
 * Who is in a group, at all edges of the service. It can be asked, and once started it tells who joins
 * and who leaves: it asks for the group's version now and then, and for the list where that has changed.
 * So who comes and goes between two looks is not told of. It runs, and keeps the process alive, until
 * `stop()`, or until the server stops that it is of.
 */
export class Presence extends EventEmitter<PresenceEvents> {
  readonly group: string;
  readonly #directories: Directories;
  readonly #interval: number;
  readonly #maximumMembers: number;
  /** By the names of endpoints. */
  readonly #seen = new Map<string, Seen>();
  /** There while it runs. */
  #run: AbortController | undefined;
  #cancelLook = () => {};
  #isFailing = false;

  constructor(directories: Directories, group: string, options: PresenceOptions = {}) {
    super();
    checkOptions('presence', PRESENCE_OPTIONS, options);
    this.group = groupName(group);
    this.#directories = directories;
    this.#interval = options.interval ?? INTERVAL_MS;
    this.#maximumMembers = options.maximumMembers ?? MAXIMUM_MEMBERS;
  }

  /** How many connections are in the group now. */
  count(): Promise<number> {
    return new HubConnections(this.#directories).count({ group: this.group });
  }

  /** Those that are in the group now, asked for page by page as they are read. */
  list(options: ListOptions = {}): AsyncGenerator<GroupMember> {
    return new HubConnections(this.#directories).list({ ...options, group: this.group });
  }

  /** Those that listeners have been told of; nobody while it is not started. */
  get members(): readonly GroupMember[] {
    return [...this.#seen.values()].flatMap(({ members }) => [...members.values()]);
  }

  /**
   * Begins to watch, if it does not already. Throws TrunklineError `not-connected` when the server has
   * been stopped.
   */
  start(): void {
    if (this.#run !== undefined) return;
    this.#directories.watches.add(this);
    this.#run = new AbortController();
    void this.#look(this.#run.signal);
  }

  /** Ends that, and forgets who is there: `start()` begins from nobody. */
  stop(): void {
    this.#directories.watches.delete(this);
    this.#cancelLook();
    this.#run?.abort();
    this.#run = undefined;
    this.#seen.clear();
    this.#isFailing = false;
  }

  /** Looks, and has itself called again once that is over, so that no look overtakes another. */
  async #look(signal: AbortSignal): Promise<void> {
    const error = await this.#lookEverywhere(signal);
    if (signal.aborted) return;
    if (error === undefined) this.#isFailing = false;
    else this.#failed(error);
    // A listener may have stopped it.
    if (signal.aborted) return;
    this.#cancelLook = this.#directories.clock.after(this.#interval, () => void this.#look(signal));
  }

  /** Answers why it could not look at all endpoints; what is known of those stays. */
  async #lookEverywhere(signal: AbortSignal): Promise<Error | undefined> {
    try {
      const directories = this.#directories.about({ group: this.group });
      const looks = await Promise.allSettled(directories.map((one) => this.#lookAt(one, signal)));
      const failed = looks.find((look) => look.status === 'rejected');
      return failed === undefined ? this.#notThere(directories) : (failed.reason as Error);
    } catch (error) {
      return error as Error;
    }
  }

  async #lookAt(directory: Directory, signal: AbortSignal): Promise<void> {
    const scope = { group: this.group };
    // Before the list: what changes meanwhile is seen at the next look.
    const { count, version } = await directory.count(scope, signal);
    const seen = this.#seen.get(directory.name);
    if (seen?.version === version) return;
    this.#checkSize(count);
    const members = new Map<string, GroupMember>();
    for await (const member of listAt(directory, scope, undefined, signal)) {
      members.set(member.connectionId, member);
      this.#checkSize(members.size);
    }
    if (signal.aborted) return;
    this.#seen.set(directory.name, { version, members });
    this.#tellDifference(seen?.members ?? NOBODY, members, signal);
  }

  #checkSize(size: number): void {
    if (size <= this.#maximumMembers) return;
    const why = `the group has more than ${this.#maximumMembers} connections (maximumMembers)`;
    throw new TrunklineError('refused', why);
  }

  #tellDifference(before: Seen['members'], now: Seen['members'], signal: AbortSignal): void {
    for (const [id, member] of before) if (!now.has(id)) this.#tell('leave', [member], signal);
    for (const [id, member] of now) if (!before.has(id)) this.#tell('join', [member], signal);
  }

  /** An endpoint that was there, and is not online now. */
  #notThere(directories: readonly Directory[]): Error | undefined {
    const there = new Set(directories.map(({ name }) => name));
    const away = [...this.#seen.keys()].find((name) => !there.has(name));
    return away === undefined
      ? undefined
      : new TrunklineError('not-connected', `endpoint '${away}' is not connected`);
  }

  #failed(error: Error): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    if (this.listenerCount('error') > 0) this.#tell('error', [error]);
    else this.#warn(`who is in it cannot be seen: ${errorMessage(error)}`);
  }

  /** `signal`: a listener that stops it hears no more. */
  #tell<Name extends keyof PresenceEvents>(
    name: Name,
    given: PresenceEvents[Name],
    signal?: AbortSignal,
  ): void {
    if (signal?.aborted === true) return;
    tellListeners(this, this.rawListeners(name), given, (error) =>
      this.#warn(`a listener of '${name}' threw: ${errorMessage(error)}`),
    );
  }

  #warn(what: string): void {
    this.#directories.logger.warn(`presence of group '${this.group}': ${what}`);
  }
}
