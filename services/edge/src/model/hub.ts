import { Changes } from './changes.ts';
import type { Command, Exclusions, Step, Target } from './command.ts';
import { DenseList } from './dense-list.ts';
import type { Effect } from './effect.ts';
import { forOthers } from './for-others.ts';
import { Groups } from './groups.ts';
import type { Interest } from './interest.ts';
import { NO_INTEREST } from './interest.ts';
import type { Member } from './member.ts';
import { NewerRules } from './learned-rules.ts';
import { FIRST_REMOVAL, Removals } from './removals.ts';
import type { Rule, RulesPage } from './rule.ts';
import type { Roster, Scope } from './scope.ts';
import { EMPTY_ROSTER } from './scope.ts';
import type { ToldRemoval } from './told-removals.ts';
import { ToldRemovals } from './told-removals.ts';
import type { Room } from './user-group-rules.ts';
import { UserGroupRules } from './user-group-rules.ts';
import { Users } from './users.ts';

/** `local`: from an app server or REST call of this edge; `bus`: another edge has published it. */
type Origin = 'local' | 'bus';

/**
 * One hub's client connections on this edge, their users and groups. Pure and synchronous: a
 * command gives effects, and when `execute` returns, what it changed is in force for the next one,
 * whichever server connection that comes from. So a join that is acked is a join that is effective.
 */
export class Hub<M extends Member<M>> {
  readonly name: string;
  readonly #members = new DenseList<'place', M>('place');
  readonly #users: Users<M>;
  readonly #groups: Groups<M>;
  readonly #rules: UserGroupRules;
  readonly #removals = new Removals();
  readonly #find: (connectionId: string) => M | undefined;
  readonly #isHere = (id: string): boolean => this.#find(id) !== undefined;
  readonly #changes: Changes;
  /** The number of the last change of its members. */
  #changed = 0;
  /** There while this edge learns rules from another. */
  #newerRules: NewerRules | undefined;
  /** There from the first page of an edge to its last. */
  #told: ToldRemovals | undefined;

  /**
   * `find` looks a connection id up among this hub's members; `room` is what its rules may take;
   * `interest` is told which users and groups have somebody here; `changes` are of the whole edge.
   */
  constructor(
    name: string,
    find: (connectionId: string) => M | undefined,
    room: Room,
    interest: Interest = NO_INTEREST,
    changes = new Changes(),
  ) {
    this.#users = new Users(interest, changes);
    this.#groups = new Groups(interest, changes);
    this.#changes = changes;
    this.name = name;
    this.#find = find;
    this.#rules = new UserGroupRules(room);
  }

  /** Nobody is here, and nothing is kept for who comes. */
  isEmpty(now: number): boolean {
    const isForgotten = this.#removals.size === 0 && this.#rules.isEmpty(now);
    return this.#members.items.length === 0 && isForgotten;
  }

  /** To be called about once a second; looks at about so many rules. */
  expire(now: number, rules: number): void {
    this.#rules.expire(now, rules);
    this.#removals.expire(now);
  }

  /** Makes room for the rules of other hubs. */
  forgetOldestRules(): void {
    this.#rules.forgetOldest();
  }

