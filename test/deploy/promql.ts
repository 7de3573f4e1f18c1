import { METRICS } from '@trunkline/telemetry';
import type { LabelValues, MetricDefinition } from '@trunkline/telemetry';

/** A metric as a query names it, with its matchers: `['hub', '=', 'chat']`. */
export interface Selector {
  readonly name: string;
  readonly matchers: readonly (readonly [label: string, operator: string, value: string])[];
}

const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** The metrics of a PromQL expression: every name that is no function, keyword or label list. */
export function selectorsOf(expression: string): Selector[] {
  const text = expression
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gi, '')
    .replace(/\[[^\]]*\]/g, '');
  const found = text.matchAll(/([a-zA-Z_:][\w:]*)\b(?!\s*\()(?:\{([^}]*)\})?|"[^"]*"|[\d.]+\w*/g);
  return [...found].flatMap(([, name, matchers = '']) => {
    if (name === undefined || WORDS.has(name.toLowerCase()) || isFunction(text, name)) return [];
    const list = [...matchers.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)];
    return [{ name, matchers: list.map(([, ...matcher]) => matcher as [string, string, string]) }];
  });
}

function isFunction(text: string, name: string): boolean {
  return new RegExp(`\\b${name}\\s*\\(`).test(text);
}

const SCRAPE_LABELS = ['job', 'instance'];

/** What is wrong with a selector: a metric, a label or a value that no edge ever serves. */
export function problemsOf(
  { name, matchers }: Selector,
  given: (metric: string, label: string) => readonly string[],
): string[] {
  const metric = name === 'up' ? { labels: {} } : definitionOf(name);
  if (metric === undefined) return [`${name} is not in the catalogue`];
  return matchers.flatMap(([label, operator, value]) => {
    if (SCRAPE_LABELS.includes(label) || value.startsWith('$')) return [];
    const values: LabelValues | undefined = metric.labels[label];
    if (values === undefined) return [`${name} has no label ${label}`];
    if (values === 'open') return [];
    const closed = values === 'given' ? given(name, label) : values;
    const wanted = operator.endsWith('~') ? value.split('|') : [value];
    return wanted
      .filter((one) => !closed.includes(one))
      .map((one) => `${name} never has ${label}="${one}"`);
  });
}

function definitionOf(name: string): Pick<MetricDefinition, 'labels'> | undefined {
  const metrics: Readonly<Record<string, MetricDefinition>> = METRICS;
  const base = metrics[name.replace(/_(bucket|sum|count)$/, '')];
  return metrics[name] ?? (base?.type === 'histogram' ? base : undefined);
}
