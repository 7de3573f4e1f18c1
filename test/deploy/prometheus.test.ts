import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { EDGE_OPTIONS } from '../../services/edge/src/options.ts';
import { readCompose, readYaml, ROOT } from './deploy-files.ts';
import { alertQueries } from './queries.ts';

const FOLDER = `${ROOT}deploy/prometheus/`;
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

function promtool(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

/** Series, one sample a minute, that make an alert fire, and some that do not. */
const CASES: Readonly<Record<string, { fires: string[]; isQuiet: string[] }>> = {
  TrunklineEdgeDown: {
    fires: ['up{job="edge"} 1 0x30'],
    isQuiet: ['up{job="edge"} 1x30'],
  },
  TrunklineClientsWithoutAppServer: {
    fires: ['trunkline_clients_waiting 3x30'],
    isQuiet: ['trunkline_clients_waiting 0x28 1 0'],
  },
  TrunklineServerConnectionsLost: {
    fires: ['trunkline_server_closes_total{reason="PingTimeout"} 0+6x30'],
    isQuiet: [
      'trunkline_server_closes_total{reason="Normal"} 0+60x30',
      'trunkline_server_closes_total{reason="PingTimeout"} 0x20 5x10',
    ],
  },
  TrunklineClientsNotMoved: {
    fires: ['trunkline_migrations_total{outcome="no_server"} 0+12x30'],
    isQuiet: [
      'trunkline_migrations_total{outcome="moved"} 0+600x30',
      'trunkline_migrations_total{outcome="not_allowed"} 0+600x30',
      'trunkline_migrations_total{outcome="not_possible"} 0x20 20x10',
    ],
  },
  TrunklineAccessKeyMismatch: {
    fires: ['trunkline_token_rejections_total{use="server",reason="signature"} 0+30x30'],
    isQuiet: ['trunkline_token_rejections_total{use="client",reason="expired"} 0+30x30'],
  },
  TrunklineSlowClients: {
    fires: ['trunkline_slow_clients_total 0+120x30'],
    isQuiet: ['trunkline_slow_clients_total 0+6x30'],
  },
  TrunklineAppServerNotReading: {
    fires: ['trunkline_outbound_queue_bytes{side="server"} 20000000x30'],
    isQuiet: [
      'trunkline_outbound_queue_bytes{side="client"} 20000000x30',
      'trunkline_outbound_queue_bytes{side="server"} 1000000x30',
    ],
  },
  TrunklineRelaySlow: {
    fires: [
      'trunkline_relay_latency_seconds_bucket{hop="client_to_server",le="0.05"} 0+900x30',
      'trunkline_relay_latency_seconds_bucket{hop="client_to_server",le="0.1"} 0+1000x30',
      'trunkline_relay_latency_seconds_bucket{hop="client_to_server",le="+Inf"} 0+1000x30',
    ],
    isQuiet: [
      'trunkline_relay_latency_seconds_bucket{hop="client_to_server",le="0.05"} 0+1000x30',
      'trunkline_relay_latency_seconds_bucket{hop="client_to_server",le="+Inf"} 0+1000x30',
    ],
  },
  TrunklineEventLoopLate: {
    fires: ['trunkline_event_loop_delay_seconds{statistic="p99"} 0.2x30'],
    isQuiet: [
      'trunkline_event_loop_delay_seconds{statistic="max"} 0.2x30',
      'trunkline_event_loop_delay_seconds{statistic="p99"} 0.01x30',
    ],
  },
  TrunklineEdgeCpuFull: {
    fires: ['process_cpu_seconds_total{job="edge"} 0+57x30'],
    isQuiet: ['process_cpu_seconds_total{job="edge"} 0+30x30'],
  },
  TrunklineFileDescriptorsLow: {
    fires: ['process_open_fds{job="edge"} 900x30', 'process_max_fds{job="edge"} 1000x30'],
    isQuiet: ['process_open_fds{job="edge"} 700x30', 'process_max_fds{job="edge"} 1000x30'],
  },
  TrunklineClientsRefused: {
    fires: ['trunkline_refusals_total{reason="open_files"} 0+60x30'],
    isQuiet: [
      'trunkline_refusals_total{reason="introduction_bytes"} 0+60x30',
      'trunkline_refusals_total{reason="connections"} 0+1x30',
    ],
  },
  TrunklinePoolUsedUp: {
    fires: ['trunkline_pool_refusals_total{pool="posts",kind="evicted"} 0+60x30'],
    isQuiet: [
      'trunkline_pool_refusals_total{pool="posts",kind="share"} 0+60x30',
      'trunkline_pool_refusals_total{pool="posts",kind="total"} 0+1x30',
    ],
  },
  TrunklineRestCallsFail: {
    fires: ['trunkline_rest_requests_total{operation="userExists",status="5xx"} 0+60x30'],
    isQuiet: ['trunkline_rest_requests_total{operation="userExists",status="4xx"} 0+60x30'],
  },
  TrunklineServersBreakProtocol: {
    fires: ['trunkline_protocol_errors_total{side="server",code="wrong-type"} 0x25 1x5'],
    isQuiet: ['trunkline_protocol_errors_total{side="client",code="wrong-type"} 0x25 1x5'],
  },
  TrunklineBusLost: {
    fires: ['trunkline_bus_up 1x10 0x20'],
    isQuiet: ['trunkline_bus_up 1x28 0 1'],
  },
  TrunklineBusDropsMessages: {
    fires: ['trunkline_bus_dropped_total{reason="stale"} 0x20 100+100x10'],
    isQuiet: ['trunkline_bus_dropped_total{reason="stale"} 0x10 500x20'],
  },
  TrunklineEdgesDisagree: {
    fires: [
      'trunkline_cluster_members{instance="a"} 3x30',
      'trunkline_cluster_members{instance="b"} 2x30',
    ],
    isQuiet: [
      'trunkline_cluster_members{instance="a"} 3x30',
      'trunkline_cluster_members{instance="b"} 3x30',
    ],
  },
  TrunklineEdgeKeepsDraining: {
    fires: ['trunkline_draining 0x5 1x30'],
    isQuiet: ['trunkline_draining 0x20 1x10'],
  },
  TrunklineQuestionsTimeOut: {
    fires: ['trunkline_cluster_questions_total{outcome="timed_out"} 0+60x30'],
    isQuiet: ['trunkline_cluster_questions_total{outcome="not_found"} 0+60x30'],
  },
  TrunklineBusGaps: {
    fires: ['trunkline_bus_gaps_total{cause="cut"} 0x15 1+1x15'],
    isQuiet: [
      'trunkline_bus_gaps_total{cause="restarted"} 0+10x30',
      'trunkline_bus_gaps_total{cause="cut"} 0x20 2x10',
    ],
  },
  TrunklineUpstreamDown: {
    fires: ['trunkline_upstream_breakers{state="open"} 0x20 1x10'],
    isQuiet: [
      'trunkline_upstream_breakers{state="closed"} 3x30',
      'trunkline_upstream_breakers{state="half_open"} 0x28 1 0',
    ],
  },
  TrunklineUpstreamRefuses: {
    fires: ['trunkline_upstream_calls_total{hub="chat",outcome="refused"} 0+60x30'],
    isQuiet: [
      'trunkline_upstream_calls_total{hub="chat",outcome="ok"} 0+600x30',
      'trunkline_upstream_calls_total{hub="chat",outcome="refused"} 0+1x30',
    ],
  },
};

test('Prometheus finds the edges, and Grafana finds Prometheus, by the names in the compose file', () => {
  const { scrape_configs: jobs } = readYaml('deploy/prometheus/prometheus.yml') as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  const { datasources } = readYaml('deploy/grafana/provisioning/datasources/prometheus.yml') as {
    datasources: { url: string }[];
  };
  const targets = jobs.flatMap((job) => job.static_configs.flatMap((config) => config.targets));
  const addresses = [...targets, ...datasources.map(({ url }) => new URL(url).host)];
  const { default: port } = EDGE_OPTIONS.adminPort;
  expect(addresses).toEqual([`edge-1:${port}`, `edge-2:${port}`, 'prometheus:9090']);
  expect(Object.keys(readCompose().services)).toEqual(
    expect.arrayContaining(['edge-1', 'edge-2', 'prometheus']),
  );
});

test('every alert has its cases here', () => {
  expect(alertQueries().map(({ name }) => name)).toEqual(Object.keys(CASES));
});

describe.skipIf(!hasPromtool)('promtool (needs promtool)', () => {
  test('accepts the configuration and the rules', () => {
    const { status, output } = promtool('check', 'config', `${FOLDER}prometheus.yml`);
    expect(output).not.toContain('FAILED');
    expect(status).toBe(0);
  });

  test.each(Object.entries(CASES))('%s fires when it should, only', (alert, cases) => {
    const folder = mkdtempSync(join(tmpdir(), 'alerts-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const scenario = (lines: readonly string[], firing: number): object => ({
      interval: '1m',
      input_series: lines.map((line) => ({
        series: line.slice(0, line.lastIndexOf('}') + 1) || line.slice(0, line.indexOf(' ')),
        values: line.slice(line.indexOf(' ', line.lastIndexOf('}') + 1) + 1),
      })),
      promql_expr_test: [
        {
          expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
          eval_time: '29m',
          exp_samples: [{ labels: '{}', value: firing }],
        },
      ],
    });
    const path = join(folder, 'test.yml');
    const tests = [scenario(cases.fires, 1), scenario(cases.isQuiet, 0)];
    writeFileSync(
      path,
      stringify({ rule_files: [`${FOLDER}alerts.yml`], evaluation_interval: '1m', tests }),
    );
    expect(promtool('test', 'rules', path)).toEqual({
      status: 0,
      output: expect.stringContaining('SUCCESS'),
    });
  });
});
