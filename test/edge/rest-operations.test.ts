import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { OperationId } from '../../services/edge/src/sessions/rest/operations.ts';
import type { Route } from '../../services/edge/src/sessions/rest/routes.ts';
import { ROUTES } from '../../services/edge/src/sessions/rest/routes.ts';
import type { Scenario } from './support/rest-scenarios.ts';
import { SCENARIOS } from './support/rest-scenarios.ts';
import { RestWorld } from './support/rest-world.ts';
import { call, connectClient } from './support/rest.ts';

/** Every route of the table, and so every row of the tables of REST reference, sections 1.2 to 1.5. */

let stages = 0;

const rows = ROUTES.map((route) => ({ route, name: `${route.method} ${route.template}` }));

describe.each([1, 3])('with %i edges', (edgeCount) => {
  let world: RestWorld;

  beforeAll(async () => {
    world = await RestWorld.open(edgeCount);
  });

  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  test.each(rows)('$name', async ({ route }) => {
    const at = ++stages;
    const [user, group] = [`u/${edgeCount} ${at}é`, `g:${edgeCount} +${at}%`];
    await using people = await world.people(user);
    const stage = { world, people, user, group, route };
    const scenario: Scenario = await SCENARIOS[route.id](stage);
    const names = { hub: 'Chat', user, group, ...scenario.names };
    const body = scenario.body === undefined ? {} : { body: scenario.body };

    const answer = await call(world.url, `${route.method} ${urlOf(route, names, scenario)}`, body);
    expect(answer.status).toBe(route.success);
    expect(answer.body).toMatch(bodyOf(route));
    expect(answer.headers.get('x-ms-request-id')).toMatch(/^[\da-f]{16}$/);
    await scenario.check?.(answer);

    const other = { ...names, ...scenario.nowhere };
    const none = await call(world.url, `${route.method} ${urlOf(route, other, scenario)}`, body);
    const isAbsent = scenario.nowhere !== undefined && route.absent !== undefined;
    const { status, code, text } = isAbsent ? absenceOf(route) : presenceOf(route);
    expect([none.status, none.headers.get('x-ms-error-code')]).toEqual([status, code]);
    expect(none.body).toMatch(text);
  });

  test('an application goes before the hub, in any case', async () => {
    const client = await connectClient(world.edges[0]!.url, { hub: 'app_chat', user: 'u' });
    const body = JSON.stringify({ target: 'say', arguments: ['hello'] });
    for (const hub of [
      'chat/:send?application=APP',
      'APP_chat/:send',
      'Chat/:send?Application=app',
    ]) {
      expect((await call(world.url, `POST /api/hubs/${hub}`, { body })).status).toBe(202);
    }
    expect((await call(world.url, 'POST /api/hubs/chat/:send', { body })).status).toBe(202);
    expect((await call(world.url, 'POST /api/v1/hubs/app_chat', { body })).status).toBe(202);
    await expect.poll(() => client.said.all).toHaveLength(4);
    await client.connection.stop();
  });
});

test('each operation has a route, and a scenario', () => {
  const routed = new Set<OperationId>(ROUTES.map(({ id }) => id));
  expect([...routed].toSorted()).toEqual(Object.keys(SCENARIOS).toSorted());
});

function urlOf(
  { template, style }: Route,
  names: Readonly<Record<string, string>>,
  { query = '' }: Scenario,
): string {
  const path = template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    return encodeURIComponent(names[name]!);
  });
  const version = style === 'dated' ? ['api-version=2026-07-01'] : [];
  return `${path}?${[...version, query].join('&')}`;
}

/** The body of a good answer, as far as its route says. */
function bodyOf({ operation, style, method }: Route): RegExp {
  const { answer } = operation;
  if (answer === 'nothing' || method === 'HEAD') return /^$/;
  if (answer === 'response') return style === 'dated' ? /^\{\}$/ : /^$/;
  // A completion in JSON has its record separator behind it.
  return /^\{.+\}.?$/s;
}

interface Expected {
  readonly status: number;
  readonly code: string | null;
  readonly text: RegExp;
}

function presenceOf(route: Route): Expected {
  return { status: route.success, code: null, text: bodyOf(route) };
}

function absenceOf({ style, method, absent }: Route): Expected {
  const detail = new RegExp(`^{"code":"${absent}","message":"[^"]+"}$`);
  const inBody = style === 'dated' ? detail : /^The .+\.$/;
  return { status: 404, code: absent!, text: method === 'HEAD' ? /^$/ : inBody };
}
