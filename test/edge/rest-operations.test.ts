import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { OperationId } from '../../services/edge/src/sessions/rest/operations.ts';
import type { Route } from '../../services/edge/src/sessions/rest/routes.ts';
import { ROUTES } from '../../services/edge/src/sessions/rest/routes.ts';
import type { Scenario } from './support/rest-scenarios.ts';
import { SCENARIOS } from './support/rest-scenarios.ts';
import { RestWorld } from './support/rest-world.ts';
import { call } from './support/rest.ts';

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
    expectForm(route, answer.body, answer.headers);
    await scenario.check?.(answer);

    if (scenario.nowhere === undefined) return;
    const other = { ...names, ...scenario.nowhere };
    const none = await call(world.url, `${route.method} ${urlOf(route, other, scenario)}`, body);
    expect(none.status).toBe(route.absent === undefined ? route.success : 404);
    expect(none.headers.get('x-ms-error-code')).toBe(route.absent ?? null);
    if (route.absent !== undefined) expectError(route, none.body, none.headers);
  });

  test('the alias is the same hub, and so is an application with a hub', async () => {
    await using people = await world.people('app');
    const body = JSON.stringify({ target: 'say', arguments: ['hello'] });
    const other = await call(world.url, 'POST /api/hubs/at/:send?application=CH', { body });
    expect(other.status).toBe(202);
    const { id } = people.json;
    const found = await call(world.url, `HEAD /api/hubs/at/connections/${id}?application=CH`);
    expect(found.status).toBe(404);
    expect(people.json.said.all).toEqual([]);
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

/** What a good answer has beside its status. */
function expectForm({ operation, style, method }: Route, body: string, headers: Headers): void {
  expect(headers.get('x-ms-request-id')).toMatch(/^[\da-f]{16}$/);
  const isEmpty = operation.answer === 'nothing' || style !== 'dated' || method === 'HEAD';
  if (operation.answer === 'response' && !isEmpty) expect(JSON.parse(body)).toEqual({});
  else if (isEmpty) expect(body).toBe('');
}

function expectError({ style, method, absent }: Route, body: string, headers: Headers): void {
  if (method === 'HEAD') return expect(body).toBe('');
  if (style !== 'dated') return expect(headers.get('content-type')).toBe('text/plain');
  expect(headers.get('content-type')).toBe('application/json');
  expect(JSON.parse(body)).toEqual({ code: absent, message: expect.any(String) });
}
