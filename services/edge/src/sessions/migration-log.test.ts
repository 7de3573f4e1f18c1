import { expect, test } from 'vitest';
import { TestEdge } from './fixtures.test-support.ts';
import { MigrationLog } from './migration-log.ts';

test('one line a look, of what has happened since the last, worse if a client was closed', () => {
  const edge = new TestEdge();
  const lines: unknown[] = [];
  const line =
    (level: string) =>
    (outcomes: object, text: string): void =>
      void lines.push([level, outcomes, text]);
  const log = Object.assign(Object.create(edge.context.log), {
    info: line('info'),
    warn: line('warn'),
  });
  const migrationLog = new MigrationLog({ ...edge.context, log });
  const { migrations } = edge.context.counters;
  migrationLog.expire();
  migrations.add('moved', 3);
  migrations.add('moved_after_loss');
  migrationLog.expire();
  migrationLog.expire();
  migrations.add('moved');
  migrations.add('no_server', 2);
  migrationLog.expire();
  migrations.add('not_possible');
  migrationLog.expire();
  migrations.add('not_allowed', 2);
  migrations.add('rebalanced', 4);
  migrationLog.expire();
  const left = 'clients left by their app server, moved or closed as it wants';
  const closed = 'clients closed that could not be moved to another app server';
  expect(lines).toEqual([
    ['info', { moved: 3, moved_after_loss: 1 }, left],
    ['warn', { moved: 1, no_server: 2 }, closed],
    ['warn', { not_possible: 1 }, closed],
    ['info', { rebalanced: 4 }, 'clients moved to app servers with fewer'],
    ['info', { not_allowed: 2 }, left],
  ]);
});
