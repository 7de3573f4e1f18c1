export { METRICS } from './catalogue.ts';
export type {
  HistogramName,
  LabelsOf,
  LabelValues,
  MetricDefinition,
  MetricName,
} from './catalogue.ts';
export { Histogram } from './histogram.ts';
export { DIGEST_MS, LogDigest, startDigest } from './log-digest.ts';
export { createLogger, LOG_LEVELS } from './logger.ts';
export type { LoggerOptions } from './logger.ts';
export { processSources } from './process-sources.ts';
export type { ProcessSources } from './process-sources.ts';
export { redactText, redactUrl } from './redact.ts';
export { createRegistry } from './registry.ts';
export type { GivenLabels, Reading, Sources } from './registry.ts';
export type { Logger } from 'pino';
export type { Registry } from 'prom-client';
