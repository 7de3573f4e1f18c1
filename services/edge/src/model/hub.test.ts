import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Changes } from './changes.ts';
import type { Command, Exclusions, Target } from './command.ts';
import { NOBODY } from './command.ts';
import type { Effect } from './effect.ts';
import { parseFilter } from './filter.ts';
import { NaiveHub } from './naive-hub.test-support.ts';
import { Hub } from './hub.ts';
import type { Member } from './member.ts';
import type { RulesPage } from './rule.ts';
import type { Roster, Scope } from './scope.ts';

interface TestMember extends Member<TestMember> {
  readonly id: string;
}

const ROOM = { take: () => true, give: () => {} };
const PAYLOADS = new Map([['json', Buffer.from('{"type":6}\x1e')]]);

function newMember(id: string, userId?: string): TestMember {
  return { id, userId, place: -1, groups: undefined };
}

/** A hub beside the members that its edge knows. */
function newHub(): { hub: Hub<TestMember>; live: Map<string, TestMember> } {
  const live = new Map<string, TestMember>();
  return { hub: new Hub('chat', (id) => live.get(id), ROOM), live };
}

function attached(members: readonly TestMember[]): Hub<TestMember> {
  const { hub, live } = newHub();
  for (const member of members) {
    live.set(member.id, member);
    hub.attach(member, 0);
  }
  return hub;
}

const send = (target: Target, excluded: Exclusions = NOBODY): Command => ({
  kind: 'send',
  target,
  excluded,
  payloads: PAYLOADS,
});

/** The ids that a send or close reaches, sorted; those reached twice are there twice. */
function audience(effects: readonly Effect<TestMember>[]): string[] {
  return effects.flatMap((e) => ('members' in e ? e.members.map(({ id }) => id) : [])).sort();
}

function idsOf(members: Iterable<TestMember>): string[] {
  return [...members].map(({ id }) => id).sort();
}

function found(effects: readonly Effect<TestMember>[]): boolean | undefined {
  for (const effect of effects) if (effect.kind === 'answer') return effect.found;
  return undefined;
}

const kinds = (effects: readonly Effect<TestMember>[]): string[] => effects.map(({ kind }) => kind);

const ids = fc.constantFrom('c0', 'c1', 'c2', 'c3', 'c4', 'c5');
const USERS = ['ann', 'ben', 'Ann'];
const GROUPS = ['g0', 'g1', 'g2', 'G0'];
const userIds = fc.constantFrom(...USERS);
const groups = fc.constantFrom(...GROUPS);
const several = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 4 });

const targets: fc.Arbitrary<Target> = fc.oneof(
  fc.constant({ kind: 'all' } as const),
  fc.record({ kind: fc.constant('connections' as const), ids: several(ids) }),
  fc.record({ kind: fc.constant('users' as const), ids: several(userIds) }),
  fc.record({ kind: fc.constant('groups' as const), names: several(groups) }),
);
const exclusions: fc.Arbitrary<Exclusions> = fc.oneof(
  fc.constant(NOBODY),
  fc.record({ connections: several(ids), users: several(userIds) }),
);
const anyGroup = fc.option(groups, { nil: undefined });
const kind = <K extends Command['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);

const commands: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: kind('send'),
    target: targets,
    excluded: exclusions,
    payloads: fc.constant(PAYLOADS),
  }),
  fc.record({
    kind: kind('close'),
    target: targets,
    excluded: exclusions,
    reason: fc.constant('enough'),
  }),
  fc.record({ kind: kind('join'), connectionId: ids, group: groups }),
  fc.record({ kind: kind('leave'), connectionId: ids, group: anyGroup }),
  fc.record({
    kind: kind('joinUser'),
    userId: userIds,
    group: groups,
    ttlSeconds: fc.constantFrom(undefined, 0, 1, 3, 10),
  }),
  fc.record({ kind: kind('leaveUser'), userId: userIds, group: anyGroup }),
  fc.record({ kind: kind('checkConnection'), connectionId: ids }),
  fc.record({ kind: kind('checkUser'), userId: userIds }),
  fc.record({ kind: kind('checkGroup'), group: groups }),
  fc.record({ kind: kind('checkUserInGroup'), userId: userIds, group: groups }),
  fc.record({
    kind: kind('filtered'),
    chosen: fc.oneof(
      fc.constant(parseFilter("userId eq 'ann'")),
      fc.constant(parseFilter("'g1' in groups or connectionId eq 'c1'")),
    ),
    steps: several(
      fc.oneof(
        fc.record({ kind: fc.constantFrom('join', 'leave'), group: groups }),
        fc.record({ kind: kind('send'), payloads: fc.constant(PAYLOADS) }),
        fc.record({ kind: kind('close'), reason: fc.constant('enough') }),
      ),
    ),
  }),
);

