import { describe, expect, test } from 'vitest';
import { findRoute, ROUTES } from './routes.ts';

describe('a request', () => {
  test.each<[string, string, string, Record<string, string>]>([
    ['POST', '/api/hubs/chat/:send', 'sendToAll', { hub: 'chat' }],
    ['POST', '/api/hubs/chat/:send/', 'sendToAll', { hub: 'chat' }],
    ['POST', '/api/v1/hubs/chat', 'sendToAll', { hub: 'chat' }],
    ['POST', '/api/hubs/h/groups/a%2Fb/:send', 'sendToGroup', { hub: 'h', group: 'a%2Fb' }],
    ['POST', '/api/hubs/h/groups/%3Asend/:send', 'sendToGroup', { hub: 'h', group: '%3Asend' }],
    ['POST', '/api/hubs/h/connections/:refreshAuth', 'refreshAuth', { hub: 'h' }],
    ['POST', '/api/hubs/h/connections/claims', 'getClaims', { hub: 'h' }],
    [
      'GET',
      '/api/hubs/h/connections/claims',
      'connectionExists',
      { hub: 'h', connectionId: 'claims' },
    ],
    [
      'POST',
      '/api/hubs/h/connections/%3ArefreshAuth',
      'sendToConnection',
      { hub: 'h', connectionId: '%3ArefreshAuth' },
    ],
    ['GET', '/api/hubs/h/groups/g/connections', 'listGroupConnections', { hub: 'h', group: 'g' }],
    ['GET', '/api/x/hubs/h/groups/g/connections', 'listGroup', { hub: 'h', group: 'g' }],
    ['GET', '/api/x/hubs/h/count', 'countHub', { hub: 'h' }],
    ['POST', '/api/v1-preview/hub/h/users/a,b', 'sendToUsers', { hub: 'h', users: 'a,b' }],
    ['HEAD', '/api/health', 'health', {}],
  ])('%s %s is %s', (method, path, id, names) => {
    expect(findRoute(method, path)).toEqual({ route: expect.objectContaining({ id }), names });
  });

  test('that no route is for is told what methods there are', () => {
    expect(findRoute('PATCH', '/api/hubs/h')).toEqual(['POST']);
    expect(findRoute('POST', '/api/health')).toEqual(['HEAD', 'GET']);
    expect(findRoute('POST', '/api/hubs/')).toBeUndefined();
    expect(findRoute('POST', '/api/hubs//:send')).toBeUndefined();
    expect(findRoute('POST', '/API/hubs/h')).toBeUndefined();
    expect(findRoute('POST', '/')).toBeUndefined();
  });
});

test('of one method and path there is one route', () => {
  const all = ROUTES.map(
    ({ method, template }) => `${method} ${template.replaceAll(/\{\w+\}/g, '{}')}`,
  );
  expect(new Set(all).size).toBe(all.length);
});