  /**
   * A part of the removals and then the rules, for an edge that learns them; `after` as the part before
   * says, 0 for the first.
   */
  rulesAfter(after: number, now: number): RulesPage {
    if (after > 0 && after < FIRST_REMOVAL) return this.#rules.page(after, now);
    const { removals, next } = this.#removals.page(after, now);
    // Rules come last, so that who learns them knows by then what each of them is newer than.
    if (next !== undefined) return { rules: [], next, removals };
    return { ...this.#rules.page(0, now), removals };
  }

  /** From now on rules of another edge are learned, until `endLearning`. */
  beginLearning(): void {
    this.#newerRules ??= new NewerRules();
    this.#told = undefined;
  }

  /**
   * Takes over what another edge knows of rules and this one does not, unless something newer has been
   * said of it: the other may have missed that its user was taken out of the group, or this one that it
   * was. What is known stays in its place: two edges that learn from each other come to an end.
   */
  learn({ rules, next, removals }: RulesPage, now: number): void {
    if (removals !== undefined) (this.#told ??= new ToldRemovals()).add(removals, now);
    for (const rule of rules) {
      this.#told?.note(rule);
      if (this.#newerRules?.has(rule) === true || this.#removals.isAfter(rule, now)) continue;
      if (this.#rules.covers(rule, now) && !this.#rules.isNewer(rule, now)) {
        this.#rules.confirm(rule, now);
      } else this.#takeOver(rule, now);
    }
    if (next !== undefined) return;
    for (const told of this.#told ?? []) this.#takeOut(told);
    this.#told = undefined;
  }

  #takeOver({ userId, group, ttlSeconds, ageSeconds }: Rule, now: number): void {
    this.#rules.set(userId, group, ttlSeconds, now, now - ageSeconds * 1000);
    for (const member of this.#users.members(userId)) this.#groups.join(member, group);
  }

  /** Takes a user out of groups as another edge has, but for those that it was put into since. */
  #takeOut({ userId, group: of, at, kept }: ToldRemoval): void {
    this.#removals.note(userId, of, at);
    for (const group of this.#rules.setBefore(userId, of, at)) {
      if (kept.has(group) || this.#newerRules?.has({ userId, group }) === true) continue;
      this.#rules.delete(userId, group);
      for (const member of this.#users.members(userId)) this.#groups.leave(member, group);
    }
  }

  endLearning(): void {
    this.#newerRules = undefined;
  }

  get members(): readonly M[] {
    return this.#members.items;
  }

  /** Who is in a scope here, in no order that callers may rely on. It costs the same for many as for few. */
  roster(scope: Scope): Roster<M> {
    switch (scope.kind) {
      case 'hub':
        return this.#everybody();
      case 'group':
        return this.#groups.roster(scope.name) ?? EMPTY_ROSTER;
      case 'user':
        return this.#users.roster(scope.name) ?? EMPTY_ROSTER;
    }
  }

  #everybody(): Roster<M> {
    const members = this.#members.items;
    const version = members.length === 0 ? undefined : `${this.#changed}`;
    return { members, size: members.length, has: (one) => this.#members.has(one), version };
  }

  attach(member: M, now: number): void {
    this.#members.add(member);
    this.#changed = this.#changes.next();
    this.#users.add(member);
    if (member.userId === undefined) return;
    for (const group of this.#rules.groups(member.userId, now)) this.#groups.join(member, group);
  }

  detach(member: M): void {
    if (member.place < 0) return;
    this.#members.delete(member);
    this.#changed = this.#changes.next();
    this.#users.remove(member);
    this.#groups.leaveAll(member);
  }

  execute(command: Command, origin: Origin, now: number): Effect<M>[] {
    const effects = this.#effects(command, now);
    if (origin === 'bus') return effects;
    const publish = forOthers(command, effects, this.#isHere);
    if (publish === undefined) return effects;
    // A list that has to grow takes room for seventeen.
    return effects.length === 1 ? [effects[0]!, publish] : [...effects, publish];
  }

  #effects(command: Command, now: number): Effect<M>[] {
    switch (command.kind) {
      case 'send':
        return [this.#deliver(command)];
      case 'close':
        return this.#close(command);
      case 'join':
      case 'leave':
        return this.#changeGroup(command);
      case 'joinUser':
      case 'leaveUser':
        return this.#changeUserGroup(command, now);
      case 'checkConnection':
        return answer(this.#find(command.connectionId) !== undefined);
      case 'checkUser':
        return answer(this.#users.has(command.userId));
      case 'checkGroup':
        return answer(this.#groups.members(command.group) !== undefined);
      case 'checkUserInGroup':
        return answer(this.#isUserInGroup(command.userId, command.group, now));
      case 'filtered':
        return this.#filtered(command);
    }
  }

  #deliver(command: Command & { kind: 'send' }): Effect<M> {
    return {
      kind: 'deliver',
      members: this.#audience(command.target, command.excluded),
      payloads: command.payloads,
    };
  }

  #close(command: Command & { kind: 'close' }): Effect<M>[] {
    const members = this.#audience(command.target, command.excluded);
    const found = command.target.kind !== 'connections' || members.length > 0;
    // A copy: closing takes members out of the very list that "all" would be.
    return [{ kind: 'close', members: [...members], reason: command.reason }, ...answer<M>(found)];
  }

  #changeGroup(command: Command & { kind: 'join' | 'leave' }): Effect<M>[] {
    const member = this.#find(command.connectionId);
    if (member === undefined) return answer(false);
    if (command.kind === 'join') this.#groups.join(member, command.group);
    else if (command.group === undefined) this.#groups.leaveAll(member);
    else this.#groups.leave(member, command.group);
    return answer(true);
  }

  #changeUserGroup(
    command: Command & { kind: 'joinUser' | 'leaveUser' },
    now: number,
  ): Effect<M>[] {
    const { userId, group } = command;
    for (const member of this.#users.members(userId)) {
      if (group === undefined) this.#groups.leaveAll(member);
      else if (command.kind === 'joinUser') this.#groups.join(member, group);
      else this.#groups.leave(member, group);
    }
    this.#newerRules?.note(userId, group);
    if (command.kind === 'joinUser') {
      this.#rules.set(userId, command.group, command.ttlSeconds, now);
    } else {
      this.#rules.delete(userId, group);
      this.#removals.note(userId, group, now);
    }
    return answer(true);
  }

  /** By a connection, or as one that comes would be. */
  #isUserInGroup(userId: string, group: string, now: number): boolean {
    const members = this.#groups.members(group);
    for (const member of this.#users.members(userId)) if (members?.has(member)) return true;
    return this.#rules.has(userId, group, now);
  }

  #filtered({ chosen, steps }: Command & { kind: 'filtered' }): Effect<M>[] {
    const members = this.#members.items.filter((member) =>
      chosen({
        connectionId: member.id,
        userId: member.userId,
        isIn: (group) => this.#groups.members(group)?.has(member) === true,
      }),
    );
    return [...steps.flatMap((step) => this.#step(step, members)), ...answer<M>(true)];
  }

  #step(step: Step, members: readonly M[]): Effect<M>[] {
    switch (step.kind) {
      case 'send':
        return [{ kind: 'deliver', members, payloads: step.payloads }];
      case 'close':
        return [{ kind: 'close', members, reason: step.reason }];
      case 'join':
        for (const member of members) this.#groups.join(member, step.group);
        return [];
      case 'leave':
        for (const member of members) this.#groups.leave(member, step.group);
        return [];
    }
  }

  /** Each member once, in no order that callers may rely on. */
  #audience(target: Target, excluded: Exclusions): readonly M[] {
    const wanted = this.#targeted(target);
    if (excluded.connections.length === 0 && excluded.users.length === 0) return wanted;
    const connections = new Set(excluded.connections);
    const users = new Set<string | undefined>(excluded.users);
    return wanted.filter((member) => !connections.has(member.id) && !users.has(member.userId));
  }

  #targeted(target: Target): readonly M[] {
    switch (target.kind) {
      case 'all':
        return this.#members.items;
      case 'connections':
        return union(target.ids, (id) => {
          const member = this.#find(id);
          return member === undefined ? [] : [member];
        });
      case 'users':
        return union(target.ids, (id) => this.#users.members(id));
      case 'groups':
        return union(target.names, (name) => this.#groups.members(name) ?? []);
    }
  }
}

/** The members that the names stand for, each once. */
function union<M>(names: readonly string[], membersOf: (name: string) => Iterable<M>): M[] {
  if (names.length === 1) return [...membersOf(names[0]!)];
  const all = new Set<M>();
  for (const name of names) for (const member of membersOf(name)) all.add(member);
  return [...all];
}

function answer<M>(found: boolean): Effect<M>[] {
  return [{ kind: 'answer', found }];
}