type Step =
  | { readonly attach: string; readonly userId: string | undefined }
  | { readonly detach: string }
  | { readonly wait: number }
  | { readonly command: Command };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ attach: ids, userId: fc.option(userIds, { nil: undefined }) }),
  },
  { weight: 2, arbitrary: fc.record({ detach: ids }) },
  { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(1, 500, 1000, 4000) }) },
  { weight: 8, arbitrary: fc.record({ command: commands }) },
);

/** Asks for all that there may be. */
const CHECKS: readonly Command[] = [
  ...USERS.map((userId) => ({ kind: 'checkUser', userId }) as const),
  ...GROUPS.map((group) => ({ kind: 'checkGroup', group }) as const),
];

/** All that can be listed, beside the target that reaches the same. */
const SCOPES: readonly (readonly [Scope, Target])[] = [
  [{ kind: 'hub' }, { kind: 'all' }],
  ...USERS.map(
    (name) =>
      [
        { kind: 'user', name },
        { kind: 'users', ids: [name] },
      ] as const,
  ),
  ...GROUPS.map(
    (name) =>
      [
        { kind: 'group', name },
        { kind: 'groups', names: [name] },
      ] as const,
  ),
];

/** What a step did, and left, in the real hub or the naive one. */
interface Outcome {
  readonly members: string[];
  /** The answers to all checks. */
  readonly there: (boolean | undefined)[];
  readonly audience: string[];
  readonly found: boolean | undefined;
}

/** Hub and naive hub side by side. */
class Pair {
  readonly #naive = new NaiveHub();
  readonly #live: Map<string, TestMember>;
  readonly #hub: Hub<TestMember>;
  #now = 0;

