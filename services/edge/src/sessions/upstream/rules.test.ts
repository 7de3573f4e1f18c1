import { describe, expect, test } from 'vitest';
import type { UpstreamRule } from './rules.ts';
import { routeOf } from './rules.ts';
import { UrlTemplate } from './url-template.ts';

function pathOf(template: string, event: string): string | undefined {
  return new UrlTemplate(template).pathFor({ hub: 'chat', category: 'messages', event });
}

describe('a URL template', () => {
  test.each([
    ['https://app.example', 'say', '/'],
    ['https://app.example/{hub}/{category}/{event}', 'say', '/chat/messages/say'],
    ['https://app.example/a?code=k%2Fx&e={event}', 'say', '/a?code=k%2Fx&e=say'],
    ['https://app.example/{event}-{event}', 'a b', '/a%20b-a%20b'],
    ['https://app.example/{event}', 'a/b?c#d&e', '/a%2Fb%3Fc%23d%26e'],
    ['https://app.example/{event}', 'é😀', '/%C3%A9%F0%9F%98%80'],
    ['https://app.example/{event}', '\ud800', '/%EF%BF%BD'],
    ['https://app.example/{event}', '{hub}', '/%7Bhub%7D'],
    ['https://app.example/{event}', '%00hub%00', '/%2500hub%2500'],
    ['https://app.example/ö/{event}', '...', '/%C3%B6/...'],
    ['https://app.example/a?p={event}', '..', '/a?p=..'],
    ['https://app.example/api/{event}', '..', undefined],
    ['https://app.example/api/{event}/x', '.', undefined],
    ['https://app.example/api/.{event}', '.', undefined],
    ['https://app.example/api/%2e{event}', '.', undefined],
  ])('%s of %j', (template, event, path) => {
    expect(pathOf(template, event)).toBe(path);
  });

  test('knows its origin', () => {
    const { origin } = new UrlTemplate('HTTPS://App.example:443/{hub}');
    expect(origin).toBe('https://app.example');
    expect(new UrlTemplate('http://2130706433:8080/').origin).toBe('http://127.0.0.1:8080');
  });

  test.each([
    ['app.example', 'is not an absolute http or https URL'],
    ['ftp://app.example/?to=http://app.example', 'is not an absolute http or https URL'],
    ['ftp://app.example', 'is not an absolute http or https URL'],
    ['https://', 'is not an absolute http or https URL'],
    ['https://app example/', 'is not an absolute http or https URL'],
    ['https://{hub}.example/', 'has a placeholder in its host'],
    ['https://app-{hub}.example/', 'has a placeholder in its host'],
    ['https://app.example/{Hub}', 'has {Hub}: placeholders are {hub}, {category} and {event}'],
    ['https://app.example/{}', 'has {}:'],
    ['https://user:word@app.example/', 'has a user or password'],
    ['https://user@app.example/', 'has a user or password'],
    ['https://:word@app.example/', 'has a user or password'],
    ['https://app.example/%00', 'has %00'],
    ['https://app.example/#{event}', 'has a fragment'],
  ])('is not %s', (template, why) => {
    expect(() => new UrlTemplate(template)).toThrow(why);
  });
});

describe('rules', () => {
  const rule = (path: string, given: Partial<Record<'hubs' | 'categories' | 'events', string>>) => {
    const set = (names: string | undefined) => names && new Set(names.split(','));
    return {
      template: new UrlTemplate(`http://app/${path}`),
      hubs: set(given.hubs),
      categories: set(given.categories),
      events: set(given.events),
    } as UpstreamRule;
  };
  const rules = [
    rule('comings', { categories: 'connections', events: 'connected' }),
    rule('other', { hubs: 'other' }),
    rule('two', { events: 'a,b' }),
    rule('dots/{event}', { events: '..' }),
    rule('dots', { events: '..' }),
    rule('rest', { categories: 'messages' }),
  ];
  const path = (hub: string, category: string, event: string) =>
    routeOf(rules, { hub, category, event })?.path;

  test('are asked in their order, and the first that fits has it alone', () => {
    expect(path('chat', 'connections', 'connected')).toBe('/comings');
    expect(path('other', 'messages', 'a')).toBe('/other');
    expect(path('chat', 'messages', 'b')).toBe('/two');
    expect(path('chat', 'messages', 'c')).toBe('/rest');
  });

  test('compare events letter by letter', () => {
    expect(path('chat', 'messages', 'B')).toBe('/rest');
    expect(path('chat', 'connections', 'Connected')).toBeUndefined();
  });

  test('send an event nowhere that none fits, that leads out of its path, or is too long', () => {
    expect(path('chat', 'connections', 'disconnected')).toBeUndefined();
    expect(path('chat', 'messages', '..')).toBeUndefined();
    expect(path('chat', 'messages', 'x'.repeat(1024))).toBe('/rest');
    expect(path('chat', 'messages', 'x'.repeat(1025))).toBeUndefined();
    expect(routeOf([], { hub: 'chat', category: 'messages', event: 'a' })).toBeUndefined();
  });
});
