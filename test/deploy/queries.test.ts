import { describe, expect, test } from 'vitest';
import {
  CLIENT_CLOSE_REASONS,
  SERVER_CLOSE_REASONS,
} from '../../services/edge/src/sessions/close-reason.ts';
import { readYaml } from './deploy-files.ts';
import { problemsOf, selectorsOf } from './promql.ts';
import { alertQueries, panelQueries, readDashboards } from './queries.ts';

function reasons(metric: string): string[] {
  const isServer = metric === 'trunkline_server_closes_total';
  const table = isServer ? SERVER_CLOSE_REASONS : CLIENT_CLOSE_REASONS;
  return Object.values(table).map(({ label }) => label);
}

function problems(expr: string): string[] {
  return selectorsOf(expr).flatMap((selector) => problemsOf(selector, reasons));
}

test.each([...panelQueries(), ...alertQueries()])('$name names what edges serve', ({ expr }) => {
  expect(selectorsOf(expr).length).toBeGreaterThan(0);
  expect(problems(expr)).toEqual([]);
});

test.each([
  ['rate(trunkline_mesages_total[5m]) > 1e3', ['trunkline_mesages_total is not in the catalogue']],
  ['sum by (hub) (up) and on (hub) foo', ['foo is not in the catalogue']],
  [
    'trunkline_messages_total{direction="up"}',
    ['trunkline_messages_total never has direction="up"'],
  ],
  ['trunkline_messages_total{hub="chat"}', ['trunkline_messages_total has no label hub']],
  [
    'trunkline_client_closes_total{reason!~"Normal|Wrong"}',
    ['trunkline_client_closes_total never has reason="Wrong"'],
  ],
  [
    'trunkline_slow_clients_total_sum',
    ['trunkline_slow_clients_total_sum is not in the catalogue'],
  ],
  ['trunkline_fanout_recipients_sum / trunkline_fanout_recipients_count', []],
])('a mistake is found: %s', (expr, expected) => {
  expect(problems(expr)).toEqual(expected);
});

describe('dashboards', () => {
  const { datasources } = readYaml('deploy/grafana/provisioning/datasources/prometheus.yml') as {
    datasources: { uid: string }[];
  };

  test.each(readDashboards())('$uid asks only the datasource that is provisioned', ({ panels }) => {
    const asked = panels.flatMap(({ datasource }) => (datasource ? [datasource.uid] : []));
    expect(asked.length).toBeGreaterThan(0);
    expect(datasources.map(({ uid }) => uid)).toEqual(expect.arrayContaining(asked));
  });
});
