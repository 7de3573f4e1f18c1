import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

const SECRET = `eyJhbGciOiJIUzI1NiJ9.e30.${'s'.repeat(43)}`;

function logged(log: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  let line = '';
  const options = { name: 'edge', level: 'info', version: '1.2.3' } as const;
  log(createLogger(options, { write: (text) => void (line += text) }));
  return JSON.parse(line) as Record<string, unknown>;
}

test('a line says the level in words, the time in ISO format, the service and its version', () => {
  const line = logged((logger) => logger.warn({ port: 1 }, 'hello'));
  expect(line).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    service: 'edge',
    version: '1.2.3',
    port: 1,
    msg: 'hello',
  });
});

test('lines below the level are not written', () => {
  expect(() => logged((logger) => logger.debug('quiet'))).toThrow(SyntaxError);
});

test('no field, message, url or error gives a secret away', () => {
  const line = logged((logger) =>
    logger.child({ authorization: 'opaque' }).error(
      {
        err: new Error(`refused ${SECRET}`, { cause: new Error('AccessKey=hunter2') }),
        url: `/client/?id=connectiontoken&access_token=${SECRET}`,
        accessKeys: ['hunter2'],
        request: { token: 'hunter2', headers: { other: `Bearer ${SECRET}` } },
      },
      'request with access_token=hunter2',
    ),
  );
  const text = JSON.stringify(line);
  for (const secret of [SECRET, 'hunter2', 'opaque', 'connectiontoken']) {
    expect(text).not.toContain(secret);
  }
  expect(line['url']).toBe('/client/?id=[redacted]&access_token=[redacted]');
  expect(text).toContain('refused [redacted]');
});
