import { execFileSync, spawnSync } from 'node:child_process';
import { expect, expectTypeOf, test } from 'vitest';
import { METRICS } from './catalogue.ts';
import type { MetricDefinition } from './catalogue.ts';
import { Histogram } from './histogram.ts';
import { createRegistry } from './registry.ts';
import type { Sources } from './registry.ts';
import { processSources } from './process-sources.ts';
import { GIVEN, quietSources } from './sources.test-support.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

function scrape(some: Partial<Sources> = {}): Promise<string> {
  return createRegistry(quietSources(some), GIVEN).metrics();
}

test('series of closed label sets are there at 0 from the start', async () => {
  const text = await scrape();
  for (const line of [
    'trunkline_messages_total{direction="to_server"} 0',
    'trunkline_client_opens_total{transport="longPolling"} 0',
    'trunkline_client_closes_total{reason="SlowClient"} 0',
    'trunkline_token_rejections_total{use="rest",reason="audience"} 0',
    'trunkline_relay_latency_seconds_bucket{hop="client_to_server",le="+Inf"} 0',
    'trunkline_slow_clients_total 0',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('a series that its source names has that value and no second one', async () => {
  const text = await scrape({
    trunkline_messages_total: () => [[{ direction: 'to_server' }, 7]],
    trunkline_client_connections: () => [[{ hub: 'chat', transport: 'webSockets' }, 3]],
  });
  expect(text.match(/^trunkline_messages_total\{direction="to_server"\}.*$/gm)).toEqual([
    'trunkline_messages_total{direction="to_server"} 7',
  ]);
  expect(text).toContain('trunkline_client_connections{hub="chat",transport="webSockets"} 3\n');
});

test('histograms are read when the scrape comes, in cumulative buckets', async () => {
  const recipients = new Histogram('trunkline_fanout_recipients');
  const registry = createRegistry(
    quietSources({ trunkline_fanout_recipients: () => recipients }),
    GIVEN,
  );
  recipients.observe(5, 2);
  recipients.observe(1e6);
  const text = await registry.metrics();
  expect(text.match(/^trunkline_fanout_recipients.*$/gm)).toEqual([
    'trunkline_fanout_recipients_bucket{le="0"} 0',
    'trunkline_fanout_recipients_bucket{le="1"} 0',
    ...['10', '100', '1000', '10000', '100000'].map(
      (le) => `trunkline_fanout_recipients_bucket{le="${le}"} 2`,
    ),
    'trunkline_fanout_recipients_bucket{le="+Inf"} 3',
    'trunkline_fanout_recipients_sum 1000010',
    'trunkline_fanout_recipients_count 3',
  ]);
});

test('a value that the machine does not know is absent', async () => {
  const text = await scrape({ process_open_fds: () => undefined });
  expect(text).not.toMatch(/^process_open_fds /m);
  expect(text).toContain('# TYPE process_open_fds gauge');
});

test('a source that throws fails the scrape', async () => {
  const broken = (): number => {
    throw new Error('broken source');
  };
  await expect(scrape({ trunkline_slow_clients_total: broken })).rejects.toThrow('broken source');
});

test.skipIf(!hasPromtool)('promtool check metrics passes (needs promtool)', async () => {
  const text = await scrape({
    ...processSources('1.0.0'),
    trunkline_client_connections: () => [[{ hub: 'a"b\\c', transport: 'webSockets' }, 3]],
    trunkline_server_connections: () => [[{ hub: 'chat' }, 5]],
  });
  expect(execFileSync('promtool', ['check', 'metrics'], { input: text }).toString()).toBe('');
});

test('the process sources have values for this process', async () => {
  const text = await scrape(processSources('1.0.0'));
  const valueOf = (name: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
  expect(valueOf('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(valueOf('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  expect(
    Math.abs(valueOf('process_start_time_seconds') - performance.timeOrigin / 1000),
  ).toBeLessThan(5);
  expect(text).toContain(
    `trunkline_build_info{version="1.0.0",node="${process.versions.node}"} 1\n`,
  );
  expect(text).toMatch(/^trunkline_event_loop_delay_seconds\{statistic="max"\} \d/m);
});

test.skipIf(process.platform !== 'linux')('file descriptors are counted (Linux)', async () => {
  const text = await scrape(processSources('1.0.0'));
  const open = Number(/^process_open_fds (\d+)$/m.exec(text)?.[1]);
  expect(open).toBeGreaterThan(2);
  expect(Number(/^process_max_fds (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(open);
});

test('every metric has its texts, and a histogram ascending buckets', () => {
  for (const [name, metric] of Object.entries<MetricDefinition>(METRICS)) {
    expect(name).toMatch(/^(trunkline|process)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(metric.type === 'counter');
    for (const text of [metric.help, metric.meaning, metric.whenItRises]) {
      expect(text).toMatch(/^\S.*\.$/);
    }
    const buckets = metric.buckets ?? [];
    expect(buckets.length > 0).toBe(metric.type === 'histogram');
    expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
  }
});

test('a missing, misspelt or mislabelled source does not compile', () => {
  expectTypeOf<Omit<Sources, 'trunkline_messages_total'>>().not.toExtend<Sources>();
  expectTypeOf<{ trunkline_mesages_total: () => number }>().not.toExtend<Partial<Sources>>();
  expectTypeOf(() => [[{ direction: 'up' }, 1]] as const).not.toExtend<
    Sources['trunkline_messages_total']
  >();
  expectTypeOf(() => [[{ direction: 'to_client' }, 1]] as const).toExtend<
    Sources['trunkline_messages_total']
  >();
});