  constructor() {
    ({ hub: this.#hub, live: this.#live } = newHub());
  }

  /** Where the hub's members say they stand. */
  get places(): number[] {
    return this.#hub.members.map(({ place }) => place);
  }

  get rosters(): Roster<TestMember>[] {
    return SCOPES.map(([scope]) => this.#hub.roster(scope));
  }

  /** Who is in each scope, as the naive hub has it. */
  get wantedRosters(): string[][] {
    return SCOPES.map(([, target]) => this.#naive.execute(send(target), 0).audience);
  }

  /** Who has a member that the roster says it has. */
  having({ has }: Roster<TestMember>): string[] {
    return idsOf([...this.#live.values()].filter(has));
  }

  perform(step: Step): { real: Outcome; wanted: Outcome } {
    let effects: Effect<TestMember>[] = [];
    let wanted: Pick<Outcome, 'audience' | 'found'> = { audience: [], found: undefined };
    if ('wait' in step) this.#now += step.wait;
    else if ('attach' in step) this.#attach(step.attach, step.userId);
    else if ('detach' in step) this.#detach(step.detach);
    else {
      effects = this.#hub.execute(step.command, 'bus', this.#now);
      wanted = this.#naive.execute(step.command, this.#now);
      if (step.command.kind === 'close') for (const id of wanted.audience) this.#detach(id);
    }
    return {
      real: {
        members: this.#hub.members.map(({ id }) => id).sort(),
        there: CHECKS.map((check) => found(this.#hub.execute(check, 'bus', this.#now))),
        audience: audience(effects),
        found: found(effects),
      },
      wanted: {
        members: [...this.#naive.users.keys()].sort(),
        there: CHECKS.map((check) => this.#naive.execute(check, this.#now).found),
        ...wanted,
      },
    };
  }

  #attach(id: string, userId: string | undefined): void {
    if (this.#live.has(id)) return;
    const member = newMember(id, userId);
    this.#live.set(id, member);
    this.#hub.attach(member, this.#now);
    this.#naive.attach(id, userId, this.#now);
  }

  #detach(id: string): void {
    const member = this.#live.get(id);
    if (member === undefined) return;
    this.#live.delete(id);
    this.#hub.detach(member);
    this.#naive.detach(id);
  }
}

test('random use agrees with a naive hub', () => {
  const given = fc.property(fc.array(steps, { maxLength: 120, size: 'max' }), (all) => {
    const pair = new Pair();
    for (const step of all) {
      const { real, wanted } = pair.perform(step);
      expect(real).toEqual(wanted);
      expect(pair.places).toEqual([...pair.places.keys()]);
    }
  });
  fc.assert(given, { numRuns: 300 });
});

test('a roster has who is there, and its version is never that of others', () => {
  const given = fc.property(fc.array(steps, { maxLength: 120, size: 'max' }), (all) => {
    const pair = new Pair();
    const seen = SCOPES.map(() => new Map<string | undefined, string>());
    for (const step of all) {
      pair.perform(step);
      for (const [at, { members, version }] of pair.rosters.entries()) {
        const whole = idsOf(members).join();
        const before = seen[at]!.get(version) ?? whole;
        if (before !== whole) throw new Error(`${version} was of ${before}, and is of ${whole}`);
        seen[at]!.set(version, whole);
      }
    }
    const { rosters } = pair;
    expect(rosters.map(({ members }) => idsOf(members))).toEqual(pair.wantedRosters);
    expect(rosters.map((roster) => pair.having(roster))).toEqual(pair.wantedRosters);
    expect(rosters.map(({ size }) => size)).toEqual(pair.wantedRosters.map((ids) => ids.length));
  });
  fc.assert(given, { numRuns: 200 });
});

test('a group that is made anew, in a hub that is made anew, has another version than before', () => {
  const changes = new Changes();
  const versions = [1, 2].map(() => {
    const member = newMember('c0', 'ann');
    const hub = new Hub<TestMember>('chat', () => member, ROOM, undefined, changes);
    hub.attach(member, 0);
    hub.execute({ kind: 'join', connectionId: 'c0', group: 'g' }, 'bus', 0);
    return (['hub', 'group'] as const).map((of) => hub.roster({ kind: of, name: 'g' }).version);
  });
  expect(new Set(versions.flat()).size).toBe(4);
});

test('a member that is gone can be detached again, and nobody else goes', () => {
  const [first, second] = [newMember('c0'), newMember('c1')];
  const hub = attached([first, second]);
  hub.detach(first);
  hub.detach(first);
  expect(hub.members).toEqual([second]);
});

describe('groups', () => {
  test('cost a member a set of their own only from the second on', () => {
    const member = newMember('c0');
    const hub = attached([member]);
    const join = (group: string): unknown =>
      hub.execute({ kind: 'join', connectionId: 'c0', group }, 'local', 0);
    join('g');
    join('g');
    expect(member.groups).toMatchObject({ name: 'g' });
    join('h');
    expect(member.groups).toBeInstanceOf(Set);
  });

  test('of a member that leaves all of them are left, three as well', () => {
    const [ann, ben] = [newMember('c0'), newMember('c1')];
    const hub = attached([ann, ben]);
    const groups = ['g', 'h', 'i'];
    for (const connectionId of ['c0', 'c1'])
      for (const group of groups) hub.execute({ kind: 'join', connectionId, group }, 'local', 0);
    hub.execute({ kind: 'leave', connectionId: 'c0', group: undefined }, 'local', 0);
    hub.detach(ben);
    const there = groups.map((group) =>
      found(hub.execute({ kind: 'checkGroup', group }, 'local', 0)),
    );
    expect(there).toEqual([false, false, false]);
  });

  test('are gone with their last member, however it left', () => {
    const [ann, ben, cid] = [newMember('c0', 'ann'), newMember('c1'), newMember('c2')];
    const hub = attached([ann, ben, cid]);
    const join = (connectionId: string): unknown =>
      hub.execute({ kind: 'join', connectionId, group: 'g' }, 'local', 0);
    const there = (): boolean | undefined =>
      found(hub.execute({ kind: 'checkGroup', group: 'g' }, 'local', 0));
    for (const id of ['c0', 'c1', 'c2']) join(id);
    hub.detach(ben);
    hub.execute({ kind: 'leave', connectionId: 'c2', group: 'g' }, 'local', 0);
    expect(there()).toBe(true);
    hub.execute({ kind: 'leaveUser', userId: 'ann', group: undefined }, 'local', 0);
    expect(there()).toBe(false);
  });

  test('a user that comes later joins the groups of its rules, until their time is over', () => {
    const hub = attached([]);
    const rule = { kind: 'joinUser', userId: 'ann', group: 'g', ttlSeconds: 5 } as const;
    hub.execute(rule, 'local', 1000);
    const [early, late] = [newMember('c0', 'ann'), newMember('c1', 'ann')];
    hub.attach(early, 5999);
    hub.attach(late, 6000);
    expect(audience(hub.execute(send({ kind: 'groups', names: ['g'] }), 'local', 6000))).toEqual([
      'c0',
    ]);
  });
});

/** All that the hub tells an edge that learns of it. */
function pagesOf(hub: Hub<TestMember>, now: number): RulesPage[] {
  const pages: RulesPage[] = [];
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page: RulesPage = hub.rulesAfter(after, now);
    pages.push(page);
    after = page.next;
  }
  return pages;
}

describe('rules of another edge', () => {
  const ruleOf = (userId: string) => ({
    userId,
    group: 'g0',
    ttlSeconds: undefined,
    ageSeconds: 0,
  });
  const others = (hub: Hub<TestMember>): string[] =>
    hub.rulesAfter(0, 0).rules.map(({ userId }) => userId);

  test('that are known here change nothing: who has left the group stays out of it', () => {
    const ann = newMember('c0', 'ann');
    const hub = attached([ann]);
    hub.learn({ rules: [ruleOf('ann')], next: undefined }, 0);
    expect(audience(hub.execute(send({ kind: 'groups', names: ['g0'] }), 'bus', 0))).toEqual([
      'c0',
    ]);
    hub.execute({ kind: 'leave', connectionId: 'c0', group: 'g0' }, 'bus', 0);
    hub.learn({ rules: [ruleOf('ann')], next: undefined }, 0);
    expect(audience(hub.execute(send({ kind: 'groups', names: ['g0'] }), 'bus', 0))).toEqual([]);
  });

  test('keep their place in what this edge tells others, which may learn from it meanwhile', () => {
    const { hub } = newHub();
    hub.learn({ rules: ['ann', 'ben', 'cid'].map(ruleOf), next: undefined }, 0);
    hub.learn({ rules: [ruleOf('ann'), ruleOf('dan')], next: undefined }, 0);
    expect(others(hub)).toEqual(['ann', 'ben', 'cid', 'dan']);
  });
});

describe('who was taken out of a group', () => {
  const MINUTES = 60_000;
  const joins = { kind: 'joinUser', userId: 'ann', group: 'g', ttlSeconds: undefined } as const;
  const leaves = { kind: 'leaveUser', userId: 'ann', group: 'g' } as const;
  const leavesAll = { ...leaves, group: undefined } as const;

  /** The hub at an edge that hears everything, and at one that has missed what is said at 5 s. Both know the rule. */
  function pair(): { hub: Hub<TestMember>; away: Hub<TestMember> } {
    const [hub, away] = [attached([newMember('c0', 'ann')]), attached([newMember('c1', 'ann')])];
    for (const one of [hub, away]) one.execute(joins, 'bus', 1_000);
    return { hub, away };
  }

  /** One takes over all that the other tells. */
  function learns(hub: Hub<TestMember>, from: Hub<TestMember>, now: number): void {
    hub.learn(from.rulesAfter(0, now), now);
  }

  const inGroup = (hub: Hub<TestMember>, now: number): string[] =>
    audience(hub.execute(send({ kind: 'groups', names: ['g'] }), 'bus', now));
  const state = (hub: Hub<TestMember>, now: number): unknown => [
    hub.rulesAfter(0, now).rules.length,
    inGroup(hub, now),
  ];
  const NOTHING = [0, []];

  test.each([
    ['it', leaves],
    ['all', leavesAll],
  ])('of %s, is not put back by an edge that has missed it', (_what, command) => {
    const { hub, away } = pair();
    hub.execute(command, 'local', 5_000);
    learns(hub, away, 9 * MINUTES);
    expect(state(hub, 9 * MINUTES)).toEqual(NOTHING);
  });

  test.each([
    ['it', leaves],
    ['all', leavesAll],
  ])(
    'of %s, is taken out by an edge that learns of it, and by who learns from that one',
    (_, command) => {
      const { hub, away } = pair();
      const third = pair().away;
      away.execute({ ...joins, userId: 'ben' }, 'bus', 1_000);
      away.execute({ ...joins, group: 'h' }, 'bus', 6_000);
      hub.execute(command, 'local', 5_000);
      learns(away, hub, 10_000);
      const left = away
        .rulesAfter(0, 10_000)
        .rules.map(({ userId, group }) => `${userId} ${group}`);
      expect([left, inGroup(away, 10_000)]).toEqual([['ann h', 'ben g'], []]);
      learns(third, away, 11_000);
      expect(inGroup(third, 11_000)).toEqual([]);
    },
  );

  test('stays in it when put back since, wherever that was said', () => {
    const { hub, away } = pair();
    hub.execute(leaves, 'local', 5_000);
    away.execute(joins, 'local', 6_000);
    learns(away, hub, 10_000);
    expect(state(away, 10_000)).toEqual([1, ['c1']]);
    learns(hub, away, 10_000);
    expect(state(hub, 10_000)).toEqual([1, ['c0']]);
  });

  test('stays in it when its old rule is known to have been set again', () => {
    const { hub, away } = pair();
    const third = attached([]);
    for (const one of [hub, third]) one.execute(leaves, 'local', 5_000);
    hub.execute(joins, 'local', 6_000);
    learns(away, hub, 10_000);
    learns(away, third, 10_000);
    expect(state(away, 10_000)).toEqual([1, ['c1']]);
  });

  test('stays in it when put back at once, however long the pages that say so take', () => {
    const [teller, learner] = [pair().hub, attached([newMember('c1', 'ann')])];
    teller.execute(leaves, 'local', 5_000);
    teller.execute(joins, 'local', 5_001);
    for (let n = 0; n < 1_000; n++) teller.execute({ ...joins, userId: `u${n}` }, 'bus', 5_002);
    const first = teller.rulesAfter(0, 6_000);
    learner.learn(first, 6_000);
    learner.learn(teller.rulesAfter(first.next!, 6_000), 9_000);
    expect(inGroup(learner, 9_000)).toEqual(['c1']);
  });

  test('stays in it when that was said while the page was on its way', () => {
    const { hub, away } = pair();
    hub.execute(leaves, 'local', 5_000);
    const page = hub.rulesAfter(0, 5_500);
    away.beginLearning();
    away.execute(joins, 'bus', 6_000);
    away.learn(page, 7_000);
    expect(inGroup(away, 7_000)).toEqual(['c1']);
  });

  test('is in it until the end that it was put back with, also where only the old rule is known', () => {
    const { hub, away } = pair();
    hub.execute(leaves, 'local', 5_000);
    hub.execute({ ...joins, ttlSeconds: 60 }, 'local', 8_000);
    learns(away, hub, 10_000);
    learns(hub, away, 10_000);
    for (const one of [hub, away]) {
      expect(one.rulesAfter(0, 10_000).rules).toMatchObject([{ userId: 'ann', ttlSeconds: 58 }]);
    }
  });

  test('is remembered for ten minutes', () => {
    const { hub, away } = pair();
    hub.execute(leaves, 'local', 5_000);
    hub.expire(5_000 + 10 * MINUTES - 1, 100);
    learns(hub, away, 5_000 + 10 * MINUTES - 1);
    expect(inGroup(hub, 11 * MINUTES)).toEqual([]);
    hub.expire(5_000 + 10 * MINUTES, 100);
    learns(hub, away, 5_000 + 10 * MINUTES);
    expect(inGroup(hub, 11 * MINUTES)).toEqual(['c0']);
  });

  test('is told on as many pages as the names need, before any rule', () => {
    const { hub, away } = pair();
    const users = Array.from({ length: 60 }, (_, n) => `${n} `.padEnd(10_000));
    for (const one of [hub, away]) {
      for (const userId of users) one.execute({ ...joins, userId }, 'bus', 1_000);
    }
    for (const userId of users) hub.execute({ ...leaves, userId }, 'local', 5_000);
    hub.execute({ ...joins, userId: users[0]! }, 'local', 5_000);
    const pages = pagesOf(hub, 6_000);
    for (const [at, page] of pages.entries()) away.learn(page, 6_000 + at * 1_000);
    expect(pages.map(({ removals = [], rules }) => [removals.length, rules.length])).toEqual([
      [26, 0],
      [26, 0],
      [8, 2],
    ]);
    const known = pagesOf(away, 10_000).flatMap(({ rules }) => rules);
    expect(known.map(({ userId }) => userId.trim())).toEqual(['ann', '0']);
  });

  test('is forgotten when 10,000 others were, or fewer with long names', () => {
    const { hub } = newHub();
    const told = (): number => pagesOf(hub, 0).flatMap(({ removals = [] }) => removals).length;
    for (let n = 0; n < 10_001; n++) hub.execute({ ...leaves, userId: `u${n}` }, 'bus', 0);
    expect(told()).toBe(10_000);
    for (let n = 0; n < 200; n++) {
      hub.execute({ ...leaves, userId: `${n}`.padEnd(10_000) }, 'bus', 0);
    }
    expect(told()).toBe(99);
  });
});

describe('effects', () => {
  const hub = attached([newMember('c0', 'ann'), newMember('c1', 'ben')]);
  const directed = (...list: string[]): Command => send({ kind: 'connections', ids: list });

  test('other edges see what may concern them, after it is done here', () => {
    expect(kinds(hub.execute(send({ kind: 'all' }), 'local', 0))).toEqual(['deliver', 'publish']);
    expect(kinds(hub.execute(directed('c0', 'nobody'), 'local', 0))).toEqual([
      'deliver',
      'publish',
    ]);
    expect(
      kinds(hub.execute({ kind: 'join', connectionId: 'nobody', group: 'g' }, 'local', 0)),
    ).toEqual(['answer', 'publish']);
    const ofAnn = { userId: 'ann', group: 'g' };
    const joinUser = { kind: 'joinUser', ...ofAnn, ttlSeconds: undefined } as const;
    for (const command of [joinUser, { kind: 'leaveUser', ...ofAnn } as const]) {
      expect(kinds(hub.execute(command, 'local', 0))).toEqual(['answer', 'publish']);
    }
    const nobody = { kind: 'users', ids: ['nobody'] } as const;
    const close = { kind: 'close', target: nobody, excluded: NOBODY, reason: 'x' } as const;
    expect(kinds(hub.execute(close, 'local', 0))).toEqual(['close', 'answer', 'publish']);
  });

  test('what is settled here, or came from there, is not published', () => {
    expect(kinds(hub.execute(send({ kind: 'all' }), 'bus', 0))).toEqual(['deliver']);
    expect(kinds(hub.execute(directed('c0', 'c1'), 'local', 0))).toEqual(['deliver']);
    expect(kinds(hub.execute(directed('c0', 'c0'), 'local', 0))).toEqual(['deliver']);
    expect(
      kinds(hub.execute({ kind: 'join', connectionId: 'c0', group: 'g' }, 'local', 0)),
    ).toEqual(['answer']);
    expect(kinds(hub.execute({ kind: 'checkUser', userId: 'ann' }, 'local', 0))).toEqual([
      'answer',
    ]);
  });

  test('a close of all hands out a list of its own', () => {
    const members = [newMember('c0'), newMember('c1'), newMember('c2')];
    const own = attached(members);
    const close = {
      kind: 'close',
      target: { kind: 'all' },
      excluded: NOBODY,
      reason: 'x',
    } as const;
    const [effect] = own.execute(close, 'local', 0);
    if (effect?.kind !== 'close') throw new Error('no close');
    for (const member of effect.members) own.detach(member);
    expect(own.members).toEqual([]);
  });
});
